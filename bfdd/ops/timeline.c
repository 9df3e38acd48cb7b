// SPDX-License-Identifier: GPL-2.0-or-later
#include "ops/timeline.h"

#include <stdlib.h>

/* What is of one instant stands in the order of cause and effect: that of the kinds. */
static int compare(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

static unsigned put_packets(struct moment *to, enum moment_kind kind, const struct record_packet *packets,
			    unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		to[i] = (struct moment){.kind = kind, .at = packets[i].at, .packet = packets[i]};
	return n;
}

static unsigned put_notes(struct moment *to, enum moment_kind kind, const struct record_note *ring,
			  unsigned count, unsigned size, usec_t from, usec_t until)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count && i < size; i++)
		if (ring[i].at >= from && ring[i].at - ring[i].within <= until)
			to[n++] = (struct moment){.kind = kind,
						  .at = ring[i].at < until ? ring[i].at : until,
						  .amount = ring[i].amount};
	return n;
}

unsigned timeline_make(struct moment to[TIMELINE_MAX], const struct record *record,
		       const struct record_delays *delays)
{
	struct record_packet in[RECORD_IN_MAX], out[RECORD_PACKETS];
	unsigned nin = record_merge(in, record, record->times, record->ntimes, record->steady);
	unsigned nout = record_sent(out, record), n;
	usec_t until = record->fall.at, from = until;

	if (nin && in[0].at < from)
		from = in[0].at;
	if (nout && out[0].at < from)
		from = out[0].at;
	n = put_packets(to, MOMENT_IN, in, nin);
	n += put_packets(to + n, MOMENT_OUT, out, nout);
	n += put_notes(to + n, MOMENT_LATE, delays->late, delays->nlate, RECORD_DELAYS, from, until);
	n += put_notes(to + n, MOMENT_OVERFLOW, delays->overflows, delays->noverflows, RECORD_LOSSES, from,
		       until);
	n += put_notes(to + n, MOMENT_ERROR, delays->errors, delays->nerrors, RECORD_LOSSES, from, until);
	to[n++] = (struct moment){.kind = MOMENT_DOWN, .at = until};
	qsort(to, n, sizeof(*to), compare);
	return n;
}

const char *timeline_kind(enum moment_kind kind)
{
	static const char *const names[] = {
		[MOMENT_IN] = "in",	  [MOMENT_LATE] = "late", [MOMENT_OVERFLOW] = "overflow",
		[MOMENT_ERROR] = "error", [MOMENT_DOWN] = "down", [MOMENT_OUT] = "out",
	};

	return names[kind];
}
