/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which packets are routed and which go as frames: both kinds of sockets are replaced by those below when
 * linking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/engine_private.h"

#define INTERVAL (50 * USEC_MS)

static const uint8_t theirs[6] = {2, 1, 1, 1, 1, 1}, ours[6] = {2, 2, 2, 2, 2, 2};
static const struct addr local = {AF_INET, {10, 0, 0, 1}}, peer = {AF_INET, {10, 0, 0, 2}};

static struct engine *engine;
static struct session *session;
static unsigned nrouted, nframes;
static usec_t routed_at, routed_gap; /* the last one routed, and the longest time between two */
static bool refusing;		     /* the kernel, what is routed */
static struct packet sent;
static uint32_t interval;

void raw_close(struct raw *raw) {}

void raw_flush(struct raw *raw) {}

uint64_t raw_errors(const struct raw *raw)
{
	return 0;
}

struct raw *raw_open(char *error, size_t size)
{
	return NULL;
}

void raw_send(struct raw *raw, const struct raw_path *path, const uint8_t *payload, size_t size)
{
	usec_t now = engine->back.clock.now;

	assert_int_equal(packet_decode(&sent, payload, size), DROP_NONE);
	routed_gap = now - routed_at > routed_gap ? now - routed_at : routed_gap;
	routed_at = now;
	*path->refused = refusing;
	nrouted++;
}

struct frame *frame_open(char *error, size_t size)
{
	return NULL;
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
	assert_int_equal(packet_decode(&sent, payload, size), DROP_NONE);
	assert_memory_equal(destination, theirs, sizeof(theirs));
	assert_memory_equal(source, ours, sizeof(ours));
	assert_int_equal(path->ifindex, 7);
	assert_true(addr_equal(&path->peer, &peer));
	nframes++;
}

/* An engine with one session, as far as commands and transmission need it. */
static int make(bool multihop)
{
	struct session_config config = {
		.desired_min_tx = INTERVAL, .required_min_rx = INTERVAL, .detect_mult = 3, .min_ttl = 254};
	struct session_key key = {.peer = peer,
				  .local = local,
				  .ifindex = 7,
				  .type = multihop ? SESSION_MULTIHOP : SESSION_SINGLE_HOP};
	struct back *back;

	engine = calloc(1, sizeof(*engine));
	if (!engine)
		return -1;
	engine->command_fd = engine->event_fd = -1;
	engine->commands_memory = calloc(64, sizeof(struct command));
	engine->events_memory = calloc(64, sizeof(struct event));
	ring_init(&engine->commands, engine->commands_memory, sizeof(struct command), 64);
	ring_init(&engine->events, engine->events_memory, sizeof(struct event), 64);
	back = &engine->back;
	back->frame = (struct frame *)engine;
	back->clock.now = 1000 * USEC_S;
	wheel_init(&back->wheel, back->clock.now);
	wheel_init(&back->tx_wheel, back->clock.now);
	table_init(&back->table, 1);
	back->chunks[0] = calloc(1, sizeof(struct chunk));
	table_chunk(&back->table, 0, back->chunks[0]->sessions);
	session = table_memory(&back->table, 0);
	session_init(session, &config, &key, table_discr(0, 1), 49152, back->clock.now);
	interval = INTERVAL;
	refusing = false;
	return table_insert(&back->table, session) ? 0 : -1;
}

static int setup(void **state)
{
	return make(false);
}

static int setup_multihop(void **state)
{
	return make(true);
}

static int teardown(void **state)
{
	free(engine->back.chunks[0]);
	free(engine->commands_memory);
	free(engine->events_memory);
	free(engine);
	return 0;
}

static void send_packet(struct packet packet)
{
	struct raw_path path = {.local = local, .peer = peer, .ifindex = 7, .port = BFD_PORT_SINGLE_HOP};
	uint8_t payload[PACKET_SIZE];

	packet.detect_mult = 3;
	packet.length = PACKET_SIZE;
	packet.my_discr = packet.your_discr = 1;
	transmit_send(engine, session, &path, payload, packet_encode(&packet, payload));
}

static void count_anew(void)
{
	nrouted = nframes = 0;
	routed_at = engine->back.clock.now;
	routed_gap = 0;
}

/* Periodic packets of a session that is Up. */
static void go_on(usec_t span)
{
	for (usec_t end = engine->back.clock.now + span; engine->back.clock.now < end;
	     engine->back.clock.now += interval) {
		session->tx_interval = interval;
		send_packet((struct packet){.state = BFD_UP});
	}
}

static void know(void)
{
	assert_true(engine_neighbour(engine, 0, theirs, ours, true));
	commands_run(engine);
	count_anew();
}

static void packets_to_a_known_neighbour_go_as_frames(void **state)
{
	count_anew();
	go_on(2 * USEC_S);
	assert_int_equal(nrouted, 40);
	assert_int_equal(nframes, 0);
	know();
	go_on(10 * USEC_S);
	assert_int_equal(nrouted + nframes, 200);
	assert_in_range(nrouted, 10, 11);
	assert_in_range(routed_gap, USEC_S / 2, USEC_S);
}

/* Echo packets need it known; the setting is about all others. */
static void who_wants_no_frames_has_control_packets_routed(void **state)
{
	assert_true(engine_neighbour(engine, 0, theirs, ours, false));
	commands_run(engine);
	count_anew();
	go_on(2 * USEC_S);
	assert_int_equal(nrouted, 40);
	assert_int_equal(nframes, 0);
	assert_true(session->echo_able);
}

static void a_lost_neighbour_is_routed_to(void **state)
{
	know();
	go_on(USEC_S);
	assert_true(nframes > 10);
	assert_true(engine_neighbour(engine, 0, NULL, NULL, true));
	commands_run(engine);
	count_anew();
	go_on(2 * USEC_S);
	assert_int_equal(nrouted, 40);
	assert_int_equal(nframes, 0);
}

static void a_path_that_comes_anew_knows_no_neighbour(void **state)
{
	for (int up = 0; up < 2; up++) {
		know();
		go_on(USEC_S);
		assert_true(nframes > 10);
		assert_true(engine_path(engine, 0, up, &local, 7, 0));
		commands_run(engine);
		count_anew();
		go_on(USEC_S);
		assert_int_equal(nframes, 0);
	}
}

static void what_is_new_is_routed(void **state)
{
	static const struct packet news[] = {
		{.state = BFD_UP, .final = true},
		{.state = BFD_UP, .poll = true},
		{.state = BFD_UP, .poll = true},
		/* again */ {.state = BFD_UP, .diag = DIAG_PATH_DOWN},
		{.state = BFD_ADMIN_DOWN},
		{.state = BFD_ADMIN_DOWN},
		{.state = BFD_DOWN},
		{.state = BFD_DOWN},
		{.state = BFD_INIT},
		{.state = BFD_INIT},
		{.state = BFD_UP},
	};

	know();
	go_on(500 * USEC_MS);
	count_anew();
	for (unsigned i = 0; i < sizeof(news) / sizeof(news[0]); i++) {
		send_packet(news[i]);
		assert_int_equal(nrouted, i + 1);
		assert_int_equal(sent.state, news[i].state);
	}
	assert_int_equal(nframes, 0);
	go_on(500 * USEC_MS);
	assert_int_equal(nframes, 10);
}

static void nothing_gets_past_a_refusal(void **state)
{
	know();
	go_on(2 * USEC_S);
	assert_true(nframes > 30);
	refusing = true;
	go_on(USEC_S); /* within a second it is found out */
	count_anew();
	go_on(3 * USEC_S);
	assert_int_equal(nrouted, 60);
	assert_int_equal(nframes, 0);
	refusing = false;
	go_on(2 * USEC_S);
	assert_true(nframes > 30);
}

static void slow_sessions_are_always_routed(void **state)
{
	know();
	interval = USEC_S;
	go_on(10 * USEC_S);
	assert_int_equal(nrouted, 10);
	assert_int_equal(nframes, 0);
}

static void without_a_packet_socket_all_are_routed(void **state)
{
	engine->back.frame = NULL;
	know();
	go_on(USEC_S);
	assert_int_equal(nrouted, 20);
	transmit_flush(engine);
	assert_int_equal(transmit_errors(engine), 0);
}

static void multihop_peers_are_no_neighbours(void **state)
{
	know();
	go_on(USEC_S);
	assert_int_equal(nframes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(packets_to_a_known_neighbour_go_as_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(who_wants_no_frames_has_control_packets_routed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_lost_neighbour_is_routed_to, setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_that_comes_anew_knows_no_neighbour, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_new_is_routed, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_gets_past_a_refusal, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_sessions_are_always_routed, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_packet_socket_all_are_routed, setup, teardown),
		cmocka_unit_test_setup_teardown(multihop_peers_are_no_neighbours, setup_multihop, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
