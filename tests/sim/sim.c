/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { TIMER_TX, TIMER_DETECT };

/* xorshift64* */
uint32_t sim_random(struct sim *sim)
{
	sim->random ^= sim->random >> 12;
	sim->random ^= sim->random << 25;
	sim->random ^= sim->random >> 27;
	return (uint32_t)((sim->random * 0x2545f4914f6cdd1dULL) >> 32);
}

uint32_t sim_range(struct sim *sim, uint32_t least, uint32_t most)
{
	return least + (uint32_t)(((uint64_t)sim_random(sim) * ((uint64_t)most - least + 1)) >> 32);
}

void sim_fail(const struct sim_node *node, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fail_msg("SEED=%llu: node %u at %.6f s: %s", (unsigned long long)node->sim->seed, node->index,
		 (double)node->sim->now / USEC_S, text);
	__builtin_unreachable();
}

void sim_init(struct sim *sim, uint64_t seed)
{
	struct sim_seen seen = sim->seen;
	unsigned i;

	memset(sim, 0, sizeof(*sim));
	sim->seen = seen;
	sim->seed = seed;
	sim->random = seed * 0x9e3779b97f4a7c15ULL + 1;
	sim->now = 1000 * USEC_S;
	for (i = 0; i < 8; i++)
		sim_random(sim);
	for (i = 0; i < 2; i++) {
		struct sim_node *node = &sim->nodes[i];

		node->sim = sim;
		node->index = i;
		wheel_init(&node->wheel, sim->now);
		table_init(&node->table, sim_random(sim));
		table_chunk(&node->table, 0, node->memory);
	}
}

static struct addr node_addr(unsigned index)
{
	return (struct addr){AF_INET, {192, 0, 2, (uint8_t)index}};
}

static void wire_add(struct sim *sim, unsigned to, const uint8_t *bytes, size_t size)
{
	struct sim_wire *wire = &sim->wires[to];
	struct sim_flight *flight = &sim->flights[sim->nflights];

	if (sim->nflights == SIM_FLIGHTS)
		sim_fail(&sim->nodes[to], "too many packets on the wire");
	sim->nflights++;
	flight->at = sim->now + wire->delay + sim_range(sim, 0, (uint32_t)wire->jitter);
	if (wire->fifo && flight->at < wire->last_arrival)
		flight->at = wire->last_arrival;
	wire->last_arrival = flight->at;
	flight->order = sim->order++;
	flight->to = (uint8_t)to;
	flight->size = (uint8_t)size;
	memcpy(flight->bytes, bytes, size);
}

/* An attacker who hears all of it and knows no secret. */
static void tape(struct sim *sim, unsigned to, const uint8_t *bytes, size_t size)
{
	struct sim_flight *kept = &sim->tape[sim->ntape++ % SIM_TAPE];

	kept->to = (uint8_t)to;
	kept->size = (uint8_t)size;
	memcpy(kept->bytes, bytes, size);
}

void sim_replay(struct sim *sim)
{
	unsigned n = sim->ntape < SIM_TAPE ? sim->ntape : SIM_TAPE;
	const struct sim_flight *kept;

	if (!n)
		return;
	kept = &sim->tape[sim_range(sim, 0, n - 1)];
	wire_add(sim, kept->to, kept->bytes, kept->size);
	sim->seen.replayed++;
}

static void node_arm(struct sim_node *node, struct timer *timer, usec_t deadline)
{
	if (deadline == USEC_NEVER)
		wheel_cancel(&node->wheel, timer);
	else
		wheel_arm(&node->wheel, timer, deadline);
}

static void node_send(struct sim_node *node, enum sim_send kind)
{
	struct sim *sim = node->sim;
	unsigned to = !node->index;
	const struct sim_wire *wire = &sim->wires[to];
	uint8_t bytes[PACKET_SIZE + AUTH_SECTION];
	struct packet packet;
	size_t size;

	session_packet(node->session, kind == SIM_FINAL, &packet);
	if (packet.poll) {
		session_polled(node->session, sim->now);
		if (node->session->demand_used)
			node_arm(node, &node->session->detect_timer, session_detect_deadline(node->session));
	}
	watch_sent(node, &packet, kind);
	size = packet_encode(&packet, bytes);
	if (node->session->config.auth)
		size = auth_sign(node->session->config.auth, &node->extra.auth, bytes, sim->now,
				 sim_random(sim));
	sim->seen.packets++;
	tape(sim, to, bytes, size);
	if (sim->replays && sim_range(sim, 1, 1000) <= sim->replays)
		sim_replay(sim);
	if (wire->cut || sim_range(sim, 1, 1000) <= wire->loss) {
		sim->seen.lost++;
		return;
	}
	wire_add(sim, to, bytes, size);
	if (sim_range(sim, 1, 1000) <= wire->duplicate)
		wire_add(sim, to, bytes, size);
}

void sim_effects(struct sim_node *node, const struct session_effects *effects)
{
	struct session *session = node->session;

	watch_effects(node, effects);
	if (effects->what & EFFECT_SEND)
		node_send(node, effects->what & EFFECT_SEND_FINAL ? SIM_FINAL : SIM_PROMPT);
	if (effects->what & EFFECT_TX)
		node_arm(node, &session->tx_timer, session->next_tx);
	if (effects->what & EFFECT_DETECT)
		node_arm(node, &session->detect_timer, session_detect_deadline(session));
}

void sim_start(struct sim_node *node, const struct session_config *config)
{
	uint16_t slot = (uint16_t)sim_range(node->sim, 0, TABLE_CHUNK - 1);
	struct session_key key = {
		.peer = node_addr(!node->index), .local = node_addr(node->index), .ifindex = node->index + 1};

	if (node->session) {
		wheel_cancel(&node->wheel, &node->session->tx_timer);
		wheel_cancel(&node->wheel, &node->session->detect_timer);
		table_remove(&node->table, node->session);
	}
	node->session = table_memory(&node->table, slot);
	session_init(node->session, config, &key, table_discr(slot, sim_random(node->sim)), 49152,
		     node->sim->now);
	node->extra = (struct session_extra){0};
	node->session->extra = &node->extra;
	node->session->tx_timer.kind = TIMER_TX;
	node->session->detect_timer.kind = TIMER_DETECT;
	if (!table_insert(&node->table, node->session))
		sim_fail(node, "the key is taken");
	watch_started(node);
	sim_path(node, true);
}

void sim_configure(struct sim_node *node, const struct session_config *config)
{
	struct session_effects effects;

	session_configure(node->session, config, node->sim->now, &effects);
	watch_configured(node);
	sim_effects(node, &effects);
}

void sim_path(struct sim_node *node, bool up)
{
	struct session_effects effects;

	session_path(node->session, up, node->sim->now, &effects);
	watch_path(node);
	sim_effects(node, &effects);
}

static void node_read(struct sim_node *node, const struct sim_flight *flight)
{
	struct table_origin origin = {.peer = node_addr(!node->index),
				      .local = node_addr(node->index),
				      .ifindex = node->index + 1,
				      .ttl = 255};
	struct session_effects effects;
	struct session *session;
	struct packet packet;
	enum drop drop;

	if (packet_decode(&packet, flight->bytes, flight->size) != DROP_NONE)
		sim_fail(node, "a packet of ours does not decode");
	if (table_find(&node->table, &packet, &origin, &session) != DROP_NONE) {
		node->sim->seen.drops++; /* to a session that was restarted */
		return;
	}
	drop = session_authenticate(session, &packet, flight->bytes, flight->at);
	if (drop) {
		/* Both have the same keys: nothing else can be wrong. */
		if (drop != DROP_AUTH_SEQUENCE)
			sim_fail(node, "dropped: %s", drop_name(drop));
		node->sim->seen.stale++;
		if (session_doubt(session, node->sim->now, &effects)) {
			node->sim->seen.doubts++;
			sim_effects(node, &effects);
		}
		return;
	}
	if (session_receive(session, &packet, flight->at, &effects) != DROP_NONE) {
		if (session->path_up && session->state != BFD_ADMIN_DOWN)
			sim_fail(node, "dropped without reason");
		return;
	}
	watch_accepted(node, &packet, flight->at, &effects);
	sim_effects(node, &effects);
}

/* As the engine: the sockets are read dry before any timer is believed. */
static void node_wake(struct sim_node *node)
{
	struct session_effects effects;
	struct timer *timer;
	unsigned i;

	for (i = 0; i < node->ninbox; i++)
		node_read(node, &node->inbox[i]);
	node->ninbox = 0;
	while ((timer = wheel_expire(&node->wheel, node->sim->now))) {
		if (timer->kind == TIMER_TX && !node->session->tx_interval &&
		    !session_break_silence(node->session, node->sim->now)) {
			node_arm(node, timer, node->session->next_tx);
		} else if (timer->kind == TIMER_TX) {
			node_send(node, SIM_PERIODIC);
			node->session->tx_late = (uint32_t)node->tick;
			session_transmitted(node->session, node->sim->now, sim_random(node->sim));
			node_arm(node, timer, node->session->next_tx);
		} else {
			session_detect_expired(node->session, node->sim->now, &effects);
			sim_effects(node, &effects);
		}
	}
	if (node->session)
		watch_woken(node);
}

static usec_t node_due(const struct sim_node *node)
{
	usec_t due = wheel_next(&node->wheel);

	if (node->ninbox && node->inbox[0].at < due)
		due = node->inbox[0].at;
	if (due == USEC_NEVER)
		return due;
	if (node->tick)
		due = (due + node->tick - 1) / node->tick * node->tick;
	if (due < node->asleep_until)
		due = node->asleep_until;
	return due > node->sim->now ? due : node->sim->now;
}

static int sim_first_flight(const struct sim *sim)
{
	int first = -1;
	unsigned i;

	for (i = 0; i < sim->nflights; i++) {
		const struct sim_flight *f = &sim->flights[i], *best = &sim->flights[first < 0 ? 0 : first];

		if (first < 0 || f->at < best->at || (f->at == best->at && f->order < best->order))
			first = (int)i;
	}
	return first;
}

static void sim_deliver(struct sim *sim, int flight)
{
	struct sim_node *node = &sim->nodes[sim->flights[flight].to];

	if (node->ninbox == SIM_FLIGHTS)
		sim_fail(node, "the inbox is full");
	node->inbox[node->ninbox++] = sim->flights[flight];
	sim->flights[flight] = sim->flights[--sim->nflights];
}

void sim_run(struct sim *sim, usec_t until)
{
	for (;;) {
		usec_t due[2] = {node_due(&sim->nodes[0]), node_due(&sim->nodes[1])};
		unsigned node = due[1] < due[0];
		int flight = sim_first_flight(sim);
		bool deliver = flight >= 0 && sim->flights[flight].at <= due[node];
		usec_t next = deliver ? sim->flights[flight].at : due[node];

		if (next > until)
			break;
		sim->now = next;
		if (deliver)
			sim_deliver(sim, flight);
		else
			node_wake(&sim->nodes[node]);
	}
	sim->now = until;
}
