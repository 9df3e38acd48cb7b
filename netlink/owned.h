/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's memory of our nexthops and groups. When a link loses its carrier, goes down or goes, the
 * kernel deletes the nexthops on it, groups left empty and their routes without any notification (seen with
 * 6.18; remove_nexthop() without nlinfo). So this keeps what exists, by notifications, and does at the link's
 * notification what the kernel did. They come in the order of the changes, so both stay in step.
 */
#ifndef NETLINK_OWNED_H
#define NETLINK_OWNED_H

#include <stddef.h>

#include "netlink/objects.h"

struct owned_object {
	uint32_t id;
	uint32_t ifindex; /* of a nexthop */
	unsigned nmembers;
	uint32_t members[OBJECTS_MEMBERS];
	bool is_group;
	unsigned round; /* as in links.h */
};

struct owned {
	struct owned_object *objects;
	size_t n;
	unsigned round;
};

void owned_free(struct owned *owned);
void owned_nexthop(struct owned *owned, const struct object_nexthop *nexthop);
void owned_group(struct owned *owned, const struct object_group *group);
/* Deleted: a notification of each group that this changed follows by itself. */
void owned_remove(struct owned *owned, uint32_t id);
/* One object that the loss of this link took away: its id, and forgotten. 0: no more. */
uint32_t owned_link_lost(struct owned *owned, uint32_t ifindex);
/* One object that was not set since owned->round was last changed: its id, and forgotten. 0: no more. */
uint32_t owned_sweep(struct owned *owned);

#endif
