// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine's side of the commands: see front.c for the main thread's. */
#include <string.h>

#include "io/engine_private.h"

#define COMMANDS_A_TURN 64

static bool same_key(const struct session_key *a, const struct session_key *b)
{
	return a->ifindex == b->ifindex && a->vrf == b->vrf && a->type == b->type &&
	       addr_equal(&a->peer, &b->peer) && addr_equal(&a->local, &b->local);
}

/* A session that says goodbye does not keep its key from a successor, whose first packet tells the peer more
 * anyway. */
static void make_room(struct engine *engine, const struct session *successor, const struct session_key *key)
{
	struct session *holder = table_holder(&engine->back.table, successor, key);

	if (holder && holder->removing)
		sessions_finish(engine, holder);
}

static void take_chunk(struct back *back, unsigned index, struct chunk *chunk)
{
	back->chunks[index] = chunk;
	table_chunk(&back->table, index, chunk->sessions);
}

/* Its path is usable from the beginning. */
static void go_on(struct engine *engine, struct session *session)
{
	struct session_effects effects;

	if (!keep_resume(engine, session, &effects))
		return;
	sessions_apply(engine, session, &effects);
	if (session->state == BFD_UP)
		decide_path(engine, session, true);
}

/* The memory may have been an earlier session's. */
static void give_extra(struct session *session, struct session_extra *extra)
{
	if (extra) {
		memset(extra, 0, sizeof(*extra));
		extra->echo.slot = session->slot;
		extra->echo.tx_timer.kind = TIMER_ECHO_TX;
		extra->echo.detect_timer.kind = TIMER_ECHO_DETECT;
		extra->echo.waiting_since = USEC_NEVER;
	}
	session->extra = extra;
}

static void add(struct engine *engine, const struct command *command)
{
	struct back *back = &engine->back;
	struct companion *companion;
	struct session *session;
	usec_t last;

	if (command->object)
		take_chunk(back, command->slot / TABLE_CHUNK, command->object);
	if (command->slot >= back->high)
		back->high = command->slot + 1;
	session = table_memory(&back->table, command->slot);
	session_init(session, &command->config, &command->key, command->discr, command->source_port,
		     back->clock.now);
	session->slot = command->slot;
	give_extra(session, command->extra);
	session->path = command->index;
	session->detect_timer.kind = TIMER_DETECT;
	companion = companion_of(back, session);
	*companion = (struct companion){.taken = gate_taken(back->gate, command->slot, &last)};
	recorder_begin(engine, command->slot);
	make_room(engine, session, &command->key);
	if (!table_insert(&back->table, session)) {
		keep_forget(engine, session);
		companion->notice = (struct notice){.kind = ENGINE_ADD_FAILED, .slot = command->slot};
		events_notice(engine, &companion->notice);
		return;
	}
	keys_hold(session);
	gate_session(back->gate, session);
	if (command->on)
		go_on(engine, session);
	else if (session->extra)
		keep_recall(engine, session);
	keep_session(engine, session);
	atomic_store_explicit(&engine->counters.sessions, back->table.count, memory_order_relaxed);
}

static void configure(struct engine *engine, struct session *session, const struct command *command)
{
	struct auth_chain *keys = session->config.auth;
	uint32_t echo_rx = session->config.echo_rx;
	struct session_effects effects;

	if (!session->extra)
		give_extra(session, command->extra);
	/* The peer hears of it within this time, or does not hear us any more. */
	if (echo_rx && (!command->config.echo_rx || command->config.echo_rx > echo_rx))
		echo_withdraw(&session->extra->echo, echo_rx,
			      engine->back.clock.now + session_patience(session));
	session_configure(session, &command->config, engine->back.clock.now, &effects);
	keys_hold(session);
	keys_release(engine, keys);
	sessions_apply(engine, session, &effects);
	gate_session(engine->back.gate, session); /* min_ttl */
	if (session->config.minimum_up)
		decide_path(engine, session, session->state == BFD_UP);
}

static void path(struct engine *engine, struct session *session, const struct command *command)
{
	struct back *back = &engine->back;
	struct session_key key = session->key;
	struct session_effects effects;
	bool up = command->on;

	companion_of(back, session)->link.known = false;
	session->echo_able = false;
	key.local = command->key.local;
	key.ifindex = command->key.ifindex;
	key.vrf = command->key.vrf;
	if (up && !same_key(&key, &session->key)) {
		/* What the old path carried says nothing about the new one. */
		session_path(session, false, back->clock.now, &effects);
		sessions_apply(engine, session, &effects);
		make_room(engine, session, &key);
		if (!table_rekey(&back->table, session, &key)) {
			events_push(engine, &(struct engine_event){.kind = ENGINE_PATH_FAILED,
								   .slot = session->slot,
								   .at = back->clock.now});
			up = false;
		}
		gate_session(back->gate, session);
	}
	companion_of(back, session)->path_given = up;
	session_path(session, up && !carrier_is_lost(engine, key.ifindex), back->clock.now, &effects);
	sessions_apply(engine, session, &effects);
}

static void neighbour(struct engine *engine, struct session *session, const struct command *command)
{
	struct companion *companion = companion_of(&engine->back, session);

	struct session_effects effects;

	if ((session->key.type != SESSION_SINGLE_HOP && session->key.type != SESSION_MICRO &&
	     session->key.type != SESSION_ECHO) ||
	    !session->key.ifindex)
		return;
	companion->link = command->link;
	companion->next_routed = 0;
	session_echo_able(session, command->link.known, engine->back.clock.now, &effects);
	sessions_apply(engine, session, &effects);
}

static void reflected(struct session *session, bool by_kernel)
{
	if (session->extra)
		session->extra->echo.kernel_reflects = by_kernel;
}

static void ask_peer(struct engine *engine, struct session *session)
{
	struct session_effects effects;

	if (session_poll(session, engine->back.clock.now, &effects))
		sessions_apply(engine, session, &effects);
}

static void session_command(struct engine *engine, const struct command *command)
{
	struct session *session = table_slot(&engine->back.table, command->slot);

	/* The main thread may not know yet that it is gone. */
	if (!session || session->removing)
		return;
	sessions_hear(engine, session);
	if (command->kind == COMMAND_CONFIGURE)
		configure(engine, session, command);
	else if (command->kind == COMMAND_PATH)
		path(engine, session, command);
	else if (command->kind == COMMAND_NEIGHBOUR)
		neighbour(engine, session, command);
	else if (command->kind == COMMAND_REFLECTED)
		reflected(session, command->on);
	else if (command->kind == COMMAND_USABLE)
		decide_usable(engine, session, command->on);
	else if (command->kind == COMMAND_POLL)
		ask_peer(engine, session);
	else
		sessions_farewell(engine, session, USEC_NEVER);
}

static void carry_out(struct engine *engine, const struct command *command)
{
	switch ((enum command_kind)command->kind) {
	case COMMAND_ADD:
		add(engine, command);
		break;
	case COMMAND_CONFIGURE:
	case COMMAND_REMOVE:
	case COMMAND_PATH:
	case COMMAND_NEIGHBOUR:
	case COMMAND_REFLECTED:
	case COMMAND_USABLE:
	case COMMAND_POLL:
		session_command(engine, command);
		break;
	case COMMAND_ROUTE_ALL:
		engine->back.route_until = engine->back.clock.now + USEC_S;
		break;
	case COMMAND_POLICY:
		decide_adopt(engine, command->object);
		break;
	case COMMAND_RESOLVED:
	case COMMAND_READY:
	case COMMAND_LOST_MEMBER:
	case COMMAND_LOST_GROUP:
	case COMMAND_LOST_RULE:
		decide_command(engine, command);
		break;
	case COMMAND_SNAPSHOT:
		snapshot_begin(engine, command->object);
		break;
	case COMMAND_POLICY_SNAPSHOT:
		snapshot_policy(engine, command->object);
		break;
	case COMMAND_RECORDING:
		recorder_fetch(engine, command->object);
		break;
	case COMMAND_GATE:
		filter_begin(engine, command->object);
		break;
	case COMMAND_DOOR:
		doors_change(engine, command->object);
		break;
	case COMMAND_REFLECTOR:
		reflector_change(engine, command->object);
		break;
	case COMMAND_UNSOLICITED:
		unsolicited_change(engine, command->object);
		break;
	case COMMAND_KEYS:
		keys_retire(engine, command->object);
		break;
	case COMMAND_LINKS:
		carrier_change(engine, command->object);
		break;
	case COMMAND_VRFS:
		doors_vrfs(engine, command->object);
		break;
	}
}

void commands_run(struct engine *engine)
{
	struct command command;

	for (unsigned i = 0; i < COMMANDS_A_TURN; i++) {
		if (!ring_pop(&engine->commands, &command))
			return;
		carry_out(engine, &command);
	}
	engine->back.again = true;
}
