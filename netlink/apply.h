/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One change of our objects in the kernel: 0 or -errno, with netlink_words(). What is there already is not an
 * error to make, what is gone already is not an error to delete. Nothing here allocates.
 */
#ifndef NETLINK_APPLY_H
#define NETLINK_APPLY_H

#include "netlink/nl.h"
#include "netlink/objects.h"

/* Asks first and writes only what differs: replacing a nexthop or a group holds the routing lock for as long
 * as it takes to notify each route on it (117 ms for 100,000). -EEXIST: the id is in use by somebody else. */
int apply_nexthop_set(struct netlink *nl, uint8_t protocol, const struct object_nexthop *nexthop);
int apply_group_set(struct netlink *nl, uint8_t protocol, const struct object_group *group);
/* Also takes it out of its groups; the last member takes its group along, and a group its routes. */
int apply_nexthop_del(struct netlink *nl, uint32_t id);
int apply_rule_add(struct netlink *nl, uint8_t protocol, const struct object_rule *rule);
/* Exactly this one. */
int apply_rule_del(struct netlink *nl, uint8_t protocol, const struct object_rule *rule);
/* 1 when exactly this one is there, 0 when not: reads all rules of its family. */
int apply_rule_find(struct netlink *nl, uint8_t protocol, const struct object_rule *rule);
int apply_route_set(struct netlink *nl, uint8_t protocol, const struct object_route *route);
int apply_route_del(struct netlink *nl, uint8_t protocol, const struct object_route *route);

#endif
