/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose Down was it? Decided by what was at the near end's interface, and when.
 *
 *   far declared (an incoming packet leaves Up, diagnostic 1)
 *       the program had not sent for a detection time:            own send gap
 *       it had:                                                   lost on the way
 *   the program declared (an outgoing packet leaves Up, diagnostic 1)
 *       nothing had come for a detection time:                    far silent
 *       it had:                                                   own false detection
 *   the program leaves Up with another diagnostic                 own, other (told by the far end: 3, no
 * cause)
 *
 * A gap without which there would have been no Down, had a processor not stood still in it, is the machine's:
 * the time that one processor stood still is taken off the gap. Any one, since nobody can know from outside
 * on which of them the program, or the kernel's work for it, was.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/bench/stress.h"

#define SETTLE (2 * 1000 * MS) /* after coming Up: intervals are negotiated */
#define TOLERANCE (MS / 2)     /* between the near end's clock of a gap and the timer that judged it */
#define DOWNS_TOLD 200

enum cause { OWN_GAP, OWN_FALSE, OWN_OTHER, MACHINE, FAR_SILENT, LOST, CAUSES };
static const char *const cause_names[] = {
	[OWN_GAP] = "own-send-gap",	   [OWN_FALSE] = "own-false-detection", [OWN_OTHER] = "own-other",
	[MACHINE] = "machine-stood-still", [FAR_SILENT] = "far-silent",		[LOST] = "lost-on-the-way",
};

/* What one side sent. */
struct side {
	int64_t last, gap_from, gap_to; /* the last packet, and the newest gap of a detection time */
	bool up;
	bool settled; /* both were, when LAST came: a gap that begins there counts */
};

struct track {
	struct side side[2]; /* [incoming] */
	int64_t good_since;  /* both Up since; 0: not */
	bool fallen;	     /* out of Up, and noted */
	struct record fall;  /* declared by the far end (AT not 0); waits for the end of the gap */
};

struct gap {
	int64_t from, to;
	unsigned session;
};

struct state {
	const struct judgement *in;
	struct track tracks[SESSIONS_MAX];
	struct gap largest[2];
	unsigned causes[CAUSES], declared[2], told;
	FILE *out;
};

/* The longest time that one processor stood still between FROM and TO. */
static int64_t stood_still(const struct still *still, int64_t from, int64_t to)
{
	int64_t most = 0, sum;

	for (int cpu = 0; cpu < still->ncpus; cpu++) {
		sum = 0;
		for (size_t i = 0; i < still->count; i++) {
			const struct standstill *s = &still->list[i];
			int64_t a = s->from > from ? s->from : from, b = s->to < to ? s->to : to;

			if (s->cpu == cpu && b > a)
				sum += b - a;
		}
		if (sum > most)
			most = sum;
	}
	return most;
}

/* A gap of SIDE that explains a Down at AT: still open then (and until END), or ended shortly before. */
static bool silent(const struct side *side, int64_t at, int64_t end, struct gap *gap)
{
	*gap = (struct gap){.from = side->last, .to = end};
	if (at - side->last >= DETECTION - TOLERANCE)
		return true;
	if (side->gap_to < at - DETECTION)
		return false;
	gap->from = side->gap_from;
	gap->to = side->gap_to;
	return true;
}

static enum cause explain(struct state *state, const struct record *record, int64_t end, struct gap *gap)
{
	const struct track *track = &state->tracks[record->session];
	enum cause cause;

	gap->from = gap->to = record->at;
	if (record->incoming)
		cause = silent(&track->side[0], record->at, end, gap) ? OWN_GAP : LOST;
	else if (record->diag != DIAG_EXPIRED)
		return OWN_OTHER;
	else
		cause = silent(&track->side[1], record->at, end, gap) ? FAR_SILENT : OWN_FALSE;
	if (cause == OWN_GAP &&
	    gap->to - gap->from - stood_still(state->in->still, gap->from, gap->to) < DETECTION - TOLERANCE)
		return MACHINE;
	return cause;
}

static double seconds(const struct state *state, int64_t at)
{
	return (double)(at - state->in->from) / 1e9;
}

static double ms(int64_t ns)
{
	return (double)ns / MS;
}

static void tell(struct state *state, const struct record *record, int64_t end)
{
	struct gap gap;
	enum cause cause = explain(state, record, end, &gap);

	state->causes[cause]++;
	state->declared[record->incoming]++;
	if (state->told++ >= DOWNS_TOLD)
		return;
	fprintf(state->out,
		"%s\n  {\"second\": %.6f, \"session\": %u, \"declared-by\": \"%s\", \"diagnostic\": %u, "
		"\"cause\": \"%s\", \"gap-ms\": %.3f, \"standstill-within-ms\": %.3f}",
		state->told > 1 ? "," : "", seconds(state, record->at), record->session,
		record->incoming ? "far" : "program", record->diag, cause_names[cause], ms(gap.to - gap.from),
		ms(stood_still(state->in->still, gap.from, gap.to)));
}

/* What the far end declared is told when the program sends again: the whole gap is to be explained. */
static void tell_fall(struct state *state, struct track *track, int64_t end)
{
	if (track->fall.at)
		tell(state, &track->fall, end);
	track->fall.at = 0;
}

static void note_gap(struct state *state, const struct record *record)
{
	struct track *track = &state->tracks[record->session];
	struct side *side = &track->side[record->incoming];
	struct gap *largest = &state->largest[record->incoming];

	if (!side->last)
		return;
	if (record->at - side->last >= DETECTION - TOLERANCE) {
		side->gap_from = side->last;
		side->gap_to = record->at;
	}
	if (side->settled && record->at - side->last > largest->to - largest->from)
		*largest = (struct gap){.from = side->last, .to = record->at, .session = record->session};
}

static void follow(struct state *state, const struct record *record)
{
	struct track *track = &state->tracks[record->session];
	struct side *side = &track->side[record->incoming];
	bool up = record->state == STATE_UP, both;

	if (!record->incoming)
		tell_fall(state, track, record->at);
	note_gap(state, record);
	if (side->up && !up && !track->fallen) {
		track->fallen = true;
		if (record->incoming)
			track->fall = *record;
		else
			tell(state, record, record->at);
	}
	side->up = up;
	side->last = record->at;
	both = track->side[0].up && track->side[1].up;
	if (!both)
		track->good_since = 0;
	else if (!track->good_since)
		track->good_since = record->at;
	if (both)
		track->fallen = false;
	side->settled = track->good_since && record->at - track->good_since > SETTLE;
}

/* The queues of two processors may mix by a little. */
static int by_time(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* What had not ended yet. */
static void close_gaps(struct state *state)
{
	for (unsigned i = 0; i < state->in->nsessions; i++) {
		struct track *track = &state->tracks[i];

		tell_fall(state, track, state->in->to);
		for (int incoming = 0; incoming < 2; incoming++) {
			struct record end = {
				.at = state->in->to, .session = (uint16_t)i, .incoming = incoming == 1};

			if (track->good_since)
				note_gap(state, &end);
		}
	}
}

static void print_gap(struct state *state, const char *name, const struct gap *gap)
{
	fprintf(state->out,
		"  \"%s\": {\"ms\": %.3f, \"second\": %.6f, \"session\": %u, \"standstill-within-ms\": "
		"%.3f},\n",
		name, ms(gap->to - gap->from), gap->to ? seconds(state, gap->to) : 0, gap->session,
		ms(stood_still(state->in->still, gap->from, gap->to)));
}

static void print_rest(struct state *state, const uint64_t packets[2])
{
	const struct judgement *in = state->in;
	int64_t longest = 0;

	fprintf(state->out, "\n  ],\n  \"downs\": {\"declared-by-program\": %u, \"declared-by-far\": %u",
		state->declared[0], state->declared[1]);
	for (int i = 0; i < CAUSES; i++)
		fprintf(state->out, ", \"%s\": %u", cause_names[i], state->causes[i]);
	fprintf(state->out, "},\n");
	print_gap(state, "send-gap", &state->largest[0]);
	print_gap(state, "receive-gap", &state->largest[1]);
	for (size_t i = 0; i < in->still->count; i++)
		if (in->still->list[i].to - in->still->list[i].from > longest)
			longest = in->still->list[i].to - in->still->list[i].from;
	fprintf(state->out,
		"  \"standstills\": {\"count\": %zu, \"largest-ms\": %.3f},\n  \"fifo-99-late-ms\": %.3f,\n",
		in->still->count, ms(longest), ms(in->still->late));
	fprintf(state->out,
		"  \"far\": {\"late-ms\": %.3f, \"deadline\": %s, \"send-errors\": %llu, \"up-at-end\": "
		"%d},\n",
		ms(in->far.late), in->far.deadline ? "true" : "false", (unsigned long long)in->far.errors,
		in->far.up);
	fprintf(state->out, "  \"packets-out\": %llu, \"packets-in\": %llu, \"seconds\": %.3f\n}\n",
		(unsigned long long)packets[0], (unsigned long long)packets[1], seconds(state, in->to));
}

unsigned judge(const struct judgement *judgement, FILE *out)
{
	static struct state state;
	const struct side start = {.last = judgement->from, .up = true, .settled = true};
	struct record *records = judgement->capture->records;
	uint64_t packets[2] = {0};

	state.in = judgement;
	state.out = out;
	/* The window begins with all of them Up and settled. */
	for (unsigned i = 0; i < judgement->nsessions; i++)
		state.tracks[i] = (struct track){.side = {start, start},
						 .good_since = judgement->from - SETTLE - 1};
	qsort(records, judgement->capture->count, sizeof(*records), by_time);
	fprintf(out, "{\n  \"each-down\": [");
	for (size_t i = 0; i < judgement->capture->count && records[i].at <= judgement->to; i++) {
		packets[records[i].incoming]++;
		follow(&state, &records[i]);
	}
	close_gaps(&state);
	print_rest(&state, packets);
	return state.causes[OWN_GAP] + state.causes[OWN_FALSE] + state.causes[OWN_OTHER];
}
