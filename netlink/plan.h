/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PURE: what must be done so that the objects found become the objects wanted, in an order that never leaves
 * a rule leading to nothing and never deletes what something standing still uses. */
#ifndef NETLINK_PLAN_H
#define NETLINK_PLAN_H

#include "netlink/objects.h"

enum plan_kind {
	PLAN_RULE_DEL,
	PLAN_ROUTE_DEL,
	PLAN_GROUP_DEL,
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
