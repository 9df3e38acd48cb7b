/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine once more, from the prose of RFC 5880, against every cell of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/fsm.h"

struct local {
	int session_state; /* bfd.SessionState */
	int local_diag;	   /* bfd.LocalDiag */
};

/* 6.8.6, from "If bfd.SessionState is AdminDown" on. RECEIVED is the State field. */
static void receive(struct local *bfd, int received)
{
	if (bfd->session_state == BFD_ADMIN_DOWN)
		return; /* discard the packet */

	if (received == BFD_ADMIN_DOWN) {
		if (bfd->session_state != BFD_DOWN) {
			bfd->local_diag = 3; /* Neighbor signaled session down */
			bfd->session_state = BFD_DOWN;
		}
		return;
	}

	if (bfd->session_state == BFD_DOWN) {
		if (received == BFD_DOWN)
			bfd->session_state = BFD_INIT;
		else if (received == BFD_INIT)
			bfd->session_state = BFD_UP;
	} else if (bfd->session_state == BFD_INIT) {
		if (received == BFD_INIT || received == BFD_UP)
			bfd->session_state = BFD_UP;
	} else { /* Up */
		if (received == BFD_DOWN) {
			bfd->local_diag = 3;
			bfd->session_state = BFD_DOWN;
		}
	}
}

/* The RFC names no diagnostic for going Up. bfd.LocalDiag is the reason of the most recent change, and a
 * change to Up has none. */
static void apply(struct local *bfd, enum fsm_event event)
{
	int before = bfd->session_state;

	switch (event) {
	case FSM_RECV_ADMIN_DOWN:
		receive(bfd, 0);
		break;
	case FSM_RECV_DOWN:
		receive(bfd, 1);
		break;
	case FSM_RECV_INIT:
		receive(bfd, 2);
		break;
	case FSM_RECV_UP:
		receive(bfd, 3);
		break;
	case FSM_DETECTION_EXPIRED: /* 6.8.4: "has gone down" in Init and Up only */
		if (before == BFD_INIT || before == BFD_UP) {
			bfd->session_state = BFD_DOWN;
			bfd->local_diag = 1; /* Control Detection Time Expired */
		}
		break;
	case FSM_PATH_DOWN: /* 6.8.17 by analogy: other reasons take a session Down, 4.1: Path Down */
		if (before != BFD_ADMIN_DOWN) {
			bfd->session_state = BFD_DOWN;
			bfd->local_diag = 5;
		}
		break;
	case FSM_ECHO_FAILED: /* 6.8.5; RFC 9747 2, where there is Init too */
		if (before == BFD_INIT || before == BFD_UP) {
			bfd->session_state = BFD_DOWN;
			bfd->local_diag = 2; /* Echo Function Failed */
		}
		break;
	case FSM_ADMIN_DISABLE: /* 6.8.16 */
		bfd->session_state = BFD_ADMIN_DOWN;
		bfd->local_diag = 7; /* Administratively Down */
		break;
	case FSM_ADMIN_ENABLE:
		if (before == BFD_ADMIN_DOWN) {
			bfd->session_state = BFD_DOWN;
			bfd->local_diag = 0;
		}
		break;
	case FSM_EVENTS:
		fail();
	}
	if (bfd->session_state == BFD_UP && before != BFD_UP)
		bfd->local_diag = 0;
}

static void every_cell_is_the_rfc_s(void **state)
{
	int s, event, diag;

	for (s = BFD_ADMIN_DOWN; s <= BFD_UP; s++)
		for (event = 0; event < FSM_EVENTS; event++)
			for (diag = 0; diag <= 8; diag++) {
				struct local bfd = {s, diag};
				struct fsm_step step = fsm_step(s, event);

				apply(&bfd, event);
				assert_int_equal(step.next, bfd.session_state);
				assert_int_equal(step.diag == FSM_DIAG_KEEP ? diag : step.diag,
						 bfd.local_diag);
			}
}

static void received_states_and_events_line_up(void **state)
{
	assert_int_equal(FSM_RECV_ADMIN_DOWN + BFD_ADMIN_DOWN, FSM_RECV_ADMIN_DOWN);
	assert_int_equal(FSM_RECV_ADMIN_DOWN + BFD_DOWN, FSM_RECV_DOWN);
	assert_int_equal(FSM_RECV_ADMIN_DOWN + BFD_INIT, FSM_RECV_INIT);
	assert_int_equal(FSM_RECV_ADMIN_DOWN + BFD_UP, FSM_RECV_UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_the_rfc_s),
		cmocka_unit_test(received_states_and_events_line_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
