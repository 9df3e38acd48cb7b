/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Being the data plane of FRR: its life. */
#include "app_frr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app_private.h"
#include "ops/view.h"

#define GRACE 5. /* s for sessions to come up again, behind connections that outlived a predecessor */

static void on_grace(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct app *app = watcher->data;

	for (unsigned i = 0; i < app->frr->table.n; i++) {
		struct app_frr_session *session = app->frr->table.sessions[i];

		session->known = true;
		app_frr_tell(app, session);
	}
}

static void state(void *context, bool connected, const char *why)
{
	struct app *app = context;

	/* At the start of the host it comes later. */
	bool bad = !connected && app->frr->was_there;

	app->frr->was_there |= connected;
	events_add(app->events, bad ? LOG_LEVEL_WARNING : LOG_LEVEL_NOTICE, "frr", app_now(),
		   json_pack("{s:b s:o}", "connected", connected, "reason", view_text(why)));
}

static void stalled(void *context, bool stands)
{
	if (stands)
		log_warning(
			"FRR: its bfdd has not answered for some seconds; it hears of what happened when it "
			"does");
	else
		log_notice("FRR: its bfdd answers again");
}

/* "8.4.4" */
static void version(void *context, const char *text)
{
	struct app *app = context;
	unsigned flaws = frr_version_flaws(text);

	snprintf(app->frr->version, sizeof(app->frr->version), "%s", text);
	if (flaws & FRR_WAITS)
		log_warning("FRR %s: its bgpd waits 30 s after BFD says that a neighbor is down, unless "
			    "\"neighbor ... timers\" is set for it (FRR 10.6 does not)",
			    text);
	if (app->config->frr.dataplane.listen && flaws & FRR_MUST_LISTEN)
		log_warning("FRR %s: it does not bear being the side that connects (\"%s\"): let it listen",
			    text, app->config->frr.text);
}

static void make_options(const struct config_endpoint *endpoint, struct frr_options *options)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&options->address;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&options->address;
	struct sockaddr_un *un = (struct sockaddr_un *)&options->address;

	*options = (struct frr_options){.listen = endpoint->listen};
	options->address.ss_family = endpoint->addr.family ? endpoint->addr.family : AF_UNIX;
	if (endpoint->addr.family == AF_INET) {
		memcpy(&in->sin_addr, endpoint->addr.bytes, 4);
		in->sin_port = htons(endpoint->port);
		options->size = sizeof(*in);
	} else if (endpoint->addr.family == AF_INET6) {
		memcpy(&in6->sin6_addr, endpoint->addr.bytes, 16);
		in6->sin6_port = htons(endpoint->port);
		options->size = sizeof(*in6);
	} else {
		memcpy(un->sun_path, endpoint->path, sizeof(un->sun_path));
		options->size = sizeof(*un);
	}
}

static void open_connections(struct app *app)
{
	const struct frr_callbacks callbacks = {.add = app_frr_added,
						.remove = app_frr_removed,
						.counters = app_frr_counters,
						.lost = app_frr_lost,
						.room = app_frr_room,
						.state = state,
						.stalled = stalled,
						.opened = app_frr_store,
						.context = app};
	struct frr_options options;
	int heirs[FRR_CONNECTIONS];
	unsigned nheirs = app_frr_inherit(heirs, FRR_CONNECTIONS);
	char error[128];

	app->frr->config = app->config->frr;
	make_options(&app->frr->config.dataplane, &options);
	options.heirs = heirs;
	options.nheirs = nheirs;
	if (nheirs) {
		log_notice("FRR: %u connections of the predecessor go on", nheirs);
		ev_timer_start(app->loop, &app->frr->grace_timer);
	}
	app->frr->frr = frr_create(app->loop, &options, &callbacks, error, sizeof(error));
	if (!app->frr->frr)
		log_error("FRR: %s (%s)", error, app->config->frr.text);
}

static void close_connections(struct app *app, bool leave)
{
	struct app_frr *frr = app->frr;

	for (unsigned i = 0; frr->frr && i < FRR_CONNECTIONS; i++)
		if (frr->carried[i])
			app_frr_lost(app, i);
	frr_free(frr->frr, leave);
	frr->frr = NULL;
	frr->nasked = 0;
}

static bool create(struct app *app)
{
	struct app_frr *frr = calloc(1, sizeof(*frr));

	if (!frr) {
		log_error("FRR: out of memory");
		return false;
	}
	app_frr_init_timers(app, frr);
	ev_timer_init(&frr->grace_timer, on_grace, GRACE, 0.);
	frr->grace_timer.data = app;
	app->frr = frr;
	frr->asked_version = app_frr_version_ask(app->loop, version, app);
	return true;
}

static void destroy(struct app *app, bool leave)
{
	close_connections(app, leave);
	ev_timer_stop(app->loop, &app->frr->orphan_timer);
	ev_timer_stop(app->loop, &app->frr->grace_timer);
	app_frr_version_free(app->frr->asked_version);
	app_frr_clear(&app->frr->table);
	free(app->frr);
	app->frr = NULL;
}

void app_frr_close(struct app *app)
{
	if (app->frr)
		destroy(app, true);
}

void app_frr_start(struct app *app)
{
	if (app->config->frr.wanted && create(app))
		app_frr_restore(app);
}

static void let_go(struct app *app)
{
	int heirs[FRR_CONNECTIONS];
	unsigned n = app_frr_inherit(heirs, FRR_CONNECTIONS);

	while (n-- > 0) {
		shutdown(heirs[n], SHUT_RDWR);
		close(heirs[n]);
	}
	if (!app->frr)
		return;
	app_frr_clear(&app->frr->table);
	app_frr_save(app, &app->frr->table);
	destroy(app, false);
}

void app_frr_configure(struct app *app)
{
	if (!app->config->frr.wanted) {
		let_go(app);
		return;
	}
	if (!app->frr && !create(app))
		return;
	if (app->frr->frr && !strcmp(app->frr->config.text, app->config->frr.text))
		return;
	close_connections(app, false);
	open_connections(app);
	app_frr_peers(app);
}

json_t *app_frr_status(const struct app *app)
{
	struct app_frr *frr = app->frr;
	struct frr_stats stats = {0};
	unsigned orphans = 0;

	if (!frr)
		return json_null();
	if (frr->frr)
		frr_stats(frr->frr, &stats);
	for (unsigned i = 0; i < frr->table.n; i++)
		orphans += frr->table.sessions[i]->connection < 0;
	return json_pack("{s:s s:o s:b s:b s:I s:I s:I s:I s:I s:I s:I s:I s:I}", "dataplane",
			 app->config->frr.text, "version", view_text(frr->version), "connected",
			 stats.connected, "answers", stats.connected && !stats.stalled, "connections",
			 (json_int_t)stats.connections, "sessions", (json_int_t)frr->table.n, "stale",
			 (json_int_t)orphans, "refused", (json_int_t)frr->refused, "messages-in",
			 (json_int_t)stats.messages_in, "messages-out", (json_int_t)stats.messages_out,
			 "connects", (json_int_t)stats.connects, "losses", (json_int_t)stats.losses, "errors",
			 (json_int_t)stats.errors);
}
