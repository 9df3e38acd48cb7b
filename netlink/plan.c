/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/plan.h"

#include <stdlib.h>

typedef int compare_fn(const void *a, const void *b);

static int by_nexthop(const void *a, const void *b)
{
	return object_nexthop_compare(a, b);
}

static int by_group(const void *a, const void *b)
{
	return object_group_compare(a, b);
}

static int by_rule(const void *a, const void *b)
{
	return object_rule_compare(a, b);
}

static int by_route(const void *a, const void *b)
{
	return object_route_compare(a, b);
}

static void sort(void *items, unsigned n, size_t size, compare_fn *compare)
{
	if (n)
		qsort(items, n, size, compare);
}

static void set_sort(struct object_set *set)
{
	sort(set->nexthops, set->nnexthops, sizeof(*set->nexthops), by_nexthop);
	sort(set->groups, set->ngroups, sizeof(*set->groups), by_group);
	sort(set->rules, set->nrules, sizeof(*set->rules), by_rule);
	sort(set->routes, set->nroutes, sizeof(*set->routes), by_route);
}

static const void *find(const void *key, const void *items, unsigned n, size_t size, compare_fn *compare)
{
	return n ? bsearch(key, items, n, size, compare) : NULL;
}

static const struct object_nexthop *find_nexthop(const struct object_set *set, uint32_t id)
{
	struct object_nexthop key = {.id = id};

	return find(&key, set->nexthops, set->nnexthops, sizeof(key), by_nexthop);
}

static const struct object_group *find_group(const struct object_set *set, uint32_t id)
{
	struct object_group key = {.id = id};

	return find(&key, set->groups, set->ngroups, sizeof(key), by_group);
}

static const struct object_rule *find_rule(const struct object_set *set, const struct object_rule *rule)
{
	return find(rule, set->rules, set->nrules, sizeof(*rule), by_rule);
}

static const struct object_route *find_route(const struct object_set *set, const struct object_route *route)
{
	return find(route, set->routes, set->nroutes, sizeof(*route), by_route);
}

static bool id_changes_kind(const struct object_set *found, const struct object_set *wanted)
{
	for (unsigned i = 0; i < wanted->nnexthops; i++) {
		const struct object_nexthop *nexthop = &wanted->nexthops[i];
		const struct object_nexthop *old = find_nexthop(found, nexthop->id);

		if (find_group(found, nexthop->id) || (old && old->gateway.family != nexthop->gateway.family))
			return true;
	}
	for (unsigned i = 0; i < wanted->ngroups; i++)
		if (find_nexthop(found, wanted->groups[i].id))
			return true;
	return false;
}

static struct plan_step *step_add(struct plan *plan, enum plan_kind kind)
{
	struct plan_step *step = &plan->steps[plan->nsteps++];

	step->kind = (uint8_t)kind;
	return step;
}

/* A rule is wanted in its place that differs in the mark only. */
static bool has_successor(const struct object_set *wanted, const struct object_rule *rule)
{
	for (unsigned i = 0; i < wanted->nrules; i++)
		if (object_rule_same_place(&wanted->rules[i], rule))
			return true;
	return false;
}

static void rules_delete(struct plan *plan, const struct object_set *found, const struct object_set *wanted,
			 bool succeeded)
{
	for (unsigned i = 0; i < found->nrules; i++)
		if (!find_rule(wanted, &found->rules[i]) &&
		    has_successor(wanted, &found->rules[i]) == succeeded)
			step_add(plan, PLAN_RULE_DEL)->rule = found->rules[i];
}

static void build(struct plan *plan, const struct object_set *found, const struct object_set *wanted)
{
	for (unsigned i = 0; i < wanted->nnexthops; i++) {
		const struct object_nexthop *old = find_nexthop(found, wanted->nexthops[i].id);

		if (!old || !object_nexthop_equal(old, &wanted->nexthops[i]))
			step_add(plan, PLAN_NEXTHOP_SET)->nexthop = wanted->nexthops[i];
	}
	for (unsigned i = 0; i < wanted->ngroups; i++) {
		const struct object_group *old = find_group(found, wanted->groups[i].id);

		if (!old || !object_group_equal(old, &wanted->groups[i]))
			step_add(plan, PLAN_GROUP_SET)->group = &wanted->groups[i];
	}
	for (unsigned i = 0; i < wanted->nroutes; i++) {
		const struct object_route *old = find_route(found, &wanted->routes[i]);

		if (!old || old->group != wanted->routes[i].group)
			step_add(plan, PLAN_ROUTE_SET)->route = wanted->routes[i];
	}
	for (unsigned i = 0; i < wanted->nrules; i++)
		if (!find_rule(found, &wanted->rules[i]))
			step_add(plan, PLAN_RULE_ADD)->rule = wanted->rules[i];
}

static void clear(struct plan *plan, const struct object_set *found, const struct object_set *wanted)
{
	for (unsigned i = 0; i < found->nroutes; i++) {
		const struct object_route *route = &found->routes[i];
		bool goes_with_group = find_group(found, route->group) && !find_group(wanted, route->group);

		if (!goes_with_group && !find_route(wanted, route))
			step_add(plan, PLAN_ROUTE_DEL)->route = *route;
	}
	for (unsigned i = 0; i < found->ngroups; i++)
		if (!find_group(wanted, found->groups[i].id))
			step_add(plan, PLAN_GROUP_DEL)->group = &found->groups[i];
	for (unsigned i = 0; i < found->nnexthops; i++)
		if (!find_nexthop(wanted, found->nexthops[i].id))
			step_add(plan, PLAN_NEXTHOP_DEL)->nexthop = found->nexthops[i];
}

bool plan_make(struct plan *plan, struct object_set *found, struct object_set *wanted)
{
	static const struct object_set nothing;
	size_t most = (size_t)found->nnexthops + found->ngroups + found->nrules + found->nroutes +
		      wanted->nnexthops + wanted->ngroups + wanted->nrules + wanted->nroutes;

	*plan = (struct plan){.steps = malloc((most + 1) * sizeof(*plan->steps))};
	if (!plan->steps)
		return false;
	set_sort(found);
	set_sort(wanted);
	if (id_changes_kind(found, wanted)) {
		rules_delete(plan, found, &nothing, false);
		clear(plan, found, &nothing);
		build(plan, &nothing, wanted);
		return true;
	}
	rules_delete(plan, found, wanted, false);
	build(plan, found, wanted);
	rules_delete(plan, found, wanted, true);
	clear(plan, found, wanted);
	return true;
}

void plan_free(struct plan *plan)
{
	free(plan->steps);
	*plan = (struct plan){0};
}
