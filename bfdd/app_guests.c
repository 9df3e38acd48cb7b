/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_unsolicited.h"
#include "config/endpoint.h"

static int compare(const struct app_guest *guest, const char *interface, const struct addr *peer)
{
	int order = strcmp(guest->interface, interface);

	if (!order)
		order = (int)guest->peer.family - (int)peer->family;
	return order ? order : memcmp(guest->peer.bytes, peer->bytes, sizeof(peer->bytes));
}

static unsigned place(const struct app_guests *guests, const char *interface, const struct addr *peer)
{
	unsigned low = 0, high = guests->n;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (compare(&guests->list[middle], interface, peer) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct app_guest *app_guests_find(const struct app_guests *guests, const char *interface,
				  const struct addr *peer)
{
	unsigned at = place(guests, interface, peer);

	return at < guests->n && !compare(&guests->list[at], interface, peer) ? &guests->list[at] : NULL;
}

static bool make_room(struct app_guests *guests)
{
	unsigned room = guests->room ? 2 * guests->room : 16;
	struct app_guest *list;

	if (guests->n >= CONFIG_UNSOLICITED_MOST)
		return false;
	if (guests->n < guests->room)
		return true;
	list = realloc(guests->list, room * sizeof(*list));
	if (!list)
		return false;
	guests->list = list;
	guests->room = room;
	return true;
}

struct app_guest *app_guests_add(struct app_guests *guests, const struct app_guest *guest)
{
	unsigned at = place(guests, guest->interface, &guest->peer);

	if (!make_room(guests))
		return NULL;
	memmove(guests->list + at + 1, guests->list + at, (guests->n - at) * sizeof(*guest));
	guests->list[at] = *guest;
	guests->n++;
	return &guests->list[at];
}

void app_guests_drop(struct app_guests *guests, struct app_guest *guest)
{
	unsigned at = (unsigned)(guest - guests->list);

	guests->n--;
	memmove(guest, guest + 1, (guests->n - at) * sizeof(*guest));
}

void app_guests_clear(struct app_guests *guests)
{
	free(guests->list);
	*guests = (struct app_guests){0};
}

void app_guest_format(const struct app_guest *guest, char *line, size_t size)
{
	char peer[ADDR_TEXT], local[ADDR_TEXT];

	snprintf(line, size, "%s %s %s", addr_format(&guest->peer, peer), addr_format(&guest->local, local),
		 guest->interface);
}

bool app_guest_parse(struct app_guest *guest, const char *line)
{
	char peer[ADDR_TEXT], local[ADDR_TEXT];

	*guest = (struct app_guest){0};
	return sscanf(line, "%45s %45s %15s", peer, local, guest->interface) == 3 &&
	       addr_parse(&guest->peer, peer) && addr_parse(&guest->local, local) &&
	       guest->peer.family == guest->local.family && endpoint_interface(guest->interface);
}
