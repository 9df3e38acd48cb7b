/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prefixes of services in our tables: many routes, written in slices between other work of the main
 * thread, so that a hundred thousand of them hold nothing up. A table's routes hang on one nexthop group per
 * family.
 */
#ifndef NETLINK_ROUTES_H
#define NETLINK_ROUTES_H

#include <stddef.h>

#include "core/usec.h"
#include "netlink/objects.h"

struct routes;

/* They must not call back into this module. */
struct routes_callbacks {
	/* All wanted routes of this table and family are in the kernel (ready), or none is any more: the
	 * group went, or is another, or the kernel refuses. Other prefixes for a ready table leave it
	 * ready. */
	void (*ready)(void *context, uint32_t table, uint8_t family, bool ready);
	/* The kernel refused (ERROR is -errno): told once, tried again each second. */
	void (*failed)(void *context, uint32_t table, const struct prefix *prefix, int error);
	void *context;
};

struct routes *routes_create(const struct object_range *range, const struct routes_callbacks *callbacks,
			     char *error, size_t size);
void routes_free(struct routes *routes); /* the kernel's routes stay */

/* The wanted prefixes of TABLE and FAMILY on GROUP: copied; replaces what was wanted before, and only the
 * differences are written. N 0: the table is emptied. False when memory ran out: all is as before. */
bool routes_want(struct routes *routes, uint32_t table, uint8_t family, uint32_t group,
		 const struct prefix *prefixes, unsigned n);
/* The table is from now on changed prefix by prefix, by the two below: GROUP as above, and what is wanted
 * stays. At the first time what is in the kernel's table counts as wanted, and ADOPT is told of each such
 * prefix: it must not call back. False when memory ran out: all is as before. */
bool routes_follow(struct routes *routes, uint32_t table, uint8_t family, uint32_t group,
		   void (*adopt)(void *context, const struct prefix *prefix), void *context);
/* Wanted, or not any more, in a table that follows. False when memory ran out. */
bool routes_add(struct routes *routes, uint32_t table, const struct prefix *prefix);
void routes_remove(struct routes *routes, uint32_t table, const struct prefix *prefix);
/* Routes of ours in the kernel at start, before anything is wanted. What nobody wants by the first
 * routes_work() is deleted. False when memory ran out. */
bool routes_inherit(struct routes *routes, const struct object_route *found, unsigned n);
/* The group is in the kernel (writing may begin), or the kernel took it away with all its routes. */
void routes_group(struct routes *routes, uint32_t group, bool there);
/* Somebody deleted a route: it is to be written again. False: it was none that we want and believed there. */
bool routes_lost(struct routes *routes, uint32_t table, const struct prefix *prefix);
/* Perhaps somebody did, it is not known which: all are to be written again. */
void routes_lost_any(struct routes *routes);
/* As the last `ready` said. */
bool routes_ready(const struct routes *routes, uint32_t table, uint8_t family);

/* True while there is work: call routes_work() then, again and again, in between other things. A call takes
 * 1-3 ms. */
bool routes_pending(const struct routes *routes);
void routes_work(struct routes *routes);
/* When routes_pending() turns true by itself, for a retry; USEC_NEVER: it does not. */
usec_t routes_next(const struct routes *routes);

#endif
