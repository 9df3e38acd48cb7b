/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An engine goes on with the sessions of one that was killed. */
#include "memory_fixture.h"
#include "turn_fixture.h"

#include <errno.h>
#include <unistd.h>

#define INTERVAL (50 * USEC_MS)
#define COUNT 3

static char dir[] = "/dev/shm/bfdd-test-XXXXXX";
static char why[512];
static uint32_t discr[COUNT];
static uint16_t port[COUNT];

static int setup_file(void **state)
{
	engine_setup.state_file = state_file_open(dir, why, sizeof(why));
	return engine_setup.state_file ? setup(state) : -1;
}

static int teardown_file(void **state)
{
	teardown(state);
	state_file_close(engine_setup.state_file, true);
	return 0;
}

static void reserve(void)
{
	uint16_t slots[COUNT];

	for (unsigned n = 0; n < COUNT; n++)
		slots[n] = (uint16_t)discr[n];
	engine_reserve(engine, slots, COUNT);
}

/* Its memory is gone, what it has kept is not. */
static void kill_engine(void **state)
{
	for (unsigned n = 0; n < COUNT; n++) {
		discr[n] = session_of(n)->local_discr;
		port[n] = session_of(n)->source_port;
	}
	teardown(state);
	state_file_close(engine_setup.state_file, false);
	engine_setup.state_file = state_file_open(dir, why, sizeof(why));
	assert_non_null(engine_setup.state_file);
	assert_string_equal(why, "");
	memset(told, 0, sizeof(told));
	nsent = 0;
}

static void start_anew(usec_t later)
{
	char error[200];

	now += later;
	engine = engine_create(&engine_setup, error, sizeof(error));
	assert_non_null(engine);
	engine_begin(engine);
	reserve();
}

static int resume(unsigned n, bool go_on)
{
	const struct session_config config = {
		.desired_min_tx = INTERVAL, .required_min_rx = INTERVAL, .detect_mult = 3, .min_ttl = 255};
	const struct session_key key = {.peer = address(1, n), .local = address(2, n), .ifindex = 1};
	int slot = engine_resume(engine, &config, &key, SESSION_NO_PATH, discr[n], port[n], go_on);

	if (slot >= 0)
		assert_true(engine_path(engine, (uint16_t)slot, true, &key.local, 1, 0));
	return slot;
}

static void the_peers_do_not_notice(void **state)
{
	usec_t begin;

	bring_up(COUNT, INTERVAL, 3);
	assert_int_equal(session_of(0)->up_transitions, 1);
	kill_engine(state);
	assert_int_equal(state_file_alive_before(engine_setup.state_file), now);
	start_anew(70 * USEC_MS);
	for (unsigned n = 0; n < COUNT; n++)
		assert_int_equal(resume(n, true), n);
	begin = now;
	turn_at(now);
	assert_int_equal(nsent, COUNT); /* at once, and one each */
	assert_int_equal(sent.state, BFD_UP);
	assert_int_equal(sent.my_discr, discr[COUNT - 1]);
	assert_int_equal(sent.your_discr, 1000 + COUNT - 1);
	for (unsigned n = 0; n < COUNT; n++) {
		assert_int_equal(session_of(n)->state, BFD_UP);
		assert_int_equal(session_of(n)->local_discr, discr[n]);
		assert_int_equal(session_of(n)->source_port, port[n]);
		assert_int_equal(session_of(n)->up_transitions, 1);
	}
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned n = 0; n < COUNT; n++)
			arrive(n, BFD_UP, INTERVAL, now);
		nsent = 0;
		run_until(now + INTERVAL);
		assert_in_range(nsent, COUNT, 2 * COUNT);
	}
	assert_int_equal(told[ENGINE_STATE], 0);
	assert_true(now >= begin + USEC_S);
}

static void those_that_died_meanwhile_are_found(void **state)
{
	bring_up(COUNT, INTERVAL, 3);
	kill_engine(state);
	start_anew(70 * USEC_MS);
	for (unsigned n = 0; n < COUNT; n++)
		resume(n, true);
	turn_at(now);
	arrive(1, BFD_UP, INTERVAL, now + INTERVAL);
	run_until(now + 3 * INTERVAL - 1);
	assert_int_equal(session_of(0)->state, BFD_UP);
	run_until(now + 1);
	assert_int_equal(session_of(0)->state, BFD_DOWN);
	assert_int_equal(session_of(0)->local_diag, DIAG_DETECTION_EXPIRED);
	assert_int_equal(session_of(1)->state, BFD_UP);
	assert_int_equal(told[ENGINE_STATE], 2);
}

static void where_it_is_too_late_the_discriminator_stays(void **state)
{
	bring_up(COUNT, INTERVAL, 3);
	kill_engine(state);
	start_anew(USEC_S);
	assert_int_equal(resume(1, false), 1);
	turn_at(now);
	assert_int_equal(session_of(1)->state, BFD_DOWN);
	assert_int_equal(session_of(1)->local_discr, discr[1]);
	run_until(now + USEC_S);
	assert_true(nsent > 0);
	assert_int_equal(sent.state, BFD_DOWN);
	assert_int_equal(sent.my_discr, discr[1]);
	assert_int_equal(sent.your_discr, 0);
}

static void a_record_spoiled_in_the_last_moment_begins_anew(void **state)
{
	uint8_t *record;

	bring_up(COUNT, INTERVAL, 3);
	kill_engine(state);
	start_anew(70 * USEC_MS);
	record = state_file_chunk(engine_setup.state_file, 0) + 2 * RESUME_RECORD;
	record[40]++;
	assert_int_equal(resume(2, true), 2);
	turn_at(now);
	assert_int_equal(session_of(2)->state, BFD_DOWN);
	assert_int_equal(session_of(2)->local_discr, discr[2]);
}

static void reserved_slots_are_nobody_else_s(void **state)
{
	struct resume kept;

	bring_up(COUNT, INTERVAL, 3);
	discr[0] = session_of(0)->local_discr;
	kill_engine(state);
	start_anew(70 * USEC_MS);
	add(10, INTERVAL, 3);
	turn_at(now);
	assert_non_null(session_of(COUNT));
	assert_int_equal(resume(1, true), 1);
	assert_int_equal(resume(1, true), -EBUSY);
	engine_release(engine, 2);
	assert_int_equal(resume(2, true), -EBUSY);
	assert_false(resume_decode(&kept, state_file_chunk(engine_setup.state_file, 0) + 2 * RESUME_RECORD, 2,
				   now));
	turn_at(now);
	add(11, INTERVAL, 3);
	turn_at(now);
	assert_non_null(session_of(2));
	assert_null(session_of(0));
}

static unsigned kept_up(void)
{
	const uint8_t *records = state_file_chunk(engine_setup.state_file, 0);
	struct resume kept;
	unsigned n = 0;

	for (unsigned slot = 0; slot < TABLE_CHUNK; slot++)
		n += resume_decode(&kept, records + (size_t)slot * RESUME_RECORD, (uint16_t)slot, now) &&
		     kept.state == BFD_UP;
	return n;
}

static void a_stop_for_a_successor_says_nothing(void **state)
{
	bring_up(COUNT, INTERVAL, 3);
	now += 10;
	nsent = 0;
	engine->linger = ENGINE_HOLD;
	engine->stop = true;
	turn_at(now);
	assert_int_equal(nsent, COUNT); /* a last word: the peers wait from now on */
	assert_int_equal(sent.state, BFD_UP);
	assert_int_equal(engine->back.stop_at, now);
	assert_int_equal(kept_up(), COUNT);
}

static void a_stop_for_good_leaves_nothing(void **state)
{
	bring_up(COUNT, INTERVAL, 3);
	assert_int_equal(kept_up(), COUNT);
	engine->linger = 150 * USEC_MS;
	engine->stop = true;
	turn_at(now);
	assert_int_equal(sent.state, BFD_ADMIN_DOWN);
	assert_int_equal(kept_up(), 0);
	run_until(now + USEC_S);
	assert_int_equal(engine->back.table.count, 0);
}

/* The path of session 0 is the better one of two. */
static void a_path_that_died_is_left_in_its_detection_time(void **state)
{
	struct policy *policy;
	uint16_t slot_path[2];
	usec_t begin;

	bring_up(COUNT, INTERVAL, 3);
	kill_engine(state);
	start_anew(70 * USEC_MS);
	resume(0, true);
	resume(1, true);
	turn_at(now);
	begin = now;
	policy = inherit(slot_path);
	assert_int_equal(policy->groups[0].live, 1);
	assert_int_equal(ordered[POLICY_GROUP] + ordered[POLICY_RULE_ADD], 0);
	arrive(1, BFD_UP, INTERVAL, begin + 100 * USEC_MS);
	run_until(begin + 3 * INTERVAL - 1);
	assert_int_equal(ordered[POLICY_RULE_DEL], 0);
	run_until(begin + 3 * INTERVAL);
	assert_int_equal(ordered[POLICY_RULE_DEL], 1);
	assert_int_equal(policy_active(&policy->ways[0]), 1);
	retire(policy);
}

/* Reading the kernel's tables took longer than that. */
static void nor_is_it_presumed_by_a_policy_that_comes_later(void **state)
{
	struct policy *policy;
	uint16_t slot_path[2];

	bring_up(COUNT, INTERVAL, 3);
	kill_engine(state);
	start_anew(70 * USEC_MS);
	resume(0, true);
	turn_at(now);
	add(20, INTERVAL, 3);
	run_until(now + 4 * INTERVAL);
	assert_int_equal(session_of(0)->state, BFD_DOWN);
	policy = inherit(slot_path);
	assert_int_equal(ordered[POLICY_RULE_DEL], 1);
	assert_int_equal(policy->groups[0].presumed, 0);
	assert_int_equal(policy->groups[1].presumed, 1); /* of which nothing is known */
	retire(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_peers_do_not_notice, setup_file, teardown_file),
		cmocka_unit_test_setup_teardown(those_that_died_meanwhile_are_found, setup_file,
						teardown_file),
		cmocka_unit_test_setup_teardown(where_it_is_too_late_the_discriminator_stays, setup_file,
						teardown_file),
		cmocka_unit_test_setup_teardown(a_record_spoiled_in_the_last_moment_begins_anew, setup_file,
						teardown_file),
		cmocka_unit_test_setup_teardown(reserved_slots_are_nobody_else_s, setup_file, teardown_file),
		cmocka_unit_test_setup_teardown(a_stop_for_a_successor_says_nothing, setup_file,
						teardown_file),
		cmocka_unit_test_setup_teardown(a_stop_for_good_leaves_nothing, setup_file, teardown_file),
		cmocka_unit_test_setup_teardown(a_path_that_died_is_left_in_its_detection_time, setup_file,
						teardown_file),
		cmocka_unit_test_setup_teardown(nor_is_it_presumed_by_a_policy_that_comes_later, setup_file,
						teardown_file),
	};
	int failed;

	if (!memory_is_there())
		return 77;
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
