// SPDX-License-Identifier: GPL-2.0-or-later
/* The site policy inside the engine: it is told what became of paths, and its actions go to the steering
 * thread at once. */
#include "io/engine_private.h"

#define PRESUME_DOUBT (2 * USEC_S) /* most living peers were heard by then */

static void order(void *context, const struct policy_action *action)
{
	struct engine *engine = context;

	engine->config.steering.order(engine->config.steering.context, action, engine->back.clock.now);
	engine->back.ordered = true;
}

static struct policy_sink sink(struct engine *engine)
{
	return (struct policy_sink){order, engine};
}

static void tell_switches(struct engine *engine, const struct session *session)
{
	struct adoption *adoption = engine->back.adoption;

	for (unsigned way = 0; way < adoption->policy->nways; way++) {
		int now = policy_active(&adoption->policy->ways[way]);

		if (now == adoption->active[way])
			continue;
		events_push(engine, &(struct engine_event){
					    .kind = ENGINE_SWITCH,
					    .way = way,
					    .choice_from = adoption->active[way],
					    .choice_to = now,
					    .slot = session ? session->slot : ENGINE_NO_SLOT,
					    .to = session ? session->state : 0,
					    .diag = session ? session->local_diag : 0,
					    .at = engine->back.clock.now,
				    });
		adoption->active[way] = now;
	}
}

static void flush(struct engine *engine)
{
	if (engine->back.ordered)
		engine->config.steering.flush(engine->config.steering.context);
	engine->back.ordered = false;
}

/* After each call of the policy. SESSION caused it, or NULL. */
static void conclude(struct engine *engine, const struct session *session)
{
	struct back *back = &engine->back;
	usec_t next = policy_next(back->adoption->policy);

	flush(engine);
	tell_switches(engine, session);
	if (next == USEC_NEVER)
		wheel_cancel(&back->wheel, &back->policy_timer);
	else
		wheel_arm(&back->wheel, &back->policy_timer, next);
}

static bool carries(struct back *back, const struct session *session)
{
	return session->state == BFD_UP && !companion_of(back, session)->barred;
}

/* RFC 7130: a bond's path takes a number of its members' sessions. They change seldom: looked for then. */
static bool bond_usable(struct back *back, const struct session *member)
{
	unsigned up = 0;

	for (unsigned slot = 0; slot < back->high && up < member->config.minimum_up; slot++) {
		const struct session *session = table_slot(&back->table, slot);

		up += session && session->path == member->path && !session->removing &&
		      carries(back, session);
	}
	return up >= member->config.minimum_up;
}

/* Whether the path that SESSION is, or is one of, may be used. */
static bool usable_now(struct back *back, const struct session *session)
{
	return session->config.minimum_up ? bond_usable(back, session) : carries(back, session);
}

void decide_usable(struct engine *engine, const struct session *session, bool usable)
{
	companion_of(&engine->back, session)->barred = !usable;
	if (session->state == BFD_UP)
		decide_path(engine, session, true);
}

void decide_path(struct engine *engine, const struct session *session, bool usable)
{
	struct back *back = &engine->back;
	struct policy_sink to = sink(engine);

	/* A clean stop takes no path away: that is for the kernel's state to hold, or for the main thread to
	 * clear. */
	if (!back->adoption || back->stopping || session->path >= back->adoption->policy->npaths)
		return;
	usable = session->config.minimum_up ? bond_usable(back, session)
					    : usable && !companion_of(back, session)->barred;
	policy_path(back->adoption->policy, session->path, usable, back->clock.now, &to);
	conclude(engine, session);
}

void decide_command(struct engine *engine, const struct command *command)
{
	struct back *back = &engine->back;
	struct policy_sink to = sink(engine);
	struct policy *policy;

	if (!back->adoption || back->stopping)
		return;
	policy = back->adoption->policy;
	switch (command->kind) {
	case COMMAND_RESOLVED:
		policy_resolved(policy, command->index, command->member, command->on, back->clock.now, &to);
		break;
	case COMMAND_READY:
		policy_ready(policy, command->index, command->on, back->clock.now, &to);
		break;
	case COMMAND_LOST_MEMBER:
		policy_lost_member(policy, command->index, command->member, back->clock.now, &to);
		break;
	case COMMAND_LOST_GROUP:
		policy_lost_group(policy, command->index, back->clock.now, &to);
		break;
	case COMMAND_LOST_RULE:
		policy_lost_rule(policy, command->index, back->clock.now, &to);
		break;
	}
	conclude(engine, NULL);
}

/* Sessions learn which path they are, and the policy which of them are usable, before it takes over the state
 * of the earlier one: a path that only moved to another group never looks dead. */
static void assign_paths(struct engine *engine, struct adoption *adoption)
{
	struct back *back = &engine->back;

	for (unsigned slot = 0; slot < back->high; slot++) {
		struct session *session = table_slot(&back->table, slot);

		if (!session)
			continue;
		session->path = slot < adoption->nslots ? adoption->slot_path[slot] : SESSION_NO_PATH;
		if (session->path < adoption->policy->npaths)
			adoption->policy->paths[session->path].usable = usable_now(back, session);
	}
}

/* What was usable in the earlier policy is taken over as such: here the policy learns of those that are not.
 * Paths presumed from a predecessor are left alone until their session comes up or their time ends; but one
 * whose session was taken over as well, and has gone down since, is dead. */
static void report_paths(struct engine *engine)
{
	struct back *back = &engine->back;
	struct policy *policy = back->adoption->policy;
	struct policy_sink to = sink(engine);

	for (unsigned slot = 0; slot < back->high; slot++) {
		struct session *session = table_slot(&back->table, slot);

		if (session && session->path < policy->npaths &&
		    (policy->paths[session->path].usable != usable_now(back, session) ||
		     (session->resumed && session->state != BFD_UP)))
			policy_path(policy, session->path, usable_now(back, session), back->clock.now, &to);
	}
}

void decide_adopt(struct engine *engine, struct adoption *adoption)
{
	struct back *back = &engine->back;
	struct adoption *old = back->adoption;
	struct policy_sink to = sink(engine);

	engine->config.steering.map(engine->config.steering.context, adoption->map);
	assign_paths(engine, adoption);
	policy_adopt(adoption->policy, old ? old->policy : NULL, back->clock.now, &to);
	back->adoption = adoption;
	back->ordered = true; /* the map itself */
	report_paths(engine);
	for (unsigned way = 0; way < adoption->policy->nways; way++)
		adoption->active[way] = policy_active(&adoption->policy->ways[way]);
	conclude(engine, NULL);
	if (old) {
		events_notice(engine, &old->notice);
		return;
	}
	wheel_arm(&back->wheel, &back->doubt_timer, back->clock.now + PRESUME_DOUBT);
	wheel_arm(&back->wheel, &back->presume_timer, back->clock.now + engine->config.presume_for);
}

void decide_tick(struct engine *engine)
{
	struct policy_sink to = sink(engine);

	if (engine->back.stopping)
		return;
	policy_tick(engine->back.adoption->policy, engine->back.clock.now, &to);
	conclude(engine, NULL);
}

void decide_presume_doubt(struct engine *engine)
{
	struct policy_sink to = sink(engine);

	if (engine->back.stopping)
		return;
	policy_presume_doubt(engine->back.adoption->policy, engine->back.clock.now, &to);
	conclude(engine, NULL);
}

void decide_presume_end(struct engine *engine)
{
	struct policy_sink to = sink(engine);

	if (engine->back.stopping)
		return;
	policy_presume_end(engine->back.adoption->policy, engine->back.clock.now, &to);
	conclude(engine, NULL);
}
