/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: what must be done so that the objects found become the objects wanted, in an order that never leaves
 * a rule leading to nothing and never deletes what something standing still uses. What is wanted must hold
 * together: members and groups exist, a rule's table has routes.
 *
 * First the rules go that nobody wants, then the new is built from the bottom up (nexthops, groups, routes,
 * rules), then the rules go whose place a new one has taken, then the rest of the old is cleared away from
 * the top down. Deleting a group takes its routes with it in the kernel, in one go, so routes that go with
 * their group get no step of their own.
 *
 * An id that changes its kind (nexthop, group, address family) cannot be replaced in the kernel: then
 * everything found is taken away first.
 */
#ifndef NETLINK_PLAN_H
#define NETLINK_PLAN_H

#include <stddef.h>

#include "netlink/objects.h"

enum plan_kind {
	PLAN_RULE_DEL,
	PLAN_ROUTE_DEL,
	PLAN_GROUP_DEL, /* and the routes on it */
	PLAN_NEXTHOP_DEL,
	PLAN_NEXTHOP_SET, /* create or replace */
	PLAN_GROUP_SET,
	PLAN_ROUTE_SET,
	PLAN_RULE_ADD,
};

struct plan_step {
	uint8_t kind;
	union {
		struct object_nexthop nexthop;
		const struct object_group *group; /* in the set it came from */
		struct object_rule rule;
		struct object_route route;
	};
};

struct plan {
	struct plan_step *steps;
	size_t nsteps;
};

/* Sorts both sets in place. False when memory ran out. */
bool plan_make(struct plan *plan, struct object_set *found, struct object_set *wanted);
void plan_free(struct plan *plan);

#endif
