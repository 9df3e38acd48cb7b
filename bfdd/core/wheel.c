/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers lie in the slot of their deadline's tick (deadline >> WHEEL_SHIFT), unordered. wheel_expire() moves
 * all that is due to a list of its own in one pass and hands that out, so that what is not due yet is looked
 * at once a round, not once a timer.
 */
#include "core/wheel.h"

#include <stddef.h>
#include <string.h>

#define SLOT_MASK (WHEEL_SLOTS - 1)
#define SLOT_DUE WHEEL_SLOTS /* in the list of the due */

static int64_t tick_of(usec_t time)
{
	return time >> WHEEL_SHIFT;
}

static void list_push(struct timer **head, struct timer *timer)
{
	timer->next = *head;
	timer->prev = head;
	if (*head)
		(*head)->prev = &timer->next;
	*head = timer;
}

static void wheel_insert(struct wheel *wheel, struct timer *timer)
{
	int64_t tick = tick_of(timer->deadline), base = tick_of(wheel->now);
	unsigned slot;

	if (tick < base)
		tick = base;
	else if (tick - base > SLOT_MASK)
		tick = base + SLOT_MASK;
	slot = (unsigned)(tick & SLOT_MASK);
	timer->slot = (uint16_t)slot;
	if (!wheel->slots[slot] || timer->deadline < wheel->earliest[slot])
		wheel->earliest[slot] = timer->deadline;
	list_push(&wheel->slots[slot], timer);
	wheel->used[slot / 64] |= 1ULL << slot % 64;
	wheel->summary |= 1ULL << slot / 64;
}

static void wheel_mark_empty(struct wheel *wheel, unsigned slot)
{
	wheel->used[slot / 64] &= ~(1ULL << slot % 64);
	if (!wheel->used[slot / 64])
		wheel->summary &= ~(1ULL << slot / 64);
}

void wheel_init(struct wheel *wheel, usec_t now)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->now = now;
}

void wheel_cancel(struct wheel *wheel, struct timer *timer)
{
	if (!timer->prev)
		return;
	*timer->prev = timer->next;
	if (timer->next)
		timer->next->prev = timer->prev;
	timer->next = NULL;
	timer->prev = NULL;
	if (timer->slot != SLOT_DUE && !wheel->slots[timer->slot])
		wheel_mark_empty(wheel, timer->slot);
}

void wheel_arm(struct wheel *wheel, struct timer *timer, usec_t deadline)
{
	wheel_cancel(wheel, timer);
	timer->deadline = deadline;
	wheel_insert(wheel, timer);
}

/* The first slot in use from FROM on, around the wheel; -1 when there is none. */
static int wheel_first_used(const struct wheel *wheel, unsigned from)
{
	unsigned word = from / 64, turn = (word + 1) % 64;
	uint64_t bits = wheel->used[word] & ~0ULL << from % 64;

	if (!bits) {
		uint64_t turned = wheel->summary >> turn | wheel->summary << (64 - turn) % 64;

		if (!turned)
			return -1;
		word = (turn + (unsigned)__builtin_ctzll(turned)) % 64;
		bits = wheel->used[word];
	}
	return (int)(word * 64 + (unsigned)__builtin_ctzll(bits));
}

/* Empties SLOT: what is due goes behind TAIL, the rest to where it belongs now. Returns the new tail. */
static struct timer **wheel_sort_out(struct wheel *wheel, unsigned slot, struct timer **tail)
{
	struct timer *timer = wheel->slots[slot], *next;

	wheel->slots[slot] = NULL;
	wheel_mark_empty(wheel, slot);
	for (; timer; timer = next) {
		next = timer->next;
		if (timer->deadline > wheel->now) {
			wheel_insert(wheel, timer);
			continue;
		}
		timer->slot = SLOT_DUE;
		timer->next = NULL;
		timer->prev = tail;
		*tail = timer;
		tail = &timer->next;
	}
	return tail;
}

static void wheel_collect(struct wheel *wheel, usec_t now)
{
	int64_t base = tick_of(wheel->now), span = tick_of(now) - base, at = 0;
	struct timer **tail = &wheel->due;

	if (span > SLOT_MASK)
		span = SLOT_MASK;
	wheel->now = now;
	while (at <= span) {
		int slot = wheel_first_used(wheel, (unsigned)((base + at) & SLOT_MASK));
		int64_t distance = (slot - base) & SLOT_MASK;

		if (slot < 0 || distance < at || distance > span)
			break;
		tail = wheel_sort_out(wheel, (unsigned)slot, tail);
		at = distance + 1;
	}
}

struct timer *wheel_expire(struct wheel *wheel, usec_t now)
{
	struct timer *timer;

	if (!wheel->due)
		wheel_collect(wheel, now > wheel->now ? now : wheel->now);
	timer = wheel->due;
	if (timer)
		wheel_cancel(wheel, timer);
	return timer;
}

usec_t wheel_next(const struct wheel *wheel)
{
	int64_t base = tick_of(wheel->now);
	int slot = wheel_first_used(wheel, (unsigned)(base & SLOT_MASK));
	usec_t next;

	if (wheel->due)
		return wheel->now;
	if (slot < 0)
		return USEC_NEVER;
	/* At the slot's end at the latest: timers from beyond the horizon move on then. */
	next = (base + ((slot - base) & SLOT_MASK) + 1) << WHEEL_SHIFT;
	if (wheel->earliest[slot] < next)
		next = wheel->earliest[slot];
	return next > wheel->now ? next : wheel->now;
}
