/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PURE: what a record holds, as one sequence in time. */
#ifndef OPS_TIMELINE_H
#define OPS_TIMELINE_H

#include "core/record.h"

enum moment_kind { MOMENT_IN, MOMENT_LATE, MOMENT_OVERFLOW, MOMENT_ERROR, MOMENT_DOWN, MOMENT_OUT };

struct moment {
	enum moment_kind kind;
	usec_t at;		     /* MOMENT_LATE: when the late turn began */
	uint32_t amount;	     /* LATE: us; OVERFLOW and ERROR: packets, of any session */
	struct record_packet packet; /* IN and OUT */
};

#define TIMELINE_MAX (RECORD_IN_MAX + RECORD_PACKETS + RECORD_DELAYS + 2 * RECORD_LOSSES + 1)

/* Oldest first; returns how many. Of DELAYS those from the first packet to the Down are in it. RECORD is
 * sealed. */
unsigned timeline_make(struct moment to[TIMELINE_MAX], const struct record *record,
		       const struct record_delays *delays);
/* "in", "late", "overflow", "error", "down", "out". */
const char *timeline_kind(enum moment_kind kind);

#endif
