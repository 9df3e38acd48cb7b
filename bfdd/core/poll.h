/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session's Poll Sequences (RFC 5880 6.5): when one begins, what ends it, and what its answer tells. Pure;
 * a part of core/session.c.
 *
 * One at a time, for one of two reasons. Changed values are announced, and P is repeated until F comes. Or
 * the answer itself is wanted: to see whether a peer in Demand mode is there (6.6), which repeats P too; or
 * to measure the round-trip time. The latter is a sequence of a single P wherever other packets go on and
 * nothing hangs on the answer, because of several nobody could tell which one is answered: without a Final it
 * is given up. No Final of a sequence that wanted an answer puts in force what changed while it ran.
 */
#ifndef CORE_POLL_H
#define CORE_POLL_H

#include "core/session.h"

#define POLL_PAUSE_MIN (100 * USEC_MS)
#define POLL_PAUSE_MAX USEC_S
#define POLL_GIVE_UP USEC_S	       /* a measuring one, or after the detection time if that is longer */
#define POLL_RTT_EVERY (100 * USEC_MS) /* measured no more often */

/* Begins one that is due; gives up one that is not worth waiting for any longer. */
void poll_start(struct session *session, usec_t now);
/* When the one that is to begin next may begin; USEC_NEVER: none is. */
usec_t poll_due(const struct session *session);
/* Whether packets bear P. */
bool poll_says(const struct session *session);
/* A Final came at RECEIVED. True: it ended the running sequence, and all that is advertised may be in force.
 */
bool poll_end(struct session *session, usec_t received);
/* Ends the running one without an answer. */
void poll_drop(struct session *session, usec_t now);
/* The session's state or configuration may have changed: sets poll_next. */
void poll_schedule(struct session *session, usec_t now);

#endif
