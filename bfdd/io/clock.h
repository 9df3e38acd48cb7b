/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time of one turn of the engine, and when packets came in terms of it. */
#ifndef IO_CLOCK_H
#define IO_CLOCK_H

#include "core/usec.h"

/* How long a packet can have been on its way from its time stamp to the socket: the softirq that carries it
 * may have starved just as we did. */
#define CLOCK_SLACK (100 * USEC_MS)

struct clock {
	usec_t now;	      /* when the turn began */
	usec_t floor;	      /* no packet read in this turn is older */
	usec_t offset;	      /* CLOCK_REALTIME minus CLOCK_MONOTONIC */
	usec_t offset_before; /* the same before somebody set the clock; equal to OFFSET in nearly all turns
			       */
};

/* CLOCK_MONOTONIC. */
usec_t clock_now(void);
/* Begins a turn. All packets older than NOW must be read in it: the floor of the next one relies on that. */
void clock_turn(struct clock *clock);
/* PURE: the rest of clock_turn(), with the two clocks read. */
void clock_set(struct clock *clock, usec_t monotonic, usec_t realtime);
/* PURE: the instant of CLOCK_MONOTONIC for the kernel's receive time stamp (microseconds of CLOCK_REALTIME);
 * 0: it gave none. Within [floor, now], whatever happens to the realtime clock. */
usec_t clock_received(const struct clock *clock, usec_t stamp);

#endif
