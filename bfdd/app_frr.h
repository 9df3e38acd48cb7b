/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions that FRR asks for, by its number (lid) of them: what app_frr.c works on. */
#ifndef APP_FRR_H
#define APP_FRR_H

#include <ev.h>

#include "config/config.h"
#include "routing/frr.h"
#include "routing/frr_version.h"

struct app;
struct app_frr_version;

#define APP_FRR_SESSIONS 10000 /* at most */
#define APP_FRR_ASKED 64

struct app_frr_session {
	struct config_session config;
	int connection;	 /* that it came by last; -1: that was lost */
	usec_t orphaned; /* when it was lost */
	unsigned peer;	 /* index + 1 in app->peers; 0: none */
	bool known;	 /* FRR has been told of it before, or must be told in any case */
	bool told;	 /* STATE is what FRR knows */
	bool untold;	 /* there was no room to tell */
	struct frr_state state;
	uint64_t packets_in, packets_out, echo_in, echo_out; /* as of the last count */
};

struct app_frr_table {
	struct app_frr_session **sessions; /* by lid */
	unsigned n, room;
};

/* A question for counters that waits for the count. */
struct app_frr_asked {
	unsigned connection;
	uint16_t id;
	uint32_t lid;
};

struct app_frr {
	struct frr *frr;
	struct config_frr config; /* that it runs with */
	struct app_frr_table table;
	unsigned carried[FRR_CONNECTIONS];
	ev_timer orphan_timer, grace_timer; /* the latter: while it runs, see tell() */
	usec_t last_add, counted;
	struct app_frr_asked asked[APP_FRR_ASKED];
	unsigned nasked;
	bool counting;
	uint64_t refused; /* sessions that cannot be */
	bool was_there, refusal_told;
	struct app_frr_version *asked_version;
	char version[FRR_VERSION];
};

/* app_frr_sessions.c: the table. */
bool app_frr_same(const struct config_session *a, const struct config_session *b);
struct app_frr_session *app_frr_find(const struct app_frr_table *table, uint32_t lid);
/* NULL, or what is wrong with MESSAGE (static): then SESSION is not filled. */
const char *app_frr_convert(const struct frr_session *message, struct config_session *session);
/* A new one, or the one of the same place under another number: that is how FRR comes back after a restart.
 * NULL: no memory, or too many. */
struct app_frr_session *app_frr_add(struct app_frr_table *table, const struct config_session *session);
/* CONNECTION carries another session of the same place: FRR has both, in VRFs that it does not name. */
bool app_frr_clashes(const struct app_frr_table *table, const struct config_session *session,
		     unsigned connection);
void app_frr_drop(struct app_frr_table *table, struct app_frr_session *session);
void app_frr_clear(struct app_frr_table *table);

/* app_frr_tell.c */
/* Sends what FRR does not know yet of the session. */
void app_frr_tell(struct app *app, struct app_frr_session *session);
/* Callbacks of struct frr, as those below. CONTEXT is the app. */
void app_frr_room(void *context, unsigned connection);
void app_frr_counters(void *context, unsigned connection, uint16_t id, uint32_t lid);

/* app_frr_apply.c */
void app_frr_added(void *context, unsigned connection, const struct frr_session *message);
void app_frr_removed(void *context, unsigned connection, const struct frr_session *message);
void app_frr_lost(void *context, unsigned connection);
/* What a predecessor had. */
void app_frr_restore(struct app *app);
/* For app_dynamic.c. */
unsigned app_frr_count(const struct app *app, const struct config *file);
void app_frr_list(const struct app *app, const struct config *file, struct config_session *into);
void app_frr_applied(struct app *app);
void app_frr_init_timers(struct app *app, struct app_frr *frr);

/* app_frr_keep.c: what outlives the process. */
/* The sessions, as last applied, in the state folder. */
void app_frr_save(const struct app *app, const struct app_frr_table *table);
void app_frr_recall(const struct app *app, struct app_frr_table *table);
/* The connections, in the service manager's descriptor store, if it has one. */
void app_frr_store(void *app, unsigned connection, int fd);
/* The predecessor's, at most MOST; the first time only. */
unsigned app_frr_inherit(int *fds, unsigned most);

#endif
