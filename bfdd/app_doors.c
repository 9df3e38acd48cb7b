/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers in VRFs. A socket that is bound to a VRF's device hears only what comes in there, and leaves the rest
 * to those that are bound to none. It is open while a peer needs it and the device is there; the device's
 * name may change meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "io/udp.h"

struct app_doors {
	unsigned ndoors;
	struct udp_door doors[UDP_DOORS];
	unsigned nmembers; /* as last told to the engine */
	struct udp_member *members;
	usec_t refused; /* when it was; 0: not since a door was opened */
};

#define RETRY USEC_S

static struct app_doors *doors_of(struct app *app)
{
	if (!app->doors)
		app->doors = calloc(1, sizeof(*app->doors));
	return app->doors;
}

static bool same(const struct udp_door *a, const struct udp_door *b)
{
	return a->type == b->type && a->port == b->port && a->family == b->family && a->vrf == b->vrf &&
	       a->ifindex == b->ifindex && a->seen_as == b->seen_as;
}

/* False: none but those that are always open, or another file's (app_echo.c). */
static bool door_of(const struct app *app, const struct app_peer *peer, uint32_t ifindex, uint32_t vrf,
		    struct udp_door *door)
{
	enum session_type type = peer->config->type;
	const struct monitor_link *link;

	*door = (struct udp_door){.port = type == SESSION_SBFD ? app_sbfd_port(app) : session_port(type),
				  .family = peer->config->address.family,
				  .type = type,
				  .vrf = vrf};
	if (type != SESSION_MICRO || !ifindex)
		return vrf && type != SESSION_ECHO;
	/* The bond takes what a member receives. */
	link = monitor_link_by_index(app->monitor, ifindex);
	door->ifindex = ifindex;
	door->seen_as = link ? link->master : 0;
	return true;
}

static bool have(struct app *app, struct udp_door *door)
{
	struct app_doors *doors = doors_of(app);
	usec_t now = app_now();
	char error[256];

	for (unsigned i = 0; doors && i < doors->ndoors; i++)
		if (same(&doors->doors[i], door))
			return true;
	if (!doors || doors->ndoors == UDP_DOORS || (doors->refused && now - doors->refused < RETRY))
		return false;
	if (!app_sbfd_open_door(app, door, error, sizeof(error))) {
		if (!doors->refused)
			log_error("%s", error);
		doors->refused = now;
		return false;
	}
	doors->refused = 0;
	doors->doors[doors->ndoors++] = *door;
	return true;
}

bool app_doors_need(struct app *app, const struct app_peer *peer, uint32_t ifindex, uint32_t vrf)
{
	struct udp_door door;

	return !door_of(app, peer, ifindex, vrf, &door) || have(app, &door);
}

void app_doors_listen(struct app *app, uint8_t family, uint32_t vrf)
{
	struct udp_door door = {
		.port = BFD_PORT_SINGLE_HOP, .family = family, .type = SESSION_SINGLE_HOP, .vrf = vrf};

	have(app, &door);
}

/* A peer that only waits for its carrier or address keeps the door: it is nobody else's meanwhile. */
static bool needed(const struct app *app, const struct udp_door *door)
{
	struct udp_door own;

	if (!monitor_link_by_index(app->monitor, door->ifindex ? door->ifindex : door->vrf))
		return false;
	if (door->type == SESSION_SINGLE_HOP && app_unsolicited_hears(app, door->vrf))
		return true;
	for (unsigned i = 0; i < app->npeers; i++)
		if (app->peers[i].slot != APP_NO_SLOT &&
		    door_of(app, &app->peers[i], app->peers[i].ifindex, app->peers[i].vrf, &own) &&
		    same(&own, door))
			return true;
	return false;
}

static bool close_doors(struct app *app)
{
	struct app_doors *doors = app->doors;

	for (unsigned i = doors->ndoors; i-- > 0;) {
		if (needed(app, &doors->doors[i]))
			continue;
		if (!engine_close_door(app->engine, &doors->doors[i]))
			return false;
		doors->doors[i] = doors->doors[--doors->ndoors];
	}
	return true;
}

struct holders {
	const struct monitor *monitor;
	const struct addr *addr;
	uint32_t vrf;
	unsigned n;
};

static void count_holder(void *context, const struct monitor_link *link)
{
	struct holders *holders = context;

	if (link->kind != MONITOR_VRF || !monitor_holder(holders->monitor, link->ifindex, holders->addr))
		return;
	holders->vrf = link->ifindex;
	holders->n++;
}

bool app_doors_vrf_of(const struct app *app, const struct addr *local, uint32_t *vrf)
{
	struct holders holders = {.monitor = app->monitor, .addr = local};

	*vrf = 0;
	if (local->family == AF_UNSPEC || monitor_holder(app->monitor, 0, local))
		return true;
	monitor_each_link(app->monitor, count_holder, &holders);
	if (holders.n == 1)
		*vrf = holders.vrf;
	return holders.n <= 1;
}

struct gathering {
	const struct monitor *monitor;
	struct udp_member *members;
	unsigned n;
};

static void gather(void *context, const struct monitor_link *link)
{
	struct gathering *gathering = context;
	uint32_t vrf = monitor_vrf(gathering->monitor, link->ifindex);
	struct udp_member *members;

	if (!vrf)
		return;
	members = reallocarray(gathering->members, gathering->n + 1, sizeof(*members));
	if (!members)
		return;
	members[gathering->n++] = (struct udp_member){link->ifindex, vrf};
	gathering->members = members;
}

static bool tell_members(struct app *app)
{
	struct gathering now = {.monitor = app->monitor};
	struct app_doors *doors = app->doors;
	unsigned before = doors ? doors->nmembers : 0;

	monitor_each_link(app->monitor, gather, &now);
	if (now.n == before &&
	    (!now.n || !memcmp(now.members, doors->members, now.n * sizeof(*now.members)))) {
		free(now.members);
		return true;
	}
	doors = doors_of(app);
	if (!doors || !engine_vrfs(app->engine, now.members, now.n)) {
		free(now.members);
		return false;
	}
	free(doors->members);
	doors->members = now.members;
	doors->nmembers = now.n;
	return true;
}

bool app_doors_sweep(struct app *app)
{
	return tell_members(app) && (!app->doors || close_doors(app));
}

/* The doors are the engine's to close. */
void app_doors_close(struct app *app)
{
	if (app->doors)
		free(app->doors->members);
	free(app->doors);
	app->doors = NULL;
}
