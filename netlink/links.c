/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/links.h"

#include <stdlib.h>
#include <string.h>

static int number_compare(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int addr_compare(const struct addr *a, const struct addr *b)
{
	int order = number_compare(a->family, b->family);

	return order ? order : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int address_compare(const struct links_address *a, const struct links_address *b)
{
	int order = number_compare(a->ifindex, b->ifindex);

	if (!order)
		order = addr_compare(&a->addr, &b->addr);
	if (!order)
		order = number_compare(a->prefix_length, b->prefix_length);
	return order ? order : addr_compare(&a->subnet, &b->subnet);
}

/* The place of the link, or where it belongs. */
static size_t link_place(const struct links *links, uint32_t ifindex)
{
	size_t low = 0, high = links->nlinks;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (links->links[middle].link.ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t address_place(const struct links *links, const struct links_address *address)
{
	size_t low = 0, high = links->naddresses;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (address_compare(&links->addresses[middle], address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Opens a gap at PLACE. The arrays have room up to the next power of two. */
static void *gap_open(void *items, size_t *n, size_t place, size_t size)
{
	char *bytes = items;

	if (!(*n & (*n - 1)))
		bytes = reallocarray(items, *n ? 2 * *n : 1, size);
	if (!bytes)
		return NULL;
	memmove(bytes + (place + 1) * size, bytes + place * size, (*n - place) * size);
	++*n;
	return bytes;
}

static void gap_close(void *items, size_t *n, size_t place, size_t size)
{
	char *bytes = items;

	--*n;
	memmove(bytes + place * size, bytes + (place + 1) * size, (*n - place) * size);
}

void links_free(struct links *links)
{
	free(links->links);
	free(links->addresses);
	*links = (struct links){0};
}

static bool link_equal(const struct monitor_link *a, const struct monitor_link *b)
{
	return a->up == b->up && a->carrier == b->carrier && a->ethernet == b->ethernet && a->mtu == b->mtu &&
	       a->master == b->master && a->kind == b->kind && a->bond_mode == b->bond_mode &&
	       a->bond_active == b->bond_active && a->distributing == b->distributing &&
	       !memcmp(a->address, b->address, sizeof(a->address)) && !strcmp(a->name, b->name);
}

bool links_set(struct links *links, const struct monitor_link *link)
{
	size_t place = link_place(links, link->ifindex);
	struct links_link *items = links->links;
	bool changed = true;

	if (place < links->nlinks && items[place].link.ifindex == link->ifindex) {
		changed = !link_equal(&items[place].link, link);
	} else {
		items = gap_open(items, &links->nlinks, place, sizeof(*items));
		if (!items)
			return false;
		links->links = items;
	}
	items[place] = (struct links_link){.link = *link, .round = links->round};
	return changed;
}

bool links_remove(struct links *links, uint32_t ifindex)
{
	size_t place = link_place(links, ifindex);

	if (place == links->nlinks || links->links[place].link.ifindex != ifindex)
		return false;
	gap_close(links->links, &links->nlinks, place, sizeof(*links->links));
	return true;
}

bool links_address_set(struct links *links, const struct links_address *address)
{
	size_t place = address_place(links, address);
	struct links_address *items = links->addresses;
	bool there = place < links->naddresses && !address_compare(&items[place], address);

	if (!there) {
		items = gap_open(items, &links->naddresses, place, sizeof(*items));
		if (!items)
			return false;
		links->addresses = items;
		items[place] = *address;
	}
	items[place].round = links->round;
	return !there;
}

bool links_address_remove(struct links *links, const struct links_address *address)
{
	size_t place = address_place(links, address);

	if (place == links->naddresses || address_compare(&links->addresses[place], address))
		return false;
	gap_close(links->addresses, &links->naddresses, place, sizeof(*links->addresses));
	return true;
}

bool links_sweep(struct links *links, struct monitor_link *gone)
{
	for (size_t i = links->nlinks; i-- > 0;) {
		if (links->links[i].round == links->round)
			continue;
		*gone = links->links[i].link;
		return links_remove(links, gone->ifindex);
	}
	return false;
}

bool links_address_sweep(struct links *links, struct links_address *gone)
{
	for (size_t i = links->naddresses; i-- > 0;) {
		if (links->addresses[i].round == links->round)
			continue;
		*gone = links->addresses[i];
		return links_address_remove(links, gone);
	}
	return false;
}

const struct monitor_link *links_by_name(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->nlinks; i++)
		if (!strcmp(links->links[i].link.name, name))
			return &links->links[i].link;
	return NULL;
}

const struct monitor_link *links_by_index(const struct links *links, uint32_t ifindex)
{
	size_t place = link_place(links, ifindex);

	if (place == links->nlinks || links->links[place].link.ifindex != ifindex)
		return NULL;
	return &links->links[place].link;
}

bool links_has_address(const struct links *links, uint32_t ifindex, const struct addr *addr)
{
	struct links_address key = {.ifindex = ifindex, .addr = *addr};
	size_t place = address_place(links, &key);

	return place < links->naddresses && links->addresses[place].ifindex == ifindex &&
	       addr_equal(&links->addresses[place].addr, addr);
}

static bool suits(const struct links_address *address, const struct addr *peer)
{
	struct prefix subnet = {.addr = address->subnet, .length = address->prefix_length};

	return address->addr.family == peer->family && !addr_equal(&address->addr, peer) &&
	       prefix_contains(&subnet, peer);
}

uint32_t links_vrf(const struct links *links, uint32_t ifindex)
{
	const struct monitor_link *link = links_by_index(links, ifindex), *master;

	if (!link || link->kind == MONITOR_VRF)
		return link ? ifindex : 0;
	master = link->master ? links_by_index(links, link->master) : NULL;
	return master && master->kind == MONITOR_VRF ? master->ifindex : 0;
}

bool links_local_for(const struct links *links, uint32_t vrf, uint32_t ifindex, const struct addr *peer,
		     struct addr *local, uint32_t *found_ifindex)
{
	const struct links_address *best = NULL;

	/* fe80::/64 is on every link. */
	if (!ifindex && addr_is_link_local(peer))
		return false;
	for (size_t i = 0; i < links->naddresses; i++) {
		const struct links_address *address = &links->addresses[i];

		if ((ifindex && address->ifindex != ifindex) || !suits(address, peer) ||
		    (!ifindex && links_vrf(links, address->ifindex) != vrf))
			continue;
		if (!best || addr_compare(&address->addr, &best->addr) < 0)
			best = address;
	}
	if (!best)
		return false;
	*local = best->addr;
	if (found_ifindex)
		*found_ifindex = best->ifindex;
	return true;
}

uint32_t links_holder(const struct links *links, uint32_t vrf, const struct addr *addr)
{
	for (size_t i = 0; i < links->naddresses; i++)
		if (addr_equal(&links->addresses[i].addr, addr) &&
		    links_vrf(links, links->addresses[i].ifindex) == vrf)
			return links->addresses[i].ifindex;
	return 0;
}
