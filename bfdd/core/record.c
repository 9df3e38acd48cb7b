// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/record.h"

#include <string.h>

#define IPV4_HEADERS 28 /* with UDP's */
#define IPV6_HEADERS 48
#define TTL_SENT 255 /* RFC 5881 5, and of multihop sessions of ours */

static uint32_t span(usec_t from, usec_t to)
{
	if (to <= from)
		return 0;
	return to - from < RECORD_DELAY_MAX ? (uint32_t)(to - from) : RECORD_DELAY_MAX;
}

static void keep(struct record_packet *packet, const uint8_t *data, size_t size)
{
	packet->size = size < UINT8_MAX ? (uint8_t)size : UINT8_MAX;
	if (size >= PACKET_SIZE) {
		memcpy(packet->bytes, data, PACKET_SIZE);
		return;
	}
	memset(packet->bytes, 0, PACKET_SIZE);
	memcpy(packet->bytes, data, size);
}

void record_reset(struct record *record, usec_t now)
{
	record->nin = record->nout = record->ndropped = 0;
	record->sealed = false;
	record->ntimes = 0;
	record->since = now;
	record->fall = (struct record_fall){0};
	record->stranger = (struct record_stranger){0};
}

void record_in(struct record *record, const uint8_t *data, size_t size, usec_t received, usec_t handled,
	       uint8_t ttl, uint16_t port, enum drop drop)
{
	struct record_packet *packet;

	if (record->sealed)
		return;
	packet = drop ? &record->dropped[record->ndropped++ % RECORD_DROPS]
		      : &record->in[record->nin++ % RECORD_PACKETS];
	packet->at = received;
	packet->delay = span(received, handled);
	packet->drop = drop;
	packet->out_of_turn = packet->unseen = 0;
	packet->ttl = ttl;
	packet->port = port;
	keep(packet, data, size);
}

void record_stranger(struct record *record, usec_t received, usec_t last_rx, const struct addr *peer,
		     const struct addr *local)
{
	if (record->sealed)
		return;
	if (record->stranger.at <= last_rx)
		record->stranger.count = 0;
	record->stranger.at = received;
	record->stranger.count++;
	record->stranger.peer = *peer;
	record->stranger.local = *local;
}

void record_out(struct record *record, const uint8_t bytes[PACKET_SIZE], usec_t now, usec_t due)
{
	struct record_packet *packet;

	if (record->sealed)
		return;
	packet = &record->out[record->nout++ % RECORD_PACKETS];
	packet->at = now;
	packet->out_of_turn = due == USEC_NEVER;
	packet->delay = packet->out_of_turn ? 0 : span(due, now);
	packet->drop = DROP_NONE;
	packet->unseen = 0;
	packet->size = bytes[3]; /* Length: with its authentication */
	packet->ttl = TTL_SENT;
	packet->port = 0;
	memcpy(packet->bytes, bytes, PACKET_SIZE);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

void record_agreed(struct record *record, const struct session *session)
{
	if (record->sealed)
		return;
	record->terms = (struct record_terms){
		.detection_time = session->detection_time,
		.patience = session_patience(session),
		.rx_interval = larger(session->required_min_rx_used, session->remote_min_tx),
		.tx_interval = larger(session->desired_min_tx_used, session->remote_min_rx),
		.demand = session->demand_used,
		.remote_demand = session->remote_demand,
	};
	if (session->demand_used) /* one answer to each Poll */
		record->terms.rx_interval = record->terms.tx_interval;
}

void record_seal(struct record *record, const struct session *session, usec_t now, const usec_t *times,
		 unsigned ntimes)
{
	if (record->sealed) {
		record->fall.more++;
		return;
	}
	record->sealed = true;
	record->fall = (struct record_fall){
		.at = now,
		.last_rx = session->last_rx,
		.asked = record->terms.demand ? session->poll_sent : 0,
		.to = session->state,
		.diag = session->local_diag,
		.remote_state = session->remote_state,
		.remote_diag = session->remote_diag,
		.padded = session->config.padded_pdu_size > PACKET_SIZE ? session->config.padded_pdu_size : 0,
		.heard = session->rx_size,
		.headers = session->key.peer.family == AF_INET ? IPV4_HEADERS : IPV6_HEADERS,
	};
	record->ntimes = ntimes < RECORD_TIMES ? (uint8_t)ntimes : RECORD_TIMES;
	for (unsigned i = 0; i < record->ntimes; i++)
		record->times[i] = times[ntimes - record->ntimes + i];
}

static struct record_note note(usec_t at, uint64_t amount)
{
	return (struct record_note){.at = at, .amount = amount < UINT32_MAX ? (uint32_t)amount : UINT32_MAX};
}

void record_late(struct record_delays *delays, usec_t at, usec_t late)
{
	delays->late[delays->nlate++ % RECORD_DELAYS] = note(at, (uint64_t)late);
}

void record_overflow(struct record_delays *delays, usec_t since, usec_t at, uint64_t packets)
{
	struct record_note *overflow = &delays->overflows[delays->noverflows++ % RECORD_LOSSES];

	*overflow = note(at, packets);
	overflow->within = at - since < UINT32_MAX ? (uint32_t)(at - since) : UINT32_MAX;
}

void record_error(struct record_delays *delays, usec_t at, uint64_t packets)
{
	delays->errors[delays->nerrors++ % RECORD_LOSSES] = note(at, packets);
}

unsigned record_unroll(struct record_packet *to, const struct record_packet *ring, uint32_t count,
		       unsigned size)
{
	unsigned n = count < size ? count : size;

	for (unsigned i = 0; i < n; i++)
		to[i] = ring[(count - n + i) % size];
	return n;
}

/* Few, and nearly in order: by insertion, which keeps the order of those at the same time. */
static void sort(struct record_packet *packets, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct record_packet packet = packets[i];
		unsigned at = i;

		for (; at && packets[at - 1].at > packet.at; at--)
			packets[at] = packets[at - 1];
		packets[at] = packet;
	}
}

/* The last one accepted at or before AT, else the first. */
static const struct record_packet *before(const struct record_packet *accepted, unsigned n, usec_t at)
{
	const struct record_packet *found = n ? accepted : NULL;

	for (unsigned i = 1; i < n; i++)
		if (accepted[i].at <= at)
			found = &accepted[i];
	return found;
}

static unsigned leave_out_before(struct record_packet *packets, unsigned n, usec_t from)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		if (packets[i].at >= from)
			packets[kept++] = packets[i];
	return kept;
}

unsigned record_merge(struct record_packet to[RECORD_IN_MAX], const struct record *record,
		      const usec_t *times, unsigned ntimes, const uint8_t steady[PACKET_SIZE])
{
	unsigned accepted = record_unroll(to, record->in, record->nin, RECORD_PACKETS), n = accepted;

	for (unsigned i = 0; i < ntimes && i < RECORD_TIMES; i++) {
		const struct record_packet *like = before(to, accepted, times[i]);

		if (times[i] < record->since)
			continue;
		to[n] = (struct record_packet){.at = times[i],
					       .unseen = 1,
					       .size = PACKET_SIZE,
					       .ttl = like ? like->ttl : 0,
					       .port = like ? like->port : 0};
		memcpy(to[n++].bytes, steady, PACKET_SIZE);
	}
	n += record_unroll(to + n, record->dropped, record->ndropped, RECORD_DROPS);
	/* More may have been taken before those whose times are known. */
	if (ntimes >= RECORD_TIMES && times[0] >= record->since)
		n = leave_out_before(to, n, times[0]);
	sort(to, n);
	return n;
}

unsigned record_sent(struct record_packet to[RECORD_PACKETS], const struct record *record)
{
	return record_unroll(to, record->out, record->nout, RECORD_PACKETS);
}
