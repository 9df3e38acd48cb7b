/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens to a policy: each event changes the state, then the steps of policy_act.h follow. */
#include "site/policy.h"

#include <stdlib.h>
#include <string.h>

#include "site/policy_act.h"

struct policy *policy_create(unsigned npaths, unsigned ngroups, unsigned nways)
{
	struct policy *policy;
	size_t size = sizeof(*policy);

	if (npaths >= POLICY_NONE || ngroups >= POLICY_NONE || nways >= POLICY_NONE)
		return NULL;
	/* The structs of 64-bit fields first: each array is aligned by those before it. */
	size += nways * sizeof(*policy->ways);
	size += ngroups * sizeof(*policy->groups);
	size += npaths * sizeof(*policy->paths);
	policy = calloc(1, size);
	if (!policy)
		return NULL;
	policy->npaths = (uint16_t)npaths;
	policy->ngroups = (uint16_t)ngroups;
	policy->nways = (uint16_t)nways;
	policy->ways = (struct policy_way *)(policy + 1);
	policy->groups = (struct policy_group *)(policy->ways + nways);
	policy->paths = (struct policy_path *)(policy->groups + ngroups);
	policy->next = USEC_NEVER;
	for (unsigned i = 0; i < nways; i++) {
		for (unsigned j = 0; j < POLICY_CHOICES; j++)
			policy->ways[i].choices[j].restore_at = USEC_NEVER;
	}
	return policy;
}

void policy_free(struct policy *policy)
{
	free(policy);
}

bool policy_same_shape(const struct policy *a, const struct policy *b)
{
	return a->npaths == b->npaths && a->ngroups == b->ngroups && a->nways == b->nways;
}

void policy_copy(struct policy *dst, const struct policy *src)
{
	dst->linked = src->linked;
	dst->next = src->next;
	memcpy(dst->paths, src->paths, src->npaths * sizeof(*src->paths));
	memcpy(dst->groups, src->groups, src->ngroups * sizeof(*src->groups));
	memcpy(dst->ways, src->ways, src->nways * sizeof(*src->ways));
}

/* The steps, for one group. */
static void act_group(struct policy *policy, uint16_t group, usec_t now, const struct policy_sink *sink)
{
	policy_withdraw(policy, sink);
	policy_group_detach(policy, group, sink);
	policy_group_set(policy, group, sink);
	policy_offer(policy, now, sink);
}

/* The group of a place in a path's list, and *NEXT of the list. */
static uint16_t place(const struct policy *policy, uint32_t at, uint64_t *bit, uint32_t *next)
{
	uint16_t group = (uint16_t)((at - 1) / POLICY_MEMBERS);
	unsigned member = (at - 1) % POLICY_MEMBERS;

	*bit = (uint64_t)1 << member;
	*next = policy->groups[group].next[member];
	return group;
}

/* Sets live and ends presumption in all groups of PATH. False: nothing changed. */
static bool path_set(struct policy *policy, const struct policy_path *path)
{
	bool changed = false;
	uint32_t next;
	uint64_t bit;

	for (uint32_t at = path->first; at; at = next) {
		struct policy_group *group = &policy->groups[place(policy, at, &bit, &next)];
		uint64_t live = path->usable ? group->live | bit : group->live & ~bit;

		changed |= live != group->live || (group->presumed & bit);
		group->live = live;
		group->presumed &= ~bit;
	}
	return changed;
}

void policy_path(struct policy *policy, uint16_t index, bool usable, usec_t now,
		 const struct policy_sink *sink)
{
	struct policy_path *path = &policy->paths[index];
	uint32_t next;
	uint64_t bit;

	if (!policy->linked)
		policy_link(policy);
	path->usable = usable;
	if (!path_set(policy, path))
		return;
	policy_withdraw(policy, sink);
	for (uint32_t at = path->first; at; at = next)
		policy_group_detach(policy, place(policy, at, &bit, &next), sink);
	for (uint32_t at = path->first; at; at = next)
		policy_group_set(policy, place(policy, at, &bit, &next), sink);
	policy_offer(policy, now, sink);
}

void policy_resolved(struct policy *policy, uint16_t index, uint8_t member, bool resolved, usec_t now,
		     const struct policy_sink *sink)
{
	struct policy_group *group = &policy->groups[index];
	uint64_t bit = (uint64_t)1 << member;

	if (resolved) {
		group->resolved |= bit;
	} else {
		group->resolved &= ~bit;
		if (group->attached == bit)
			policy_group_gone(policy, index);
	}
	act_group(policy, index, now, sink);
}

static struct policy_choice *find_rule(const struct policy *policy, uint16_t rule)
{
	for (unsigned i = 0; i < policy->nways; i++) {
		struct policy_way *way = &policy->ways[i];

		for (unsigned j = 0; j < way->nchoices; j++) {
			if (way->choices[j].rule == rule)
				return &way->choices[j];
		}
	}
	return NULL;
}

void policy_ready(struct policy *policy, uint16_t rule, bool ready, usec_t now,
		  const struct policy_sink *sink)
{
	struct policy_choice *choice = find_rule(policy, rule);

	if (!choice || choice->ready == ready)
		return;
	choice->ready = ready;
	policy_withdraw(policy, sink);
	policy_offer(policy, now, sink);
}

void policy_lost_member(struct policy *policy, uint16_t index, uint8_t member, usec_t now,
			const struct policy_sink *sink)
{
	struct policy_group *group = &policy->groups[index];
	uint64_t bit = (uint64_t)1 << member;

	if (!(group->attached & bit))
		return;
	if (group->attached == bit)
		policy_group_gone(policy, index);
	group->attached &= ~bit;
	act_group(policy, index, now, sink);
}

void policy_lost_group(struct policy *policy, uint16_t group, usec_t now, const struct policy_sink *sink)
{
	policy_group_gone(policy, group);
	act_group(policy, group, now, sink);
}

void policy_lost_rule(struct policy *policy, uint16_t rule, usec_t now, const struct policy_sink *sink)
{
	struct policy_choice *choice = find_rule(policy, rule);

	if (!choice || !choice->standing)
		return;
	choice->standing = false;
	policy_offer(policy, now, sink);
}

void policy_inherit_group(struct policy *policy, uint16_t group, uint64_t mask)
{
	policy->groups[group].attached = mask;
	policy->groups[group].presumed = mask;
}

void policy_inherit_rule(struct policy *policy, uint16_t rule)
{
	struct policy_choice *choice = find_rule(policy, rule);

	if (choice)
		choice->standing = choice->ready = true;
}

usec_t policy_next(const struct policy *policy)
{
	return policy->next;
}

void policy_tick(struct policy *policy, usec_t now, const struct policy_sink *sink)
{
	if (now >= policy->next)
		policy_offer(policy, now, sink);
}

int policy_active(const struct policy_way *way)
{
	for (int i = 0; i < way->nchoices; i++) {
		if (way->choices[i].standing)
			return i;
	}
	return -1;
}
