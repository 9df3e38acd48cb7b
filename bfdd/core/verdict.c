// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/verdict.h"

#include <string.h>

#define ECHO_STALL (10 * USEC_MS) /* shorter ones of ours explain no Echo packet that is missing */
#define PACKET_PLAIN 52		  /* the longest with authentication (RFC 5880 4.4) */
#define WORD_AGE \
	USEC_S /* a peer that paces its packets may tell of its Down so much later (RFC 5880 6.8.3) */

static usec_t larger(usec_t a, usec_t b)
{
	return a > b ? a : b;
}

/* How long our turns were late within FROM to UNTIL. Late turns do not overlap. */
static usec_t stalled_within(const struct record_delays *delays, usec_t from, usec_t until)
{
	unsigned n = delays->nlate < RECORD_DELAYS ? delays->nlate : RECORD_DELAYS;
	usec_t sum = 0;

	for (unsigned i = 0; i < n; i++) {
		usec_t end = delays->late[i].at, begin = end - delays->late[i].amount;

		begin = begin > from ? begin : from;
		end = end < until ? end : until;
		sum += end > begin ? end - begin : 0;
	}
	return sum;
}

/* The ring of late turns has forgotten what ended before this; 0: nothing. */
static usec_t late_since(const struct record_delays *delays)
{
	return delays->nlate > RECORD_DELAYS ? delays->late[delays->nlate % RECORD_DELAYS].at : 0;
}

/* The latest turn that began between FROM and UNTIL. */
static usec_t latest_within(const struct record_delays *delays, usec_t from, usec_t until)
{
	unsigned n = delays->nlate < RECORD_DELAYS ? delays->nlate : RECORD_DELAYS;
	usec_t found = 0;

	for (unsigned i = 0; i < n; i++)
		if (delays->late[i].at > from && delays->late[i].at - delays->late[i].amount < until)
			found = larger(found, delays->late[i].amount);
	return found;
}

/* How much between FROM and UNTIL late turns may have taken that the ring has forgotten, at most: they ended
 * before the oldest that it holds began. */
static usec_t forgotten_within(const struct record_delays *delays, usec_t from, usec_t until)
{
	usec_t at = late_since(delays), begin;

	if (!at)
		return 0;
	begin = at - delays->late[delays->nlate % RECORD_DELAYS].amount;
	begin = begin < until ? begin : until;
	return begin > from ? begin - from : 0;
}

/* What may have happened then. */
static uint32_t lost_within(const struct record_note *ring, uint32_t count, usec_t from, usec_t until)
{
	unsigned n = count < RECORD_LOSSES ? count : RECORD_LOSSES;
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		if (ring[i].at > from && ring[i].at - ring[i].within <= until)
			sum += ring[i].amount;
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static void count_dropped(struct verdict *verdict, const struct record *record, usec_t since)
{
	unsigned n = record->ndropped < RECORD_DROPS ? record->ndropped : RECORD_DROPS;
	unsigned counts[DROP_COUNT] = {0};

	for (unsigned i = 0; i < n; i++) {
		enum drop drop = record->dropped[i].drop;

		if (record->dropped[i].at <= since || drop >= DROP_COUNT)
			continue;
		verdict->dropped++;
		if (++counts[drop] > counts[verdict->reason] || !verdict->reason)
			verdict->reason = drop;
	}
	if (record->stranger.count && record->stranger.at > since) {
		verdict->strangers = record->stranger.count;
		verdict->stranger = record->stranger.peer;
	}
}

/* Nearly as many dropped packets as a living peer would have sent in the silence. */
static bool still_speaks(const struct verdict *verdict)
{
	usec_t interval = larger(verdict->terms.rx_interval, 1), wanted = verdict->silence / interval - 1;

	if (wanted < 1)
		wanted = 1;
	if (wanted > RECORD_DROPS)
		wanted = RECORD_DROPS;
	return verdict->dropped >= wanted || verdict->strangers >= wanted;
}

static bool about_authentication(enum drop drop)
{
	switch (drop) {
	case DROP_AUTH_UNEXPECTED:
	case DROP_AUTH_MISSING:
	case DROP_AUTH_TYPE:
	case DROP_AUTH_UNKNOWN_KEY:
	case DROP_AUTH_DIGEST:
	case DROP_AUTH_SEQUENCE:
	case DROP_AUTH_PASSWORD:
		return true;
	default:
		return false;
	}
}

/*
 * A stall explains the silence when the rest of it, in which we were awake, is no longer than one interval
 * and not a detection time: without it nothing would be missing. Half an interval of stalls can hide a
 * packet. Stalls that are forgotten may have done so; they excuse nobody who was silent for a detection time
 * of which we know.
 */
static void judge_silence(struct verdict *verdict, const struct record *record,
			  const struct record_delays *delays)
{
	usec_t from = record->fall.asked ? record->fall.asked : record->fall.last_rx;
	usec_t until = record->fall.at;
	usec_t interval = verdict->terms.rx_interval, time = verdict->terms.detection_time, awake;
	bool some;

	verdict->silence = until - from;
	verdict->stalled = stalled_within(delays, from, until);
	verdict->forgotten = forgotten_within(delays, from, until);
	verdict->overflows = lost_within(delays->overflows, delays->noverflows, from, until);
	count_dropped(verdict, record, from);
	awake = verdict->silence - verdict->stalled;
	some = verdict->stalled && verdict->stalled >= interval / 2 && awake < time;

	if (still_speaks(verdict))
		verdict->kind = verdict->dropped && about_authentication(verdict->reason)
					? VERDICT_AUTHENTICATION
					: VERDICT_DROPPED_HERE;
	else if (some && (verdict->stalled >= time - interval || verdict->overflows))
		verdict->kind = VERDICT_LOCAL_STALL;
	else if (some || verdict->overflows || verdict->dropped || verdict->strangers ||
		 (verdict->forgotten && verdict->stalled + verdict->forgotten >= interval / 2 &&
		  awake - verdict->forgotten < time))
		verdict->kind = VERDICT_UNCLEAR;
	else
		verdict->kind = VERDICT_PEER_SILENT;
}

/* The longest time that ended between SINCE and UNTIL and in which we sent nothing. *KNOWN: the packets are
 * recorded from then on only. */
static usec_t longest_gap(const struct record *record, usec_t since, usec_t until, usec_t *known)
{
	struct record_packet out[RECORD_PACKETS];
	unsigned n = record_sent(out, record);
	usec_t gap = 0;

	*known = n && record->nout > RECORD_PACKETS ? out[0].at : record->since;
	for (unsigned i = 0; i < n && out[i].at < until; i++) {
		usec_t next = i + 1 < n && out[i + 1].at < until ? out[i + 1].at : until;

		if (next > since)
			gap = larger(gap, next - out[i].at);
	}
	return gap;
}

/*
 * The peer says that it did not hear us for its detection time, which ended up to WORD_AGE before. The last
 * few packets need not reach back so far. Before them we sent on schedule, but for what the late turns tell:
 * a packet is as late as the turn that sends it.
 */
static void judge_unheard(struct verdict *verdict, const struct record *record,
			  const struct record_delays *delays)
{
	usec_t until = record->fall.last_rx, since = until - verdict->terms.patience - WORD_AGE, known;
	usec_t patience = verdict->terms.patience, interval = verdict->terms.tx_interval, gap;

	verdict->gap = gap = longest_gap(record, since, until, &known);
	verdict->errors = lost_within(delays->errors, delays->nerrors, since, record->fall.at);
	if (known > since) {
		verdict->late = latest_within(delays, since, known);
		verdict->forgotten = forgotten_within(delays, since, known);
		gap = larger(gap, interval + verdict->late);
	}
	if (record->fall.too_big)
		verdict->kind = VERDICT_TOO_BIG;
	else if (verdict->gap && verdict->gap >= patience - interval / 16) /* clocks differ, and its timers */
		verdict->kind = VERDICT_LOCAL_STALL;
	else if (verdict->errors || !record->nout || verdict->forgotten)
		verdict->kind = VERDICT_UNCLEAR;
	else if (gap >= patience - interval && gap > interval + interval / 2)
		verdict->kind = VERDICT_UNCLEAR; /* with one lost packet this is a detection time */
	else
		verdict->kind = VERDICT_NOT_HEARD;
	if (verdict->kind == VERDICT_NOT_HEARD)
		verdict->gap = gap;
}

/* How long its Echo packets may take is not recorded, but less than its Control packets may. */
static void judge_echo(struct verdict *verdict, const struct record *record,
		       const struct record_delays *delays)
{
	usec_t until = record->fall.at, from = until - larger(verdict->terms.detection_time, USEC_S);

	verdict->stalled = stalled_within(delays, from, until);
	verdict->forgotten = forgotten_within(delays, from, until);
	verdict->overflows = lost_within(delays->overflows, delays->noverflows, from, until);
	if (verdict->stalled < ECHO_STALL)
		verdict->stalled = 0;
	verdict->kind = verdict->stalled || verdict->forgotten || verdict->overflows ? VERDICT_UNCLEAR
										     : VERDICT_ECHO_LOST;
}

static uint32_t speaker(const struct record_packet *packet)
{
	const uint8_t *at = packet->bytes + 4; /* My Discriminator */

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool has_restarted(const struct record *record)
{
	struct record_packet in[RECORD_PACKETS];
	unsigned n = record_unroll(in, record->in, record->nin, RECORD_PACKETS);

	return n >= 2 && speaker(&in[n - 1]) != speaker(&in[n - 2]);
}

void verdict_find(struct verdict *verdict, const struct record *record, const struct record_delays *delays)
{
	const struct record_fall *fall = &record->fall;

	*verdict = (struct verdict){
		.terms = record->terms,
		.remote_state = fall->remote_state,
		.remote_diag = fall->remote_diag,
		.padded = fall->padded,
		.remote_padded = fall->heard > PACKET_PLAIN ? fall->heard : 0,
		.headers = fall->headers,
	};
	switch (fall->diag) {
	case DIAG_ADMIN_DOWN:
		verdict->kind = VERDICT_SHUT_DOWN;
		break;
	case DIAG_PATH_DOWN:
		verdict->kind = VERDICT_PATH_DOWN;
		break;
	case DIAG_DETECTION_EXPIRED:
		judge_silence(verdict, record, delays);
		break;
	case DIAG_ECHO_FAILED:
		judge_echo(verdict, record, delays);
		break;
	case DIAG_NEIGHBOR_DOWN:
		verdict->restarted = has_restarted(record);
		/* Whom the peer wanted to be silent it cannot blame for gaps. */
		if (fall->remote_state != BFD_ADMIN_DOWN && fall->remote_diag == DIAG_DETECTION_EXPIRED &&
		    !verdict->restarted && !record->terms.remote_demand)
			judge_unheard(verdict, record, delays);
		else
			verdict->kind = VERDICT_PEER_SAID;
		break;
	default:
		verdict->kind = VERDICT_UNCLEAR;
	}
}

void verdict_path_mtu(struct verdict *verdict, uint32_t mtu, const struct addr *router)
{
	if (verdict->kind != VERDICT_NOT_HEARD || !verdict->padded ||
	    (uint32_t)verdict->padded + verdict->headers <= mtu)
		return;
	verdict->kind = VERDICT_TOO_BIG;
	verdict->path_mtu = mtu;
	verdict->router = *router;
}
