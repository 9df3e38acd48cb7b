/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Follows the kernel's neighbour entries (ARP, neighbour discovery) of a few addresses among the many that a
 * host may have: notifications about links without any of them are not even received. On ENOBUFS the socket's
 * buffer grows and the kernel is asked again.
 */
#ifndef NETLINK_NEIGHBOURS_H
#define NETLINK_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

#define NEIGHBOURS_LLADDR 6

struct neighbours;

struct neighbours_key {
	struct addr addr;
	uint32_t ifindex;
};

/* NULL with a message in ERROR. */
struct neighbours *neighbours_create(char *error, size_t size);
void neighbours_free(struct neighbours *neighbours); /* NULL is fine */
int neighbours_fd(const struct neighbours *neighbours);
/* From now on these are watched, and the kernel has been asked about those that are new. In any order;
 * repeated ones count once. False: out of memory or sockets, to be tried again. */
bool neighbours_watch(struct neighbours *neighbours, const struct neighbours_key *keys, size_t nkeys);
/* Has the kernel find out the address, or see whether it is still right, as if it had a packet to send there.
 * 0 or -errno. */
int neighbours_probe(const struct neighbours_key *key);
/* Call when the fd is readable. Reads at most a bounded number of messages; the fd stays readable if there is
 * more. True when neighbours_find() may now answer differently: an entry that only goes from one usable state
 * to another changes nothing. */
bool neighbours_read(struct neighbours *neighbours);
/* The Ethernet address that the kernel sends to; NULL: it has none now, or ADDR is not watched. Valid until
 * the next call of neighbours_watch() or neighbours_read(). */
const uint8_t *neighbours_find(const struct neighbours *neighbours, const struct addr *addr,
			       uint32_t ifindex);

#endif
