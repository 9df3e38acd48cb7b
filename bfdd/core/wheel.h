/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A timing wheel of intrusive timers. Deadlines are exact to the microsecond: a slot only bounds the search.
 * Timers beyond the horizon (WHEEL_SLOTS * 1.024 ms, about 4 s) wait in the farthest slot and move on when it
 * comes up.
 */
#ifndef CORE_WHEEL_H
#define CORE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/usec.h"

#define WHEEL_SLOTS 4096
#define WHEEL_SHIFT 10 /* 1,024 us a slot */

struct timer {
	struct timer *next, **prev; /* prev == NULL: not armed */
	usec_t deadline;
	uint16_t slot;
	uint8_t kind; /* the owner's */
};

struct wheel {
	usec_t now;	   /* everything due up to here has been handed out */
	struct timer *due; /* found due, not yet handed out */
	struct timer *slots[WHEEL_SLOTS];
	usec_t earliest[WHEEL_SLOTS]; /* of a slot in use: no timer in it is due before */
	uint64_t used[WHEEL_SLOTS / 64], summary;
};

void wheel_init(struct wheel *wheel, usec_t now);
/* Arms TIMER, also when it is armed already. A deadline in the past is due at the next wheel_expire(). */
void wheel_arm(struct wheel *wheel, struct timer *timer, usec_t deadline);
void wheel_cancel(struct wheel *wheel, struct timer *timer);
static inline bool timer_armed(const struct timer *timer)
{
	return timer->prev;
}
/* Takes out one timer whose deadline is <= NOW; NULL when there is none (left). May be armed again while
 * looping. */
struct timer *wheel_expire(struct wheel *wheel, usec_t now);
/* The earliest deadline, or a moment before it at which wheel_expire() must be called; USEC_NEVER when empty.
 */
usec_t wheel_next(const struct wheel *wheel);

#endif
