// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine's side of the state file: a record is written when something in it has changed, not with each
 * packet. A process killed in the midst of that loses this one: its checksum is wrong. */
#include <string.h>

#include "io/engine_private.h"

static uint8_t *record_of(const struct back *back, const struct session *session)
{
	uint8_t *kept = back->chunks[session->slot / TABLE_CHUNK]->kept;

	return kept ? kept + (size_t)(session->slot % TABLE_CHUNK) * RESUME_RECORD : NULL;
}

void keep_session(struct engine *engine, const struct session *session)
{
	uint8_t *record = record_of(&engine->back, session), bytes[RESUME_RECORD];
	struct companion *companion = companion_of(&engine->back, session);
	struct resume now;

	if (!record)
		return;
	resume_take(&now, session);
	if (!memcmp(&now, &companion->kept, sizeof(now)))
		return;
	memcpy(&companion->kept, &now, sizeof(now));
	resume_encode(&now, bytes);
	memcpy(record, bytes, sizeof(bytes));
}

void keep_forget(struct engine *engine, const struct session *session)
{
	uint8_t *record = record_of(&engine->back, session);

	if (record)
		memset(record, 0, RESUME_RECORD);
}

void keep_recall(struct engine *engine, struct session *session)
{
	const uint8_t *record = record_of(&engine->back, session);
	struct resume resume;

	if (record && resume_decode(&resume, record, session->slot, engine->back.clock.now) &&
	    resume.local_discr == session->local_discr && !resume_key_compare(&resume.key, &session->key))
		resume_sequence(&resume, &session->extra->auth);
}

bool keep_resume(struct engine *engine, struct session *session, struct session_effects *effects)
{
	const uint8_t *record = record_of(&engine->back, session);
	usec_t now = engine->back.clock.now;
	struct resume resume;

	/* The main thread saw the same, but it lies where others may write. */
	if (!record || !resume_decode(&resume, record, session->slot, now) ||
	    resume_key_compare(&resume.key, &session->key) || resume.state < BFD_INIT ||
	    resume.local_discr != session->local_discr || resume.source_port != session->source_port)
		return false;
	session_resume(session, &resume, now, effects);
	return true;
}
