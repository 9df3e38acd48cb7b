/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BFD state machine (RFC 5880 6.2, 6.8.6) as a dense table. */
#ifndef CORE_FSM_H
#define CORE_FSM_H

#include "core/packet.h"

enum fsm_event {
	FSM_RECV_ADMIN_DOWN, /* the four: state of a received packet, in the order of enum bfd_state */
	FSM_RECV_DOWN,
	FSM_RECV_INIT,
	FSM_RECV_UP,
	FSM_DETECTION_EXPIRED,
	FSM_PATH_DOWN,	 /* carrier, interface or local address lost */
	FSM_ECHO_FAILED, /* 6.8.5 */
	FSM_ADMIN_DISABLE,
	FSM_ADMIN_ENABLE,
	FSM_EVENTS
};

#define FSM_DIAG_KEEP 0xff

struct fsm_step {
	uint8_t next; /* enum bfd_state */
	uint8_t diag; /* bfd.LocalDiag to set, or FSM_DIAG_KEEP */
};

struct fsm_step fsm_step(enum bfd_state state, enum fsm_event event);

#endif
