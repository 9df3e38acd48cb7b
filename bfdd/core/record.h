/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flight recorder of a session: its last packets in and out, with the kernel's receive time and our own
 * handling. Writing an entry is a few stores. When the session leaves Up the record is sealed: nothing is
 * written to it any more until somebody has fetched it. Pure.
 *
 * Dropped packets have a ring of their own, so that who sends garbage in the peer's name cannot push out what
 * the peer itself said.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/session.h"

#define RECORD_PACKETS 16
#define RECORD_DROPS 8
#define RECORD_TIMES 14 /* packets that the kernel took for us: see record_merge() */
#define RECORD_DELAYS 64
#define RECORD_LOSSES 16
#define RECORD_LATE 500 /* us: a turn that begins so late is noted */
#define RECORD_DELAY_MAX ((1 << 24) - 1)

struct record_packet {
	usec_t at;	     /* in: the kernel's receive time; out: when it was put into the batch to send */
	uint32_t delay : 24; /* us, RECORD_DELAY_MAX and above: in: handled later by; out: after its due time
			      */
	uint32_t drop : 6;   /* enum drop; of received packets */
	uint32_t out_of_turn : 1; /* sent because of an event, not by the schedule */
	uint32_t unseen : 1; /* taken before the socket: only its time is known, the rest is of its kind */
	uint8_t size;	     /* bytes of the BFD packet, 255 and above; the first 24 are kept */
	uint8_t ttl;	     /* as received, or sent */
	uint16_t port;	     /* in: the source port */
	uint8_t bytes[PACKET_SIZE];
};

/* Where the last packet came from that named our discriminator but had another's addresses. */
struct record_stranger {
	usec_t at;
	uint32_t count; /* since the last accepted packet */
	struct addr peer, local;
};

/* Values in force while Up, which the session forgets when it goes Down. */
struct record_terms {
	usec_t detection_time; /* ours: how long we wait for the peer */
	usec_t patience;       /* the peer's: how long it waits for us (RFC 5880 6.8.4) */
	uint32_t rx_interval;  /* at most so long between two packets of the peer */
	uint32_t tx_interval;  /* of ours */
	bool demand;	       /* the peer was to be silent (RFC 5880 6.6): it only answers */
	bool remote_demand;    /* we were */
};

/* What the session was when it left Up. */
struct record_fall {
	usec_t at;
	usec_t last_rx; /* the last accepted packet, also one taken before the socket */
	usec_t asked;	/* in Demand mode: the first Poll that was not answered; else 0 */
	uint8_t to, diag, remote_state, remote_diag;
	uint32_t more; /* further Downs since, not recorded */
	/* large packets (RFC 9764): sizes of UDP payloads */
	uint16_t padded, heard; /* what ours were padded to, 0: not; the peer's last one */
	uint8_t headers;	/* of IP and UDP, in front of these */
	bool too_big; /* the last packet that we sent was larger than the interface's MTU; the owner's */
};

struct record {
	uint32_t nin, nout, ndropped; /* ever written: the ring holds the last ones */
	bool sealed;
	uint8_t steady[PACKET_SIZE]; /* what packets taken before the socket said */
	uint8_t ntimes;
	usec_t since; /* written from then on */
	struct record_terms terms;
	struct record_fall fall; /* while sealed */
	struct record_stranger stranger;
	usec_t times[RECORD_TIMES]; /* of packets taken before the socket, oldest first; while sealed */
	struct record_packet in[RECORD_PACKETS], out[RECORD_PACKETS], dropped[RECORD_DROPS];
};

/* Of the engine as a whole: late turns (us late), packets that overflowed a socket, and that the kernel
 * refused to send. */
struct record_note {
	usec_t at;
	uint32_t amount;
	uint32_t within; /* us before AT, in which it happened: overflows are looked for now and then */
};

struct record_delays {
	uint32_t nlate, noverflows, nerrors;
	struct record_note late[RECORD_DELAYS], overflows[RECORD_LOSSES], errors[RECORD_LOSSES];
};

/* Begins anew at NOW. */
void record_reset(struct record *record, usec_t now);
/* A packet came: DATA as read, RECEIVED by the kernel, HANDLED by us, TTL and PORT as the socket told. */
void record_in(struct record *record, const uint8_t *data, size_t size, usec_t received, usec_t handled,
	       uint8_t ttl, uint16_t port, enum drop drop);
/* Not to be entered as the peer's: DROP_WRONG_PEER. LAST_RX: of the last accepted packet. */
void record_stranger(struct record *record, usec_t received, usec_t last_rx, const struct addr *peer,
		     const struct addr *local);
/* A packet goes out at NOW that was DUE; DUE is USEC_NEVER: out of turn. */
void record_out(struct record *record, const uint8_t bytes[PACKET_SIZE], usec_t now, usec_t due);
/* SESSION is Up, with these intervals in force. */
void record_agreed(struct record *record, const struct session *session);
/* SESSION left Up at NOW. TIMES: of packets taken before the socket, oldest first. */
void record_seal(struct record *record, const struct session *session, usec_t now, const usec_t *times,
		 unsigned ntimes);

void record_late(struct record_delays *delays, usec_t at, usec_t late);
/* PACKETS in all since SINCE. */
void record_overflow(struct record_delays *delays, usec_t since, usec_t at, uint64_t packets);
void record_error(struct record_delays *delays, usec_t at, uint64_t packets);

/* The packets of a ring written COUNT times, oldest first; returns how many. */
unsigned record_unroll(struct record_packet *to, const struct record_packet *ring, uint32_t count,
		       unsigned size);
#define RECORD_IN_MAX (RECORD_PACKETS + RECORD_TIMES + RECORD_DROPS)
/* All that came, in order of time: the accepted packets, those dropped, and those of the NTIMES at TIMES that
 * were taken before the socket, which said STEADY and of which port and TTL are those of the packet accepted
 * before. Times before SINCE are left out: they are an earlier session's. With RECORD_TIMES times, what came
 * before the first of them is, too: more may have been taken there, and gaps would be told that never were.
 * Returns how many. */
unsigned record_merge(struct record_packet to[RECORD_IN_MAX], const struct record *record,
		      const usec_t *times, unsigned ntimes, const uint8_t steady[PACKET_SIZE]);
/* The last packets sent, in the order of sending, which is that of time. */
unsigned record_sent(struct record_packet to[RECORD_PACKETS], const struct record *record);

#endif
