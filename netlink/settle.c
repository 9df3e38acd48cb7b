/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocking part of steering, for start and stop: what of ours is in the kernel, and making it as wanted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "netlink/apply.h"
#include "netlink/message.h"
#include "netlink/plan.h"
#include "netlink/steer.h"

#define DUMP_TRIES 10

struct finder {
	const struct object_range *range;
	struct object_set *set;
	unsigned nexthop_room, group_room, rule_room, route_room;
	bool routes; /* look for them as well: there may be many */
	bool out_of_memory;
};

static bool within(uint32_t value, uint32_t first, uint32_t last)
{
	return value >= first && value <= last;
}

/* Room for one more of *ITEMS; NULL when memory ran out. */
static void *grow(struct finder *finder, void *items, unsigned n, unsigned *room, size_t size)
{
	void *more;

	if (n < *room)
		return items;
	*room = *room ? 2 * *room : 64;
	more = reallocarray(items, *room, size);
	if (!more) {
		finder->out_of_memory = true;
		*room = n;
	}
	return more;
}

static void find_nexthop(void *context, const struct netlink_message *message)
{
	struct finder *finder = context;
	struct object_set *set = finder->set;
	const struct object_range *range = finder->range;
	struct message_nexthop found;
	uint32_t id;

	if (!message_nexthop_read(message, &found) || found.protocol != range->protocol)
		return;
	id = found.is_group ? found.group.id : found.nexthop.id;
	if (!within(id, range->nexthop_first, range->nexthop_last))
		return;
	if (found.is_group) {
		struct object_group *groups = grow(finder, set->groups, set->ngroups, &finder->group_room,
						   sizeof(*groups));

		if (groups) {
			set->groups = groups;
			groups[set->ngroups++] = found.group;
		}
	} else {
		struct object_nexthop *nexthops = grow(finder, set->nexthops, set->nnexthops,
						       &finder->nexthop_room, sizeof(*nexthops));

		if (nexthops) {
			set->nexthops = nexthops;
			nexthops[set->nnexthops++] = found.nexthop;
		}
	}
}

static void find_rule(void *context, const struct netlink_message *message)
{
	struct finder *finder = context;
	struct object_set *set = finder->set;
	const struct object_range *range = finder->range;
	struct object_rule found, *rules;
	uint8_t protocol;

	if (!message_rule_read(message, &found, &protocol) || protocol != range->protocol ||
	    !within(found.priority, range->priority_first, range->priority_last) ||
	    !within(found.table, range->table_first, range->table_last))
		return;
	rules = grow(finder, set->rules, set->nrules, &finder->rule_room, sizeof(*rules));
	if (rules) {
		set->rules = rules;
		rules[set->nrules++] = found;
	}
}

static void find_route(void *context, const struct netlink_message *message)
{
	struct finder *finder = context;
	struct object_set *set = finder->set;
	const struct object_range *range = finder->range;
	struct object_route found, *routes;
	uint8_t protocol;

	if (!message_route_read(message, &found, &protocol) || protocol != range->protocol ||
	    !within(found.table, range->table_first, range->table_last))
		return;
	routes = grow(finder, set->routes, set->nroutes, &finder->route_room, sizeof(*routes));
	if (routes) {
		set->routes = routes;
		routes[set->nroutes++] = found;
	}
}

static int find_all(struct netlink *nl, struct finder *finder)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int err;

	message_nexthop_dump(nl);
	err = netlink_dump(nl, find_nexthop, finder);
	for (unsigned i = 0; i < 2 && !err; i++) {
		message_rule_dump(nl, families[i]);
		err = netlink_dump(nl, find_rule, finder);
		if (err || !finder->routes)
			continue;
		message_route_dump(nl, families[i], finder->range->protocol);
		err = netlink_dump(nl, find_route, finder);
	}
	return finder->out_of_memory ? -ENOMEM : err;
}

static int find(const struct object_range *range, struct object_set *set, bool routes, char *error,
		size_t size)
{
	struct netlink *nl = netlink_open(error, size);
	int err = NETLINK_RESTART;

	*set = (struct object_set){0};
	if (!nl)
		return -EIO;
	for (unsigned i = 0; i < DUMP_TRIES && err == NETLINK_RESTART; i++) {
		struct finder finder = {.range = range, .set = set, .routes = routes};

		object_set_free(set);
		err = find_all(nl, &finder);
	}
	if (err) {
		object_set_free(set);
		snprintf(error, size, "reading the kernel's routes: %s",
			 err == -ENOMEM		  ? "out of memory"
			 : err == NETLINK_RESTART ? "they change too fast"
						  : netlink_words(nl));
	}
	netlink_close(nl);
	return err;
}

int steer_find(const struct object_range *range, struct object_set *set, char *error, size_t size)
{
	return find(range, set, true, error, size);
}

int steer_find_switches(const struct object_range *range, struct object_set *set, char *error, size_t size)
{
	return find(range, set, false, error, size);
}

static int carry_out(struct netlink *nl, uint8_t protocol, const struct plan_step *step)
{
	switch ((enum plan_kind)step->kind) {
	case PLAN_RULE_DEL:
		return apply_rule_del(nl, protocol, &step->rule);
	case PLAN_ROUTE_DEL:
		return apply_route_del(nl, protocol, &step->route);
	case PLAN_GROUP_DEL:
		return apply_nexthop_del(nl, step->group->id);
	case PLAN_NEXTHOP_DEL:
		return apply_nexthop_del(nl, step->nexthop.id);
	case PLAN_NEXTHOP_SET:
		return apply_nexthop_set(nl, protocol, &step->nexthop);
	case PLAN_GROUP_SET:
		return apply_group_set(nl, protocol, step->group);
	case PLAN_ROUTE_SET:
		return apply_route_set(nl, protocol, &step->route);
	case PLAN_RULE_ADD:
		return apply_rule_add(nl, protocol, &step->rule);
	}
	return -EINVAL;
}

static void explain(const struct plan_step *step, const char *words, char *error, size_t size)
{
	char text[PREFIX_TEXT];

	switch ((enum plan_kind)step->kind) {
	case PLAN_RULE_DEL:
	case PLAN_RULE_ADD:
		snprintf(error, size, "rule %u to table %u: %s", step->rule.priority, step->rule.table,
			 words);
		break;
	case PLAN_ROUTE_DEL:
	case PLAN_ROUTE_SET:
		snprintf(error, size, "route %s in table %u: %s", prefix_format(&step->route.prefix, text),
			 step->route.table, words);
		break;
	case PLAN_GROUP_DEL:
	case PLAN_GROUP_SET:
		snprintf(error, size, "nexthop group %u: %s", step->group->id, words);
		break;
	case PLAN_NEXTHOP_DEL:
	case PLAN_NEXTHOP_SET:
		snprintf(error, size, "nexthop %u: %s", step->nexthop.id, words);
		break;
	}
}

int steer_settle(const struct object_range *range, struct object_set *found, struct object_set *wanted,
		 char *error, size_t size)
{
	struct netlink *nl = netlink_open(error, size);
	struct plan plan;
	int first = 0;

	if (!nl)
		return -EIO;
	if (!plan_make(&plan, found, wanted)) {
		netlink_close(nl);
		snprintf(error, size, "out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < plan.nsteps; i++) {
		int err = carry_out(nl, range->protocol, &plan.steps[i]);

		if (!err)
			continue;
		if (!first)
			explain(&plan.steps[i],
				err == -EEXIST ? "the id is in use by somebody else" : netlink_words(nl),
				error, size);
		first = first ? first : err;
		/* Nothing is built on what failed; clearing away goes as far as it can. */
		if (plan.steps[i].kind >= PLAN_NEXTHOP_SET)
			break;
	}
	plan_free(&plan);
	netlink_close(nl);
	return first;
}

int steer_remove(const struct object_range *range, char *error, size_t size)
{
	struct object_set found, nothing = {0};
	int err = steer_find(range, &found, error, size);

	if (!err)
		err = steer_settle(range, &found, &nothing, error, size);
	object_set_free(&found);
	return err;
}
