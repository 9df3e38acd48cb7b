/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells of links, addresses and our own objects, and what becomes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

#define MANY_ROUTES 1000 /* of IPv6: to take them away takes 8 ms */

static void link_changed(void *context, const struct monitor_link *link, bool gone)
{
	struct app *app = context;

	app->links_changed = true;
	app->links_lost |= (gone || !link->up || !link->carrier) && app_follow_uses(app, link->ifindex);
	if (app->ready)
		events_add(app->events, LOG_LEVEL_DEBUG, "link", app_now(),
			   json_pack("{s:o s:i s:b s:b}", "interface", view_text(link->name), "ifindex",
				     (int)link->ifindex, "up", !gone && link->up, "carrier",
				     !gone && link->carrier));
}

static void address_changed(void *context, uint32_t ifindex, const struct addr *addr, uint8_t length,
			    bool gone)
{
	struct app *app = context;

	app->links_changed = true;
	app->links_lost |= gone && !addr_is_link_local(addr);
}

static void tell_gone(struct app *app)
{
	for (unsigned i = 0; i < app->ngone && app->map; i++)
		app_policy_group_gone(app, app->gone[i]);
	app->ngone = 0;
}

/* Our own deletions come by here as well. The wait lets the link's news arrive, which follows that of its
 * nexthops. */
static void object_lost(void *context, const struct monitor_lost *lost)
{
	struct app *app = context;

	if (lost->kind == MONITOR_LOST_NEXTHOP) {
		if (app->ngone == APP_GONE)
			tell_gone(app);
		app->gone[app->ngone++] = lost->id;
	}
	if (lost->kind == MONITOR_LOST_ROUTE) {
		app->routes_taken += routes_lost(app->routes, lost->table, &lost->prefix);
		app_marks_lost(app, lost->table, &lost->prefix);
		return;
	}
	app_policy_check_in(app, 0.02);
}

static void monitor_resynced(void *context)
{
	struct app *app = context;

	app->links_changed = app->links_lost = true;
	log_notice("netlink: more changes than the socket could hold; everything was read again");
	routes_lost_any(app->routes);
	app_marks_update(app);
	app_routes_wake(app);
	app_policy_check_in(app, 0.02);
}

static void settle(struct app *app)
{
	if (app->links_changed) {
		app_peers_resolve(app);
		app_follow_links(app, app->links_lost);
	}
	app->links_changed = app->links_lost = false;
}

static void on_monitor(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app *app = watcher->data;

	monitor_read(app->monitor);
	settle(app);
	tell_gone(app); /* after the links, so that a switch is told with its cause */
	if (!app->routes_taken)
		return;
	log_warning("steering: somebody deleted %u routes of ours; they are written again",
		    app->routes_taken);
	app->routes_taken = 0;
	app_routes_wake(app);
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Into LINKS, which has room for all peers: distinct ones. Returns how many. */
static unsigned links_of_peers(const struct app *app, uint32_t *links)
{
	unsigned n = 0, distinct = 0;

	for (unsigned i = 0; i < app->npeers; i++)
		if (app->peers[i].ifindex)
			links[n++] = app->peers[i].ifindex;
	qsort(links, n, sizeof(*links), compare);
	for (unsigned i = 0; i < n; i++)
		if (!distinct || links[distinct - 1] != links[i])
			links[distinct++] = links[i];
	return distinct;
}

bool app_links_watch(struct app *app)
{
	uint32_t *links = calloc(app->npeers + 1, sizeof(*links));
	unsigned n = links && app->config->nservices && app->many_routes ? links_of_peers(app, links) : 0;
	bool done;

	if (!links)
		return false;
	if (n > APP_LINKS)
		n = 0;
	done = n == app->nwatched && !memcmp(links, app->watched, n * sizeof(*links));
	if (!done && engine_links(app->engine, links, n)) {
		memcpy(app->watched, links, n * sizeof(*links));
		app->nwatched = n;
		done = true;
	}
	free(links);
	return done;
}

/* Whether it takes the kernel long to take IPv6 routes away; those of IPv4 it leaves out of account at once.
 * Where it does not tell how many there are, it may. */
static bool many_routes(void)
{
	FILE *file = fopen("/proc/self/net/rt6_stats", "re");
	unsigned routes = MANY_ROUTES;

	if (!file)
		return true;
	if (fscanf(file, "%*x %*x %*x %x", &routes) != 1)
		routes = MANY_ROUTES;
	fclose(file);
	return routes >= MANY_ROUTES;
}

void app_links_second(struct app *app)
{
	app->many_routes = app->config->nservices && many_routes();
	app_links_watch(app); /* what fails is tried again in a second */
}

int app_links_open(struct app *app, char *error, size_t size)
{
	const struct monitor_callbacks callbacks = {.link = link_changed,
						    .address = address_changed,
						    .lost = object_lost,
						    .resync = monitor_resynced,
						    .context = app};

	app->monitor = monitor_create(app->range.protocol, &callbacks, error, size);
	return app->monitor ? 0 : -1;
}

void app_links_begin(struct app *app)
{
	ev_io_init(&app->monitor_watcher, on_monitor, monitor_fd(app->monitor), EV_READ);
	app->monitor_watcher.data = app;
	ev_set_priority(&app->monitor_watcher, EV_MAXPRI);
	ev_io_start(app->loop, &app->monitor_watcher);
}

void app_links_stop(struct app *app)
{
	ev_io_stop(app->loop, &app->monitor_watcher);
}
