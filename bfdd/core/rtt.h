/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Round-trip times of one path: what was least and most since the beginning, and the last RTT_SAMPLES of
 * them. Pure. */
#ifndef CORE_RTT_H
#define CORE_RTT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/usec.h"

#define RTT_SAMPLES 256

struct rtt {
	uint64_t count;		       /* of all that were measured */
	uint32_t least, most, last;    /* microseconds; least and most of all */
	uint32_t jitter;	       /* RFC 3550 6.4.1's estimate, in sixteenths of a microsecond */
	uint32_t samples[RTT_SAMPLES]; /* the last ones; the next goes to count % RTT_SAMPLES */
};

struct rtt_summary { /* microseconds; mean and p99 of the last RTT_SAMPLES */
	uint64_t count;
	uint32_t least, mean, p99, most, last, jitter;
};

/* Below 0 (a clock of ours was set meanwhile): is left out. */
void rtt_add(struct rtt *rtt, usec_t time);
/* False, with all 0: nothing was measured. */
bool rtt_summary(const struct rtt *rtt, struct rtt_summary *summary);

#endif
