/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session's packets say of its intervals, and what of that is in force (RFC 5880 6.8.2 to 6.8.4).
 * Pure; a part of core/session.c.
 */
#ifndef CORE_OFFER_H
#define CORE_OFFER_H

#include "core/session.h"

/* The state, the configuration or what the peer says may have changed: sets what is advertised, what of it is
 * used already, and echo_interval. Asks for a Poll Sequence by poll_pending. */
void offer_update(struct session *session, usec_t now);
/* 6.5: a Final came at RECEIVED: what it answers is in force. */
void offer_accepted(struct session *session, usec_t received);
/* 6.8.4, microseconds; 0: silence is no failure now. */
usec_t offer_detection_time(const struct session *session);

#endif
