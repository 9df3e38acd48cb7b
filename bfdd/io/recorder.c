// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's side of the flight recorder: called where packets and states pass. All of it does nothing
 * while the recorder is off, when chunks have no records. Nothing is copied when a session goes Down: its
 * record is sealed, and the main thread, once it has heard of it, sends memory for a copy.
 */
#include <string.h>

#include "io/engine_private.h"

_Static_assert(GATE_TIMES == RECORD_TIMES && GATE_PACKET == PACKET_SIZE, "the gate's times fit");

static struct record *record_of(const struct back *back, unsigned slot)
{
	struct record *records = back->chunks[slot / TABLE_CHUNK]->records;

	return records ? &records[slot % TABLE_CHUNK] : NULL;
}

void recorder_begin(struct engine *engine, unsigned slot)
{
	struct record *record = record_of(&engine->back, slot);

	if (record)
		record_reset(record, engine->back.clock.now);
}

void recorder_packet(struct engine *engine, const struct session *session, const uint8_t *data, size_t size,
		     const struct table_origin *origin, usec_t stamp, enum drop drop)
{
	const struct clock *clock = &engine->back.clock;
	struct record *record = record_of(&engine->back, session->slot);
	usec_t received;

	if (!record)
		return;
	received = clock_received(clock, stamp);
	if (drop == DROP_WRONG_PEER)
		record_stranger(record, received, session->last_rx, &origin->peer, &origin->local);
	else
		record_in(record, data, size, received, clock->now, origin->ttl, origin->port, drop);
}

void recorder_steady(struct engine *engine, const struct session *session, const uint8_t *data)
{
	struct record *record = record_of(&engine->back, session->slot);

	if (record && !record->sealed)
		memcpy(record->steady, data, PACKET_SIZE);
}

void recorder_fetch_ahead(const struct engine *engine, const struct session *session)
{
	const struct record *record = record_of(&engine->back, session->slot);

	__builtin_prefetch(record, 1);
	__builtin_prefetch(companion_of(&engine->back, session), 1);
}

void recorder_sent(struct engine *engine, const struct session *session, const uint8_t *data, usec_t due)
{
	struct record *record = record_of(&engine->back, session->slot);

	if (record)
		record_out(record, data, clock_now(), due);
}

void recorder_applied(struct engine *engine, const struct session *session,
		      const struct session_effects *effects)
{
	struct record *record = record_of(&engine->back, session->slot);
	usec_t times[GATE_TIMES];
	bool sealed;

	if (!record)
		return;
	sealed = record->sealed;
	if (effects->what & EFFECT_STATE && effects->from == BFD_UP) {
		record_seal(record, session, engine->back.clock.now, times,
			    gate_times(engine->back.gate, session->slot, times));
		if (!sealed)
			record->fall.too_big = companion_of(&engine->back, session)->refused == RAW_TOO_BIG;
	} else if (session->state == BFD_UP && effects->what & (EFFECT_STATE | EFFECT_NEGOTIATED)) {
		record_agreed(record, session);
	}
}

void recorder_late(struct engine *engine, usec_t late)
{
	if (engine->config.recorder && late >= RECORD_LATE)
		record_late(&engine->back.recorder.delays, engine->back.clock.now, late);
}

void recorder_losses(struct engine *engine)
{
	struct back *back = &engine->back;
	struct recorder *recorder = &back->recorder;
	uint64_t errors = transmit_errors(engine);

	if (engine->config.recorder && errors != recorder->errors)
		record_error(&recorder->delays, back->clock.now, errors - recorder->errors);
	recorder->errors = errors;
}

void recorder_overflows(struct engine *engine)
{
	struct back *back = &engine->back;
	struct recorder *recorder = &back->recorder;
	uint64_t overflows = atomic_load_explicit(&engine->counters.receive_overflows, memory_order_relaxed),
		 shed[DROP_COUNT] = {0};

	/* What the gate sheds in a flood may have been anybody's. */
	gate_shed(back->gate, shed);
	for (unsigned i = 0; i < DROP_COUNT; i++)
		overflows += shed[i];
	if (engine->config.recorder && overflows != recorder->overflows)
		record_overflow(&recorder->delays, recorder->looked, back->clock.now,
				overflows - recorder->overflows);
	recorder->overflows = overflows;
	recorder->looked = back->clock.now;
}

void recorder_fetch(struct engine *engine, struct recording *recording)
{
	struct back *back = &engine->back;
	const struct session *session = table_slot(&back->table, recording->slot);
	struct record *record = session ? record_of(back, recording->slot) : NULL;

	if (record && record->sealed) {
		engine_count_overflows(engine); /* those before the Down may not have been noted yet */
		recording->found = true;
		recording->copy.session = *session;
		recording->copy.session.config.auth = NULL;
		recording->copy.session.extra = NULL; /* it goes on changing */
		recording->copy.record = *record;
		recording->copy.delays = back->recorder.delays;
		record_reset(record, back->clock.now);
		/* Up again already: what was not written while the record was sealed. */
		if (session->state == BFD_UP) {
			record_agreed(record, session);
			gate_disarm(back->gate, recording->slot);
		}
	}
	events_notice(engine, &recording->notice);
}
