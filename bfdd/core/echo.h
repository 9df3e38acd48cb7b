/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Echo packets of ours (RFC 5880 6.4, 6.8.8, 6.8.9): what is in them, which of them are under way, when the
 * path is to be called dead, and how many of the peer's we send back. Pure. Times are microseconds of the
 * monotonic clock.
 *
 * What is in them is ours to choose, since they come back to us: discriminator, sequence number and time,
 * with a keyed tag. Nobody without the key makes one, and each counts once, so that nobody keeps a dead path
 * alive. Silence is judged by what was sent, not by the clock: from the oldest packet on that is newer than
 * all that came back. While we are starved and send nothing, nothing is missed.
 *
 * Control packets that only the peer's forwarding plane loops (RFC 9747) bear the same behind them, where who
 * reads Control packets does not look (RFC 5880 6.8.6: the Length may be less than what there is). The tag is
 * of both.
 */
#ifndef CORE_ECHO_H
#define CORE_ECHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/drop.h"
#include "core/siphash.h"
#include "core/usec.h"
#include "core/wheel.h"

#define ECHO_SIZE 32
#define ECHO_WINDOW 64 /* so many of the last ones may still come back */
#define ECHO_TTL_LEAST                                                                      \
	254 /* a router that sends it back takes one off, who does that below IP takes none \
	     */

struct echo {
	struct timer tx_timer, detect_timer; /* the owner's */
	uint16_t slot;			     /* ... of the session */
	bool kernel_reflects;		     /* ... the peer's packets are sent back without us */
	bool patient;	   /* what comes back later than the detection time is good: others judge silence */
	uint32_t interval; /* at which they are sent; 0: none are */
	uint8_t mult;
	uint32_t next;		  /* sequence number of the next one */
	uint64_t awaited;	  /* bit I: NEXT - 1 - I has not come back */
	usec_t sent[ECHO_WINDOW]; /* by sequence number */
	usec_t waiting_since;	  /* USEC_NEVER: all is well */
	usec_t deferred;	  /* so long judging was put off since then */
	usec_t stalled;		  /* the owner's: so late it is itself in reading what comes now */
	uint32_t newest;	  /* number of the newest one that came back */
	uint64_t packets_out, packets_in, lost;

	usec_t reflect_at;    /* paces the peer's packets */
	uint32_t promised;    /* at which interval they were taken before; it may not know better, */
	usec_t promise_until; /* ... until then */
	uint64_t reflected;
};

/* Begins, or goes on with other values. */
void echo_begin(struct echo *echo, uint32_t interval, uint8_t mult);
/* Nothing is awaited any more. FAILED: what has not come back is lost. */
void echo_end(struct echo *echo, bool failed);
/* Writes the next packet, which goes out at NOW, into BUF: it lies behind BEFORE other bytes of which the tag
 * is, too. */
void echo_send(struct echo *echo, const uint8_t key[SIPHASH_KEY], uint32_t discr, usec_t now,
	       uint8_t buf[ECHO_SIZE], size_t before);
/* The discriminator that BUF says, for finding the session that may have sent it; 0: no packet of ours. */
uint32_t echo_discr(const uint8_t *buf, size_t size);
/* BUF, of which echo_discr() was this session's, came back at RECEIVED, behind BEFORE others. DROP_NONE and
 * the round-trip time, or DROP_ECHO_FORGED, or DROP_ECHO_LATE: after the detection time, or a second time. */
enum drop echo_returned(struct echo *echo, const uint8_t key[SIPHASH_KEY], const uint8_t *buf, size_t before,
			usec_t received, usec_t *rtt);
/* When the path is dead if nothing comes back before; USEC_NEVER: nothing is awaited. */
usec_t echo_deadline(const struct echo *echo);
/* How much later than one INTERVAL after the other those left that are newer than all that came back. */
usec_t echo_owed(const struct echo *echo);
/* How long a packet may take. */
usec_t echo_detection_time(const struct echo *echo);
/* How many never came back: those that may yet come are not among them. */
uint64_t echo_lost(const struct echo *echo);
/* From INTERVAL on the peer's packets are taken at another, longer one, or not (0). Who has not heard of that
 * by UNTIL has not heard of us at all. */
void echo_withdraw(struct echo *echo, uint32_t interval, usec_t until);
/* The interval at which they are taken at NOW, when that is configured: 0: none are. */
uint32_t echo_takes(const struct echo *echo, uint32_t configured, usec_t now);
/* Whether a packet of the peer that came at RECEIVED is to be sent back, when INTERVAL was promised: three
 * quarters of it are allowed (6.8.9), and two packets at once. */
bool echo_reflect(struct echo *echo, uint32_t interval, usec_t received);

#endif
