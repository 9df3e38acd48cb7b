/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prefixes of services in our tables: many routes, written in slices between other work of the main
 * thread, so that a hundred thousand of them hold nothing up. A table's routes hang on one nexthop group per
 * family.
 */
#ifndef NETLINK_ROUTES_H
#define NETLINK_ROUTES_H

#include "netlink/objects.h"

struct routes;

struct routes_callbacks {
	/* All wanted routes of this table and family are in the kernel (ready), or are no longer (after
	 * routes_lost()). */
	void (*ready)(void *context, uint32_t table, uint8_t family, bool ready);
	/* The kernel refused; tried again later. */
	void (*failed)(void *context, uint32_t table, const struct prefix *prefix, int error);
	void *context;
};

struct routes *routes_create(const struct object_range *range, const struct routes_callbacks *callbacks,
			     char *error, size_t size);
void routes_free(struct routes *routes);

/* The wanted prefixes of TABLE and FAMILY on GROUP: copied; replaces what was wanted before, and only the
 * differences are written. N 0: the table is emptied. FOUND routes in the kernel at start are told by
 * routes_inherit() first. */
bool routes_want(struct routes *routes, uint32_t table, uint8_t family, uint32_t group,
		 const struct prefix *prefixes, unsigned n);
void routes_inherit(struct routes *routes, const struct object_route *found, unsigned n);
/* The group is in the kernel (writing may begin), or the kernel took it away with all its routes. */
void routes_group(struct routes *routes, uint32_t group, bool there);

/* True while there is work: call routes_work() then, again and again, in between other things. A call takes
 * 1-3 ms. */
bool routes_pending(const struct routes *routes);
void routes_work(struct routes *routes);

#endif
