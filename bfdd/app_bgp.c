/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the routing daemons tell of BGP: shown, compared with BFD, and heeded in the choice of paths. */
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "routing/bgp_frr.h"
#include "routing/vtysh.h"

#define VTYSH_TIMEOUT (3 * USEC_S)

struct app_bgp {
	struct bgp_daemons daemons;
	uint32_t rounds[BGP_DAEMONS];
	bool telling[BGP_DAEMONS];  /* an answer is under way: views are those of a part of it */
	struct config_vtysh config; /* what is asked by */
	struct vtysh *vtysh;	    /* NULL: FRR is not asked */
	ev_timer ask;
	bool trouble_told;
};

/* The engine's view of the path follows. */
static void apply(struct app *app, struct app_peer *peer)
{
	bool barred = app->config->require_bgp && bgp_is_down(&peer->bgp, &app->bgp->daemons, app_now());
	const struct bgp_view *view = bgp_view(&peer->bgp, NULL);

	if (app->bgp->telling[BGP_BIRD] || app->bgp->telling[BGP_FRR])
		return; /* when it ends */
	if (barred == peer->barred || peer->slot == APP_NO_SLOT)
		return;
	peer->barred = barred; /* it is the reason that is told */
	if (!engine_usable(app->engine, peer->slot, !barred)) {
		peer->barred = !barred; /* the next look tries again */
		return;
	}
	events_add(app->events, LOG_LEVEL_NOTICE, "path", app_now(),
		   json_pack("{s:s s:b s:s}", "peer", peer->config->name, "may-carry", !barred, "reason",
			     barred			 ? "its BGP session is down"
			     : view && view->established ? "its BGP session is up"
							 : "its BGP session is not known to be down"));
}

void app_bgp_hear(struct app *app, struct app_peer *peer, enum bgp_daemon daemon, const struct bgp_view *view)
{
	bool again = peer->bgp_round[daemon] == app->bgp->rounds[daemon] && peer->bgp.views[daemon].known;

	/* Of several with one neighbour, such as one that is disabled and its successor, the one that is up
	 * counts. */
	app->bgp->telling[daemon] = true;
	if (!again || !peer->bgp.views[daemon].established)
		bgp_hear(&peer->bgp, daemon, view);
	peer->bgp_round[daemon] = app->bgp->rounds[daemon];
}

void app_bgp_told(struct app *app, enum bgp_daemon daemon)
{
	bgp_answers(&app->bgp->daemons, daemon, app_now());
	app->bgp->telling[daemon] = false;
	for (unsigned i = 0; i < app->npeers; i++) {
		struct app_peer *peer = &app->peers[i];

		if (!peer->bgp.views[daemon].known)
			continue;
		if (peer->bgp_round[daemon] != app->bgp->rounds[daemon])
			bgp_forget(&peer->bgp, daemon);
		apply(app, peer);
	}
	app->bgp->rounds[daemon]++;
}

void app_bgp_lost(struct app *app, enum bgp_daemon daemon)
{
	app->bgp->telling[daemon] = false;
	app->bgp->rounds[daemon]++;
	bgp_silent(&app->bgp->daemons, daemon);
	for (unsigned i = 0; i < app->npeers; i++)
		if (app->peers[i].bgp.views[daemon].known) {
			bgp_forget(&app->peers[i].bgp, daemon);
			apply(app, &app->peers[i]);
		}
}

void app_bgp_second(struct app *app)
{
	usec_t now = app_now();

	if (app->bgp->telling[BGP_BIRD] || app->bgp->telling[BGP_FRR])
		return;
	for (unsigned i = 0; i < app->npeers; i++) {
		struct app_peer *peer = &app->peers[i];

		apply(app, peer);
		if (peer->state != BFD_ADMIN_DOWN &&
		    bgp_watch(&peer->bgp, peer->state == BFD_UP, peer->remote_independent, now))
			log_write(peer->bgp.odd == BGP_FITS ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING,
				  "peer %s: %s", peer->config->name, bgp_odd_text(peer->bgp.odd));
	}
}

/* FRR */

static void take_neighbour(void *context, const struct addr *neighbour, const char *interface,
			   const struct bgp_view *view)
{
	struct app *app = context;
	struct app_peer *peer = NULL;

	while ((peer = app_peer_by_address(app, neighbour, peer)))
		if (!*interface || !strcmp(interface, peer->config->interface))
			app_bgp_hear(app, peer, BGP_FRR, view);
}

static void on_answer(void *context, const char *text, size_t size, const char *why)
{
	struct app *app = context;

	if (text && bgp_frr_read(text, size, take_neighbour, app)) {
		app->bgp->trouble_told = false;
		app_bgp_told(app, BGP_FRR);
		return;
	}
	if (!app->bgp->trouble_told)
		log_warning("frr: %s does not tell of BGP: %s", app->config->vtysh.path,
			    why ? why : "bgpd does not run, or this is no answer of its");
	app->bgp->trouble_told = true;
	app_bgp_lost(app, BGP_FRR);
}

static void on_ask(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct app *app = watcher->data;

	vtysh_ask(app->bgp->vtysh, "show bgp neighbors json");
}

static void stop_asking(struct app *app)
{
	ev_timer_stop(app->loop, &app->bgp->ask);
	vtysh_free(app->bgp->vtysh);
	app->bgp->vtysh = NULL;
}

static bool same(const struct config_vtysh *a, const struct config_vtysh *b)
{
	return a->wanted == b->wanted && a->bgp_interval == b->bgp_interval && !strcmp(a->path, b->path) &&
	       !strcmp(a->pathspace, b->pathspace);
}

void app_bgp_load(struct app *app)
{
	const struct config_vtysh *config = &app->config->vtysh;
	bool asked = app->bgp->vtysh;

	if (same(&app->bgp->config, config))
		return;
	app->bgp->config = *config;
	stop_asking(app);
	if (config->wanted && config->bgp_interval)
		app->bgp->vtysh = vtysh_create(app->loop, config->path, config->pathspace, VTYSH_TIMEOUT,
					       on_answer, app);
	if (!app->bgp->vtysh && asked)
		app_bgp_lost(app, BGP_FRR);
	if (!app->bgp->vtysh)
		return;
	ev_timer_set(&app->bgp->ask, 0., (double)config->bgp_interval / USEC_S);
	ev_timer_start(app->loop, &app->bgp->ask);
}

int app_bgp_open(struct app *app)
{
	app->bgp = calloc(1, sizeof(*app->bgp));
	if (!app->bgp)
		return -1;
	ev_init(&app->bgp->ask, on_ask);
	app->bgp->ask.data = app;
	return 0;
}

void app_bgp_free(struct app *app)
{
	if (app->bgp)
		stop_asking(app);
	free(app->bgp);
	app->bgp = NULL;
}

bool app_bgp_view(const struct app *app, const struct app_peer *peer, struct view_bgp *view)
{
	enum bgp_daemon daemon = BGP_BIRD;
	const struct bgp_view *told = bgp_view(&peer->bgp, &daemon);

	if (!told)
		return false;
	*view = (struct view_bgp){.state = told->text,
				  .daemon = bgp_daemon_name(daemon),
				  .protocol = daemon == BGP_BIRD ? app_bird_protocol(app, peer) : NULL,
				  .warning = peer->bgp.odd_told ? bgp_odd_text(peer->bgp.odd) : NULL,
				  .prefixes = told->prefixes,
				  .graceful_restart = told->neighbour_restarts};
	return true;
}
