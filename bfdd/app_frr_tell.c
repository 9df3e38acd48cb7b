/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What FRR hears: states, and counters when it asks. */
#include "app_frr.h"

#include "app_private.h"

#define COUNTS_GOOD_FOR USEC_S
#define PACKET_SIZE_KNOWN 24 /* bytes of a packet without authentication */

static void state_of(const struct app *app, const struct app_frr_session *session, struct frr_state *state)
{
	const struct app_peer *peer = session->peer ? &app->peers[session->peer - 1] : NULL;

	*state = (struct frr_state){.lid = session->config.lid, .state = BFD_DOWN};
	if (!peer)
		return;
	state->remote_discr = peer->remote.discr;
	state->remote_min_tx = peer->remote.min_tx;
	state->remote_min_rx = peer->remote.min_rx;
	state->remote_min_echo_rx = peer->remote.min_echo_rx;
	state->remote_detect_mult = peer->remote.detect_mult;
	state->remote_diag = peer->remote.diag;
	if (peer->remote_independent)
		state->remote_flags |= FRR_REMOTE_CBIT;
	if (peer->remote.demand)
		state->remote_flags |= FRR_REMOTE_DEMAND;
	if (peer->state == BFD_UP)
		state->state = BFD_UP;
	/* FRR's clients let live what is administratively down, at either end (RFC 5882 3.2). */
	else if (peer->state == BFD_ADMIN_DOWN || peer->remote.admin_down)
		state->state = BFD_ADMIN_DOWN;
}

/* Not what it knows; and Init is no news to it. */
void app_frr_tell(struct app *app, struct app_frr_session *session)
{
	struct frr_message message = {.type = FRR_STATE_CHANGE};

	session->untold = false;
	if (session->connection < 0 || !session->peer)
		return;
	state_of(app, session, &message.state);
	if (session->told && frr_state_equal(&session->state, &message.state))
		return;
	/* It begins with Down by itself; of what the peer says it hears with the next state. */
	if (message.state.state == BFD_DOWN &&
	    (session->told ? session->state.state == BFD_DOWN : !session->known))
		return;
	/* bgpd lives in the belief that it is Up: that may soon be true again. */
	if (message.state.state != BFD_UP && !session->told && ev_is_active(&app->frr->grace_timer))
		return;
	if (!frr_send(app->frr->frr, (unsigned)session->connection, &message)) {
		session->untold = true;
		return;
	}
	session->told = session->known = true;
	session->state = message.state;
}

void app_frr_peer(struct app *app, const struct app_peer *peer)
{
	struct app_frr_session *session;

	if (!app->frr || !peer->config->frr_lid)
		return;
	session = app_frr_find(&app->frr->table, peer->config->frr_lid);
	if (session && session->peer == (unsigned)(peer - app->peers) + 1)
		app_frr_tell(app, session);
}

void app_frr_peers(struct app *app)
{
	const struct app_frr_table *table;
	struct app_frr_session *session;

	if (!app->frr)
		return;
	table = &app->frr->table;
	for (unsigned i = 0; i < table->n; i++)
		table->sessions[i]->peer = 0;
	for (unsigned i = 0; i < app->npeers; i++) {
		uint32_t lid = app->peers[i].config->frr_lid;

		session = lid ? app_frr_find(table, lid) : NULL;
		if (session)
			session->peer = i + 1;
	}
	for (unsigned i = 0; i < table->n; i++)
		app_frr_tell(app, table->sessions[i]);
}

void app_frr_room(void *context, unsigned connection)
{
	struct app *app = context;
	const struct app_frr_table *table = &app->frr->table;

	for (unsigned i = 0; i < table->n; i++)
		if (table->sessions[i]->untold && table->sessions[i]->connection == (int)connection)
			app_frr_tell(app, table->sessions[i]);
}

static void answer(struct app_frr *frr, const struct app_frr_asked *asked)
{
	const struct app_frr_session *session = app_frr_find(&frr->table, asked->lid);
	struct frr_message message = {
		.type = FRR_SESSION_COUNTERS, .id = asked->id, .counters.lid = asked->lid};

	if (session) {
		message.counters.in_packets = session->packets_in;
		message.counters.out_packets = session->packets_out;
		message.counters.in_bytes = session->packets_in * PACKET_SIZE_KNOWN;
		message.counters.out_bytes = session->packets_out * PACKET_SIZE_KNOWN;
		message.counters.echo_in_packets = session->echo_in;
		message.counters.echo_out_packets = session->echo_out;
		message.counters.echo_in_bytes = session->echo_in * ECHO_SIZE;
		message.counters.echo_out_bytes = session->echo_out * ECHO_SIZE;
	}
	frr_send(frr->frr, asked->connection, &message);
}

static void counted(void *context, const struct session *sessions, unsigned count)
{
	struct app *app = context;
	struct app_frr *frr = app->frr;

	if (!frr)
		return;
	for (unsigned i = 0; i < count; i++) {
		const struct app_peer *peer = app_peer_by_slot(app, sessions[i].slot);
		uint32_t lid = peer ? peer->config->frr_lid : 0;
		struct app_frr_session *session = lid ? app_frr_find(&frr->table, lid) : NULL;

		if (!session)
			continue;
		session->packets_in = sessions[i].packets_in;
		session->packets_out = sessions[i].packets_out;
		session->echo_in = sessions[i].extra ? sessions[i].extra->echo.packets_in : 0;
		session->echo_out = sessions[i].extra ? sessions[i].extra->echo.packets_out : 0;
	}
	frr->counting = false;
	frr->counted = app_now();
	for (unsigned i = 0; i < frr->nasked; i++)
		answer(frr, &frr->asked[i]);
	frr->nasked = 0;
}

/* bfdd stands still until it is answered. */
void app_frr_counters(void *context, unsigned connection, uint16_t id, uint32_t lid)
{
	struct app *app = context;
	struct app_frr *frr = app->frr;
	const struct app_frr_asked asked = {connection, id, lid};

	if (app_now() - frr->counted > COUNTS_GOOD_FOR && frr->nasked < APP_FRR_ASKED) {
		if (!frr->counting)
			frr->counting = engine_snapshot(app->engine, counted, app);
		if (frr->counting) {
			frr->asked[frr->nasked++] = asked;
			return;
		}
	}
	answer(frr, &asked);
}
