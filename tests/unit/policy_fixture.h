/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the site policy share. Two sites: "ams" (group 0) has paths 0 and 1, "fra" (group 1) has
 * path 2; the way "voice" prefers ams (rule 0) to fra (rule 1). Actions are told as text: "detach 0/1" is
 * group/member, "group 0=3" group and mask, "add 1" and "del 1" rules.
 */
#ifndef TESTS_UNIT_POLICY_FIXTURE_H
#define TESTS_UNIT_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "site/policy.h"

#define WAIT (30 * USEC_S)

static char told[1024];

static inline void emit(void *context, const struct policy_action *action)
{
	size_t used = strlen(told);
	char *at = told + used;
	size_t room = sizeof(told) - used;

	if (used && room > 2) {
		at += snprintf(at, room, "; ");
		room -= 2;
	}
	switch (action->kind) {
	case POLICY_DETACH:
		snprintf(at, room, "detach %u/%u", action->group, action->member);
		break;
	case POLICY_GROUP:
		snprintf(at, room, "group %u=%llx", action->group, (unsigned long long)action->mask);
		break;
	case POLICY_RULE_DEL:
		snprintf(at, room, "del %u", action->rule);
		break;
	case POLICY_RULE_ADD:
		snprintf(at, room, "add %u", action->rule);
		break;
	}
	assert_int_equal(action->way == POLICY_NONE, action->kind <= POLICY_GROUP);
}

static const struct policy_sink sink = {.emit = emit};

/* What was told since the last call. */
#define assert_told(text)                        \
	do {                                     \
		assert_string_equal(told, text); \
		told[0] = 0;                     \
	} while (0)

static inline void fill_group(struct policy *policy, uint16_t index, const char *name, uint16_t first,
			      uint16_t n)
{
	struct policy_group *group = &policy->groups[index];

	snprintf(group->name, sizeof(group->name), "%s", name);
	group->npaths = n;
	for (uint16_t i = 0; i < n; i++) {
		group->paths[i] = (uint16_t)(first + i);
		group->keys[i] = 100u + first + i;
	}
}

static inline void fill_choice(struct policy *policy, unsigned rank, uint16_t group)
{
	policy->ways[0].choices[rank].group = group;
	policy->ways[0].choices[rank].rule = (uint16_t)rank;
	policy->ways[0].choices[rank].table = 7000u + group;
	policy->ways[0].choices[rank].key = 10u * group + rank;
	policy->ways[0].nchoices = (uint8_t)(rank + 1);
}

/* Nothing resolved, nothing heard of. */
static inline struct policy *make(void)
{
	struct policy *policy = policy_create(3, 2, 1);

	assert_non_null(policy);
	fill_group(policy, 0, "ams", 0, 2);
	fill_group(policy, 1, "fra", 2, 1);
	snprintf(policy->ways[0].name, sizeof(policy->ways[0].name), "voice");
	policy->ways[0].wait_to_restore = WAIT;
	fill_choice(policy, 0, 0);
	fill_choice(policy, 1, 1);
	told[0] = 0;
	return policy;
}

static inline struct policy *make_resolved(void)
{
	struct policy *policy = make();

	policy->groups[0].resolved = 3;
	policy->groups[1].resolved = 1;
	return policy;
}

/* All paths usable, both rules standing, ams carries. */
static inline struct policy *make_running(void)
{
	struct policy *policy = make_resolved();

	policy_adopt(policy, NULL, 0, &sink);
	for (uint16_t rule = 0; rule < 2; rule++)
		policy_ready(policy, rule, true, 0, &sink);
	for (uint16_t path = 0; path < 3; path++)
		policy_path(policy, path, true, 0, &sink);
	assert_int_equal(policy_active(&policy->ways[0]), 0);
	assert_true(policy->ways[0].choices[1].standing);
	told[0] = 0;
	return policy;
}

/* As running, but ams failed, came back at 10 s, and waits; fra carries. */
static inline struct policy *make_waiting(void)
{
	struct policy *policy = make_running();

	policy_path(policy, 0, false, USEC_S, &sink);
	policy_path(policy, 1, false, USEC_S, &sink);
	assert_told("detach 0/0; del 0");
	policy_path(policy, 0, true, 10 * USEC_S, &sink);
	assert_told("group 0=1");
	assert_int_equal(policy_next(policy), 10 * USEC_S + WAIT);
	return policy;
}

/* All of it standing in the kernel, nothing heard yet. */
static inline struct policy *make_inherited(void)
{
	struct policy *policy = make_resolved();

	policy_inherit_group(policy, 0, 3);
	policy_inherit_group(policy, 1, 1);
	policy_inherit_rule(policy, 0);
	policy_inherit_rule(policy, 1);
	policy_adopt(policy, NULL, 0, &sink);
	assert_told("");
	return policy;
}

#endif
