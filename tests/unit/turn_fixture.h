/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole turns of the engine in virtual time: clock and sockets are replaced by those below when linking. One
 * engine is there, without sessions. */
#ifndef TESTS_UNIT_TURN_FIXTURE_H
#define TESTS_UNIT_TURN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/engine_private.h"

#define QUEUE 4096

struct queued {
	struct packet packet;
	struct table_origin origin;
	usec_t stamp;
	bool version_zero;
	uint8_t bytes[PACKET_SIZE + ECHO_SIZE]; /* ... as they are, if there is a size, and no PACKET */
	size_t size;
};

static struct engine *engine;
static struct engine_config engine_setup;  /* what setup() makes it with */
static usec_t now, packet_cost, send_cost; /* a packet takes that long */
static struct queued queue[QUEUE];
static unsigned nqueue;
static usec_t sent_at; /* the last packet */
static struct packet sent;
static unsigned nsent, sent_to[65536]; /* by the last two bytes of the peer's address */
static void (*on_frame)(const struct raw_path *path, const uint8_t *payload, size_t size);
static unsigned told[256], ordered[POLICY_RULE_ADD + 1];

usec_t clock_now(void)
{
	return now;
}

void clock_turn(struct clock *clock)
{
	clock->now = now;
}

void clock_set(struct clock *clock, usec_t monotonic, usec_t realtime) {}

usec_t clock_received(const struct clock *clock, usec_t stamp)
{
	return stamp;
}

struct udp *udp_open(char *error, size_t size)
{
	return (struct udp *)queue;
}

void udp_close(struct udp *udp) {}

int udp_wait_fd(const struct udp *udp)
{
	return -1;
}

int udp_open_door(struct udp_door *door, char *error, size_t size)
{
	return -1;
}

bool udp_adopt(struct udp *udp, const struct udp_door *door)
{
	return false;
}

void udp_release(struct udp *udp, int fd) {}

int udp_fd(const struct udp *udp, unsigned i)
{
	return -1;
}

void udp_share(const struct udp *udp, bool on) {}

void udp_members(struct udp *udp, const struct udp_member *members, unsigned n) {}

uint64_t udp_malformed(const struct udp *udp)
{
	return 0;
}

uint64_t udp_drops(struct udp *udp)
{
	return 0;
}

unsigned udp_receive(struct udp *udp, udp_packet_fn *fn, void *context)
{
	unsigned count = nqueue;
	uint8_t bytes[PACKET_SIZE];

	nqueue = 0;
	for (unsigned i = 0; i < count; i++) {
		packet_encode(&queue[i].packet, bytes);
		if (queue[i].version_zero)
			bytes[0] &= 0x1f;
		now += packet_cost;
		fn(context, queue[i].size ? queue[i].bytes : bytes,
		   queue[i].size ? queue[i].size : PACKET_SIZE, &queue[i].origin, queue[i].stamp);
	}
	return count;
}

struct raw *raw_open(char *error, size_t size)
{
	return (struct raw *)queue;
}

void raw_close(struct raw *raw) {}

void raw_flush(struct raw *raw) {}

uint64_t raw_errors(const struct raw *raw)
{
	return 0;
}

void raw_send(struct raw *raw, const struct raw_path *path, const uint8_t *payload, size_t size)
{
	assert_int_equal(packet_decode(&sent, payload, size), DROP_NONE);
	now += send_cost;
	sent_at = now;
	sent_to[path->peer.bytes[2] << 8 | path->peer.bytes[3]]++;
	nsent++;
}

/* test_transmit.c has the frames; here no neighbour is known, unless a test wants to see them. */
struct frame *frame_open(char *error, size_t size)
{
	return (struct frame *)queue;
}

void frame_close(struct frame *frame) {}

void frame_flush(struct frame *frame) {}

uint64_t frame_errors(const struct frame *frame)
{
	return 0;
}

void frame_send(struct frame *frame, const uint8_t destination[FRAME_ADDRESS],
		const uint8_t source[FRAME_ADDRESS], const struct raw_path *path, const uint8_t *payload,
		size_t size)
{
	if (!on_frame)
		fail();
	on_frame(path, payload, size);
}

static inline void on_event(void *context, const struct engine_event *event)
{
	told[event->kind]++;
}

static inline struct addr address(uint8_t net, unsigned n)
{
	return (struct addr){AF_INET, {10, net, (uint8_t)(n >> 8), (uint8_t)n}};
}

static inline struct session *session_of(unsigned slot)
{
	return table_slot(&engine->back.table, (uint16_t)slot);
}

static inline void turn_at(usec_t at)
{
	now = at;
	engine_turn(engine);
	engine_poll_events(engine, on_event, NULL);
}

/* As often as the engine asks to be woken. */
static inline void run_until(usec_t end)
{
	while (engine->back.armed <= end)
		turn_at(engine->back.armed > now ? engine->back.armed : now);
	now = end;
}

/* Session N with its path, once the engine has had a turn; in slot N when none was removed. */
static inline void add(unsigned n, uint32_t interval, uint8_t mult)
{
	struct session_config config = {
		.desired_min_tx = interval, .required_min_rx = interval, .detect_mult = mult, .min_ttl = 255};
	struct session_key key = {.peer = address(1, n), .local = address(2, n), .ifindex = 1};
	int slot = engine_add(engine, &config, &key, SESSION_NO_PATH);

	assert_true(slot >= 0);
	assert_true(engine_path(engine, (uint16_t)slot, true, &key.local, 1, 0));
}

/* The peer of session N speaks. */
static inline void arrive(unsigned n, enum bfd_state state, uint32_t interval, usec_t stamp)
{
	const struct session *session = session_of(n);

	assert_true(nqueue < QUEUE);
	queue[nqueue++] = (struct queued){
		.packet = {.state = state,
			   .detect_mult = 3,
			   .length = PACKET_SIZE,
			   .my_discr = 1000 + n,
			   .your_discr = session->local_discr,
			   .desired_min_tx = interval,
			   .required_min_rx = interval,
			   .final = session->poll_active},
		.origin = {.peer = address(1, n), .local = address(2, n), .ifindex = 1, .ttl = 255},
		.stamp = stamp,
	};
}

static inline uint64_t drops(enum drop drop)
{
	return atomic_load(&engine->counters.drops[drop]);
}

/* COUNT sessions, Up, their values agreed. */
static inline void bring_up(unsigned count, uint32_t interval, uint8_t mult)
{
	for (unsigned n = 0; n < count; n++)
		add(n, interval, mult);
	do
		turn_at(now);
	while (engine->back.again);
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned n = 0; n < count; n++)
			arrive(n, round ? BFD_UP : BFD_DOWN, interval, now);
		turn_at(now);
		if (round)
			now += interval; /* our Poll goes out */
		turn_at(now);
	}
	for (unsigned n = 0; n < count; n++) {
		assert_int_equal(session_of(n)->state, BFD_UP);
		assert_int_equal(session_of(n)->detection_time, 3 * interval);
		assert_int_equal(session_of(n)->tx_interval, interval);
	}
}

static inline int setup(void **state)
{
	char error[200];

	now = 1000 * USEC_S;
	nqueue = nsent = 0;
	packet_cost = send_cost = 0;
	memset(told, 0, sizeof(told));
	memset(sent_to, 0, sizeof(sent_to));
	engine = engine_create(&engine_setup, error, sizeof(error));
	if (!engine)
		return -1;
	engine_begin(engine);
	return 0;
}

static inline int teardown(void **state)
{
	engine_poll_events(engine, on_event, NULL);
	engine_free(engine);
	return 0;
}

static inline void take_order(void *context, const struct policy_action *action, usec_t detected)
{
	ordered[action->kind]++;
}

static inline void take_map(void *context, void *map) {}

static inline void flush_orders(void *context) {}

/* A predecessor's two sites, the better one of which is path 0, the other path 1: sessions 0 and 1. */
static inline struct policy *inherit(uint16_t slot_path[2])
{
	struct policy *policy = policy_create(2, 2, 1);

	engine->config.steering = (struct engine_steering){take_order, take_map, flush_orders, NULL};
	engine->config.presume_for = 5 * USEC_S;
	memset(ordered, 0, sizeof(ordered));
	policy->ways[0].nchoices = 2;
	for (uint16_t i = 0; i < 2; i++) {
		policy->groups[i].npaths = 1;
		policy->groups[i].paths[0] = slot_path[i] = i;
		policy->groups[i].resolved = 1;
		policy->ways[0].choices[i].group = policy->ways[0].choices[i].rule = i;
		policy_inherit_group(policy, i, 1);
		policy_inherit_rule(policy, i);
	}
	assert_true(engine_policy(engine, policy, NULL, slot_path, 2));
	turn_at(now);
	return policy;
}

static inline void retire(struct policy *policy)
{
	events_notice(engine, &engine->back.adoption->notice);
	engine->back.adoption = NULL;
	engine_poll_events(engine, on_event, NULL);
	assert_int_equal(told[ENGINE_POLICY_RETIRED], 1);
	policy_free(policy);
}

#endif
