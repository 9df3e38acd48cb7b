/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of the site policy, one by one. */
#include "tests/unit/policy_fixture.h"

static void groups_are_made_of_all_resolved_members_before_any_lives(void **state)
{
	struct policy *policy = make_resolved();

	policy_adopt(policy, NULL, 0, &sink);
	assert_told("group 0=3; group 1=1");
	policy_free(policy);
}

static void a_group_grows_with_what_becomes_resolved(void **state)
{
	struct policy *policy = make();

	policy_adopt(policy, NULL, 0, &sink);
	assert_told("");
	policy_resolved(policy, 0, 1, true, 0, &sink);
	assert_told("group 0=2");
	/* Nobody lives: what is attached stays as it is. */
	policy_resolved(policy, 0, 0, true, 0, &sink);
	assert_told("");
	policy_path(policy, 0, true, 0, &sink);
	assert_told("group 0=1");
	policy_path(policy, 1, true, 0, &sink);
	assert_told("group 0=3");
	policy_free(policy);
}

static void only_resolved_members_are_ever_attached(void **state)
{
	struct policy *policy = make();

	policy->groups[0].resolved = 1;
	policy_adopt(policy, NULL, 0, &sink);
	policy_path(policy, 0, true, 0, &sink);
	assert_told("group 0=1");
	policy_path(policy, 1, true, 0, &sink);
	assert_told("");
	policy_resolved(policy, 0, 1, true, 0, &sink);
	assert_told("group 0=3");
	policy_free(policy);
}

static void a_rule_needs_a_filled_table_and_a_live_member(void **state)
{
	struct policy *policy = make_resolved();

	policy_adopt(policy, NULL, 0, &sink);
	told[0] = 0;
	policy_path(policy, 2, true, 0, &sink);
	assert_told("");
	assert_int_equal(policy_active(&policy->ways[0]), -1);
	policy_ready(policy, 1, true, 0, &sink);
	assert_told("add 1");
	policy_ready(policy, 0, true, 0, &sink);
	assert_told("");
	policy_path(policy, 1, true, 0, &sink);
	assert_told("detach 0/0; add 0");
	policy_free(policy);
}

static void a_dead_path_among_live_ones_is_one_detach(void **state)
{
	struct policy *policy = make_running();

	policy_path(policy, 1, false, 1, &sink);
	assert_told("detach 0/1");
	assert_int_equal(policy->groups[0].attached, 1);
	policy_path(policy, 1, true, 2, &sink);
	assert_told("group 0=3");
	policy_free(policy);
}

static void the_last_path_of_a_site_takes_the_rule_and_leaves_the_group(void **state)
{
	struct policy *policy = make_running();

	policy_path(policy, 0, false, 1, &sink);
	told[0] = 0;
	policy_path(policy, 1, false, 2, &sink);
	assert_told("del 0");
	assert_int_equal(policy->groups[0].attached, 2);
	assert_int_equal(policy_active(&policy->ways[0]), 1);
	policy_free(policy);
}

static void with_no_site_left_the_main_table_decides(void **state)
{
	struct policy *policy = make_running();

	policy_path(policy, 2, false, 1, &sink);
	assert_told("del 1");
	policy_path(policy, 0, false, 1, &sink);
	policy_path(policy, 1, false, 1, &sink);
	assert_told("detach 0/0; del 0");
	assert_int_equal(policy_active(&policy->ways[0]), -1);
	/* Whoever returns first gets it at once. */
	policy_path(policy, 2, true, 2, &sink);
	assert_told("add 1");
	policy_free(policy);
}

static void hearing_the_same_again_tells_nothing(void **state)
{
	struct policy *policy = make_running();

	policy_path(policy, 0, true, 1, &sink);
	policy_resolved(policy, 0, 0, true, 1, &sink);
	policy_ready(policy, 0, true, 1, &sink);
	assert_told("");
	policy_free(policy);
}

static void a_lower_choice_stands_by_at_once(void **state)
{
	struct policy *policy = make_running();

	policy_path(policy, 2, false, 1, &sink);
	assert_told("del 1");
	policy_path(policy, 2, true, 2, &sink);
	assert_told("add 1");
	policy_free(policy);
}

static void a_better_choice_that_never_failed_takes_over_at_once(void **state)
{
	struct policy *policy = make_resolved();

	policy_adopt(policy, NULL, 0, &sink);
	policy_ready(policy, 0, true, 0, &sink);
	policy_ready(policy, 1, true, 0, &sink);
	policy_path(policy, 2, true, 0, &sink);
	told[0] = 0;
	policy_path(policy, 0, true, 0, &sink);
	assert_told("detach 0/1; add 0");
	policy_free(policy);
}

static void a_better_choice_that_failed_waits_to_restore(void **state)
{
	struct policy *policy = make_waiting();

	policy_tick(policy, 10 * USEC_S + WAIT - 1, &sink);
	assert_told("");
	policy_tick(policy, 10 * USEC_S + WAIT, &sink);
	assert_told("add 0");
	assert_false(policy->ways[0].choices[0].failed);
	assert_int_equal(policy_next(policy), USEC_NEVER);
	policy_free(policy);
}

static void waiting_begins_anew_after_another_failure(void **state)
{
	struct policy *policy = make_waiting();

	policy_path(policy, 0, false, 20 * USEC_S, &sink);
	assert_int_equal(policy_next(policy), USEC_NEVER);
	policy_path(policy, 0, true, 21 * USEC_S, &sink);
	assert_int_equal(policy_next(policy), 21 * USEC_S + WAIT);
	policy_tick(policy, 21 * USEC_S + WAIT - 1, &sink);
	assert_told("");
	policy_tick(policy, 21 * USEC_S + WAIT, &sink);
	assert_told("add 0");
	policy_free(policy);
}

static void waiting_is_not_prolonged_by_further_paths(void **state)
{
	struct policy *policy = make_waiting();

	policy_path(policy, 1, true, 15 * USEC_S, &sink);
	assert_told("group 0=3");
	assert_int_equal(policy_next(policy), 10 * USEC_S + WAIT);
	policy_free(policy);
}

static void wait_to_restore_zero_restores_at_once(void **state)
{
	struct policy *policy = make_running();

	policy->ways[0].wait_to_restore = 0;
	policy_path(policy, 0, false, 1, &sink);
	policy_path(policy, 1, false, 1, &sink);
	told[0] = 0;
	policy_path(policy, 1, true, 2, &sink);
	assert_told("add 0");
	policy_free(policy);
}

/* And its rule comes before the dying one goes: the main table gets no say. */
static void a_waiting_choice_stands_at_once_when_the_active_one_dies(void **state)
{
	struct policy *policy = make_waiting();

	policy_path(policy, 2, false, 12 * USEC_S, &sink);
	assert_told("add 0; del 1");
	assert_int_equal(policy_next(policy), USEC_NEVER);
	policy_free(policy);
}

static void a_table_that_lost_its_routes_takes_the_rule(void **state)
{
	struct policy *policy = make_running();

	policy_ready(policy, 0, false, 1, &sink);
	assert_told("del 0");
	policy_ready(policy, 0, true, 2, &sink);
	assert_told("");
	assert_int_equal(policy_next(policy), 2 + WAIT);
	policy_free(policy);
}

static void an_unresolved_member_among_others_is_detached(void **state)
{
	struct policy *policy = make_running();

	policy_resolved(policy, 0, 0, false, 1, &sink);
	assert_told("detach 0/0");
	policy_resolved(policy, 0, 0, true, 2, &sink);
	assert_told("group 0=3");
	policy_free(policy);
}

static void an_unresolved_last_member_takes_group_and_table_along(void **state)
{
	struct policy *policy = make_running();

	policy_resolved(policy, 1, 0, false, 1, &sink);
	assert_told("del 1");
	assert_int_equal(policy->groups[1].attached, 0);
	assert_false(policy->ways[0].choices[1].ready);
	policy_resolved(policy, 1, 0, true, 2, &sink);
	assert_told("group 1=1");
	policy_ready(policy, 1, true, 3, &sink);
	assert_told("add 1");
	policy_free(policy);
}

/* The kernel dropped the group with its dead member; it is made anew of what there is. */
static void a_dead_group_whose_attached_member_goes_is_made_anew(void **state)
{
	struct policy *policy = make_running();

	policy_path(policy, 0, false, 1, &sink);
	policy_path(policy, 1, false, 1, &sink);
	told[0] = 0;
	policy_resolved(policy, 0, 1, false, 2, &sink);
	assert_told("group 0=1");
	assert_false(policy->ways[0].choices[0].ready);
	policy_free(policy);
}

static void a_lost_member_is_attached_again(void **state)
{
	struct policy *policy = make_running();

	policy_lost_member(policy, 0, 1, 1, &sink);
	assert_told("group 0=3");
	assert_true(policy->ways[0].choices[0].standing);
	/* Not attached as we know: the echo of our own detach. */
	policy_path(policy, 1, false, 2, &sink);
	told[0] = 0;
	policy_lost_member(policy, 0, 1, 3, &sink);
	assert_told("");
	policy_free(policy);
}

static void a_lost_last_member_or_group_takes_the_table_along(void **state)
{
	struct policy *policy = make_running();

	policy_lost_member(policy, 1, 0, 1, &sink);
	assert_told("del 1; group 1=1");
	assert_false(policy->ways[0].choices[1].ready);
	policy_lost_group(policy, 0, 2, &sink);
	assert_told("del 0; group 0=3");
	assert_int_equal(policy_active(&policy->ways[0]), -1);
	policy_free(policy);
}

static void a_lost_rule_is_added_again(void **state)
{
	struct policy *policy = make_running();

	policy_lost_rule(policy, 0, 1, &sink);
	assert_told("add 0");
	policy_lost_rule(policy, 9, 1, &sink);
	assert_told("");
	policy_free(policy);
}

static void what_was_inherited_holds_until_heard_of(void **state)
{
	struct policy *policy = make_inherited();

	policy_path(policy, 0, true, 1, &sink);
	assert_told("");
	assert_int_equal(policy->groups[0].live, 1);
	assert_int_equal(policy->groups[0].presumed, 2);
	policy_path(policy, 2, false, 1, &sink);
	assert_told("del 1");
	policy_free(policy);
}

static void presumption_ends(void **state)
{
	struct policy *policy = make_inherited();

	policy_path(policy, 0, true, 1, &sink);
	policy_presume_end(policy, 2, &sink);
	assert_told("del 1; detach 0/1");
	policy_free(policy);
}

static void what_is_presumed_is_doubted_where_another_site_lives(void **state)
{
	struct policy *policy = make_inherited();

	policy_path(policy, 2, true, 1, &sink);
	policy_presume_doubt(policy, 2, &sink);
	assert_told("del 0");
	assert_int_equal(policy->groups[0].presumed, 0);
	assert_int_equal(policy_active(&policy->ways[0]), 1);
	/* It failed, like any other. */
	policy_path(policy, 0, true, 3, &sink);
	assert_told("detach 0/1");
	assert_int_equal(policy_next(policy), 3 + WAIT);
	policy_free(policy);
}

static void what_is_presumed_holds_where_nothing_else_lives(void **state)
{
	struct policy *policy = make_inherited();

	policy_presume_doubt(policy, 2, &sink);
	assert_told("");
	assert_int_equal(policy->groups[0].presumed, 3);
	assert_int_equal(policy->groups[1].presumed, 1);
	/* Lives, but nothing leads there. */
	policy_ready(policy, 1, false, 3, &sink);
	policy_path(policy, 2, true, 3, &sink);
	assert_told("del 1");
	policy_presume_doubt(policy, 4, &sink);
	assert_told("");
	policy_free(policy);
}

static void what_is_presumed_is_not_doubted_beside_a_live_member(void **state)
{
	struct policy *policy = make_inherited();

	policy_path(policy, 0, true, 1, &sink);
	policy_path(policy, 2, true, 1, &sink);
	policy_presume_doubt(policy, 2, &sink);
	assert_told("");
	assert_int_equal(policy->groups[0].presumed, 2);
	policy_free(policy);
}

static void nor_is_a_standby_below_what_lives(void **state)
{
	struct policy *policy = make_inherited();

	policy_path(policy, 1, true, 1, &sink);
	policy_presume_doubt(policy, 2, &sink);
	assert_told("");
	assert_int_equal(policy->groups[1].presumed, 1);
	policy_free(policy);
}

/* As make_inherited(), with a third site: "lon" (group 2) has path 3 and rule 2. */
static struct policy *make_three_inherited(void)
{
	struct policy *policy = policy_create(4, 3, 1);

	fill_group(policy, 0, "ams", 0, 2);
	fill_group(policy, 1, "fra", 2, 1);
	fill_group(policy, 2, "lon", 3, 1);
	policy->ways[0].wait_to_restore = WAIT;
	for (uint16_t i = 0; i < 3; i++) {
		policy->groups[i].resolved = i ? 1 : 3;
		fill_choice(policy, i, i);
		policy_inherit_group(policy, i, policy->groups[i].resolved);
		policy_inherit_rule(policy, i);
	}
	told[0] = 0;
	policy_adopt(policy, NULL, 0, &sink);
	return policy;
}

/* Nothing is gained by moving traffic from one site that nobody has heard of to another. */
static void doubt_falls_on_all_that_rank_above_what_lives(void **state)
{
	struct policy *policy = make_three_inherited();

	policy_path(policy, 3, true, 1, &sink);
	policy_presume_doubt(policy, 2, &sink);
	assert_told("del 0; del 1");
	assert_int_equal(policy_active(&policy->ways[0]), 2);
	policy_free(policy);
}

static void doubt_leaves_what_stands_by_below_what_lives(void **state)
{
	struct policy *policy = make_three_inherited();

	policy_path(policy, 2, true, 1, &sink);
	policy_presume_doubt(policy, 2, &sink);
	assert_told("del 0");
	assert_int_equal(policy->groups[2].presumed, 1);
	assert_int_equal(policy_active(&policy->ways[0]), 1);
	policy_free(policy);
}

/* ams was heard, fell silent, and came back, all since the start: fra carries, which nobody has heard of. */
static void doubt_ends_waiting(void **state)
{
	struct policy *policy = make_three_inherited();

	policy_path(policy, 0, false, 1, &sink);
	policy_path(policy, 1, false, 1, &sink);
	policy_path(policy, 0, true, 2, &sink);
	assert_told("detach 0/0; del 0; group 0=1");
	assert_int_equal(policy_active(&policy->ways[0]), 1);
	policy_presume_doubt(policy, 3, &sink);
	assert_told("add 0; del 1; del 2");
	assert_int_equal(policy_next(policy), USEC_NEVER);
	policy_free(policy);
}

static void a_path_in_two_groups_moves_both_rules_first(void **state)
{
	struct policy *policy = make_resolved();

	policy->groups[1].npaths = 2;
	policy->groups[1].paths[1] = 1;
	policy->groups[1].keys[1] = 200;
	policy->groups[1].resolved = 3;
	policy_adopt(policy, NULL, 0, &sink);
	policy_ready(policy, 0, true, 0, &sink);
	policy_ready(policy, 1, true, 0, &sink);
	policy_path(policy, 1, true, 0, &sink);
	policy_path(policy, 2, true, 0, &sink);
	assert_told("group 0=3; group 1=3; detach 0/0; detach 1/0; add 0; add 1; group 1=3");
	policy_path(policy, 1, false, 1, &sink);
	assert_told("del 0; detach 1/1");
	policy_free(policy);
}

static void a_snapshot_is_a_copy(void **state)
{
	struct policy *policy = make_waiting(), *copy = policy_create(3, 2, 1),
		      *other = policy_create(3, 2, 2);

	assert_false(policy_same_shape(policy, other));
	assert_true(policy_same_shape(policy, copy));
	policy_copy(copy, policy);
	assert_memory_equal(copy->ways, policy->ways, sizeof(*copy->ways));
	assert_memory_equal(copy->groups, policy->groups, 2 * sizeof(*copy->groups));
	assert_int_equal(policy_next(copy), policy_next(policy));
	assert_ptr_not_equal(copy->ways, policy->ways);
	policy_free(policy);
	policy_free(copy);
	policy_free(other);
}

static void counts_beyond_16_bits_are_refused(void **state)
{
	assert_null(policy_create(POLICY_NONE, 1, 1));
	assert_null(policy_create(1, POLICY_NONE, 1));
	assert_null(policy_create(1, 1, POLICY_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_made_of_all_resolved_members_before_any_lives),
		cmocka_unit_test(a_group_grows_with_what_becomes_resolved),
		cmocka_unit_test(only_resolved_members_are_ever_attached),
		cmocka_unit_test(a_rule_needs_a_filled_table_and_a_live_member),
		cmocka_unit_test(a_dead_path_among_live_ones_is_one_detach),
		cmocka_unit_test(the_last_path_of_a_site_takes_the_rule_and_leaves_the_group),
		cmocka_unit_test(with_no_site_left_the_main_table_decides),
		cmocka_unit_test(hearing_the_same_again_tells_nothing),
		cmocka_unit_test(a_lower_choice_stands_by_at_once),
		cmocka_unit_test(a_better_choice_that_never_failed_takes_over_at_once),
		cmocka_unit_test(a_better_choice_that_failed_waits_to_restore),
		cmocka_unit_test(waiting_begins_anew_after_another_failure),
		cmocka_unit_test(waiting_is_not_prolonged_by_further_paths),
		cmocka_unit_test(wait_to_restore_zero_restores_at_once),
		cmocka_unit_test(a_waiting_choice_stands_at_once_when_the_active_one_dies),
		cmocka_unit_test(a_table_that_lost_its_routes_takes_the_rule),
		cmocka_unit_test(an_unresolved_member_among_others_is_detached),
		cmocka_unit_test(an_unresolved_last_member_takes_group_and_table_along),
		cmocka_unit_test(a_dead_group_whose_attached_member_goes_is_made_anew),
		cmocka_unit_test(a_lost_member_is_attached_again),
		cmocka_unit_test(a_lost_last_member_or_group_takes_the_table_along),
		cmocka_unit_test(a_lost_rule_is_added_again),
		cmocka_unit_test(what_was_inherited_holds_until_heard_of),
		cmocka_unit_test(presumption_ends),
		cmocka_unit_test(what_is_presumed_is_doubted_where_another_site_lives),
		cmocka_unit_test(what_is_presumed_holds_where_nothing_else_lives),
		cmocka_unit_test(what_is_presumed_is_not_doubted_beside_a_live_member),
		cmocka_unit_test(nor_is_a_standby_below_what_lives),
		cmocka_unit_test(doubt_ends_waiting),
		cmocka_unit_test(doubt_falls_on_all_that_rank_above_what_lives),
		cmocka_unit_test(doubt_leaves_what_stands_by_below_what_lives),
		cmocka_unit_test(a_path_in_two_groups_moves_both_rules_first),
		cmocka_unit_test(a_snapshot_is_a_copy),
		cmocka_unit_test(counts_beyond_16_bits_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
