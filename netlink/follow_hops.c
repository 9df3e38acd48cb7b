/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/follow_hops.h"

#include <stdlib.h>
#include <string.h>

#define OBJECTS_MOST 65536

void follow_hops_free(struct follow_hops *hops)
{
	for (unsigned i = 0; i < hops->nobjects; i++)
		free(hops->objects[i].members);
	free(hops->objects);
	free(hops->peers);
	free(hops->guarded);
	*hops = (struct follow_hops){0};
}

static int compare_addr(const void *a, const void *b)
{
	const struct addr *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return memcmp(x->bytes, y->bytes, addr_size(x->family));
}

static int compare_peer(const void *a, const void *b)
{
	const struct follow_peer *x = a, *y = b;
	int order = compare_addr(&x->gateway, &y->gateway);

	if (!order)
		order = (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
	return order ? order : (x->services > y->services) - (x->services < y->services);
}

/* A sorted copy; NULL: out of memory. */
static void *sorted(const void *items, unsigned n, size_t size, int (*compare)(const void *, const void *))
{
	void *copy = malloc((size_t)(n + 1) * size);

	if (!copy)
		return NULL;
	if (n)
		memcpy(copy, items, n * size);
	qsort(copy, n, size, compare);
	return copy;
}

static bool same_peers(const struct follow_hops *hops, const struct follow_peer *peers, unsigned n)
{
	bool same = hops->npeers == n;

	for (unsigned i = 0; same && i < n; i++)
		same = !compare_peer(&hops->peers[i], &peers[i]);
	return same;
}

static bool same_guarded(const struct follow_hops *hops, const struct addr *guarded, unsigned n)
{
	bool same = hops->nguarded == n;

	for (unsigned i = 0; same && i < n; i++)
		same = !compare_addr(&hops->guarded[i], &guarded[i]);
	return same;
}

int follow_hops_peers(struct follow_hops *hops, const struct follow_peer *peers, unsigned npeers,
		      const struct addr *guarded, unsigned nguarded)
{
	struct follow_peer *new_peers = sorted(peers, npeers, sizeof(*peers), compare_peer);
	struct addr *new_guarded = sorted(guarded, nguarded, sizeof(*guarded), compare_addr);
	bool same;

	if (!new_peers || !new_guarded) {
		free(new_peers);
		free(new_guarded);
		return -1;
	}
	same = same_peers(hops, new_peers, npeers) && same_guarded(hops, new_guarded, nguarded);
	free(hops->peers);
	free(hops->guarded);
	hops->peers = new_peers;
	hops->npeers = npeers;
	hops->guarded = new_guarded;
	hops->nguarded = nguarded;
	return !same;
}

static uint16_t hop_services(const struct follow_hops *hops, const struct follow_hop *hop)
{
	unsigned low = 0, high = hops->npeers;
	uint16_t services = 0;

	if (hop->gateway.family == AF_UNSPEC)
		return 0;
	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (compare_addr(&hops->peers[middle].gateway, &hop->gateway) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < hops->npeers && !compare_addr(&hops->peers[low].gateway, &hop->gateway); low++)
		if (!hops->peers[low].ifindex || !hop->ifindex || hops->peers[low].ifindex == hop->ifindex)
			services |= hops->peers[low].services;
	return services;
}

/* The place of ID, or where it would be. */
static unsigned object_place(const struct follow_hops *hops, uint32_t id)
{
	unsigned low = 0, high = hops->nobjects;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (hops->objects[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct follow_object *object_find(const struct follow_hops *hops, uint32_t id)
{
	unsigned place = object_place(hops, id);

	return place < hops->nobjects && hops->objects[place].id == id ? &hops->objects[place] : NULL;
}

static uint16_t object_services(const struct follow_hops *hops, const struct follow_object *object)
{
	uint16_t services = hop_services(hops, &object->hop);

	for (unsigned i = 0; i < object->nmembers; i++) {
		const struct follow_object *member = object_find(hops, object->members[i]);

		if (member) /* groups have no groups in them */
			services |= hop_services(hops, &member->hop);
	}
	return services;
}

static void object_remove(struct follow_hops *hops, struct follow_object *object)
{
	size_t behind = (size_t)(hops->objects + hops->nobjects - object - 1);

	free(object->members);
	memmove(object, object + 1, behind * sizeof(*object));
	hops->nobjects--;
}

/* NULL: out of memory, or too many. */
static struct follow_object *object_add(struct follow_hops *hops, uint32_t id)
{
	unsigned place = object_place(hops, id);
	struct follow_object *objects = hops->objects;

	if (hops->nobjects == OBJECTS_MOST)
		return NULL;
	if (hops->nobjects == hops->room) {
		unsigned room = hops->room ? 2 * hops->room : 64;

		objects = reallocarray(objects, room, sizeof(*objects));
		if (!objects)
			return NULL;
		hops->objects = objects;
		hops->room = room;
	}
	memmove(objects + place + 1, objects + place, (hops->nobjects - place) * sizeof(*objects));
	hops->nobjects++;
	objects[place] = (struct follow_object){.id = id};
	return &objects[place];
}

static bool object_same(const struct follow_object *object, const struct follow_nexthop *nexthop)
{
	return object->hop.ifindex == nexthop->hop.ifindex &&
	       !compare_addr(&object->hop.gateway, &nexthop->hop.gateway) &&
	       object->nmembers == nexthop->nmembers &&
	       (!nexthop->nmembers ||
		!memcmp(object->members, nexthop->members, nexthop->nmembers * sizeof(nexthop->members[0])));
}

static void object_fill(struct follow_object *object, const struct follow_nexthop *nexthop)
{
	free(object->members);
	object->hop = nexthop->hop;
	object->members = NULL;
	object->nmembers = 0;
	if (!nexthop->nmembers)
		return;
	object->members = malloc(nexthop->nmembers * sizeof(object->members[0]));
	if (!object->members) /* its routes are not followed */
		return;
	object->nmembers = nexthop->nmembers;
	memcpy(object->members, nexthop->members, nexthop->nmembers * sizeof(object->members[0]));
}

bool follow_hops_set(struct follow_hops *hops, const struct follow_nexthop *nexthop)
{
	struct follow_object *object = object_find(hops, nexthop->id);
	uint16_t before = object ? object_services(hops, object) : 0;
	bool was = object;

	if (nexthop->gone) {
		if (object)
			object_remove(hops, object);
		return before;
	}
	if (!object)
		object = object_add(hops, nexthop->id);
	if (!object)
		return false;
	object->round = hops->round;
	if (was && object_same(object, nexthop))
		return false;
	object_fill(object, nexthop);
	return was && (before || object_services(hops, object));
}

void follow_hops_list_begin(struct follow_hops *hops)
{
	hops->round++;
}

void follow_hops_list_end(struct follow_hops *hops)
{
	for (unsigned i = hops->nobjects; i--;)
		if (hops->objects[i].round != hops->round)
			object_remove(hops, &hops->objects[i]);
}

uint16_t follow_hops_route(const struct follow_hops *hops, const struct follow_route *route)
{
	const struct follow_object *object;
	uint16_t services = 0;

	for (unsigned i = 0; i < route->nhops; i++)
		services |= hop_services(hops, &route->hops[i]);
	/* With net.ipv4.nexthop_compat_mode=0 the object is all that is said. */
	object = route->nexthop && !route->nhops ? object_find(hops, route->nexthop) : NULL;
	return object ? object_services(hops, object) : services;
}

bool follow_hops_guarded(const struct follow_hops *hops, const struct prefix *prefix)
{
	unsigned low = 0, high = hops->nguarded;

	/* The prefix's first address, and the first guarded one from there on. */
	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (compare_addr(&hops->guarded[middle], &prefix->addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < hops->nguarded && hops->guarded[low].family == prefix->addr.family &&
	       prefix_contains(prefix, &hops->guarded[low]);
}
