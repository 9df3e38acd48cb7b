/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine sees of links itself, beside the main thread's word. */
#include "io/link_flags.h"

#include "turn_fixture.h"

#define INTERVAL (50 * USEC_MS)
#define SEEN_WITHIN (9 * USEC_MS)

static bool known, running;
static unsigned looks;

bool link_flags_running(int fd, uint32_t ifindex, bool *up)
{
	assert_int_equal(ifindex, 1);
	looks++;
	*up = running;
	return known;
}

/* Two sessions on link 1, one that is on none. */
static void begin(void)
{
	const struct session_config config = {
		.desired_min_tx = INTERVAL, .required_min_rx = INTERVAL, .detect_mult = 3, .min_ttl = 1};
	const struct session_key key = {
		.peer = address(1, 9), .local = address(2, 9), .type = SESSION_MULTIHOP};

	known = running = true;
	looks = 0;
	bring_up(2, INTERVAL, 3);
	assert_int_equal(engine_add(engine, &config, &key, SESSION_NO_PATH), 2);
	assert_true(engine_path(engine, 2, true, &key.local, 0, 0));
	assert_true(engine_links(engine, &(uint32_t){1}, 1));
	turn_at(now);
}

static void say(unsigned slot, bool up)
{
	struct addr local = address(2, slot);

	assert_true(engine_path(engine, (uint16_t)slot, up, &local, 1, 0));
	turn_at(now);
}

static bool path_up(unsigned slot)
{
	return session_of(slot)->path_up;
}

static void a_loss_is_seen_before_it_is_told(void **state)
{
	begin();
	running = false;
	run_until(now + SEEN_WITHIN);
	for (unsigned slot = 0; slot < 2; slot++) {
		assert_int_equal(session_of(slot)->state, BFD_DOWN);
		assert_int_equal(session_of(slot)->local_diag, DIAG_PATH_DOWN);
	}
	assert_true(path_up(2));
	say(0, true); /* it does not know yet */
	assert_false(path_up(0));
}

static void a_return_is_seen_too(void **state)
{
	begin();
	running = false;
	run_until(now + SEEN_WITHIN);
	say(0, false); /* what it says holds even so, until it says more */
	running = true;
	run_until(now + SEEN_WITHIN);
	assert_false(path_up(0));
	assert_true(path_up(1));
	say(0, true);
	assert_true(path_up(0));
}

static void a_link_that_nobody_knows_is_not_lost(void **state)
{
	begin();
	known = running = false;
	run_until(now + SEEN_WITHIN);
	assert_true(looks);
	assert_true(path_up(0) && path_up(1));
}

static void a_link_that_is_not_looked_at_is_as_it_is_told(void **state)
{
	begin();
	running = false;
	run_until(now + SEEN_WITHIN);
	assert_false(path_up(1));
	assert_true(engine_links(engine, &(uint32_t){1}, 1)); /* again: what was seen is kept */
	turn_at(now);
	assert_false(path_up(1));
	assert_true(engine_links(engine, NULL, 0));
	turn_at(now);
	assert_true(path_up(1));
	looks = 0;
	run_until(now + 10 * SEEN_WITHIN);
	assert_int_equal(looks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_loss_is_seen_before_it_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_return_is_seen_too, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_that_nobody_knows_is_not_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(a_link_that_is_not_looked_at_is_as_it_is_told, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
