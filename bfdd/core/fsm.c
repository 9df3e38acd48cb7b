/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/fsm.h"

#define KEEP FSM_DIAG_KEEP

static const struct fsm_step steps[4][FSM_EVENTS] = {
	/* A packet received in AdminDown is discarded; nothing but the operator leads out (6.8.16). */
	[BFD_ADMIN_DOWN] =
		{
			[FSM_RECV_ADMIN_DOWN] = {BFD_ADMIN_DOWN, KEEP},
			[FSM_RECV_DOWN] = {BFD_ADMIN_DOWN, KEEP},
			[FSM_RECV_INIT] = {BFD_ADMIN_DOWN, KEEP},
			[FSM_RECV_UP] = {BFD_ADMIN_DOWN, KEEP},
			[FSM_DETECTION_EXPIRED] = {BFD_ADMIN_DOWN, KEEP},
			[FSM_PATH_DOWN] = {BFD_ADMIN_DOWN, KEEP},
			[FSM_ADMIN_DISABLE] = {BFD_ADMIN_DOWN, DIAG_ADMIN_DOWN},
			[FSM_ADMIN_ENABLE] = {BFD_DOWN, DIAG_NONE},
		},
	/* Init keeps the diagnostic of the last Down: until Up it is what people want to know. */
	[BFD_DOWN] =
		{
			[FSM_RECV_ADMIN_DOWN] = {BFD_DOWN, KEEP},
			[FSM_RECV_DOWN] = {BFD_INIT, KEEP},
			[FSM_RECV_INIT] = {BFD_UP, DIAG_NONE},
			[FSM_RECV_UP] = {BFD_DOWN, KEEP},
			[FSM_DETECTION_EXPIRED] = {BFD_DOWN, KEEP},
			[FSM_PATH_DOWN] = {BFD_DOWN, DIAG_PATH_DOWN},
			[FSM_ADMIN_DISABLE] = {BFD_ADMIN_DOWN, DIAG_ADMIN_DOWN},
			[FSM_ADMIN_ENABLE] = {BFD_DOWN, KEEP},
		},
	[BFD_INIT] =
		{
			[FSM_RECV_ADMIN_DOWN] = {BFD_DOWN, DIAG_NEIGHBOR_DOWN},
			[FSM_RECV_DOWN] = {BFD_INIT, KEEP},
			[FSM_RECV_INIT] = {BFD_UP, DIAG_NONE},
			[FSM_RECV_UP] = {BFD_UP, DIAG_NONE},
			[FSM_DETECTION_EXPIRED] = {BFD_DOWN, DIAG_DETECTION_EXPIRED},
			[FSM_PATH_DOWN] = {BFD_DOWN, DIAG_PATH_DOWN},
			[FSM_ADMIN_DISABLE] = {BFD_ADMIN_DOWN, DIAG_ADMIN_DOWN},
			[FSM_ADMIN_ENABLE] = {BFD_INIT, KEEP},
		},
	[BFD_UP] =
		{
			[FSM_RECV_ADMIN_DOWN] = {BFD_DOWN, DIAG_NEIGHBOR_DOWN},
			[FSM_RECV_DOWN] = {BFD_DOWN, DIAG_NEIGHBOR_DOWN},
			[FSM_RECV_INIT] = {BFD_UP, KEEP},
			[FSM_RECV_UP] = {BFD_UP, KEEP},
			[FSM_DETECTION_EXPIRED] = {BFD_DOWN, DIAG_DETECTION_EXPIRED},
			[FSM_PATH_DOWN] = {BFD_DOWN, DIAG_PATH_DOWN},
			[FSM_ADMIN_DISABLE] = {BFD_ADMIN_DOWN, DIAG_ADMIN_DOWN},
			[FSM_ADMIN_ENABLE] = {BFD_UP, KEEP},
		},
};

struct fsm_step fsm_step(enum bfd_state state, enum fsm_event event)
{
	return steps[state][event];
}
