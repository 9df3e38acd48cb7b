/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/objects.h"

#include <stdlib.h>
#include <string.h>

static int compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

void object_set_free(struct object_set *set)
{
	free(set->nexthops);
	free(set->groups);
	free(set->rules);
	free(set->routes);
	*set = (struct object_set){0};
}

int object_nexthop_compare(const struct object_nexthop *a, const struct object_nexthop *b)
{
	return compare(a->id, b->id);
}

int object_group_compare(const struct object_group *a, const struct object_group *b)
{
	return compare(a->id, b->id);
}

int object_rule_compare(const struct object_rule *a, const struct object_rule *b)
{
	int order = compare(a->family, b->family);

	if (!order)
		order = compare(a->priority, b->priority);
	if (!order)
		order = compare(a->table, b->table);
	return order ? order : compare(a->without, b->without);
}

bool object_rule_same_place(const struct object_rule *a, const struct object_rule *b)
{
	return a->family == b->family && a->priority == b->priority && a->table == b->table;
}

int object_route_compare(const struct object_route *a, const struct object_route *b)
{
	int order = compare(a->table, b->table);

	return order ? order : prefix_compare(&a->prefix, &b->prefix);
}

bool object_nexthop_equal(const struct object_nexthop *a, const struct object_nexthop *b)
{
	return a->id == b->id && a->ifindex == b->ifindex && addr_equal(&a->gateway, &b->gateway);
}

bool object_group_equal(const struct object_group *a, const struct object_group *b)
{
	return a->id == b->id && a->nmembers == b->nmembers &&
	       !memcmp(a->members, b->members, a->nmembers * sizeof(a->members[0]));
}
