/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The start: what a predecessor left in the kernel is kept where it is what we want, and holds until our own
 * sessions have a say; the rest is taken away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

static const struct object_nexthop *find_nexthop(const struct object_set *set, uint32_t id)
{
	for (unsigned i = 0; i < set->nnexthops; i++)
		if (set->nexthops[i].id == id)
			return &set->nexthops[i];
	return NULL;
}

bool app_group_holds(const struct object_group *group, uint32_t id)
{
	for (unsigned i = 0; i < group->nmembers; i++)
		if (group->members[i] == id)
			return true;
	return false;
}

/* The members of our group that the kernel's group of this id has; any others it loses when it is settled. */
static uint64_t kept_members(const struct object_set *found, const struct steer_group *wanted)
{
	uint64_t mask = 0;

	for (unsigned g = 0; g < found->ngroups; g++) {
		if (found->groups[g].id != wanted->id)
			continue;
		for (unsigned m = 0; m < wanted->nmembers; m++) {
			const struct object_nexthop *nh = find_nexthop(found, wanted->members[m].id);

			if (!nh || !app_group_holds(&found->groups[g], nh->id) ||
			    nh->ifindex != wanted->members[m].ifindex ||
			    !addr_equal(&nh->gateway, &wanted->members[m].gateway))
				continue;
			mask |= 1ull << m;
		}
		return mask;
	}
	return 0;
}

static void keep_group(struct object_set *kept, const struct steer_group *group, uint64_t mask)
{
	struct object_group *g = &kept->groups[kept->ngroups++];

	g->id = group->id;
	for (unsigned m = 0; m < group->nmembers; m++) {
		if (!(mask & 1ull << m))
			continue;
		g->members[g->nmembers++] = group->members[m].id;
		kept->nexthops[kept->nnexthops++] = group->members[m];
	}
}

bool app_rule_found(const struct object_set *found, const struct object_rule *rule)
{
	for (unsigned i = 0; i < found->nrules; i++)
		if (!object_rule_compare(&found->rules[i], rule))
			return true;
	return false;
}

/* With whatever mark: the one wanted takes its place. */
static bool rule_stands(const struct object_set *found, const struct object_rule *rule)
{
	for (unsigned i = 0; i < found->nrules; i++)
		if (found->rules[i].family == rule->family && found->rules[i].priority == rule->priority &&
		    found->rules[i].table == rule->table)
			return true;
	return false;
}

/* Routes in a wanted table on its own group are kept; which prefixes are right the route writer knows. */
static bool route_kept(const struct app_map *map, const struct object_set *kept,
		       const struct object_route *route)
{
	for (unsigned r = 0; r < map->map.nrules; r++) {
		const struct object_rule *rule = &map->map.rules[r];
		uint32_t group = map->map.groups[map->choices[r].group].id;

		if (rule->table != route->table || rule->family != route->prefix.addr.family ||
		    group != route->group)
			continue;
		for (unsigned g = 0; g < kept->ngroups; g++)
			if (kept->groups[g].id == group)
				return true;
	}
	return false;
}

/* KEPT's arrays have room for all of FOUND. */
static void inherit(const struct app_map *map, struct policy *policy, const struct object_set *found,
		    struct object_set *kept)
{
	for (unsigned g = 0; g < map->map.ngroups; g++) {
		uint64_t mask = kept_members(found, &map->map.groups[g]);

		if (!mask)
			continue;
		policy_inherit_group(policy, g, mask);
		keep_group(kept, &map->map.groups[g], mask);
	}
	for (unsigned r = 0; r < map->map.nrules; r++) {
		if (!policy->groups[map->choices[r].group].attached ||
		    !rule_stands(found, &map->map.rules[r]))
			continue;
		policy_inherit_rule(policy, r);
		kept->rules[kept->nrules++] = map->map.rules[r];
	}
	for (unsigned i = 0; i < found->nroutes; i++)
		if (route_kept(map, kept, &found->routes[i]))
			kept->routes[kept->nroutes++] = found->routes[i];
}

static bool settle(struct app *app, struct app_map *map, struct policy *policy, char *error, size_t size)
{
	struct object_set found = {0}, kept = {0};
	bool ok = false;

	if (steer_find(&app->range, &found, error, size))
		return false;
	kept.nexthops = calloc(found.nnexthops + 1, sizeof(*kept.nexthops));
	kept.groups = calloc(found.ngroups + 1, sizeof(*kept.groups));
	kept.rules = calloc(found.nrules + 1, sizeof(*kept.rules));
	kept.routes = calloc(found.nroutes + 1, sizeof(*kept.routes));
	if (!kept.nexthops || !kept.groups || !kept.rules || !kept.routes) {
		snprintf(error, size, "out of memory for the %u routes that a predecessor left",
			 found.nroutes);
		goto out;
	}
	inherit(map, policy, &found, &kept);
	if (found.nrules || found.nroutes || found.ngroups || found.nnexthops)
		log_notice("found of a predecessor: %u rules, %u routes, %u groups, %u nexthops; kept %u, "
			   "%u, %u, %u",
			   found.nrules, found.nroutes, found.ngroups, found.nnexthops, kept.nrules,
			   kept.nroutes, kept.ngroups, kept.nnexthops);
	if (steer_settle(&app->range, &found, &kept, error, size))
		goto out;
	routes_inherit(app->routes, kept.routes, kept.nroutes);
	for (unsigned g = 0; g < kept.ngroups; g++)
		routes_group(app->routes, kept.groups[g].id, true);
	ok = true;
out:
	object_set_free(&found);
	object_set_free(&kept);
	return ok;
}

bool app_policy_start(struct app *app, char *error, size_t size)
{
	struct policy *policy = NULL;
	struct app_map *map;
	uint16_t *paths;

	if (app_state_steering(app, error, size))
		return false;
	app->nexthop_ids = ids_create(app->range.nexthop_first, CONFIG_NEXTHOPS);
	app->table_ids = ids_create(app->range.table_first, CONFIG_TABLES);
	map = app->nexthop_ids && app->table_ids ? app_map_build(app, &policy) : NULL;
	if (map && app_numbers_take(app)) {
		policy_free(policy);
		app_map_free(map);
		map = app_map_build(app, &policy);
	}
	paths = map ? app_policy_slot_paths(app) : NULL;
	if (!paths) {
		snprintf(error, size, "out of memory for the services");
	} else if (settle(app, map, policy, error, size)) {
		app_policy_hand_over(app, map, policy, paths);
		return true;
	}
	free(paths);
	if (map)
		policy_free(policy);
	app_map_free(map);
	return false;
}
