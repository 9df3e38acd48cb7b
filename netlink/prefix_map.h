/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: prefixes of one family with a few bytes each, as a hash table with open addressing: an IPv4 prefix
 * takes 5 bytes and its value, an IPv6 one 17, and at most 7 of 8 places are taken. A prefix may be there
 * more than once, with different values. The hash is keyed by a secret: whoever announces prefixes cannot
 * choose such as collide.
 */
#ifndef NETLINK_PREFIX_MAP_H
#define NETLINK_PREFIX_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

struct prefix_map {
	uint8_t family;
	unsigned value_size, slot_size;
	uint64_t secret[2];
	unsigned live;	 /* prefixes in it */
	unsigned used;	 /* with those removed, whose places are not free yet */
	unsigned nslots; /* a power of two, or 0 */
	unsigned char *slots;
};

/* Of a removed prefix nothing moves until the next prefix_map_add(): places and values stay valid until then.
 */
void prefix_map_init(struct prefix_map *map, uint8_t family, unsigned value_size, const uint64_t secret[2]);
void prefix_map_free(struct prefix_map *map); /* and empty, to be used again */

/* The value, not aligned; NULL: not there. AFTER: the one found before, for the next of the same prefix. */
void *prefix_map_find(const struct prefix_map *map, const struct prefix *prefix, const void *after);
/* One more, its value zero. NULL: out of memory, and nothing has changed. */
void *prefix_map_add(struct prefix_map *map, const struct prefix *prefix);
/* So that the next MORE additions cannot fail. False: out of memory, and nothing has changed. */
bool prefix_map_reserve(struct prefix_map *map, unsigned more);
void prefix_map_remove(struct prefix_map *map, void *value);

/* What is in place INDEX of NSLOTS, in an order that has nothing to do with the prefixes'; NULL: nothing. */
void *prefix_map_at(const struct prefix_map *map, unsigned index);
/* The prefix that this value belongs to, and its place. */
struct prefix prefix_map_prefix(const struct prefix_map *map, const void *value);
unsigned prefix_map_index(const struct prefix_map *map, const void *value);
/* Bytes of memory. */
size_t prefix_map_memory(const struct prefix_map *map);

#endif
