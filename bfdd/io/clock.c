// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SO_TIMESTAMPNS speaks CLOCK_REALTIME, which people and NTP set at will, while a packet lies in the socket.
 * Adjusting (adjtime, at most 0.5 ms a second) moves the offset between the clocks little from turn to turn:
 * a bigger difference is a step. In the turn that sees a step a packet may have been stamped before or after
 * it. Of the two readings the later one that does not lie in the future is right: the wrong one is off by the
 * whole step, backwards or into the future.
 */
#include "io/clock.h"

#include <stdlib.h>
#include <time.h>

#define SAMPLE_TRIES 3
#define SAMPLE_GOOD 20 /* us between the two readings of CLOCK_MONOTONIC */

static usec_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

usec_t clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

void clock_turn(struct clock *clock)
{
	usec_t before, realtime, after;

	/* Being interrupted between the readings looks like a step. */
	for (int i = 0; i < SAMPLE_TRIES; i++) {
		before = clock_read(CLOCK_MONOTONIC);
		realtime = clock_read(CLOCK_REALTIME);
		after = clock_read(CLOCK_MONOTONIC);
		if (after - before <= SAMPLE_GOOD)
			break;
	}
	clock_set(clock, after, realtime);
}

void clock_set(struct clock *clock, usec_t monotonic, usec_t realtime)
{
	usec_t offset = realtime - monotonic;
	usec_t tolerance = USEC_MS + (monotonic - clock->now) / 1000;

	clock->offset_before = llabs(offset - clock->offset) > tolerance ? clock->offset : offset;
	clock->offset = offset;
	clock->floor = clock->now - CLOCK_SLACK;
	clock->now = monotonic;
}

usec_t clock_received(const struct clock *clock, usec_t stamp)
{
	usec_t received, other;

	if (!stamp)
		return clock->now;
	received = stamp - clock->offset;
	other = stamp - clock->offset_before;
	if (received > clock->now || (other > received && other <= clock->now))
		received = other;
	if (received > clock->now)
		return clock->now;
	return received < clock->floor ? clock->floor : received;
}
