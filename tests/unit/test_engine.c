/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of the engine that need no socket: stalls and the way to the main thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/engine_private.h"

#define INTERVAL (10 * USEC_MS)
#define PLACES 8

static struct engine *engine;
static struct session *session;
static unsigned told[256], lost;

static void hear(enum bfd_state state)
{
	struct packet packet = {
		.state = state,
		.detect_mult = 3,
		.length = 24,
		.my_discr = 7,
		.your_discr = session->local_discr,
		.desired_min_tx = INTERVAL,
		.required_min_rx = INTERVAL,
		.final = session->poll_active,
	};
	struct session_effects effects;

	assert_int_equal(session_receive(session, &packet, engine->back.clock.now, &effects), DROP_NONE);
	sessions_apply(engine, session, &effects);
}

/* An engine with one session that is Up; without a local address, so that it sends nothing. */
static int setup(void **state)
{
	struct session_config config = {
		.desired_min_tx = INTERVAL, .required_min_rx = INTERVAL, .detect_mult = 3, .min_ttl = 255};
	struct session_key key = {.peer = {AF_INET, {192, 0, 2, 1}}, .ifindex = 1};
	struct command command = {
		.kind = COMMAND_ADD, .config = config, .key = key, .source_port = 49152, .discr = 0x10000};
	struct session_effects effects;

	assert_return_code(posix_memalign((void **)&engine, 64, sizeof(*engine)), 0);
	memset(engine, 0, sizeof(*engine));
	engine->events_memory = calloc(PLACES, sizeof(struct event));
	engine->commands_memory = calloc(PLACES, sizeof(struct command));
	ring_init(&engine->events, engine->events_memory, sizeof(struct event), PLACES);
	ring_init(&engine->commands, engine->commands_memory, sizeof(struct command), PLACES);
	engine->event_fd = eventfd(0, EFD_NONBLOCK);
	engine->front.running = true;
	engine->back.clock.now = USEC_S;
	engine->back.notices_tail = &engine->back.notices;
	engine->back.snapshots_tail = &engine->back.snapshots;
	wheel_init(&engine->back.wheel, USEC_S);
	wheel_init(&engine->back.tx_wheel, USEC_S);
	table_init(&engine->back.table, 1);
	assert_return_code(posix_memalign((void **)&engine->front.chunks[0], 64, sizeof(struct chunk)), 0);
	command.object = memset(engine->front.chunks[0], 0, sizeof(struct chunk));
	command.discr = table_discr(0, 0x12345678);
	ring_push(&engine->commands, &command);
	commands_run(engine);
	session = table_slot(&engine->back.table, 0);
	assert_non_null(session);
	session_path(session, true, USEC_S, &effects);
	hear(BFD_DOWN);
	hear(BFD_INIT);
	engine->back.clock.now += 500 * USEC_MS;
	hear(BFD_UP);
	assert_int_equal(session->state, BFD_UP);
	assert_int_equal(session->detection_time, 3 * INTERVAL);
	memset(told, 0, sizeof(told));
	lost = 0;
	return 0;
}

static int teardown(void **state)
{
	close(engine->event_fd);
	free(engine->front.chunks[0]->records);
	free(engine->front.chunks[0]);
	free(engine->events_memory);
	free(engine->commands_memory);
	free(engine);
	return 0;
}

/* A turn at NOW that came late by LATENESS. */
static void turn_at(usec_t now, usec_t lateness)
{
	struct timer *timer;

	engine->back.clock.now = now;
	engine->back.lateness = lateness;
	while ((timer = wheel_expire(&engine->back.wheel, now)))
		sessions_timer(engine, timer);
}

static void punctual_turn_judges(void **state)
{
	usec_t deadline = session_detect_deadline(session);

	turn_at(deadline - 1, 0);
	assert_int_equal(session->state, BFD_UP);
	turn_at(deadline, 0);
	assert_int_equal(session->state, BFD_DOWN);
	assert_int_equal(session->local_diag, DIAG_DETECTION_EXPIRED);
}

static void stall_puts_off_by_its_length(void **state)
{
	usec_t now = session_detect_deadline(session) + 1000;

	turn_at(now, 4000);
	assert_int_equal(session->state, BFD_UP);
	turn_at(now + 3999, 0);
	assert_int_equal(session->state, BFD_UP);
	turn_at(now + 4000, 0);
	assert_int_equal(session->state, BFD_DOWN);
}

static void but_by_no_more_than_an_interval(void **state)
{
	usec_t now = session_detect_deadline(session) + USEC_S;

	turn_at(now, USEC_S);
	assert_int_equal(session->state, BFD_UP);
	turn_at(now + INTERVAL - 1, 0);
	assert_int_equal(session->state, BFD_UP);
	turn_at(now + INTERVAL, 0);
	assert_int_equal(session->state, BFD_DOWN);
}

static void a_packet_ends_the_silence(void **state)
{
	usec_t now = session_detect_deadline(session) + 50000;

	for (int i = 0; i < 10; i++) { /* more often than one silence is put off */
		turn_at(now, 50000);
		assert_int_equal(session->state, BFD_UP);
		hear(BFD_UP);
		now = session_detect_deadline(session) + 50000;
	}
	turn_at(now, 50000);
	assert_int_equal(session->state, BFD_UP);
}

static void endless_stalls_hide_no_death(void **state)
{
	usec_t deadline = session_detect_deadline(session), now = deadline + 3000;
	int turns = 0;

	while (session->state == BFD_UP) {
		turn_at(now, 3000);
		now += 3000;
		assert_true(++turns < 20);
	}
	assert_true(now - 3000 - deadline >= session->config.detect_mult * INTERVAL);
	assert_true(now - 3000 - deadline <= session->config.detect_mult * INTERVAL + 2 * 3000);
}

static void on_event(void *context, const struct engine_event *event)
{
	told[event->kind]++;
	if (event->kind == ENGINE_LOST_EVENTS)
		lost += event->count;
}

static void poll_events(void)
{
	engine_poll_events(engine, on_event, NULL);
}

static void full_ring_loses_news_and_says_so(void **state)
{
	poll_events();
	memset(told, 0, sizeof(told));
	for (unsigned i = 0; i < PLACES + 5; i++)
		events_push(engine, &(struct engine_event){.kind = ENGINE_STALL, .slot = ENGINE_NO_SLOT});
	events_publish(engine);
	assert_true(timer_armed(&engine->back.retry_timer));
	poll_events();
	assert_int_equal(told[ENGINE_STALL], PLACES);
	assert_int_equal(told[ENGINE_LOST_EVENTS], 0);
	events_publish(engine);
	poll_events();
	assert_int_equal(told[ENGINE_LOST_EVENTS], 1);
	assert_int_equal(lost, 5);
	events_publish(engine);
	poll_events();
	assert_int_equal(told[ENGINE_LOST_EVENTS], 1);
}

static void full_ring_loses_no_slot(void **state)
{
	poll_events();
	memset(told, 0, sizeof(told));
	engine->front.slot_port[0] = 49152;
	engine->front.port_uses[0] = 1;
	for (unsigned i = 0; i < PLACES; i++)
		events_push(engine, &(struct engine_event){.kind = ENGINE_STALL});
	sessions_finish(engine, session);
	events_publish(engine);
	poll_events();
	assert_int_equal(told[ENGINE_REMOVED], 0);
	/* There is room again, but news may not overtake what waits: slots and indices would mean others. */
	events_push(engine, &(struct engine_event){.kind = ENGINE_STATE});
	events_publish(engine);
	poll_events();
	assert_int_equal(told[ENGINE_REMOVED], 1);
	assert_int_equal(told[ENGINE_STATE], 0);
	assert_int_equal(lost, 1);
	assert_int_equal(engine->front.nfree, 1);
	assert_int_equal(engine->front.port_uses[0], 0);
}

static const struct table_origin from_peer = {.peer = {AF_INET, {192, 0, 2, 1}},
					      .local = {AF_INET, {192, 0, 2, 2}},
					      .ifindex = 1,
					      .ttl = 255,
					      .port = 49999};
static struct engine_recording recorded;
static unsigned nrecorded, nempty;

static void on_recording(void *context, const struct engine_recording *recording)
{
	assert_ptr_equal(context, &recorded);
	if (recording)
		recorded = *recording;
	nrecorded += recording != NULL;
	nempty += recording == NULL;
}

static void fetch(void)
{
	assert_true(engine_fetch_recording(engine, 0, on_recording, &recorded));
	commands_run(engine);
	poll_events();
}

/* A packet that the kernel had 300 us ago. */
static void receive_in(enum bfd_state state, uint8_t ttl)
{
	struct packet packet = {.state = state,
				.detect_mult = 3,
				.my_discr = 7,
				.your_discr = session->local_discr,
				.desired_min_tx = INTERVAL,
				.required_min_rx = INTERVAL};
	struct table_origin origin = from_peer;
	uint8_t bytes[PACKET_SIZE];

	origin.ttl = ttl;
	packet_encode(&packet, bytes);
	sessions_packet(engine, bytes, PACKET_SIZE, &origin, engine->back.clock.now - 300);
}

static void recorder_keeps_the_first_down_until_fetched(void **state)
{
	struct record_packet in[RECORD_IN_MAX];

	engine->config.recorder = true;
	engine->front.chunks[0]->records = calloc(TABLE_CHUNK, sizeof(struct record));
	engine->back.clock.floor = 0;
	nrecorded = nempty = 0;
	recorder_begin(engine, 0);
	fetch();
	assert_int_equal(nempty, 1); /* nothing happened */

	receive_in(BFD_UP, 255);
	receive_in(BFD_UP, 17);
	recorder_late(engine, RECORD_LATE - 1);
	recorder_late(engine, RECORD_LATE);
	engine->back.clock.now += USEC_MS;
	receive_in(BFD_DOWN, 255);
	assert_int_equal(session->state, BFD_DOWN);
	receive_in(BFD_DOWN, 255);
	receive_in(BFD_UP, 255); /* Init, as the peer was Down, then Up */
	assert_int_equal(session->state, BFD_UP);
	receive_in(BFD_DOWN, 255);
	fetch();
	assert_int_equal(nrecorded, 1);
	assert_int_equal(record_merge(in, &recorded.record, NULL, 0, NULL), 3);
	assert_int_equal(in[0].delay, 300);
	assert_int_equal(in[0].port, 49999);
	assert_int_equal(in[1].drop, DROP_TTL);
	assert_int_equal(in[1].ttl, 17);
	assert_int_equal(in[2].bytes[1] >> 6, BFD_DOWN); /* what took it Down is in it */
	assert_int_equal(recorded.record.fall.diag, DIAG_NEIGHBOR_DOWN);
	assert_int_equal(recorded.record.fall.more, 1);
	assert_int_equal(recorded.delays.nlate, 1);
	assert_int_equal(recorded.session.local_discr, session->local_discr);

	fetch();
	assert_int_equal(nempty, 2);
	receive_in(BFD_DOWN, 255);
	assert_int_equal(engine->front.chunks[0]->records[0].nin, 1); /* it runs again */
}

static void without_recorder_there_is_none(void **state)
{
	assert_false(engine_fetch_recording(engine, 0, on_recording, &recorded));
	receive_in(BFD_DOWN, 255);
	assert_int_equal(session->state, BFD_DOWN);
	recorder_late(engine, USEC_S);
	assert_int_equal(engine->back.recorder.delays.nlate, 0);
}

static void *end_at_once(void *arg)
{
	return NULL;
}

/* What comes of its last events must not wait for a ring that nobody empties. */
static void stopped_takes_no_commands(void **state)
{
	engine->command_fd = eventfd(0, EFD_NONBLOCK);
	engine->late_fd = timerfd_create(CLOCK_MONOTONIC, 0);
	assert_int_equal(pthread_create(&engine->front.thread, NULL, end_at_once, NULL), 0);
	assert_false(engine_stopped(engine));
	engine_stop(engine, ENGINE_HOLD);
	assert_true(engine_stopped(engine));
	for (unsigned i = 0; i < PLACES; i++)
		assert_true(engine_ready(engine, 0, true));
	assert_false(engine_ready(engine, 0, true));
	close(engine->command_fd);
	close(engine->late_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(punctual_turn_judges, setup, teardown),
		cmocka_unit_test_setup_teardown(stall_puts_off_by_its_length, setup, teardown),
		cmocka_unit_test_setup_teardown(but_by_no_more_than_an_interval, setup, teardown),
		cmocka_unit_test_setup_teardown(a_packet_ends_the_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(endless_stalls_hide_no_death, setup, teardown),
		cmocka_unit_test_setup_teardown(full_ring_loses_news_and_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(full_ring_loses_no_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(stopped_takes_no_commands, setup, teardown),
		cmocka_unit_test_setup_teardown(recorder_keeps_the_first_down_until_fetched, setup, teardown),
		cmocka_unit_test_setup_teardown(without_recorder_there_is_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
