/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine must know to send to a peer without the kernel's routing: the Ethernet addresses at both
 * ends, for as long as the kernel itself would use them. Whatever is not known here is routed.
 */
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

/* Where packets of micro-BFD go, at any time (RFC 7130 2.3). */
static const uint8_t micro_address[NEIGHBOURS_LLADDR] = {0x01, 0x00, 0x5e, 0x90, 0x00, 0x01};

static bool may(const struct app *app, const struct app_peer *peer)
{
	if (peer->slot == APP_NO_SLOT || !peer->ifindex)
		return false;
	return app_echo_needs_frames(peer) ||
	       (app->config->daemon.packet_socket && peer->config->type == SESSION_SINGLE_HOP);
}

static struct app_neighbour neighbour_of(const struct app *app, const struct app_peer *peer)
{
	const struct monitor_link *link = monitor_link_by_index(app->monitor, peer->ifindex);
	struct app_neighbour neighbour = {0};
	const uint8_t *lladdr = NULL;

	if (peer->config->type == SESSION_MICRO && peer->path_up && link && link->ethernet)
		lladdr = micro_address;
	else if (may(app, peer) && peer->path_up && link && link->ethernet)
		lladdr = neighbours_find(app->neighbours, &peer->config->address, peer->ifindex);
	if (!lladdr)
		return neighbour;
	neighbour.known = true;
	neighbour.control = app->config->daemon.packet_socket || peer->config->type != SESSION_SINGLE_HOP;
	memcpy(neighbour.lladdr, lladdr, sizeof(neighbour.lladdr));
	memcpy(neighbour.own, link->address, sizeof(neighbour.own));
	return neighbour;
}

/* False: the engine could not take it now. */
static bool tell(struct app *app, struct app_peer *peer)
{
	struct app_neighbour now = neighbour_of(app, peer), *told = &peer->neighbour;

	if (peer->slot == APP_NO_SLOT ||
	    (now.known == told->known && now.control == told->control &&
	     (!now.known || (!memcmp(now.lladdr, told->lladdr, sizeof(now.lladdr)) &&
			     !memcmp(now.own, told->own, sizeof(now.own))))))
		return true;
	if (!engine_neighbour(app->engine, peer->slot, now.known ? now.lladdr : NULL, now.own, now.control))
		return false;
	*told = now;
	return true;
}

static void tell_all(struct app *app)
{
	for (unsigned i = 0; i < app->npeers; i++)
		if (!tell(app, &app->peers[i]))
			app->neighbours_dirty = true;
}

static bool watch(struct app *app)
{
	struct neighbours_key *keys = calloc(app->npeers + 1, sizeof(*keys));
	size_t n = 0;
	bool done;

	if (!keys)
		return false;
	for (unsigned i = 0; i < app->npeers; i++)
		if (may(app, &app->peers[i]))
			keys[n++] = (struct neighbours_key){.addr = app->peers[i].config->address,
							    .ifindex = app->peers[i].ifindex};
	done = neighbours_watch(app->neighbours, keys, n);
	free(keys);
	return done;
}

void app_neighbours_update(struct app *app)
{
	if (!app->neighbours)
		return;
	app->neighbours_dirty = !watch(app);
	tell_all(app);
}

void app_neighbours_retry(struct app *app)
{
	if (app->neighbours_dirty)
		app_neighbours_update(app);
}

static void on_neighbours(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app *app = watcher->data;

	if (neighbours_read(app->neighbours))
		tell_all(app);
}

/* Frames do not pass the packet filter: whether it lets our packets through now, those that are routed tell.
 */
static void on_firewall(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app *app = watcher->data;

	if (firewall_changed(app->firewall, mark_port(app->mark)))
		APP_UNTIL_TAKEN(engine_route_all(app->engine));
}

/* Without it a change takes effect with the packet that is routed in each second. */
static void watch_firewall(struct app *app)
{
	char error[128];

	app->firewall = firewall_create(error, sizeof(error));
	if (!app->firewall)
		return;
	ev_io_init(&app->firewall_watcher, on_firewall, firewall_fd(app->firewall), EV_READ);
	app->firewall_watcher.data = app;
	ev_io_start(app->loop, &app->firewall_watcher);
}

void app_neighbours_open(struct app *app)
{
	char error[128];

	if (!engine_frames(app->engine))
		return;
	app->neighbours = neighbours_create(error, sizeof(error));
	if (!app->neighbours) {
		log_warning("%s: all packets are routed one by one", error);
		return;
	}
	ev_io_init(&app->neighbours_watcher, on_neighbours, neighbours_fd(app->neighbours), EV_READ);
	app->neighbours_watcher.data = app;
	ev_set_priority(&app->neighbours_watcher, EV_MAXPRI);
	ev_io_start(app->loop, &app->neighbours_watcher);
	watch_firewall(app);
}

void app_neighbours_close(struct app *app)
{
	if (app->neighbours)
		ev_io_stop(app->loop, &app->neighbours_watcher);
	neighbours_free(app->neighbours);
	if (app->firewall)
		ev_io_stop(app->loop, &app->firewall_watcher);
	firewall_free(app->firewall);
}
