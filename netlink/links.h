/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's memory: links and local addresses, in sorted arrays. Knows no netlink. */
#ifndef NETLINK_LINKS_H
#define NETLINK_LINKS_H

#include <stddef.h>

#include "netlink/monitor.h"

struct links_link {
	struct monitor_link link;
	unsigned round; /* of reading everything: what was not seen in the last one has gone */
};

struct links_address {
	uint32_t ifindex;
	struct addr addr;
	struct addr
		subnet; /* an address in the subnet: ADDR itself, or the far end's of a point-to-point one */
	uint8_t prefix_length;
	unsigned round;
};

struct links {
	struct links_link *links; /* by ifindex */
	size_t nlinks;
	struct links_address *addresses; /* by ifindex, address, prefix length, subnet */
	size_t naddresses;
	unsigned round;
};

void links_free(struct links *links); /* the arrays */

/* Each returns true when that changed anything. What memory has no room for is not taken in. */
bool links_set(struct links *links, const struct monitor_link *link);
bool links_remove(struct links *links, uint32_t ifindex);
bool links_address_set(struct links *links, const struct links_address *address);
bool links_address_remove(struct links *links, const struct links_address *address);

/* Takes out one link or address that was not set since links->round was last changed. False: none left. */
bool links_sweep(struct links *links, struct monitor_link *gone);
bool links_address_sweep(struct links *links, struct links_address *gone);

/* As monitor.h's. */
const struct monitor_link *links_by_name(const struct links *links, const char *name);
const struct monitor_link *links_by_index(const struct links *links, uint32_t ifindex);
bool links_has_address(const struct links *links, uint32_t ifindex, const struct addr *addr);
uint32_t links_vrf(const struct links *links, uint32_t ifindex);
bool links_local_for(const struct links *links, uint32_t vrf, uint32_t ifindex, const struct addr *peer,
		     struct addr *local, uint32_t *found_ifindex);
uint32_t links_holder(const struct links *links, uint32_t vrf, const struct addr *addr);

#endif
