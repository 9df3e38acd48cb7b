/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A model of the kernel for the site policy: it carries the policy's actions out at once, keeps its own books
 * by identity (service, site, path) and not by the policy's indices, and knows what the policy promises.
 */
#ifndef TESTS_SIM_POLICY_MODEL_H
#define TESTS_SIM_POLICY_MODEL_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/policy.h"

#define PATHS 12
#define GROUPS 5
#define WAYS 4
#define RANKS 4
#define EVENTS 150
#define ACTIONS 512

struct topology {
	unsigned ngroups, nways;
	struct {
		unsigned id, n, paths[PATHS];
	} groups[GROUPS];
	struct {
		unsigned id, n, groups[RANKS]; /* groups by id, best first */
	} ways[WAYS];
};

static struct {
	uint64_t seed, random;
	unsigned event;
	const char *what;
	usec_t now;
	struct topology topology;
	struct policy *policy;
	/* the world; groups and masks by id of group and path */
	bool usable[PATHS];
	uint64_t resolved[GROUPS], presumed[GROUPS];
	usec_t wait[WAYS];
	/* the kernel */
	uint64_t attached[GROUPS];
	bool filled[WAYS][GROUPS];
	unsigned rules[WAYS][RANKS]; /* id of the group it leads to, plus one; 0: no rule */
	/* what the promises are about */
	bool failed[WAYS][GROUPS];
	usec_t since[WAYS][GROUPS]; /* possible all the time since; -1: is not */
	struct policy_action actions[ACTIONS];
	unsigned nactions;
	bool map_changes, link_lost;
} sim;

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "SEED=%" PRIu64 " event %u (%s) at %" PRId64 ": ", sim.seed, sim.event, sim.what,
		sim.now);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}

/* xorshift64*: below N. */
static unsigned pick(unsigned n)
{
	sim.random ^= sim.random >> 12;
	sim.random ^= sim.random << 25;
	sim.random ^= sim.random >> 27;
	return (unsigned)((sim.random * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

static uint64_t usable_mask(void)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < PATHS; i++)
		mask |= (uint64_t)sim.usable[i] << i;
	return mask;
}

static uint64_t members(unsigned group)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < sim.topology.ngroups; i++) {
		for (unsigned j = 0; j < sim.topology.groups[i].n && sim.topology.groups[i].id == group; j++)
			mask |= (uint64_t)1 << sim.topology.groups[i].paths[j];
	}
	return mask;
}

static uint64_t live(unsigned group)
{
	return (usable_mask() | sim.presumed[group]) & sim.resolved[group] & members(group);
}

/* As live(), but nothing is presumed. */
static uint64_t heard(unsigned group)
{
	return usable_mask() & sim.resolved[group] & members(group);
}

static bool possible(unsigned way, unsigned group)
{
	return sim.filled[way][group] && live(group);
}

/* Nobody of GROUP was heard of, but somebody of another group that a way has beside it. */
static bool may_doubt(unsigned group)
{
	for (unsigned i = 0; i < sim.topology.nways && !heard(group); i++) {
		bool has = false, other = false;

		for (unsigned j = 0; j < sim.topology.ways[i].n; j++) {
			unsigned at = sim.topology.ways[i].groups[j];

			has |= at == group;
			other |= sim.filled[sim.topology.ways[i].id][at] && heard(at);
		}
		if (has && other)
			return true;
	}
	return false;
}

/* Rank of the first standing rule that is POSSIBLE; RANKS: none. */
static unsigned best_standing(unsigned way)
{
	for (unsigned i = 0; i < RANKS; i++) {
		if (sim.rules[way][i] && possible(way, sim.rules[way][i] - 1))
			return i;
	}
	return RANKS;
}

/* A group that lost its last member takes the routes on it along. */
static void kernel_flush(unsigned group)
{
	if (sim.attached[group])
		return;
	for (unsigned i = 0; i < WAYS; i++)
		sim.filled[i][group] = false;
}

/* The policy's group and member masks, by id. */
static uint64_t by_id(unsigned index, uint64_t mask)
{
	uint64_t result = 0;

	for (unsigned i = 0; i < sim.topology.groups[index].n; i++)
		result |= (mask >> i & 1) << sim.topology.groups[index].paths[i];
	return result;
}

static void apply_detach(const struct policy_action *action)
{
	unsigned group = sim.topology.groups[action->group].id;
	uint64_t bit = by_id(action->group, (uint64_t)1 << action->member);

	if (!(sim.attached[group] & bit) && !sim.link_lost)
		fail("detaches %u from group %u, which has it not", action->member, group);
	sim.attached[group] &= ~bit;
	if (!sim.attached[group])
		fail("detaches the last member of group %u", group);
}

static void apply_group(const struct policy_action *action)
{
	unsigned group = sim.topology.groups[action->group].id;
	uint64_t mask = by_id(action->group, action->mask);

	if (!mask || mask & ~sim.resolved[group])
		fail("group %u gets members %" PRIx64 ", resolved are %" PRIx64, group, mask,
		     sim.resolved[group]);
	if (!(mask & ~sim.attached[group]))
		fail("group %u is replaced where a detach would do", group);
	sim.attached[group] = mask;
}

static void apply_rule(const struct policy_action *action)
{
	unsigned way = sim.topology.ways[action->way].id, rank = action->rule % RANKS;
	unsigned group = sim.topology.ways[action->way].groups[rank];

	if (action->rule / RANKS != action->way || sim.topology.groups[action->group].id != group)
		fail("rule %u is not of way %u and group %u", action->rule, action->way, action->group);
	if (action->kind == POLICY_RULE_DEL) {
		if (sim.rules[way][rank] != group + 1)
			fail("deletes a rule of way %u that does not stand", way);
		sim.rules[way][rank] = 0;
		sim.failed[way][group] = true;
		for (unsigned i = 0; i < RANKS && !sim.map_changes && best_standing(way) == RANKS; i++) {
			if (i < sim.topology.ways[action->way].n &&
			    possible(way, sim.topology.ways[action->way].groups[i]))
				fail("way %u is left to the main table though rank %u is possible", way, i);
		}
		return;
	}
	if (sim.rules[way][rank])
		fail("adds a rule of way %u that stands already", way);
	if (!possible(way, group) || !(sim.attached[group] & live(group)))
		fail("adds a rule of way %u to group %u, which cannot carry", way, group);
	if (sim.failed[way][group] && best_standing(way) < RANKS && best_standing(way) > rank &&
	    sim.now < sim.since[way][group] + sim.wait[way])
		fail("way %u restored %" PRId64 " us early", way,
		     sim.since[way][group] + sim.wait[way] - sim.now);
	sim.rules[way][rank] = group + 1;
	sim.failed[way][group] = false;
}

static void emit(void *context, const struct policy_action *action)
{
	static const char *const names[] = {"detach", "group", "del", "add"};

	if (sim.nactions == ACTIONS)
		fail("no end of actions");
	sim.actions[sim.nactions++] = *action;
	if (getenv("VERBOSE"))
		printf("    %s way %d group %u rule %d member %u mask %" PRIx64 "\n", names[action->kind],
		       (int16_t)action->way, action->group, (int16_t)action->rule, action->member,
		       action->mask);
	if (action->kind == POLICY_DETACH)
		apply_detach(action);
	else if (action->kind == POLICY_GROUP)
		apply_group(action);
	else
		apply_rule(action);
}

static const struct policy_sink sink = {.emit = emit};

/* After the world changed, before the policy hears of it. */
static void note_possible(void)
{
	for (unsigned i = 0; i < WAYS; i++) {
		for (unsigned j = 0; j < GROUPS; j++) {
			if (!possible(i, j))
				sim.since[i][j] = -1;
			else if (sim.since[i][j] < 0)
				sim.since[i][j] = sim.now;
		}
	}
}

static void check_way(unsigned index)
{
	const struct policy_way *believed = &sim.policy->ways[index];
	unsigned way = sim.topology.ways[index].id, best = best_standing(way);

	for (unsigned i = 0; i < sim.topology.ways[index].n; i++) {
		unsigned group = sim.topology.ways[index].groups[i];
		bool stands = sim.rules[way][i];

		if (stands != believed->choices[i].standing)
			fail("way %u rank %u: stands %d, believed %d", way, i, stands, !stands);
		if (stands && !possible(way, group))
			fail("way %u rank %u stands and leads nowhere", way, i);
		if (stands || !possible(way, group))
			continue;
		if (best == RANKS)
			fail("way %u is left to the main table though rank %u is possible", way, i);
		if (best < i || !sim.failed[way][group] || sim.now >= sim.since[way][group] + sim.wait[way])
			fail("way %u rank %u could stand (best %u, failed %d)", way, i, best,
			     sim.failed[way][group]);
		if (policy_next(sim.policy) > sim.since[way][group] + sim.wait[way])
			fail("way %u rank %u waits longer than it must", way, i);
	}
	if (policy_active(believed) != (best == RANKS ? -1 : (int)best))
		fail("way %u: active is %d, should be %u", way, policy_active(believed), best);
}

/* Deletions, detaches, groups, additions; but an addition may precede the deletions of its own way. */
static void check_order(void)
{
	static const unsigned phase[] = {
		[POLICY_RULE_DEL] = 0, [POLICY_DETACH] = 1, [POLICY_GROUP] = 2, [POLICY_RULE_ADD] = 3};

	for (unsigned i = 0; i < sim.nactions; i++) {
		for (unsigned j = i + 1; j < sim.nactions; j++) {
			const struct policy_action *a = &sim.actions[i], *b = &sim.actions[j];
			bool relieved = false;

			for (unsigned k = i + 1; k < sim.nactions; k++)
				relieved |= a->kind == POLICY_RULE_ADD &&
					    sim.actions[k].kind == POLICY_RULE_DEL &&
					    sim.actions[k].way == a->way;
			if (phase[a->kind] > phase[b->kind] && !relieved)
				fail("action %u comes before action %u", i, j);
		}
	}
}

static void check(void)
{
	for (unsigned i = 0; i < sim.topology.ngroups; i++) {
		unsigned group = sim.topology.groups[i].id;
		uint64_t believed = by_id(i, sim.policy->groups[i].attached);

		if (believed != sim.attached[group])
			fail("group %u has %" PRIx64 ", believed %" PRIx64, group, sim.attached[group],
			     believed);
		if (live(group) && sim.attached[group] != live(group))
			fail("group %u has %" PRIx64 ", live are %" PRIx64, group, sim.attached[group],
			     live(group));
		if (!sim.attached[group] != !(sim.resolved[group] & members(group)))
			fail("group %u has %" PRIx64 ", resolved %" PRIx64, group, sim.attached[group],
			     sim.resolved[group]);
	}
	for (unsigned i = 0; i < sim.topology.nways; i++)
		check_way(i);
	check_order();
}

static void begin(const char *what)
{
	sim.what = what;
	sim.nactions = 0;
	if (getenv("VERBOSE"))
		printf("%u at %" PRId64 ": %s\n", sim.event, sim.now, what);
}

#endif
