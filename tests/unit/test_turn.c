/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens in a turn, and in which order. */
#include <sys/eventfd.h>

#include "turn_fixture.h"

static void what_lies_in_the_socket_is_heard_before_the_time_is_up(void **state)
{
	usec_t deadline;

	bring_up(1, 10 * USEC_MS, 3);
	deadline = session_detect_deadline(session_of(0));
	run_until(deadline - 1);
	arrive(0, BFD_UP, 10 * USEC_MS, deadline - 1);
	turn_at(deadline);
	assert_int_equal(engine->back.lateness, 0);
	assert_int_equal(session_of(0)->state, BFD_UP);
	deadline = session_detect_deadline(session_of(0));
	run_until(deadline - 1);
	assert_int_equal(session_of(0)->state, BFD_UP);
	run_until(deadline);
	assert_int_equal(session_of(0)->state, BFD_DOWN);
}

static void answers_leave_in_the_same_turn(void **state)
{
	bring_up(1, 50 * USEC_MS, 3);
	arrive(0, BFD_UP, 50 * USEC_MS, now);
	queue[0].packet.poll = true;
	nsent = 0;
	turn_at(now);
	assert_int_equal(nsent, 1);
	assert_true(sent.final);
}

/* Nobody else would find out that this peer, and no stranger, talks nonsense. */
static void nonsense_is_counted_at_the_peer_that_talks_it(void **state)
{
	bring_up(2, 50 * USEC_MS, 3);
	for (unsigned i = 0; i < 4; i++) {
		arrive(1, BFD_UP, 50 * USEC_MS, now);
		queue[i].packet.your_discr = 1;
	}
	queue[1].version_zero = true;
	queue[2].origin.peer = queue[3].origin.peer = address(3, 1);
	queue[3].version_zero = true;
	turn_at(now);
	assert_int_equal(session_of(1)->drops[DROP_UNKNOWN_DISCR], 1);
	assert_int_equal(session_of(1)->drops[DROP_VERSION], 1);
	assert_int_equal(drops(DROP_UNKNOWN_DISCR), 1);
	assert_int_equal(drops(DROP_VERSION), 1);
	assert_int_equal(session_of(0)->drops[DROP_UNKNOWN_DISCR], 0);
	assert_int_equal(session_of(0)->drops[DROP_VERSION], 0);
}

static void commands_do_not_put_off_the_tick(void **state)
{
	usec_t tick;

	bring_up(1, 10 * USEC_MS, 3);
	engine->counters.tick_mode = true;
	turn_at(now + 100);
	tick = engine->back.armed;
	assert_in_range(tick, now + 1, now + ENGINE_TICK);
	for (unsigned i = 0; i < 50; i++) {
		engine_path(engine, 0, true, &session_of(0)->key.local, 1, 0);
		turn_at(now + 1);
		assert_int_equal(engine->back.armed, tick);
	}
}

/* 6.8.7, as it is on the wire: whether the loop ticks or not. */
static void gaps_on_the_wire_are_within_the_rfc_s_bounds(void **state)
{
	static const uint32_t intervals[] = {10000, 20000, 50000};

	for (unsigned i = 0; i < 12; i++) {
		uint32_t interval = intervals[i % 3];
		bool ticking = i / 3 & 1;
		uint8_t mult = i < 6 ? 3 : 1;
		usec_t last, least = USEC_NEVER, most = 0, grid, end;

		teardown(state);
		setup(state);
		bring_up(1, interval, mult);
		engine->counters.tick_mode = ticking;
		turn_at(now + 137);
		end = now + 5 * USEC_S;
		for (last = 0; now < end; last = sent_at) {
			arrive(0, BFD_UP, interval, now);
			for (nsent = 0; !nsent; now++) {
				engine->counters.tick_mode = ticking; /* whatever the load */
				run_until(now);
			}
			if (!last)
				continue;
			least = sent_at - last < least ? sent_at - last : least;
			most = sent_at - last > most ? sent_at - last : most;
		}
		grid = session_grid(interval);
		assert_in_range(least, interval * 75 / 100, interval * 75 / 100 + grid);
		assert_in_range(most, interval * (mult == 1 ? 90 : 100) / 100 - 2 * grid,
				interval * (mult == 1 ? 90 : 100) / 100);
	}
}

/* 80 ms of reading: the peers of the others need not know. */
static void a_flood_does_not_hold_up_our_packets(void **state)
{
	usec_t most = 0, last;
	unsigned before;

	bring_up(2, 10 * USEC_MS, 3);
	run_until(now + 5 * USEC_MS);
	packet_cost = 20;
	for (unsigned i = 0; i < QUEUE; i++)
		arrive(0, BFD_UP, 10 * USEC_MS, now);
	before = sent_to[1];
	last = now;
	turn_at(now);
	most = now - last;
	assert_in_range(most, 80 * USEC_MS, 90 * USEC_MS);
	assert_in_range(sent_to[1] - before, most / (16 * USEC_MS), most / (7500 - 1));
	packet_cost = 0;
	run_until(now + 20 * USEC_MS);
	assert_in_range(sent_to[1] - before, 6, 13);
}

static void nor_does_a_wave_of_downs(void **state)
{
	unsigned count = 2000, before;
	usec_t deadline;

	bring_up(count, 10 * USEC_MS, 3);
	deadline = session_detect_deadline(session_of(0));
	run_until(deadline - 2);
	arrive(1, BFD_UP, 10 * USEC_MS, now);
	turn_at(deadline - 1);
	send_cost = 40;
	before = sent_to[1];
	turn_at(deadline);
	assert_int_equal(session_of(0)->state, BFD_DOWN);
	assert_int_equal(session_of(count - 1)->state, BFD_DOWN);
	assert_int_equal(session_of(1)->state, BFD_UP);
	assert_true(now - deadline >= 80 * USEC_MS);
	assert_in_range(sent_to[1] - before, 5, 11);
}

static void stop_when_time_runs_out(void **state)
{
	bring_up(3, 50 * USEC_MS, 3);
	atomic_store(&engine->linger, 300 * USEC_MS);
	atomic_store(&engine->stop, true);
	turn_at(now + 1);
	assert_int_equal(engine->back.table.count, 3);
	assert_int_equal(sent.state, BFD_ADMIN_DOWN);
	nsent = 0;
	turn_at(now + USEC_S); /* all that was put off is due now, the end as well */
	assert_int_equal(nsent, 3);
	assert_true(engine->back.clock.now >= engine->back.stop_at);
	assert_int_equal(engine->back.retry_timer.kind, TIMER_RETRY);
}

/* The last turn is another thread's: the engine's own, whose timer that one has taken, is to hear of it. */
static void a_stop_that_another_thread_ends_wakes_the_engine_s(void **state)
{
	eventfd_t told_to_wake = 0;

	bring_up(1, 50 * USEC_MS, 3);
	atomic_store(&engine->linger, 300 * USEC_MS);
	atomic_store(&engine->stop, true);
	turn_at(now + 1);
	eventfd_read(engine->command_fd, &told_to_wake); /* of the commands */
	now += 100 * USEC_MS;
	engine_relief(engine);
	assert_int_equal(eventfd_read(engine->command_fd, &told_to_wake), -1);
	now = engine->back.stop_at;
	engine_relief(engine);
	assert_int_equal(eventfd_read(engine->command_fd, &told_to_wake), 0);
}

/* Ten thousand goodbyes take a while: nobody is to wait for them in one piece. */
static void goodbyes_are_said_in_slices(void **state)
{
	unsigned most = 0, count = 1500;

	bring_up(count, 50 * USEC_MS, 3);
	atomic_store(&engine->linger, 60 * USEC_MS);
	atomic_store(&engine->stop, true);
	memset(sent_to, 0, sizeof(sent_to));
	do {
		nsent = 0;
		arrive(count - 1, BFD_UP, 50 * USEC_MS, now);
		turn_at(now);
		most = nsent > most ? nsent : most;
	} while (engine->back.again);
	assert_in_range(most, 10, 100);
	run_until(now + 80 * USEC_MS);
	assert_int_equal(engine->back.table.count, 0);
	for (unsigned n = 0; n < count; n++)
		assert_in_range(sent_to[n], 4, 4 + 1);
	assert_int_equal(told[ENGINE_REMOVED], count);
}

/* A peer that wants a packet every 71 minutes does not keep its session's slot for hours. */
static void a_goodbye_comes_to_an_end(void **state)
{
	bring_up(1, 50 * USEC_MS, 3);
	arrive(0, BFD_UP, UINT32_MAX, now);
	turn_at(now);
	memset(sent_to, 0, sizeof(sent_to));
	engine_remove(engine, 0);
	turn_at(now);
	run_until(now + 50 * USEC_S);
	assert_int_equal(told[ENGINE_REMOVED], 0);
	run_until(now + 11 * USEC_S);
	assert_int_equal(told[ENGINE_REMOVED], 1);
	assert_int_equal(sent_to[0], 4);
}

static void commands_are_carried_out_in_slices(void **state)
{
	unsigned most = 0;

	bring_up(1000, 50 * USEC_MS, 3);
	for (unsigned n = 0; n < 1000; n++)
		assert_true(engine_remove(engine, (uint16_t)n));
	do {
		nsent = 0;
		turn_at(now);
		most = nsent > most ? nsent : most;
	} while (engine->back.again);
	assert_in_range(most, 10, 100);
}

/* Whoever still says goodbye makes room for a successor, also where the interface is no part of the key. */
static void a_multihop_successor_finds_room(void **state)
{
	struct session_config config = {
		.desired_min_tx = 50000, .required_min_rx = 50000, .detect_mult = 3, .min_ttl = 250};
	struct session_key key = {.peer = address(1, 0), .local = address(2, 0), .type = SESSION_MULTIHOP};
	int first, second;

	first = engine_add(engine, &config, &key, SESSION_NO_PATH);
	engine_path(engine, (uint16_t)first, true, &key.local, 7, 0);
	turn_at(now);
	queue[nqueue++] = (struct queued){
		.packet = {.state = BFD_DOWN,
			   .detect_mult = 3,
			   .length = PACKET_SIZE,
			   .my_discr = 1,
			   .desired_min_tx = 50000,
			   .required_min_rx = 50000},
		.origin = {.peer = key.peer,
			   .local = key.local,
			   .ifindex = 7,
			   .type = SESSION_MULTIHOP,
			   .ttl = 255},
		.stamp = now,
	};
	turn_at(now);
	assert_int_equal(session_of((unsigned)first)->state, BFD_INIT);
	engine_remove(engine, (uint16_t)first);
	turn_at(now);
	assert_true(session_of((unsigned)first)->removing);
	second = engine_add(engine, &config, &key, SESSION_NO_PATH);
	turn_at(now);
	assert_int_equal(told[ENGINE_ADD_FAILED], 0);
	assert_non_null(session_of((unsigned)second));
	assert_null(session_of((unsigned)first));
}

static void a_silent_site_is_doubted_when_another_is_heard(void **state)
{
	usec_t begin, interval = 2 * USEC_S;
	struct policy *policy;
	uint16_t slot_path[2];

	bring_up(2, (uint32_t)interval, 3);
	engine_path(engine, 0, false, &session_of(0)->key.local, 1, 0);
	turn_at(now);
	begin = now;
	policy = inherit(slot_path);
	arrive(1, BFD_UP, (uint32_t)interval, now);
	turn_at(now);
	run_until(begin + 2 * USEC_S - 1);
	assert_int_equal(ordered[POLICY_RULE_DEL], 0);
	run_until(begin + 2 * USEC_S);
	assert_int_equal(ordered[POLICY_RULE_DEL], 1);
	assert_int_equal(told[ENGINE_SWITCH], 1);
	assert_int_equal(policy_active(&policy->ways[0]), 1);
	retire(policy);
}

static void silent_sites_alone_hold_to_the_end(void **state)
{
	struct policy *policy;
	uint16_t slot_path[2];
	usec_t begin;

	add(0, 50 * USEC_MS, 3);
	add(1, 50 * USEC_MS, 3);
	turn_at(now);
	begin = now;
	policy = inherit(slot_path);
	run_until(begin + 5 * USEC_S - 1);
	assert_int_equal(ordered[POLICY_RULE_DEL], 0);
	run_until(begin + 5 * USEC_S);
	assert_int_equal(ordered[POLICY_RULE_DEL], 2);
	retire(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_lies_in_the_socket_is_heard_before_the_time_is_up, setup,
						teardown),
		cmocka_unit_test_setup_teardown(answers_leave_in_the_same_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(nonsense_is_counted_at_the_peer_that_talks_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(commands_do_not_put_off_the_tick, setup, teardown),
		cmocka_unit_test_setup_teardown(gaps_on_the_wire_are_within_the_rfc_s_bounds, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_flood_does_not_hold_up_our_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(nor_does_a_wave_of_downs, setup, teardown),
		cmocka_unit_test_setup_teardown(stop_when_time_runs_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stop_that_another_thread_ends_wakes_the_engine_s, setup,
						teardown),
		cmocka_unit_test_setup_teardown(goodbyes_are_said_in_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(a_goodbye_comes_to_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(commands_are_carried_out_in_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(a_multihop_successor_finds_room, setup, teardown),
		cmocka_unit_test_setup_teardown(a_silent_site_is_doubted_when_another_is_heard, setup,
						teardown),
		cmocka_unit_test_setup_teardown(silent_sites_alone_hold_to_the_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
