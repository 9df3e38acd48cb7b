/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a session sends (RFC 5880 6.8.7). Pure; a part of core/session.c. session_grid(), which core/session.h
 * declares, is here.
 */
#ifndef CORE_SCHEDULE_H
#define CORE_SCHEDULE_H

#include "core/session.h"

/* Whether anything may be sent at all. */
bool schedule_allowed(const struct session *session);
/* Sets tx_interval and next_tx from what was sent last. */
void schedule_next(struct session *session);
/* As schedule_next(), when the path has come: the next packet is due within a tenth of a second. */
void schedule_start_soon(struct session *session, usec_t now);

#endif
