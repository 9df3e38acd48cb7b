/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random sites, services and events against a model of the kernel that also does of itself what the real one
 * does: a link that goes takes its nexthop along, and an empty group its routes. After every event the model
 * asks whether the policy's promises hold.
 *
 * SEED=n replays one sequence, SEQUENCES=n says how many (from seed 1). VERBOSE=1 shows what happens.
 */
#include "tests/sim/policy_model.h"

static void make_policy(bool usable_known)
{
	const struct topology *topology = &sim.topology;
	unsigned index[GROUPS] = {0};

	sim.policy = policy_create(PATHS, topology->ngroups, topology->nways);
	for (unsigned i = 0; i < PATHS; i++)
		sim.policy->paths[i].usable = usable_known && sim.usable[i];
	for (unsigned i = 0; i < topology->ngroups; i++) {
		struct policy_group *group = &sim.policy->groups[i];

		index[topology->groups[i].id] = i;
		snprintf(group->name, sizeof(group->name), "site%u", topology->groups[i].id);
		group->npaths = (uint16_t)topology->groups[i].n;
		for (unsigned j = 0; j < group->npaths; j++) {
			unsigned path = topology->groups[i].paths[j];

			group->paths[j] = (uint16_t)path;
			group->keys[j] = 1000 + path;
			group->resolved |= (sim.resolved[topology->groups[i].id] >> path & 1) << j;
		}
	}
	for (unsigned i = 0; i < topology->nways; i++) {
		struct policy_way *way = &sim.policy->ways[i];

		snprintf(way->name, sizeof(way->name), "service%u", topology->ways[i].id);
		way->wait_to_restore = sim.wait[topology->ways[i].id];
		way->nchoices = (uint8_t)topology->ways[i].n;
		for (unsigned j = 0; j < way->nchoices; j++) {
			unsigned group = topology->ways[i].groups[j];

			way->choices[j].group = (uint16_t)index[group];
			way->choices[j].rule = (uint16_t)(i * RANKS + j);
			way->choices[j].table = 100 * topology->ways[i].id + group;
			way->choices[j].key = 10 * way->choices[j].table + j;
		}
	}
}

static void shuffle(unsigned *list, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned j = pick(i), swap = list[i - 1];

		list[i - 1] = list[j];
		list[j] = swap;
	}
}

/* The first N of a random order of 0..COUNT-1. */
static void choose(unsigned *list, unsigned n, unsigned count)
{
	unsigned all[PATHS];

	for (unsigned i = 0; i < count; i++)
		all[i] = i;
	shuffle(all, count);
	memcpy(list, all, n * sizeof(*list));
}

static void make_topology(void)
{
	struct topology *topology = &sim.topology;
	unsigned groups[GROUPS], ways[WAYS];

	topology->ngroups = 1 + pick(GROUPS);
	topology->nways = 1 + pick(WAYS);
	choose(groups, GROUPS, GROUPS);
	choose(ways, WAYS, WAYS);
	for (unsigned i = 0; i < topology->ngroups; i++) {
		topology->groups[i].id = groups[i];
		topology->groups[i].n = 1 + pick(pick(2) ? 3 : PATHS);
		choose(topology->groups[i].paths, topology->groups[i].n, PATHS);
	}
	for (unsigned i = 0; i < topology->nways; i++) {
		unsigned ranks[GROUPS];

		topology->ways[i].id = ways[i];
		topology->ways[i].n = 1 + pick(topology->ngroups < RANKS ? topology->ngroups : RANKS);
		choose(ranks, topology->ways[i].n, topology->ngroups);
		for (unsigned j = 0; j < topology->ways[i].n; j++)
			topology->ways[i].groups[j] = groups[ranks[j]];
	}
}

/* What a predecessor left: groups, and rules with filled tables on some of them. */
static void inherit(void)
{
	for (unsigned i = 0; i < sim.topology.ngroups; i++) {
		unsigned group = sim.topology.groups[i].id;
		uint64_t mask = 0;

		for (unsigned j = 0; j < sim.topology.groups[i].n; j++) {
			if (sim.resolved[group] >> sim.topology.groups[i].paths[j] & 1 && pick(2))
				mask |= (uint64_t)1 << j;
		}
		sim.attached[group] = sim.presumed[group] = by_id(i, mask);
		policy_inherit_group(sim.policy, (uint16_t)i, mask);
	}
	for (unsigned i = 0; i < sim.topology.nways; i++) {
		unsigned way = sim.topology.ways[i].id;

		for (unsigned j = 0; j < sim.topology.ways[i].n; j++) {
			unsigned group = sim.topology.ways[i].groups[j];

			if (!sim.attached[group] || pick(3) == 0)
				continue;
			sim.filled[way][group] = true;
			sim.rules[way][j] = group + 1;
			policy_inherit_rule(sim.policy, (uint16_t)(i * RANKS + j));
		}
	}
}

/* How many actions the death of PATH must take, told before the world knows: detaches and rule deletions. */
static void count_death(unsigned path, unsigned *detaches, unsigned *deletions)
{
	uint64_t bit = (uint64_t)1 << path;

	*detaches = *deletions = 0;
	for (unsigned i = 0; i < sim.topology.ngroups; i++) {
		unsigned group = sim.topology.groups[i].id;

		if (!(live(group) & bit))
			continue;
		if (live(group) & ~bit) {
			++*detaches;
			continue;
		}
		for (unsigned j = 0; j < WAYS * RANKS; j++)
			*deletions += sim.rules[j / RANKS][j % RANKS] == group + 1;
	}
}

static void event_path(void)
{
	unsigned path = pick(PATHS), detaches, deletions, got[4] = {0};
	bool usable = pick(8) ? !sim.usable[path] : sim.usable[path];

	begin(usable ? "path usable" : "path dead");
	count_death(path, &detaches, &deletions);
	sim.usable[path] = usable;
	for (unsigned i = 0; i < GROUPS; i++)
		sim.presumed[i] &= ~((uint64_t)1 << path);
	note_possible();
	policy_path(sim.policy, (uint16_t)path, usable, sim.now, &sink);
	for (unsigned i = 0; i < sim.nactions; i++)
		got[sim.actions[i].kind]++;
	if (usable)
		return;
	if (got[POLICY_GROUP] || got[POLICY_DETACH] != detaches || got[POLICY_RULE_DEL] != deletions)
		fail("%u detaches, %u deletions, %u groups for %u detaches and %u deletions",
		     got[POLICY_DETACH], got[POLICY_RULE_DEL], got[POLICY_GROUP], detaches, deletions);
	if (got[POLICY_RULE_ADD] && !deletions)
		fail("a death that takes no rule brings one");
}

static void event_resolved(void)
{
	unsigned index = pick(sim.topology.ngroups), group = sim.topology.groups[index].id;
	unsigned member = pick(sim.topology.groups[index].n);
	uint64_t bit = by_id(index, (uint64_t)1 << member);
	bool resolved = !(sim.resolved[group] & bit);

	begin(resolved ? "link comes" : "link goes");
	sim.resolved[group] ^= bit;
	sim.link_lost = !resolved;
	if (!resolved && sim.attached[group] & bit) {
		sim.attached[group] &= ~bit;
		kernel_flush(group);
	}
	note_possible();
	policy_resolved(sim.policy, (uint16_t)index, (uint8_t)member, resolved, sim.now, &sink);
	sim.link_lost = false;
}

static void event_table(void)
{
	unsigned way = pick(sim.topology.nways), rank = pick(sim.topology.ways[way].n);
	unsigned group = sim.topology.ways[way].groups[rank];
	bool *filled = &sim.filled[sim.topology.ways[way].id][group];

	if (!sim.attached[group] || (*filled && pick(10)))
		return;
	begin(*filled ? "table loses its routes" : "table filled");
	*filled = !*filled;
	note_possible();
	policy_ready(sim.policy, (uint16_t)(way * RANKS + rank), *filled, sim.now, &sink);
}

static void event_lost(void)
{
	unsigned index = pick(sim.topology.ngroups), group = sim.topology.groups[index].id;
	unsigned member = pick(sim.topology.groups[index].n);
	unsigned way = pick(sim.topology.nways), rank = pick(sim.topology.ways[way].n);

	switch (pick(3)) {
	case 0:
		begin("member lost");
		sim.attached[group] &= ~by_id(index, (uint64_t)1 << member);
		kernel_flush(group);
		note_possible();
		policy_lost_member(sim.policy, (uint16_t)index, (uint8_t)member, sim.now, &sink);
		break;
	case 1:
		begin("group lost");
		sim.attached[group] = 0;
		kernel_flush(group);
		note_possible();
		policy_lost_group(sim.policy, (uint16_t)index, sim.now, &sink);
		break;
	default:
		begin("rule lost");
		sim.rules[sim.topology.ways[way].id][rank] = 0;
		policy_lost_rule(sim.policy, (uint16_t)(way * RANKS + rank), sim.now, &sink);
	}
}

static void event_presume_end(void)
{
	begin("presumption ends");
	memset(sim.presumed, 0, sizeof(sim.presumed));
	note_possible();
	policy_presume_end(sim.policy, sim.now, &sink);
}

static void ignore(void *context, const struct policy_action *action) {}

/* What a copy of the policy doubts is not presumed any longer when the policy itself acts on it. */
static void note_doubt(void)
{
	const struct policy_sink nowhere = {.emit = ignore};
	struct policy *copy = policy_create(PATHS, sim.topology.ngroups, sim.topology.nways);

	policy_copy(copy, sim.policy);
	policy_presume_doubt(copy, sim.now, &nowhere);
	for (unsigned i = 0; i < sim.topology.ngroups; i++) {
		unsigned group = sim.topology.groups[i].id;
		uint64_t presumed = by_id(i, copy->groups[i].presumed);

		if (presumed != sim.presumed[group] && (presumed || !may_doubt(group)))
			fail("group %u is doubted without reason", group);
		sim.presumed[group] = presumed;
	}
	policy_free(copy);
}

static void event_presume_doubt(void)
{
	begin("presumption is doubted");
	note_doubt();
	note_possible();
	policy_presume_doubt(sim.policy, sim.now, &sink);
	for (unsigned i = 0; i < sim.topology.nways; i++) {
		unsigned way = sim.topology.ways[i].id, best = best_standing(way);

		if (best == RANKS || heard(sim.rules[way][best] - 1))
			continue;
		for (unsigned j = 0; j < sim.topology.ways[i].n; j++) {
			unsigned group = sim.topology.ways[i].groups[j];

			if (sim.filled[way][group] && heard(group))
				fail("way %u goes by rank %u, unheard of, though %u lives", way, best, j);
		}
	}
}

static void event_same_reload(void)
{
	struct policy *old = sim.policy;

	begin("reload of the same");
	make_policy(pick(2));
	policy_adopt(sim.policy, old, sim.now, &sink);
	policy_free(old);
	if (sim.nactions)
		fail("%u actions", sim.nactions);
}

/* A member goes, if the kernel keeps others; another comes. */
static void change_group(unsigned index)
{
	unsigned *paths = sim.topology.groups[index].paths, *n = &sim.topology.groups[index].n;
	unsigned group = sim.topology.groups[index].id, path = pick(PATHS);
	uint64_t before = members(group);

	shuffle(paths, *n);
	if (sim.attached[group] & ~((uint64_t)1 << paths[*n - 1]))
		--*n;
	if (pick(2) && !(before >> path & 1))
		paths[(*n)++] = path;
	sim.presumed[group] &= members(group);
}

static void change_way(unsigned index)
{
	unsigned *groups = sim.topology.ways[index].groups, *n = &sim.topology.ways[index].n;

	shuffle(groups, *n);
	if (*n > 1 && pick(2))
		--*n;
}

/* What the steering thread does with a new map: whatever it does not name goes. */
static void kernel_map(void)
{
	bool named[WAYS][GROUPS] = {{false}};
	unsigned rules[WAYS][RANKS] = {{0}};

	for (unsigned i = 0; i < sim.topology.nways; i++) {
		for (unsigned j = 0; j < sim.topology.ways[i].n; j++) {
			unsigned way = sim.topology.ways[i].id, group = sim.topology.ways[i].groups[j];

			named[way][group] = true;
			rules[way][j] = group + 1;
		}
	}
	for (unsigned i = 0; i < GROUPS; i++)
		sim.attached[i] &= members(i);
	for (unsigned i = 0; i < WAYS; i++) {
		for (unsigned j = 0; j < RANKS; j++) {
			if (sim.rules[i][j] != rules[i][j])
				sim.rules[i][j] = 0;
		}
		for (unsigned j = 0; j < GROUPS; j++) {
			sim.filled[i][j] &= named[i][j];
			sim.failed[i][j] &= named[i][j];
		}
	}
}

static void event_reload(void)
{
	struct policy *old = sim.policy;

	begin("reload");
	for (unsigned i = 0; i < sim.topology.ngroups; i++) {
		if (pick(2))
			change_group(i);
	}
	for (unsigned i = 0; i < sim.topology.nways; i++) {
		if (pick(2))
			change_way(i);
		if (pick(4) == 0)
			sim.wait[sim.topology.ways[i].id] = pick(10 * USEC_S);
	}
	if (sim.topology.nways > 1 && pick(4) == 0)
		sim.topology.ways[0] = sim.topology.ways[--sim.topology.nways];
	kernel_map();
	make_policy(true);
	note_possible();
	sim.map_changes = true;
	policy_adopt(sim.policy, old, sim.now, &sink);
	sim.map_changes = false;
	policy_free(old);
}

static void pass(usec_t until)
{
	while (policy_next(sim.policy) <= until) {
		if (policy_next(sim.policy) > sim.now)
			sim.now = policy_next(sim.policy);
		begin("tick");
		policy_tick(sim.policy, sim.now, &sink);
		if (!sim.nactions)
			fail("nothing to do");
		check();
	}
	sim.now = until;
}

static void run_event(void)
{
	unsigned what = pick(100);

	sim.nactions = 0;
	if (what < 45)
		event_path();
	else if (what < 60)
		event_resolved();
	else if (what < 85)
		event_table();
	else if (what < 91)
		event_lost();
	else if (what < 92)
		event_presume_end();
	else if (what < 94)
		event_presume_doubt();
	else if (what < 97)
		event_same_reload();
	else
		event_reload();
	check();
	if (pick(3))
		pass(sim.now + pick(3 * USEC_S));
}

static void run(uint64_t seed)
{
	memset(&sim, 0, sizeof(sim));
	sim.seed = seed;
	sim.random = seed * 0x9e3779b97f4a7c15ULL + 1;
	make_topology();
	for (unsigned i = 0; i < GROUPS; i++)
		sim.resolved[i] = pick(1 << PATHS);
	for (unsigned i = 0; i < WAYS; i++)
		sim.wait[i] = pick(3) ? pick(10 * USEC_S) : 0;
	make_policy(false);
	begin("start");
	if (pick(2))
		inherit();
	note_possible();
	policy_adopt(sim.policy, NULL, sim.now, &sink);
	check();
	for (sim.event = 1; sim.event <= EVENTS; sim.event++)
		run_event();
	policy_free(sim.policy);
}

int main(void)
{
	const char *seed = getenv("SEED"), *sequences = getenv("SEQUENCES");
	uint64_t n = sequences ? strtoull(sequences, NULL, 10) : 10000;

	if (seed) {
		run(strtoull(seed, NULL, 10));
		printf("sequence %s holds\n", seed);
		return 0;
	}
	for (uint64_t i = 1; i <= n; i++)
		run(i);
	printf("%" PRIu64 " sequences of %u events hold\n", n, EVENTS);
	return 0;
}
