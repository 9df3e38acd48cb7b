/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a site policy takes over at a reload. */
#include "tests/unit/policy_fixture.h"

static void adopting_the_same_tells_nothing(void **state)
{
	struct policy *old = make_waiting(), *new = make_resolved();

	policy_adopt(new, old, 11 * USEC_S, &sink);
	assert_told("");
	assert_int_equal(new->groups[0].live, 1);
	assert_true(new->paths[2].usable);
	assert_int_equal(policy_next(new), 10 * USEC_S + WAIT);
	policy_tick(new, 10 * USEC_S + WAIT, &sink);
	assert_told("add 0");
	policy_free(old);
	policy_free(new);
}

static void adopting_keeps_presumption(void **state)
{
	struct policy *old = make_inherited(), *new = make_resolved();

	policy_adopt(new, old, 1, &sink);
	assert_told("");
	assert_int_equal(new->groups[0].presumed, 3);
	policy_free(old);
	policy_free(new);
}

static void adopting_goes_by_names_not_places(void **state)
{
	struct policy *old = make_running(), *new = make();

	/* Groups, members and paths in another order; preference, tables and rules are as they were. */
	fill_group(new, 1, "ams", 0, 2);
	fill_group(new, 0, "fra", 2, 1);
	new->groups[1].keys[0] = 101;
	new->groups[1].keys[1] = 100;
	new->groups[1].resolved = 3;
	new->groups[0].resolved = 1;
	new->ways[0].choices[0].group = 1;
	new->ways[0].choices[1].group = 0;
	policy_path(old, 1, false, 0, &sink);
	told[0] = 0;
	policy_adopt(new, old, 1, &sink);
	assert_told("");
	assert_int_equal(new->groups[1].live, 2);
	assert_int_equal(new->groups[1].attached, 2);
	policy_free(old);
	policy_free(new);
}

static void a_member_with_another_key_starts_anew(void **state)
{
	struct policy *old = make_running(), *new = make_resolved();

	new->groups[0].keys[1] = 999;
	policy_adopt(new, old, 1, &sink);
	assert_told("");
	assert_int_equal(new->groups[0].attached, 1);
	policy_path(new, 1, true, 2, &sink);
	assert_told("group 0=3");
	policy_free(old);
	policy_free(new);
}

static void a_path_that_the_caller_knows_usable_is_live_when_adopting(void **state)
{
	struct policy *old = make_running(), *new = make_resolved();

	new->groups[1].keys[0] = 999;
	new->paths[2].usable = true;
	policy_adopt(new, old, 1, &sink);
	assert_told("group 1=1");
	assert_true(new->ways[0].choices[1].standing);
	policy_free(old);
	policy_free(new);
}

static void swapped_preference_adds_both_rules_anew(void **state)
{
	struct policy *old = make_waiting(), *new = make_resolved();

	fill_choice(new, 0, 1);
	fill_choice(new, 1, 0);
	policy_adopt(new, old, 11 * USEC_S, &sink);
	assert_told("add 0; add 1");
	assert_true(new->ways[0].choices[0].ready);
	policy_free(old);
	policy_free(new);
}

/* fra carries and ams waits: a new base for the priorities is no reason to restore ams early. */
static void new_rule_priorities_do_not_cut_waiting_short(void **state)
{
	struct policy *old = make_waiting(), *new = make_resolved();

	new->ways[0].choices[0].key = 500;
	new->ways[0].choices[1].key = 501;
	policy_adopt(new, old, 11 * USEC_S, &sink);
	assert_told("add 1");
	assert_int_equal(policy_next(new), 10 * USEC_S + WAIT);
	policy_free(old);
	policy_free(new);
}

/* The wait began at 10 s and counts from there, whatever the configuration said then. */
static void a_running_wait_is_as_long_as_the_new_configuration_says(void **state)
{
	struct policy *long_ago = make_waiting(), *shorter = make_resolved(), *longer = make_resolved();

	shorter->ways[0].wait_to_restore = 5 * USEC_S;
	policy_adopt(shorter, long_ago, 12 * USEC_S, &sink);
	assert_told("");
	assert_int_equal(policy_next(shorter), 15 * USEC_S);
	longer->ways[0].wait_to_restore = 7 * USEC_S;
	policy_adopt(longer, shorter, 13 * USEC_S, &sink);
	assert_told("");
	assert_int_equal(policy_next(longer), 17 * USEC_S);
	policy_tick(longer, 17 * USEC_S - 1, &sink);
	assert_told("");
	policy_tick(longer, 17 * USEC_S, &sink);
	assert_told("add 0");
	policy_free(long_ago);
	policy_free(shorter);
	policy_free(longer);
}

static void a_wait_shortened_to_what_has_passed_is_over(void **state)
{
	struct policy *old = make_waiting(), *new = make_resolved();

	new->ways[0].wait_to_restore = USEC_S;
	policy_adopt(new, old, 12 * USEC_S, &sink);
	assert_told("add 0");
	assert_int_equal(policy_next(new), USEC_NEVER);
	policy_free(old);
	policy_free(new);
}

static void another_table_is_to_be_filled_first(void **state)
{
	struct policy *old = make_running(), *new = make_resolved();

	new->ways[0].choices[0].table = 9000;
	new->ways[0].choices[0].key = 900;
	policy_adopt(new, old, 1, &sink);
	/* The old rule goes with the map: nothing of this name stands. */
	assert_told("");
	assert_int_equal(policy_active(&new->ways[0]), 1);
	policy_ready(new, 0, true, 2, &sink);
	assert_told("add 0");
	policy_free(old);
	policy_free(new);
}

static void a_new_service_and_a_new_site_are_built(void **state)
{
	struct policy *old = make_running(), *new = policy_create(4, 3, 2);

	fill_group(new, 0, "ams", 0, 2);
	fill_group(new, 1, "fra", 2, 1);
	fill_group(new, 2, "lon", 3, 1);
	for (unsigned i = 0; i < 3; i++)
		new->groups[i].resolved = i ? 1 : 3;
	snprintf(new->ways[0].name, sizeof(new->ways[0].name), "voice");
	fill_choice(new, 0, 0);
	fill_choice(new, 1, 1);
	fill_choice(new, 2, 2);
	new->ways[1] = new->ways[0];
	snprintf(new->ways[1].name, sizeof(new->ways[1].name), "signalling");
	for (unsigned i = 0; i < 3; i++) {
		new->ways[1].choices[i].rule = (uint16_t)(3 + i);
		new->ways[1].choices[i].table = 7100 + i;
	}
	policy_adopt(new, old, 1, &sink);
	assert_told("group 2=1");
	policy_ready(new, 4, true, 2, &sink);
	assert_told("add 4");
	policy_ready(new, 3, true, 2, &sink);
	assert_told("add 3");
	policy_free(old);
	policy_free(new);
}

/* Same table, same rule, but its routes will hang on another group: the map keeps the rule, so it is told. */
static void a_choice_on_another_group_loses_its_rule_until_the_table_is_filled(void **state)
{
	struct policy *old = make_running(), *new = make();

	fill_group(new, 0, "ams/ipv6", 0, 2);
	new->groups[0].resolved = 3;
	new->groups[1].resolved = 1;
	policy_adopt(new, old, 1, &sink);
	assert_told("del 0; group 0=3");
	assert_int_equal(policy_active(&new->ways[0]), 1);
	policy_path(new, 0, true, 2, &sink);
	told[0] = 0;
	policy_ready(new, 0, true, 2, &sink);
	assert_told("add 0");
	policy_free(old);
	policy_free(new);
}

/* Nothing of the old group will be left, and nothing is there to make it of: its routes go with it. */
static void a_group_whose_members_are_all_replaced_by_absent_ones_is_gone(void **state)
{
	struct policy *old = make_running(), *new = make_resolved();

	new->groups[0].keys[0] = 998;
	new->groups[0].keys[1] = 999;
	new->groups[0].resolved = 0;
	policy_adopt(new, old, 1, &sink);
	assert_told("del 0");
	assert_false(new->ways[0].choices[0].ready);
	policy_free(old);
	policy_free(new);
}

/* The caller clears the old members away only after this: the group, and the routes on it, live on. */
static void a_group_whose_members_are_all_replaced_by_live_ones_goes_on(void **state)
{
	struct policy *old = make_running(), *new = make_resolved();

	new->groups[0].keys[0] = 998;
	new->groups[0].keys[1] = 999;
	new->paths[0].usable = true;
	policy_adopt(new, old, 1, &sink);
	assert_told("group 0=1");
	assert_int_equal(policy_active(&new->ways[0]), 0);
	policy_free(old);
	policy_free(new);
}

/* Neither rule stands in the kernel under these keys: there is nothing to delete. */
static void a_rule_under_another_key_is_not_deleted_when_its_site_is_dead(void **state)
{
	struct policy *old = make_running(), *new = make_resolved();

	new->ways[0].choices[1].key = 501;
	new->groups[1].keys[0] = 999;
	policy_adopt(new, old, 1, &sink);
	assert_told("group 1=1");
	assert_false(new->ways[0].choices[1].standing);
	policy_free(old);
	policy_free(new);
}

static void a_replacement_waits_until_its_group_is_there(void **state)
{
	struct policy *old = make_waiting(), *new = make_resolved();

	new->groups[0].keys[0] = 998;
	new->groups[1].keys[0] = 999;
	new->paths[0].usable = true;
	policy_adopt(new, old, 1, &sink);
	assert_told("del 1; group 0=1; group 1=1; add 0");
	policy_free(old);
	policy_free(new);
}

static void what_is_inherited_on_a_link_that_is_gone_is_gone(void **state)
{
	struct policy *policy = make();

	policy_inherit_group(policy, 1, 1);
	policy_inherit_rule(policy, 1);
	policy_adopt(policy, NULL, 0, &sink);
	assert_told("del 1");
	policy_path(policy, 2, true, 1, &sink);
	policy_resolved(policy, 1, 0, true, 1, &sink);
	assert_told("group 1=1");
	policy_ready(policy, 1, true, 2, &sink);
	assert_told("add 1");
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adopting_the_same_tells_nothing),
		cmocka_unit_test(adopting_keeps_presumption),
		cmocka_unit_test(adopting_goes_by_names_not_places),
		cmocka_unit_test(a_member_with_another_key_starts_anew),
		cmocka_unit_test(a_path_that_the_caller_knows_usable_is_live_when_adopting),
		cmocka_unit_test(swapped_preference_adds_both_rules_anew),
		cmocka_unit_test(new_rule_priorities_do_not_cut_waiting_short),
		cmocka_unit_test(a_running_wait_is_as_long_as_the_new_configuration_says),
		cmocka_unit_test(a_wait_shortened_to_what_has_passed_is_over),
		cmocka_unit_test(another_table_is_to_be_filled_first),
		cmocka_unit_test(a_new_service_and_a_new_site_are_built),
		cmocka_unit_test(a_choice_on_another_group_loses_its_rule_until_the_table_is_filled),
		cmocka_unit_test(a_group_whose_members_are_all_replaced_by_absent_ones_is_gone),
		cmocka_unit_test(a_group_whose_members_are_all_replaced_by_live_ones_goes_on),
		cmocka_unit_test(a_rule_under_another_key_is_not_deleted_when_its_site_is_dead),
		cmocka_unit_test(a_replacement_waits_until_its_group_is_there),
		cmocka_unit_test(what_is_inherited_on_a_link_that_is_gone_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
