/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What we keep in the kernel: plain values, shared by plan, steer, routes and nl. */
#ifndef NETLINK_OBJECTS_H
#define NETLINK_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

#define OBJECTS_MEMBERS 64

struct object_nexthop {
	uint32_t id;
	uint32_t ifindex;
	struct addr gateway;
};

struct object_group {
	uint32_t id;
	unsigned nmembers;
	uint32_t members[OBJECTS_MEMBERS]; /* nexthop ids, ascending */
};

struct object_rule {
	uint8_t family;
	uint32_t priority, table;
	uint32_t without; /* it matches no packet whose mark has one of these bits */
};

struct object_route {
	uint32_t table;
	struct prefix prefix;
	uint32_t group; /* nexthop id */
};

/* What the configuration reserves for us. */
struct object_range {
	uint8_t protocol;		      /* of routes, rules and nexthops: rtnetlink's RTPROT number */
	uint32_t nexthop_first, nexthop_last; /* ids */
	uint32_t table_first, table_last;
	uint32_t priority_first, priority_last;
};

/* A set of objects: found in the kernel, or wanted there. */
struct object_set {
	struct object_nexthop *nexthops;
	struct object_group *groups;
	struct object_rule *rules;
	struct object_route *routes;
	unsigned nnexthops, ngroups, nrules, nroutes;
};

void object_set_free(struct object_set *set); /* the arrays; they are malloc'ed */

/* Total orders by what the kernel tells objects apart by: id; family, priority, table, mark; table, prefix.
 */
int object_nexthop_compare(const struct object_nexthop *a, const struct object_nexthop *b);
int object_group_compare(const struct object_group *a, const struct object_group *b);
int object_rule_compare(const struct object_rule *a, const struct object_rule *b);
int object_route_compare(const struct object_route *a, const struct object_route *b);
/* Differ in the mark only, if at all. */
bool object_rule_same_place(const struct object_rule *a, const struct object_rule *b);
/* Beyond the id: the same in every respect. */
bool object_nexthop_equal(const struct object_nexthop *a, const struct object_nexthop *b);
bool object_group_equal(const struct object_group *a, const struct object_group *b);

#endif
