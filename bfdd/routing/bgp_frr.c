/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/bgp_frr.h"

#include <jansson.h>
#include <string.h>

static uint32_t prefixes(json_t *neighbour)
{
	json_int_t n = 0;
	const char *name;
	json_t *family;

	json_object_foreach(json_object_get(neighbour, "addressFamilyInfo"), name, family)
	{
		json_int_t more = json_integer_value(json_object_get(family, "acceptedPrefixCounter"));

		n += more > 0 && more <= UINT32_MAX ? more : 0;
		n = n < UINT32_MAX ? n : UINT32_MAX;
	}
	return (uint32_t)n;
}

static void take(const char *key, json_t *neighbour, bgp_frr_fn *fn, void *context)
{
	const char *state = json_string_value(json_object_get(neighbour, "bgpState"));
	const char *address = json_string_value(json_object_get(neighbour, "bgpNeighborAddr"));
	const char *mode = json_string_value(
		json_object_get(json_object_get(neighbour, "gracefulRestartInfo"), "remoteGrMode"));
	const char *interface = "";
	struct bgp_view view = {0};
	struct addr addr;

	if (!state)
		return;
	if (!addr_parse(&addr, key)) { /* it is called by its interface */
		interface = key;
		if (!address || !addr_parse(&addr, address))
			return;
	}
	bgp_word(state, view.text);
	view.established = !strcmp(view.text, "established");
	view.seen_up = json_integer_value(json_object_get(neighbour, "connectionsEstablished")) > 0;
	view.neighbour_restarts = mode && !strncmp(mode, "Restart", strlen("Restart"));
	view.prefixes = prefixes(neighbour);
	fn(context, &addr, interface, &view);
}

bool bgp_frr_read(const char *text, size_t size, bgp_frr_fn *fn, void *context)
{
	json_t *all = json_loadb(text, size, 0, NULL), *neighbour;
	const char *key;
	bool ok = json_is_object(all);

	if (ok)
		json_object_foreach(all, key, neighbour) if (json_is_object(neighbour))
			take(key, neighbour, fn, context);
	json_decref(all);
	return ok;
}
