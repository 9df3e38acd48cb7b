/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To which services a route's next hops belong: by the peers' addresses, and through nexthop objects. */
#ifndef NETLINK_FOLLOW_HOPS_H
#define NETLINK_FOLLOW_HOPS_H

#include "netlink/follow.h"
#include "netlink/follow_message.h"

struct follow_object {
	uint32_t id;
	struct follow_hop hop;
	unsigned nmembers;
	uint32_t *members;
	unsigned round;
};

struct follow_hops {
	struct follow_peer *peers; /* sorted by gateway */
	struct addr *guarded;	   /* sorted */
	unsigned npeers, nguarded;
	struct follow_object *objects; /* sorted by id */
	unsigned nobjects, room, round;
};

void follow_hops_free(struct follow_hops *hops);
/* 1: they are others than before, 0: the same, -1: out of memory, and all is as before. */
int follow_hops_peers(struct follow_hops *hops, const struct follow_peer *peers, unsigned npeers,
		      const struct addr *guarded, unsigned nguarded);
/* True when routes on it may have changed with it: it led to a peer, and is another now, or gone. */
bool follow_hops_set(struct follow_hops *hops, const struct follow_nexthop *nexthop);
/* What is not set between the two is forgotten. */
void follow_hops_list_begin(struct follow_hops *hops);
void follow_hops_list_end(struct follow_hops *hops);

uint16_t follow_hops_route(const struct follow_hops *hops, const struct follow_route *route);
/* PREFIX covers a guarded address. */
bool follow_hops_guarded(const struct follow_hops *hops, const struct prefix *prefix);

#endif
