// SPDX-License-Identifier: GPL-2.0-or-later
/* Copies of what the engine knows, made in its thread into memory that the main thread provided, a slice each
 * turn. */
#include "io/engine_private.h"

#define SLICE 128 /* slots looked at in a turn: about 10 us of copying */

void snapshot_begin(struct engine *engine, struct snapshot *snapshot)
{
	snapshot->next = NULL;
	*engine->back.snapshots_tail = snapshot;
	engine->back.snapshots_tail = &snapshot->next;
}

/* What a session got after the snapshot was ordered there may be no room for. */
static void copy(struct snapshot *snapshot, const struct session *session)
{
	struct session *to = &snapshot->sessions[snapshot->count++];

	*to = *session;
	to->extra = NULL;
	to->config.auth = NULL; /* may be freed before the copy is read */
	if (!session->extra || snapshot->extras_used == snapshot->nextras)
		return;
	to->extra = &snapshot->extras[snapshot->extras_used++];
	*to->extra = *session->extra;
}

void snapshot_slice(struct engine *engine)
{
	struct back *back = &engine->back;
	struct snapshot *snapshot = back->snapshots;

	if (!snapshot)
		return;
	for (unsigned i = 0; i < SLICE && snapshot->at < snapshot->slots; i++) {
		struct session *session = table_slot(&back->table, snapshot->at++);

		if (!session)
			continue;
		sessions_hear(engine, session);
		copy(snapshot, session);
	}
	if (snapshot->at == snapshot->slots) {
		back->snapshots = snapshot->next;
		if (!back->snapshots)
			back->snapshots_tail = &back->snapshots;
		events_notice(engine, &snapshot->notice);
	}
	if (back->snapshots)
		back->again = true;
}

void snapshot_policy(struct engine *engine, struct policy_snapshot *snapshot)
{
	const struct policy *from = engine->back.adoption ? engine->back.adoption->policy : NULL;

	/* Commands keep their order, so the room was made for just this policy. */
	if (from && snapshot->policy)
		policy_copy(snapshot->policy, from);
	events_notice(engine, &snapshot->notice);
}
