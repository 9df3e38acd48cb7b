/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What BGP has put into the main table through our peers, followed: a socket for the changes of routing
 * daemons' routes and nexthop objects, listings of the table at first and whenever something may have been
 * missed, and the set of prefixes that comes of it (follow_set.h). Nothing here takes long at a time.
 *
 * A listing is made after the socket overflowed; and after changes by which the kernel takes routes away
 * without a word: of links and addresses (the owner tells), and of nexthop objects.
 */
#ifndef NETLINK_FOLLOW_H
#define NETLINK_FOLLOW_H

#include "netlink/follow_set.h"

struct follow;

/* A next hop, and the services whose prefixes lead to it. IFINDEX 0: any. */
struct follow_peer {
	struct addr gateway;
	uint32_t ifindex;
	uint16_t services;
};

/* A listing has ended. */
struct follow_listing {
	const char *why;
	usec_t took;
	unsigned prefixes, refused; /* wanted now; not taken, for want of memory or beyond FOLLOW_MOST */
	unsigned unfit;		    /* routes of our peers that are not followed: see follow_peers() */
};

struct follow_callbacks {
	follow_changed_fn *changed;
	void (*listed)(void *context, const struct follow_listing *listing);
	void (*failed)(void *context, const char *why); /* a listing; it is tried again. Told once */
	void *context;
};

/* OWN: our protocol number, whose nexthop objects are none of the routing daemons'. NULL with a message in
 * ERROR. */
struct follow *follow_create(uint8_t own, const struct follow_callbacks *callbacks, char *error, size_t size);
void follow_free(struct follow *follow);

/* All that is followed, and addresses that no followed prefix may cover (the default route is never
 * followed). Copied; what is different from before is looked up by a listing. False when memory ran out: all
 * is as before. */
bool follow_peers(struct follow *follow, const struct follow_peer *peers, unsigned npeers,
		  const struct addr *guarded, unsigned nguarded);
void follow_list(struct follow *follow, const char *why); /* soon; WHY is static */
struct follow_set *follow_set(struct follow *follow); /* for its delays and what may be read and adopted */

int follow_fd(const struct follow *follow);
/* When the fd is readable, at most a millisecond or two. */
void follow_read(struct follow *follow);
/* While true, call follow_work() again and again, in between other things. A call takes 1-3 ms. */
bool follow_pending(const struct follow *follow);
void follow_work(struct follow *follow);
/* When follow_work() is to be called by the time, USEC_NEVER: not. Changes with any of the above. */
usec_t follow_next(const struct follow *follow);

struct follow_stats {
	uint64_t heard, listings, overflows;
	bool sure; /* it is known to be what the main table has */
};
struct follow_stats follow_stats(const struct follow *follow);

#endif
