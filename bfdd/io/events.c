// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the engine's thread to the main thread. An event that finds the ring full is counted and forgotten:
 * the main thread asks for a snapshot then. What carries memory or a slot back must not be lost: it waits in
 * a list of notices, each of which lies in the very memory that it is about.
 */
#include <stdlib.h>
#include <sys/eventfd.h>

#include "io/engine_private.h"

static bool push(struct engine *engine, const struct event *event)
{
	if (!ring_push(&engine->events, event))
		return false;
	engine->back.published = true;
	return true;
}

void events_push(struct engine *engine, const struct engine_event *event)
{
	struct event item = {.public = *event};

	/* Not past a notice that waits: with it, slots and the policy's indices get another meaning. */
	if (engine->back.notices || !push(engine, &item))
		engine->back.lost++;
}

bool events_try(struct engine *engine, const struct engine_event *event)
{
	struct event item = {.public = *event};

	return !engine->back.notices && push(engine, &item);
}

static bool push_notice(struct engine *engine, struct notice *notice)
{
	struct event item = {
		.public = {.kind = notice->kind, .slot = notice->slot, .at = engine->back.clock.now},
		.notice = notice};

	return push(engine, &item);
}

void events_notice(struct engine *engine, struct notice *notice)
{
	struct back *back = &engine->back;

	if (!back->notices && push_notice(engine, notice))
		return;
	notice->next = NULL;
	*back->notices_tail = notice;
	back->notices_tail = &notice->next;
}

/* Once the main thread can see a notice it may free its memory. */
static void push_waiting(struct engine *engine)
{
	struct back *back = &engine->back;

	while (back->notices) {
		struct notice *next = back->notices->next;

		if (!push_notice(engine, back->notices))
			return;
		back->notices = next;
	}
	back->notices_tail = &back->notices;
}

void events_publish(struct engine *engine)
{
	struct back *back = &engine->back;
	struct event lost = {
		.public = {.kind = ENGINE_LOST_EVENTS, .count = back->lost, .at = back->clock.now}};

	push_waiting(engine);
	if (back->lost && push(engine, &lost))
		back->lost = 0;
	if ((back->lost || back->notices) && !timer_armed(&back->retry_timer))
		wheel_arm(&back->wheel, &back->retry_timer, back->clock.now + ENGINE_RETRY);
	if (back->published)
		eventfd_write(engine->event_fd, 1);
	back->published = false;
}

/* The main thread's side. */

int engine_event_fd(const struct engine *engine)
{
	return engine->event_fd;
}

static void hand_snapshot(struct snapshot *snapshot)
{
	snapshot->fn(snapshot->context, snapshot->sessions, snapshot->count);
	free(snapshot);
}

static void hand_policy_snapshot(struct policy_snapshot *snapshot)
{
	snapshot->fn(snapshot->context, snapshot->policy);
	policy_free(snapshot->policy);
	free(snapshot);
}

static void hand_recording(struct recording *recording)
{
	recording->fn(recording->context, recording->found ? &recording->copy : NULL);
	free(recording);
}

static void hand_retired(struct engine_event *event, struct adoption *adoption)
{
	event->policy = adoption->policy;
	event->map = adoption->map;
	event->slot_path = adoption->slot_path;
	free(adoption->active);
	free(adoption);
}

/* Once the thread has ended, what still waits for room in the ring comes in by itself. */
static bool next_event(struct engine *engine, struct event *event)
{
	if (ring_pop(&engine->events, event))
		return true;
	if (!engine->front.running)
		push_waiting(engine);
	return ring_pop(&engine->events, event);
}

void engine_poll_events(struct engine *engine, void (*fn)(void *context, const struct engine_event *event),
			void *context)
{
	struct event event;
	eventfd_t value;

	eventfd_read(engine->event_fd, &value);
	while (next_event(engine, &event)) {
		switch (event.public.kind) {
		case NOTICE_SNAPSHOT:
			hand_snapshot((struct snapshot *)event.notice);
			continue;
		case NOTICE_POLICY_SNAPSHOT:
			hand_policy_snapshot((struct policy_snapshot *)event.notice);
			continue;
		case NOTICE_RECORDING:
			hand_recording((struct recording *)event.notice);
			continue;
		case NOTICE_DOOR:
			doors_hand((struct door_change *)event.notice);
			continue;
		case NOTICE_FREE:
			free(event.notice);
			continue;
		case ENGINE_KEYS_RETIRED:
			event.public.keys = ((struct keys_retirement *)event.notice)->chain;
			free(event.notice);
			break;
		case ENGINE_POLICY_RETIRED:
			hand_retired(&event.public, (struct adoption *)event.notice);
			break;
		case ENGINE_REMOVED:
		case ENGINE_ADD_FAILED:
			front_free_slot(&engine->front, event.public.slot);
			break;
		}
		fn(context, &event.public);
	}
}
