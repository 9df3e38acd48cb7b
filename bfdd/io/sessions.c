// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions as the engine keeps them. The order in which the effects of a state change are carried out is that
 * of urgency: traffic is moved first, then the peer is answered, then people are told.
 */
#include "io/engine_private.h"

#define FAREWELLS 3 /* packets after the first, spread over the peer's detection time */
#define FAREWELL_MAX (60 * USEC_S)
#define WORK_SLICE 256

static uint32_t random32(struct back *back)
{
	/* xorshift64*: for jitter only, nothing secret hangs on it. */
	back->random ^= back->random >> 12;
	back->random ^= back->random << 25;
	back->random ^= back->random >> 27;
	return back->random * 0x2545f4914f6cdd1dull >> 32;
}

/* RFC 5880 6.7. The number is kept before the packet is under way: a successor goes on behind it. */
static size_t sign(struct engine *engine, struct session *session, uint8_t *payload)
{
	size_t size = 0;

	if (session->extra)
		size = auth_sign(session->config.auth, &session->extra->auth, payload, engine->back.clock.now,
				 random32(&engine->back));
	if (size)
		keep_session(engine, session);
	return size;
}

static void arm_detect(struct back *back, struct session *session)
{
	usec_t deadline = session_detect_deadline(session), look;

	if (deadline == USEC_NEVER) {
		wheel_cancel(&back->wheel, &session->detect_timer);
		return;
	}
	/* Most likely a packet comes before: see then, together with others. */
	look = session_on_grid(deadline, session->remote_min_tx);
	wheel_arm(&back->wheel, &session->detect_timer, look > back->clock.now ? look : deadline);
}

/* One that measures is sent alone, so that it leaves when the clock is read: what is left between the two is
 * the way through the kernel, a few microseconds. */
static void transmit_poll(struct engine *engine, struct session *session, struct raw_path *path,
			  const uint8_t *payload, size_t size)
{
	bool measures = session->config.rtt_interval && !session->polls;

	if (measures)
		transmit_flush(engine);
	session_polled(session, clock_now());
	transmit_send(engine, session, path, payload, size);
	if (measures)
		transmit_flush(engine);
	if (session->demand_used && !session->removing)
		arm_detect(&engine->back, session);
}

/* For want of a key nothing may leave. Whether a peer in Demand mode is there is found out by asking alone:
 * who cannot ask begins to wait as if nobody answered. */
static void transmit_nothing(struct engine *engine, struct session *session, bool poll)
{
	if (!poll || !session->demand_used || session->removing)
		return;
	session_polled(session, clock_now());
	arm_detect(&engine->back, session);
}

/* DUE: USEC_NEVER for a packet out of turn. */
static bool transmit(struct engine *engine, struct session *session, bool final, usec_t due)
{
	struct raw_path path = {
		.local = session->key.local,
		.peer = session->key.peer,
		.ifindex = session->key.ifindex ? session->key.ifindex : session->key.vrf,
		.source_port = session->source_port,
		.port = session_port(session->key.type),
		.padded = session->config.padded_pdu_size,
		.dscp = session->config.dscp,
	};
	uint8_t payload[PACKET_SIZE + AUTH_SECTION + ECHO_SIZE];
	struct packet packet;
	size_t size;

	if (!session->path_up || addr_is_unspecified(&path.local))
		return false;
	if (session->key.type == SESSION_ECHO && !session->echo_able)
		return false;
	session_packet(session, final, &packet);
	size = packet_encode(&packet, payload);
	if (session->config.auth)
		size = sign(engine, session, payload);
	if (!size) {
		transmit_nothing(engine, session, packet.poll);
		return false;
	}
	if (session->key.type == SESSION_ECHO)
		size = echo_sign_loop(engine, session, payload, size);
	if (packet.poll)
		transmit_poll(engine, session, &path, payload, size);
	else
		transmit_send(engine, session, &path, payload, size);
	recorder_sent(engine, session, payload, due);
	session->packets_out++;
	counter_add(&engine->counters.packets_out, 1);
	return true;
}

static void arm_tx(struct back *back, struct session *session)
{
	if (session->removing)
		return;
	if (session->next_tx == USEC_NEVER)
		wheel_cancel(&back->tx_wheel, &session->tx_timer);
	else
		wheel_arm(&back->tx_wheel, &session->tx_timer, session->next_tx);
}

static void tell(struct engine *engine, const struct session *session, const struct session_effects *effects,
		 uint8_t kind)
{
	struct engine_event event = {
		.kind = kind,
		.from = effects->from,
		.to = effects->to,
		.diag = effects->diag,
		.remote_diag = session->remote_diag,
		.remote_state = session->remote_state,
		.remote_independent = session->remote_cpi,
		.remote_demand = session->remote_demand,
		.slot = session->slot,
		.tx_interval = session->tx_interval,
		.remote_discr = session->remote_discr,
		.remote_min_tx = session->remote_min_tx,
		.remote_min_rx = session->remote_min_rx,
		.remote_min_echo_rx = session->remote_min_echo_rx,
		.remote_detect_mult = session->remote_detect_mult,
		.detection_time = session->detection_time < UINT32_MAX ? session->detection_time : UINT32_MAX,
		.at = engine->back.clock.now,
	};

	events_push(engine, &event);
}

void sessions_apply(struct engine *engine, struct session *session, const struct session_effects *effects)
{
	unsigned what = effects->what;

	if (what)
		gate_disarm(engine->back.gate, session->slot);
	if (what & EFFECT_STATE && (effects->from == BFD_UP) != (effects->to == BFD_UP))
		decide_path(engine, session, effects->to == BFD_UP);
	if (what & EFFECT_SEND)
		transmit(engine, session, what & EFFECT_SEND_FINAL, USEC_NEVER);
	if (what & EFFECT_TX)
		arm_tx(&engine->back, session);
	if (what & EFFECT_DETECT && !session->removing)
		arm_detect(&engine->back, session);
	if (what & EFFECT_ECHO)
		echo_apply(engine, session);
	if (what & (EFFECT_STATE | EFFECT_NEGOTIATED))
		recorder_applied(engine, session, effects);
	if (what & EFFECT_STATE)
		tell(engine, session, effects, ENGINE_STATE);
	if (what & EFFECT_NEGOTIATED)
		tell(engine, session, effects, ENGINE_NEGOTIATED);
	keep_session(engine, session);
}

void sessions_hear(struct engine *engine, struct session *session)
{
	struct companion *companion = companion_of(&engine->back, session);
	usec_t last = 0, now = engine->back.clock.now;
	uint64_t taken = gate_taken(engine->back.gate, session->slot, &last), news = 0;

	if (last <= session->created) /* an earlier session's, or none */
		return;
	/* Two processors may have counted as one, and the time may be seen later than its count. */
	if (taken > companion->taken)
		news = taken - companion->taken;
	companion->taken = taken;
	if (last > now)
		last = now;
	session_heard(session, news, last);
	counter_add(&engine->counters.packets_in, news);
}

/* By its words a packet in a VRF may be the same as one in none, and the gate cannot tell them apart where
 * the interface is not compared. */
static bool may_arm(const struct back *back, const struct session *session)
{
	return !back->vrfs || !back->vrfs->n || session->key.type != SESSION_MULTIHOP;
}

void sessions_drop(struct engine *engine, struct session *session, enum drop drop)
{
	if (session)
		session->drops[drop]++;
	else
		counter_add(&engine->counters.drops[drop], 1);
}

void sessions_packet(void *context, const uint8_t *data, size_t size, const struct table_origin *origin,
		     usec_t stamp)
{
	struct engine *engine = context;
	struct session_effects effects;
	struct session *session;
	struct packet packet;
	enum drop drop;

	if (origin->type == TABLE_REFLECTOR) {
		reflector_packet(engine, data, size, origin);
		return;
	}
	if (origin->type == SESSION_ECHO) {
		echo_packet(engine, data, size, origin, stamp);
		sessions_breathe(engine);
		return;
	}
	drop = packet_decode(&packet, data, size);
	if (drop)
		session = table_by_origin(&engine->back.table, origin);
	else
		drop = table_find(&engine->back.table, &packet, origin, &session);
	if (!drop && session->config.auth)
		drop = session_authenticate(session, &packet, data,
					    clock_received(&engine->back.clock, stamp));
	if (!drop) {
		sessions_hear(engine, session);
		drop = session_receive(session, &packet, clock_received(&engine->back.clock, stamp),
				       &effects);
		recorder_packet(engine, session, data, size, origin, stamp, drop);
		if (!drop)
			session->rx_size = origin->size;
		sessions_apply(engine, session, &effects);
		if (!drop && !effects.what && size == PACKET_SIZE && may_arm(&engine->back, session) &&
		    session_steady(session, &packet)) {
			gate_arm(engine->back.gate, session->slot, data);
			recorder_steady(engine, session, data);
		} else if (!drop) { /* the same as before would now be news */
			gate_disarm(engine->back.gate, session->slot);
		}
	} else if (session) {
		sessions_hear(engine, session);
		recorder_packet(engine, session, data, size, origin, stamp, drop);
		if (drop == DROP_AUTH_SEQUENCE && session_doubt(session, engine->back.clock.now, &effects))
			sessions_apply(engine, session, &effects);
	}
	if (drop && session)
		session->drops[drop]++;
	else if (drop == DROP_NO_SESSION)
		drop = unsolicited_packet(engine, &packet, origin);
	if (drop && !session)
		counter_add(&engine->counters.drops[drop], 1);
	sessions_breathe(engine);
}

static void periodic(struct engine *engine, struct session *session, usec_t now)
{
	bool polling = session->poll_active;

	if (!session->tx_interval && !session_break_silence(session, now)) {
		arm_tx(&engine->back, session);
		return;
	}
	transmit(engine, session, false, session->next_tx);
	session->tx_late = session_grid(session->tx_interval) / 4;
	session_transmitted(session, now, random32(&engine->back));
	arm_tx(&engine->back, session);
	if (polling != session->poll_active)
		keep_session(engine, session);
}

usec_t sessions_grace(const struct engine *engine, usec_t interval, usec_t left)
{
	usec_t grace = engine->back.lateness;

	if (!grace)
		return 0;
	if (grace > interval)
		grace = interval;
	if (grace < ENGINE_TICK)
		grace = ENGINE_TICK;
	return grace < left ? grace : left;
}

/* Whether to put off judging this session's silence, because it ended in a stall of ours (see engine.c). */
static bool defer(struct engine *engine, struct session *session)
{
	struct back *back = &engine->back;
	struct companion *companion = companion_of(back, session);
	usec_t grace;

	if (!back->lateness || session->state < BFD_INIT)
		return false;
	if (companion->silence_since != session->last_rx) {
		companion->silence_since = session->last_rx;
		companion->deferred = 0;
	}
	grace = sessions_grace(engine, session->remote_min_tx, session->detection_time - companion->deferred);
	if (grace <= 0)
		return false;
	companion->deferred += grace;
	wheel_arm(&back->wheel, &session->detect_timer, back->clock.now + grace);
	return true;
}

static void detect(struct engine *engine, struct session *session)
{
	struct session_effects effects;

	sessions_hear(engine, session);
	if (session_detect_deadline(session) > engine->back.clock.now) {
		arm_detect(&engine->back, session);
		return;
	}
	if (defer(engine, session))
		return;
	session_detect_expired(session, engine->back.clock.now, &effects);
	sessions_apply(engine, session, &effects);
}

void sessions_finish(struct engine *engine, struct session *session)
{
	struct back *back = &engine->back;
	struct companion *companion = companion_of(back, session);

	wheel_cancel(&back->tx_wheel, &session->tx_timer);
	wheel_cancel(&back->wheel, &session->detect_timer);
	echo_forget(engine, session);
	gate_forget(back->gate, session->slot);
	keep_forget(engine, session);
	table_remove(&back->table, session);
	keys_release(engine, session->config.auth);
	atomic_store_explicit(&engine->counters.sessions, back->table.count, memory_order_relaxed);
	companion->notice = (struct notice){.kind = ENGINE_REMOVED, .slot = session->slot};
	events_notice(engine, &companion->notice);
}

void sessions_last_word(struct engine *engine, struct session *session)
{
	if (session->state == BFD_UP && !session->removing)
		transmit(engine, session, false, USEC_NEVER);
}

static void farewell(struct engine *engine, struct session *session, usec_t now)
{
	struct companion *companion = companion_of(&engine->back, session);

	transmit(engine, session, false, now);
	if (--companion->farewells)
		wheel_arm(&engine->back.tx_wheel, &session->tx_timer, now + companion->farewell_gap);
	else
		sessions_finish(engine, session);
}

void sessions_farewell(struct engine *engine, struct session *session, usec_t linger)
{
	struct companion *companion = companion_of(&engine->back, session);
	struct session_config config = session->config;
	usec_t span = session_patience(session);
	/* Neither a reflector nor who loops our packets has a session that it could be told of. */
	bool heard = session->remote_discr && session->path_up && session->key.type != SESSION_SBFD &&
		     session->key.type != SESSION_ECHO;
	struct session_effects effects;

	if (session->removing) {
		if (engine->back.stopping && companion->farewell_gap > linger / FAREWELLS) {
			companion->farewell_gap = linger / FAREWELLS;
			wheel_arm(&engine->back.tx_wheel, &session->tx_timer, engine->back.clock.now);
		}
		return;
	}
	if (span > FAREWELL_MAX)
		span = FAREWELL_MAX;
	session->removing = true;
	config.shutdown = true;
	session_configure(session, &config, engine->back.clock.now, &effects);
	effects.what &= ~EFFECT_SEND;
	sessions_apply(engine, session, &effects);
	wheel_cancel(&engine->back.tx_wheel, &session->tx_timer);
	wheel_cancel(&engine->back.wheel, &session->detect_timer);
	if (!heard || !linger) {
		if (heard)
			transmit(engine, session, false, USEC_NEVER);
		sessions_finish(engine, session);
		return;
	}
	companion->farewells = 1 + FAREWELLS;
	companion->farewell_gap = (span < linger ? span : linger) / FAREWELLS;
	farewell(engine, session, engine->back.clock.now);
}

static struct session *transmitting(struct timer *timer)
{
	return (struct session *)((char *)timer - offsetof(struct session, tx_timer));
}

/* Sessions that are due lie anywhere in memory, and were last touched an interval ago: what will be needed of
 * the next ones is fetched while this one is worked on. */
static void fetch_ahead(const struct engine *engine, struct timer *next)
{
	const char *session;

	if (!next)
		return;
	recorder_fetch_ahead(engine, transmitting(next));
	if (!next->next)
		return;
	session = (const char *)transmitting(next->next);
	for (size_t at = 0; at < offsetof(struct session, drops); at += 64)
		__builtin_prefetch(session + at, 1);
}

void sessions_transmit(struct engine *engine)
{
	struct wheel *wheel = &engine->back.tx_wheel;
	struct timer *timer;
	usec_t now = clock_now();

	while ((timer = wheel_expire(wheel, now))) {
		struct session *session = transmitting(timer);

		fetch_ahead(engine, wheel->due);
		if (session->removing)
			farewell(engine, session, now);
		else
			periodic(engine, session, now);
	}
}

void sessions_breathe(struct engine *engine)
{
	if (++engine->back.work % WORK_SLICE)
		return;
	sessions_transmit(engine);
	transmit_flush(engine);
}

void sessions_timer(struct engine *engine, struct timer *timer)
{
	switch (timer->kind) {
	case TIMER_DETECT:
		detect(engine, (struct session *)((char *)timer - offsetof(struct session, detect_timer)));
		break;
	case TIMER_POLICY:
		decide_tick(engine);
		break;
	case TIMER_DOUBT:
		decide_presume_doubt(engine);
		break;
	case TIMER_PRESUME:
		decide_presume_end(engine);
		break;
	case TIMER_ECHO_TX:
		echo_transmit(engine, timer);
		break;
	case TIMER_ECHO_DETECT:
		echo_detect(engine, timer);
		break;
	case TIMER_CARRIER:
		carrier_look(engine);
		break;
	case TIMER_RETRY: /* events_publish() ends this turn, as it does each */
		break;
	}
}
