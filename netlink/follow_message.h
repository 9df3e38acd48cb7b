/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other programs' routes and nexthop objects as the kernel tells them: what following services needs of them.
 */
#ifndef NETLINK_FOLLOW_MESSAGE_H
#define NETLINK_FOLLOW_MESSAGE_H

#include "netlink/nl.h"

#define FOLLOW_HOPS 64 /* of one route or group; what is beyond is not looked at */

struct follow_hop {
	struct addr gateway;
	uint32_t ifindex; /* 0: not said */
};

struct follow_route {
	bool gone, replaces;
	uint8_t protocol;
	bool unicast; /* an ordinary route that packets follow */
	uint32_t table, metric;
	struct prefix prefix;
	uint32_t nexthop; /* id of an object; 0: none */
	unsigned nhops;	  /* with a gateway, here */
	unsigned total;	  /* next hops, however they are given; 1 for an object */
	struct follow_hop hops[FOLLOW_HOPS];
};

struct follow_nexthop {
	bool gone;
	uint8_t protocol;
	uint32_t id;
	struct follow_hop hop; /* gateway's family AF_UNSPEC: a group, or without a gateway */
	unsigned nmembers;     /* of a group */
	uint32_t members[FOLLOW_HOPS];
};

/* False when MESSAGE does not say such a thing (whatever its type). */
bool follow_route_read(const struct netlink_message *message, struct follow_route *route);
bool follow_nexthop_read(const struct netlink_message *message, struct follow_nexthop *nexthop);

/* Leaves a finished request for a dump of a family's main table. */
void follow_route_dump(struct netlink *nl, uint8_t family);

#endif
