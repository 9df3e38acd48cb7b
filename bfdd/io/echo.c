// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Echo packets in the engine. They come in by packet sockets (tap.h): the kernel takes a packet from outside
 * that has our own source address for a lie. They leave as frames, because what is addressed to ourselves
 * would be routed to ourselves: without the peer's link-layer address there is no echo.
 *
 * Whose a packet is, its destination says: a peer's own address, and it is that peer's, to be sent back;
 * ours, and it has come back to us: an Echo packet of ours, or a Control packet of RFC 9747.
 *
 * A path that has never given back a packet has not failed: the peer may not be set up for it, and until it
 * is Control packets go on at their own rate and tell what they can. Once one came back, silence is failure
 * for the rest of the session's life.
 */
#include "io/datagram.h"
#include "io/engine_private.h"

/* RFC 5881 4. */
static struct raw_path way(const struct session *session, const struct addr *from, const struct addr *to,
			   uint16_t source_port, uint8_t ttl)
{
	return (struct raw_path){
		.local = *from,
		.peer = *to,
		.ifindex = session->key.ifindex,
		.source_port = source_port,
		.port = BFD_PORT_ECHO,
		.dscp = session->config.dscp,
		.ttl = ttl,
	};
}

static struct session *session_of(struct engine *engine, const struct echo *echo)
{
	return table_slot(&engine->back.table, echo->slot);
}

static void arm_detect(struct engine *engine, const struct session *session, struct echo *echo)
{
	usec_t deadline = echo_deadline(echo);

	if (session->echo_proven && deadline != USEC_NEVER && !timer_armed(&echo->detect_timer))
		wheel_arm(&engine->back.wheel, &echo->detect_timer, deadline);
}

static void stop(struct engine *engine, struct echo *echo, bool failed)
{
	echo_end(echo, failed);
	wheel_cancel(&engine->back.wheel, &echo->tx_timer);
	wheel_cancel(&engine->back.wheel, &echo->detect_timer);
}

void echo_apply(struct engine *engine, struct session *session)
{
	usec_t now = engine->back.clock.now;
	struct echo *echo;

	if (!session->extra)
		return;
	echo = &session->extra->echo;
	if (!session->echo_interval || session->removing) {
		stop(engine, echo, session->local_diag == DIAG_ECHO_FAILED);
		return;
	}
	echo_begin(echo, session->echo_interval, session->config.detect_mult);
	if (!timer_armed(&echo->tx_timer) || echo->tx_timer.deadline > now + echo->interval)
		wheel_arm(&engine->back.wheel, &echo->tx_timer, now);
	wheel_cancel(&engine->back.wheel, &echo->detect_timer);
	arm_detect(engine, session, echo);
}

void echo_forget(struct engine *engine, struct session *session)
{
	if (session->extra)
		stop(engine, &session->extra->echo, false);
}

void echo_transmit(struct engine *engine, struct timer *timer)
{
	struct echo *echo = (struct echo *)((char *)timer - offsetof(struct echo, tx_timer));
	struct session *session = session_of(engine, echo);
	struct companion *companion;
	uint8_t payload[ECHO_SIZE];
	struct raw_path path;
	usec_t now;

	if (!session || !session->echo_interval)
		return;
	companion = companion_of(&engine->back, session);
	now = clock_now();
	wheel_arm(&engine->back.wheel, &echo->tx_timer,
		  session_on_grid(now + echo->interval, echo->interval));
	if (!companion->link.known || !engine->back.frame)
		return;
	echo_send(echo, engine->back.echo_key, session->local_discr, now, payload, 0);
	path = way(session, &session->key.local, &session->key.local, session->source_port, 0);
	frame_send(engine->back.frame, companion->link.peer, companion->link.own, &path, payload,
		   sizeof(payload));
	counter_add(&engine->counters.packets_out, 1);
	arm_detect(engine, session, echo);
}

/* Whether to put off judging, because of a stall of ours (see engine.c). */
static bool defer(struct engine *engine, struct echo *echo)
{
	usec_t time = echo_detection_time(echo);
	/* All that was on its way in a stall may have been late by as much. */
	usec_t grace = sessions_grace(engine, time, time - echo->deferred);

	if (grace <= 0)
		return false;
	echo->deferred += grace;
	wheel_arm(&engine->back.wheel, &echo->detect_timer, engine->back.clock.now + grace);
	return true;
}

void echo_detect(struct engine *engine, struct timer *timer)
{
	struct echo *echo = (struct echo *)((char *)timer - offsetof(struct echo, detect_timer));
	struct session *session = session_of(engine, echo);
	struct session_effects effects;

	if (!session || !session->echo_interval)
		return;
	if (echo_deadline(echo) > engine->back.clock.now) {
		arm_detect(engine, session, echo);
		return;
	}
	if (defer(engine, echo))
		return;
	session_echo_failed(session, engine->back.clock.now, &effects);
	sessions_apply(engine, session, &effects);
}

/* Where our own have to come from. */
static enum drop check(const struct session *session, const struct table_origin *origin)
{
	if (session->key.ifindex != origin->ifindex)
		return DROP_WRONG_INTERFACE;
	if (!addr_equal(&session->key.local, &origin->local) ||
	    !addr_equal(&session->key.local, &origin->peer))
		return DROP_WRONG_PEER;
	return origin->ttl < ECHO_TTL_LEAST ? DROP_TTL : DROP_NONE;
}

static void came_back(struct engine *engine, uint32_t discr, const uint8_t *data,
		      const struct table_origin *origin, usec_t received)
{
	struct session *session = table_by_discr(&engine->back.table, discr);
	enum drop drop = DROP_ECHO_UNKNOWN;
	struct session_effects effects;
	usec_t rtt;

	if (session && session->extra && session->key.type == SESSION_SINGLE_HOP) {
		drop = check(session, origin);
		session->extra->echo.stalled = engine->back.lateness;
		if (!drop)
			drop = echo_returned(&session->extra->echo, engine->back.echo_key, data, 0, received,
					     &rtt);
	} else {
		session = NULL;
	}
	if (drop) {
		sessions_drop(engine, session, drop);
		return;
	}
	rtt_add(&session->extra->echo_rtt, rtt);
	if (session->echo_proven)
		return;
	session_echo_proven(session, engine->back.clock.now, &effects);
	sessions_apply(engine, session, &effects);
}

size_t echo_sign_loop(struct engine *engine, struct session *session, uint8_t *payload, size_t size)
{
	struct echo *echo = &session->extra->echo;

	echo->interval = session->tx_interval;
	echo->mult = session->config.detect_mult;
	echo->patient = true;
	echo_send(echo, engine->back.echo_key, session->local_discr, clock_now(), payload + size, size);
	return size + ECHO_SIZE;
}

/* What echo_sign_loop() put behind the Control packet. */
static enum drop verify_loop(struct engine *engine, struct session *session, const struct packet *packet,
			     const uint8_t *data, size_t size, usec_t received)
{
	const uint8_t *behind = data + packet->length;
	usec_t rtt;
	enum drop drop;

	if (size < packet->length + (size_t)ECHO_SIZE ||
	    echo_discr(behind, ECHO_SIZE) != session->local_discr)
		return DROP_ECHO_FORGED;
	drop = echo_returned(&session->extra->echo, engine->back.echo_key, behind, packet->length, received,
			     &rtt);
	if (!drop)
		rtt_add(&session->extra->echo_rtt, rtt);
	return drop;
}

/* RFC 9747: found by My Discriminator, which is ours also before we know Your Discriminator. */
static void looped(struct engine *engine, const uint8_t *data, size_t size, const struct table_origin *origin,
		   usec_t stamp)
{
	struct session *session = NULL;
	struct session_effects effects;
	struct packet packet;
	usec_t received = clock_received(&engine->back.clock, stamp);
	enum drop drop = packet_decode(&packet, data, size);

	if (!drop) {
		session = table_by_discr(&engine->back.table, packet.my_discr);
		if (!session || session->key.type != SESSION_ECHO ||
		    (packet.your_discr && packet.your_discr != packet.my_discr)) {
			session = NULL;
			drop = DROP_ECHO_UNKNOWN;
		} else {
			drop = check(session, origin);
		}
	}
	if (!drop)
		drop = verify_loop(engine, session, &packet, data, size, received);
	if (!drop && session->config.auth)
		drop = session_authenticate(session, &packet, data, received);
	if (!drop)
		drop = session_receive(session, &packet, received, &effects);
	if (session)
		recorder_packet(engine, session, data, size, origin, stamp, drop);
	if (drop)
		sessions_drop(engine, session, drop);
	else
		sessions_apply(engine, session, &effects);
}

/* TTL 255: from the link, and not one that somebody sent back already, or it would go round for ever. */
static enum drop may_send_back(const struct session *session, const struct table_origin *origin, usec_t now,
			       uint32_t *interval)
{
	*interval = session->extra ? echo_takes(&session->extra->echo, session->config.echo_rx, now) : 0;
	if (!*interval || session->state != BFD_UP)
		return DROP_ECHO_UNKNOWN;
	if (origin->ttl != DATAGRAM_TTL)
		return DROP_TTL;
	return origin->size > PACKET_SIZE_MAX ? DROP_LENGTH : DROP_NONE;
}

static void send_back(struct engine *engine, struct session *session, const uint8_t *data, size_t size,
		      const struct table_origin *origin, usec_t received)
{
	struct companion *companion = companion_of(&engine->back, session);
	struct raw_path path = way(session, &origin->peer, &origin->local, origin->port, DATAGRAM_TTL - 1);
	uint32_t interval;
	enum drop drop = may_send_back(session, origin, engine->back.clock.now, &interval);

	if (!drop && !session->extra->echo.kernel_reflects &&
	    !echo_reflect(&session->extra->echo, interval, received))
		drop = DROP_RATE;
	if (drop)
		sessions_drop(engine, session, drop);
	else if (!session->extra->echo.kernel_reflects && companion->link.known && engine->back.frame)
		frame_send(engine->back.frame, companion->link.peer, companion->link.own, &path, data, size);
}

void echo_packet(struct engine *engine, const uint8_t *data, size_t size, const struct table_origin *origin,
		 usec_t stamp)
{
	struct session *theirs = table_by_peer(&engine->back.table, &origin->local, origin->ifindex,
					       SESSION_SINGLE_HOP);
	usec_t received = clock_received(&engine->back.clock, stamp);
	uint32_t discr = echo_discr(data, size);

	if (theirs)
		send_back(engine, theirs, data, size, origin, received);
	else if (discr)
		came_back(engine, discr, data, origin, received);
	else
		looped(engine, data, size, origin, stamp);
}
