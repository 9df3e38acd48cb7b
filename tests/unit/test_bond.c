/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions of a bond's members are one path (RFC 7130): usable while as many as `minimum_up` are Up. */
#include "turn_fixture.h"

#define INTERVAL (50 * USEC_MS)
#define MEMBERS 3
#define OTHER MEMBERS /* the session of another path, which the service takes without the bond */

static uint16_t slot_path[MEMBERS + 1] = {0, 0, 0, 1};
static struct policy *policy;

static bool usable(void)
{
	turn_at(now);
	assert_int_equal(policy_active(&policy->ways[0]), policy->paths[0].usable ? 0 : 1);
	return policy->paths[0].usable;
}

static void need(unsigned n, uint8_t minimum_up)
{
	struct session_config config = session_of(n)->config;

	config.minimum_up = minimum_up;
	assert_true(engine_configure(engine, (uint16_t)n, &config));
	turn_at(now);
}

static void all_need(uint8_t minimum_up)
{
	for (unsigned n = 0; n < MEMBERS; n++)
		need(n, minimum_up);
}

static void hear(unsigned n, enum bfd_state state)
{
	arrive(n, state, INTERVAL, now);
	turn_at(now);
}

static void goes_down(unsigned n)
{
	hear(n, BFD_DOWN);
	assert_int_equal(session_of(n)->state, BFD_DOWN);
}

static void comes_up(unsigned n)
{
	hear(n, BFD_DOWN);
	hear(n, BFD_UP);
	assert_int_equal(session_of(n)->state, BFD_UP);
}

static struct policy *make_policy(void)
{
	struct policy *made = policy_create(2, 2, 1);

	made->ways[0].nchoices = 2;
	for (uint16_t i = 0; i < 2; i++) {
		made->groups[i].npaths = 1;
		made->groups[i].paths[0] = i;
		made->groups[i].resolved = 1;
		made->ways[0].choices[i].group = made->ways[0].choices[i].rule = i;
		made->ways[0].choices[i].ready = true;
	}
	return made;
}

/* All are Up, and the bond needs two. */
static int setup_bond(void **state)
{
	if (setup(state))
		return -1;
	bring_up(MEMBERS + 1, INTERVAL, 3);
	all_need(2);
	engine->config.steering = (struct engine_steering){take_order, take_map, flush_orders, NULL};
	policy = make_policy();
	return engine_policy(engine, policy, NULL, slot_path, MEMBERS + 1) && usable() ? 0 : -1;
}

static int teardown_bond(void **state)
{
	retire(policy);
	return teardown(state);
}

static void fewer_than_the_minimum_are_none(void **state)
{
	goes_down(0);
	assert_true(usable());
	goes_down(1);
	assert_false(usable());
	goes_down(2);
	assert_false(usable());
	comes_up(1);
	assert_false(usable());
	comes_up(0);
	assert_true(usable());
}

static void all_in_one_turn(void **state)
{
	for (unsigned n = 0; n < MEMBERS; n++)
		arrive(n, BFD_DOWN, INTERVAL, now);
	assert_false(usable());
	for (unsigned n = 0; n < MEMBERS; n++) {
		arrive(n, BFD_DOWN, INTERVAL, now);
		arrive(n, BFD_UP, INTERVAL, now);
	}
	assert_true(usable());
}

/* Silence, with the other path heard. */
static void members_that_fall_silent_do_not_count(void **state)
{
	for (unsigned i = 0; i < 8; i++) {
		hear(OTHER, BFD_UP);
		hear(2, BFD_UP);
		run_until(now + INTERVAL / 2);
	}
	assert_int_equal(session_of(0)->state, BFD_DOWN);
	assert_int_equal(session_of(1)->state, BFD_DOWN);
	assert_int_equal(session_of(2)->state, BFD_UP);
	assert_false(usable());
}

static void another_minimum_holds_at_once(void **state)
{
	all_need(3);
	assert_true(usable());
	goes_down(0);
	assert_false(usable());
	all_need(2);
	assert_true(usable());
	goes_down(1);
	assert_false(usable());
	all_need(1);
	assert_true(usable());
	all_need(2);
	assert_false(usable());
}

static void a_member_that_leaves_does_not_count(void **state)
{
	goes_down(0);
	assert_true(usable());
	assert_true(engine_remove(engine, 1));
	assert_false(usable());
	comes_up(0);
	assert_true(usable());
}

static void a_member_without_its_link_does_not_count(void **state)
{
	const struct session_key key = session_of(1)->key;

	goes_down(0);
	assert_true(engine_path(engine, 1, false, &key.local, 1, 0));
	assert_false(usable());
}

static void a_barred_member_does_not_count(void **state)
{
	goes_down(0);
	assert_true(engine_usable(engine, 1, false));
	assert_false(usable());
	assert_true(engine_usable(engine, 1, true));
	assert_true(usable());
}

/* A reload makes the policy anew: it takes the bond as it is. */
static void a_new_policy_counts_them_too(void **state)
{
	struct policy *before = policy;

	goes_down(0);
	goes_down(1);
	assert_false(usable());
	policy = make_policy();
	policy->paths[0].usable = true;
	assert_true(engine_policy(engine, policy, NULL, slot_path, MEMBERS + 1));
	turn_at(now);
	assert_int_equal(told[ENGINE_POLICY_RETIRED], 1);
	told[ENGINE_POLICY_RETIRED] = 0;
	policy_free(before);
	assert_false(usable());
	comes_up(0);
	assert_true(usable());
}

static void the_other_path_is_none_of_the_bond_s(void **state)
{
	goes_down(OTHER);
	assert_true(usable());
	goes_down(0);
	goes_down(1);
	turn_at(now);
	assert_false(policy->paths[0].usable);
	assert_int_equal(policy_active(&policy->ways[0]), -1);
	comes_up(OTHER);
	assert_false(usable());
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_bond, teardown_bond)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fewer_than_the_minimum_are_none),	     TEST(all_in_one_turn),
		TEST(members_that_fall_silent_do_not_count), TEST(another_minimum_holds_at_once),
		TEST(a_member_that_leaves_does_not_count),   TEST(a_member_without_its_link_does_not_count),
		TEST(a_barred_member_does_not_count),	     TEST(a_new_policy_counts_them_too),
		TEST(the_other_path_is_none_of_the_bond_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
