/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our objects as netlink messages: begun in a socket's buffer, and read back from what the kernel says. */
#ifndef NETLINK_MESSAGE_H
#define NETLINK_MESSAGE_H

#include "netlink/nl.h"
#include "netlink/objects.h"

/* Each leaves a finished request to be sent. PROTOCOL marks the object as ours. */
void message_nexthop_set(struct netlink *nl, uint8_t protocol, const struct object_nexthop *nexthop);
void message_group_set(struct netlink *nl, uint8_t protocol, const struct object_group *group);
void message_nexthop_get(struct netlink *nl, uint32_t id); /* also groups */
void message_nexthop_del(struct netlink *nl, uint32_t id);
void message_rule_add(struct netlink *nl, uint8_t protocol, const struct object_rule *rule);
/* Without a mark in RULE it fits rules with any: the answer tells the one that was deleted. */
void message_rule_del(struct netlink *nl, uint8_t protocol, const struct object_rule *rule);
void message_route_set(struct netlink *nl, uint8_t protocol, const struct object_route *route);
void message_route_del(struct netlink *nl, uint8_t protocol, const struct object_route *route);

/* For netlink_dump(): all nexthops; rules or routes of one family, the routes of PROTOCOL only. */
void message_nexthop_dump(struct netlink *nl);
void message_rule_dump(struct netlink *nl, uint8_t family);
void message_route_dump(struct netlink *nl, uint8_t family, uint8_t protocol);

struct message_nexthop {
	uint8_t protocol;
	bool is_group;
	struct object_nexthop nexthop;
	struct object_group group; /* members sorted; none when the group is of a make that we never make */
};

/* False when MESSAGE does not say such a thing (whatever its type). */
bool message_nexthop_read(const struct netlink_message *message, struct message_nexthop *nexthop);
bool message_rule_read(const struct netlink_message *message, struct object_rule *rule, uint8_t *protocol);
bool message_route_read(const struct netlink_message *message, struct object_route *route, uint8_t *protocol);

#endif
