/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only some sessions need, and what need not be touched by each packet. */
#ifndef CORE_EXTRA_H
#define CORE_EXTRA_H

#include <stdbool.h>
#include <stdint.h>

#include "core/auth.h"
#include "core/echo.h"
#include "core/rtt.h"

struct session_extra {
	struct rtt rtt;		 /* of the path to the peer and back, by Poll Sequences */
	uint64_t rtt_unanswered; /* how many of these no Final came for */
	struct auth_state auth;
	struct echo echo;
	struct rtt echo_rtt; /* of Echo packets: through the peer's forwarding only */
};

#endif
