/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A slot: the length, the address, the value. Looking for a prefix ends at the first free slot; where one was
 * removed the search goes on, and an addition may take its place. */
#include "netlink/prefix_map.h"

#include <stdlib.h>
#include <string.h>

#define FREE 0xff
#define REMOVED 0xfe
#define SLOTS_FIRST 16

void prefix_map_init(struct prefix_map *map, uint8_t family, unsigned value_size, const uint64_t secret[2])
{
	*map = (struct prefix_map){.family = family,
				   .value_size = value_size,
				   .slot_size = 1 + (unsigned)addr_size(family) + value_size,
				   .secret = {secret[0], secret[1]}};
}

void prefix_map_free(struct prefix_map *map)
{
	free(map->slots);
	map->slots = NULL;
	map->nslots = map->live = map->used = 0;
}

static unsigned char *slot_at(const struct prefix_map *map, unsigned index)
{
	return map->slots + (size_t)index * map->slot_size;
}

static unsigned char *slot_of(const struct prefix_map *map, const void *value)
{
	size_t offset = (size_t)((const unsigned char *)value - map->slots);

	return map->slots + offset / map->slot_size * map->slot_size;
}

static void *value_of(const struct prefix_map *map, unsigned char *slot)
{
	return slot + map->slot_size - map->value_size;
}

/* Both halves multiplied to 128 bits and folded. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of the length and the address, as they lie in a slot. */
static unsigned home(const struct prefix_map *map, const unsigned char *key)
{
	uint64_t words[2] = {0};

	memcpy(words, key + 1, addr_size(map->family));
	words[0] = mix(words[0] ^ map->secret[0], words[1] ^ map->secret[1]);
	return (unsigned)mix(words[0] ^ map->secret[1], key[0] ^ map->secret[0]) & (map->nslots - 1);
}

static void key_make(const struct prefix_map *map, const struct prefix *prefix, unsigned char key[17])
{
	key[0] = prefix->length;
	memcpy(key + 1, prefix->addr.bytes, addr_size(map->family));
}

void *prefix_map_find(const struct prefix_map *map, const struct prefix *prefix, const void *after)
{
	unsigned size = map->slot_size - map->value_size, index;
	unsigned char key[17];

	if (!map->nslots || prefix->addr.family != map->family)
		return NULL;
	key_make(map, prefix, key);
	index = after ? prefix_map_index(map, after) + 1 : home(map, key);
	for (;; index++) {
		unsigned char *slot = slot_at(map, index & (map->nslots - 1));

		if (slot[0] == FREE)
			return NULL;
		if (!memcmp(slot, key, size))
			return value_of(map, slot);
	}
}

static unsigned char *place(struct prefix_map *map, const unsigned char *key)
{
	unsigned index = home(map, key);
	unsigned char *slot;

	while ((slot = slot_at(map, index & (map->nslots - 1)))[0] < REMOVED)
		index++;
	map->used += slot[0] == FREE;
	map->live++;
	return slot;
}

/* Without what was removed. What is in it and as much again, or MORE, has room then. */
static bool rebuild(struct prefix_map *map, unsigned more)
{
	struct prefix_map old = *map;
	uint64_t nslots = SLOTS_FIRST;

	while (nslots / 16 * 7 < map->live || nslots / 8 * 7 < (uint64_t)map->live + more)
		nslots *= 2;
	if (nslots > UINT32_MAX)
		return false;
	map->slots = malloc(nslots * map->slot_size);
	if (!map->slots) {
		map->slots = old.slots;
		return false;
	}
	map->nslots = (unsigned)nslots;
	map->live = map->used = 0;
	for (unsigned i = 0; i < map->nslots; i++)
		slot_at(map, i)[0] = FREE;
	for (unsigned i = 0; i < old.nslots; i++) {
		const unsigned char *slot = slot_at(&old, i);

		if (slot[0] < REMOVED)
			memcpy(place(map, slot), slot, map->slot_size);
	}
	free(old.slots);
	return true;
}

bool prefix_map_reserve(struct prefix_map *map, unsigned more)
{
	return (uint64_t)map->used + more <= map->nslots / 8 * 7 || rebuild(map, more);
}

void *prefix_map_add(struct prefix_map *map, const struct prefix *prefix)
{
	unsigned size = map->slot_size - map->value_size;
	unsigned char key[17], *slot;

	if (!prefix_map_reserve(map, 1))
		return NULL;
	key_make(map, prefix, key);
	slot = place(map, key);
	memcpy(slot, key, size);
	memset(slot + size, 0, map->value_size);
	return value_of(map, slot);
}

void prefix_map_remove(struct prefix_map *map, void *value)
{
	slot_of(map, value)[0] = REMOVED;
	map->live--;
}

void *prefix_map_at(const struct prefix_map *map, unsigned index)
{
	unsigned char *slot = slot_at(map, index);

	return slot[0] < REMOVED ? value_of(map, slot) : NULL;
}

struct prefix prefix_map_prefix(const struct prefix_map *map, const void *value)
{
	const unsigned char *slot = slot_of(map, value);
	struct prefix prefix = {.addr.family = map->family, .length = slot[0]};

	memcpy(prefix.addr.bytes, slot + 1, addr_size(map->family));
	return prefix;
}

unsigned prefix_map_index(const struct prefix_map *map, const void *value)
{
	return (unsigned)((size_t)((const unsigned char *)value - map->slots) / map->slot_size);
}

size_t prefix_map_memory(const struct prefix_map *map)
{
	return (size_t)map->nslots * map->slot_size;
}
