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
	uint32_t interval;		     /* at which they are sent; 0: none are */
	uint8_t mult;
	uint32_t next;		  /* sequence number of the next one */
	uint64_t awaited;	  /* bit I: NEXT - 1 - I has not come back */
	usec_t sent[ECHO_WINDOW]; /* by sequence number */
	usec_t waiting_since;	  /* USEC_NEVER: all is well */
	usec_t deferred;	  /* so long judging was put off since then */
	uint64_t packets_out, packets_in, lost;

	usec_t reflect_at; /* paces the peer's packets */
	uint64_t reflected;
};

/* Begins, or goes on with other values. */
void echo_begin(struct echo *echo, uint32_t interval, uint8_t mult);
/* Nothing is awaited any more. FAILED: what has not come back is lost. */
void echo_end(struct echo *echo, bool failed);
/* Writes the next packet, which goes out at NOW. */
void echo_send(struct echo *echo, const uint8_t key[SIPHASH_KEY], uint32_t discr, usec_t now,
	       uint8_t buf[ECHO_SIZE]);
/* The discriminator that BUF says, for finding the session that may have sent it; 0: no packet of ours. */
uint32_t echo_discr(const uint8_t *buf, size_t size);
/* BUF, of which echo_discr() was this session's, came back at RECEIVED. DROP_NONE and the round-trip time, or
 * DROP_ECHO_FORGED, or DROP_ECHO_LATE: after the detection time, or a second time. */
enum drop echo_returned(struct echo *echo, const uint8_t key[SIPHASH_KEY], const uint8_t *buf,
			usec_t received, usec_t *rtt);
/* When the path is dead if nothing comes back before; USEC_NEVER: nothing is awaited. */
usec_t echo_deadline(const struct echo *echo);
/* How long a packet may take. */
usec_t echo_detection_time(const struct echo *echo);
/* How many never came back: those that may yet come are not among them. */
uint64_t echo_lost(const struct echo *echo);
/* Whether a packet of the peer that came at RECEIVED is to be sent back, when INTERVAL was promised: three
 * quarters of it are allowed (6.8.9), and two packets at once. */
bool echo_reflect(struct echo *echo, uint32_t interval, usec_t received);

#endif
