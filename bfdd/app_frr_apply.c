/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FRR's sessions become peers of the configuration in force (app_dynamic.c). When FRR goes they stay for a
 * while: BGP may live on, and FRR come back.
 */
#include "app_frr.h"

#include <stdlib.h>

#include "app_private.h"

#define SETTLED (15 * USEC_S) /* since the last session that came: what did not come again is gone */

unsigned app_frr_count(const struct app *app, const struct config *file)
{
	return app->frr && file->frr.wanted ? app->frr->table.n : 0;
}

void app_frr_list(const struct app *app, const struct config *file, struct config_session *into)
{
	for (unsigned i = 0; i < app_frr_count(app, file); i++)
		into[i] = app->frr->table.sessions[i]->config;
}

void app_frr_applied(struct app *app)
{
	if (app->frr)
		app_frr_save(app, &app->frr->table);
}

void app_frr_restore(struct app *app)
{
	const struct app_frr_table *table = &app->frr->table;

	app_frr_recall(app, &app->frr->table);
	if (!table->n)
		return;
	for (unsigned i = 0; i < table->n; i++)
		table->sessions[i]->orphaned = app_now();
	ev_timer_again(app->loop, &app->frr->orphan_timer);
	log_notice("FRR: %u sessions of the predecessor go on", table->n);
}

static void carry(struct app_frr *frr, struct app_frr_session *session, int connection)
{
	if (session->connection == connection)
		return;
	if (session->connection >= 0)
		frr_carries(frr->frr, (unsigned)session->connection, --frr->carried[session->connection]);
	session->connection = connection;
	if (connection >= 0)
		frr_carries(frr->frr, (unsigned)connection, ++frr->carried[connection]);
}

/* Told once: FRR repeats itself. */
static void refuse(struct app_frr *frr, const struct frr_session *message, const char *why)
{
	char text[ADDR_TEXT];

	frr->refused++;
	if (!frr->refusal_told)
		log_error("FRR: the session to %s cannot be: %s", addr_format(&message->peer, text), why);
	frr->refusal_told = true;
}

void app_frr_added(void *context, unsigned connection, const struct frr_session *message)
{
	struct app *app = context;
	struct app_frr *frr = app->frr;
	struct app_frr_session *session = app_frr_find(&frr->table, message->lid);
	struct config_session config;
	const char *wrong = app_frr_convert(message, &config);
	bool fresh = !session;

	frr->last_add = app_now();
	if (wrong) {
		refuse(frr, message, wrong);
		return;
	}
	if (fresh && app_frr_clashes(&frr->table, &config, connection)) {
		refuse(frr, message,
		       "another one has its addresses and interface: FRR does not tell a data plane their "
		       "VRFs");
		return;
	}
	if (fresh) {
		session = app_frr_add(&frr->table, &config);
		if (!session) {
			refuse(frr, message, "there are too many, or no memory");
			return;
		}
		if (!session->known)
			session->connection = -1;
		frr_look_for_more(frr->frr);
	}
	/* Now it thinks that the session is Down, but did not say so to its clients. */
	if (fresh || session->connection != (int)connection) {
		session->known |= !fresh;
		session->told = false;
		carry(frr, session, (int)connection);
	}
	if (fresh || !app_frr_same(&session->config, &config)) {
		session->config = config;
		app_dynamic_soon(app);
	} else {
		app_frr_tell(app, session);
	}
}

static void drop(struct app_frr *frr, struct app_frr_session *session)
{
	carry(frr, session, -1);
	app_frr_drop(&frr->table, session);
}

void app_frr_removed(void *context, unsigned connection, const struct frr_session *message)
{
	struct app *app = context;
	struct app_frr_session *session = app_frr_find(&app->frr->table, message->lid);

	if (!session)
		return;
	drop(app->frr, session);
	app_dynamic_soon(app);
}

void app_frr_lost(void *context, unsigned connection)
{
	struct app *app = context;
	struct app_frr *frr = app->frr;

	for (unsigned i = 0; i < frr->table.n; i++) {
		struct app_frr_session *session = frr->table.sessions[i];

		if (session->connection != (int)connection)
			continue;
		carry(frr, session, -1);
		session->orphaned = app_now();
	}
	ev_timer_again(app->loop, &frr->orphan_timer);
}

/* Those that FRR did not bring again: when it has brought others, or has not been there for long. */
static void on_orphans(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct app *app = watcher->data;
	struct app_frr *frr = app->frr;
	usec_t now = app_now(), keep = app->config->frr.keep_sessions;
	unsigned left = 0, dropped = 0;

	for (unsigned i = frr->table.n; i-- > 0;) {
		struct app_frr_session *session = frr->table.sessions[i];

		if (session->connection >= 0)
			continue;
		if (now - session->orphaned < keep &&
		    (session->orphaned > frr->last_add || now - frr->last_add < SETTLED)) {
			left++;
			continue;
		}
		drop(frr, session);
		dropped++;
	}
	if (!left)
		ev_timer_stop(loop, watcher);
	if (!dropped)
		return;
	log_notice("FRR: %u sessions that it did not ask for again are removed", dropped);
	app_dynamic_soon(app);
}

void app_frr_init_timers(struct app *app, struct app_frr *frr)
{
	ev_timer_init(&frr->orphan_timer, on_orphans, 1., 1.);
	frr->orphan_timer.data = app;
}
