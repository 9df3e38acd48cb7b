/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reload: the new policy takes over what the old one knows. This runs in the real-time thread, so searches
 * begin where the last one ended: with an order that hardly changed, adopting is linear.
 */
#include <string.h>

#include "site/policy_act.h"

static const struct policy_group *find_group(const struct policy *old, const char *name, unsigned *hint)
{
	for (unsigned i = 0; i < old->ngroups; i++) {
		unsigned at = (*hint + i) % old->ngroups;

		if (strcmp(old->groups[at].name, name) == 0) {
			*hint = at + 1;
			return &old->groups[at];
		}
	}
	return NULL;
}

static const struct policy_way *find_way(const struct policy *old, const char *name, unsigned *hint)
{
	for (unsigned i = 0; i < old->nways; i++) {
		unsigned at = (*hint + i) % old->nways;

		if (strcmp(old->ways[at].name, name) == 0) {
			*hint = at + 1;
			return &old->ways[at];
		}
	}
	return NULL;
}

static uint64_t mapped(uint64_t mask, unsigned from, unsigned to)
{
	return (mask >> from & 1) << to;
}

/* Members by key. A usable path is noted at the path, since it may have a place in further groups now. */
static void adopt_group(struct policy *policy, struct policy_group *group, const struct policy_group *old)
{
	unsigned hint = 0;

	for (unsigned i = 0; i < group->npaths; i++) {
		for (unsigned j = 0; j < old->npaths; j++) {
			unsigned at = (hint + j) % old->npaths;

			if (old->keys[at] != group->keys[i])
				continue;
			group->presumed |= mapped(old->presumed, at, i);
			group->attached |= mapped(old->attached, at, i);
			if (mapped(old->live, at, i))
				policy->paths[group->paths[i]].usable = true;
			hint = at + 1;
			break;
		}
	}
}

/* LONGER: by how much wait-to-restore grew. A wait that runs began when it began. */
static void adopt_choice(struct policy_choice *choice, const struct policy_choice *old, bool same_group,
			 usec_t longer)
{
	choice->ready = old->ready && same_group;
	choice->failed = old->failed;
	if (old->restore_at != USEC_NEVER)
		choice->restore_at = old->restore_at + longer;
	/* A rule to a table that is filled only now waits for that; it has not failed. */
	choice->standing = old->standing && choice->ready;
	choice->renew = choice->standing && old->key != choice->key;
}

/* The table is filled anew, on another group, and the rule would stay with the steering map: it leads nowhere
 * until then. */
static void take_rule(const struct policy *policy, const struct policy_way *way,
		      const struct policy_choice *choice, const struct policy_sink *sink)
{
	struct policy_action action = {
		.kind = POLICY_RULE_DEL,
		.way = (uint16_t)(way - policy->ways),
		.group = choice->group,
		.rule = choice->rule,
	};

	sink->emit(sink->context, &action);
}

/* A table is one service's and one site's for good, so choices go by it. */
static void adopt_way(const struct policy *policy, struct policy_way *way, const struct policy *old,
		      const struct policy_way *old_way, const struct policy_sink *sink)
{
	for (unsigned i = 0; i < way->nchoices; i++) {
		struct policy_choice *choice = &way->choices[i];

		for (unsigned j = 0; j < old_way->nchoices; j++) {
			const struct policy_choice *was = &old_way->choices[j];

			if (was->table != choice->table)
				continue;
			adopt_choice(
				choice, was,
				!strcmp(old->groups[was->group].name, policy->groups[choice->group].name),
				way->wait_to_restore - old_way->wait_to_restore);
			if (was->standing && was->key == choice->key && !choice->standing)
				take_rule(policy, way, choice, sink);
			break;
		}
	}
}

static void take_over(struct policy *policy, const struct policy *old, const struct policy_sink *sink)
{
	unsigned hint = 0;

	for (unsigned i = 0; i < policy->ngroups; i++) {
		const struct policy_group *group = find_group(old, policy->groups[i].name, &hint);

		if (group)
			adopt_group(policy, &policy->groups[i], group);
	}
	hint = 0;
	for (unsigned i = 0; i < policy->nways; i++) {
		const struct policy_way *way = find_way(old, policy->ways[i].name, &hint);

		if (way)
			adopt_way(policy, &policy->ways[i], old, way, sink);
	}
}

void policy_adopt(struct policy *policy, const struct policy *old, usec_t now, const struct policy_sink *sink)
{
	if (old)
		take_over(policy, old, sink);
	policy_link(policy);
	for (unsigned i = 0; i < policy->ngroups; i++) {
		struct policy_group *group = &policy->groups[i];

		for (unsigned j = 0; j < group->npaths; j++) {
			if (policy->paths[group->paths[j]].usable)
				group->live |= (uint64_t)1 << j;
		}
		/* With a link that went the kernel has dropped its group; a group of others alone is cleared
		 * away if it is not made of new members now. */
		if (!group->resolved || (group->attached && !(group->attached & group->resolved)))
			policy_group_gone(policy, (uint16_t)i);
	}
	policy_act(policy, now, sink);
}
