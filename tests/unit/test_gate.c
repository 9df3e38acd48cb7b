/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gate_fixture.h"

#define KINDS 4

static struct session *session_of(unsigned kind)
{
	switch (kind) {
	case 0:
		return add(1, "192.0.0.2", "192.0.0.1", ifindex[0], 255);
	case 1:
		return add(2, "2001:db8:1::2", "2001:db8:1::1", ifindex[1], 255);
	case 2:
		return add(3, "fe80::2", "fe80::1", ifindex[1], 255);
	default:
		return add(4, "203.0.113.9", "192.0.0.1", 0, 250);
	}
}

static void steady(void **state)
{
	usec_t before, last, times[GATE_TIMES];

	for (unsigned kind = 0; kind < KINDS; kind++) {
		struct session *session = session_of(kind);
		struct sent s = from_peer(session, "");

		last = 1;
		assert_false(gate_armed(gate, session->slot));
		assert_int_equal(passes(&s), 1);
		assert_int_equal(gate_taken(gate, session->slot, &last), 0);
		assert_int_equal(last, 1);
		assert_int_equal(gate_times(gate, session->slot, times), 0);

		gate_arm(gate, session->slot, s.data);
		assert_true(gate_armed(gate, session->slot));
		before = clock_now();
		for (unsigned i = 1; i <= 20; i++) {
			assert_int_equal(passes(&s), 0);
			assert_int_equal(gate_taken(gate, session->slot, &last), i);
			assert_in_range(last, before, clock_now());
			assert_int_equal(gate_times(gate, session->slot, times),
					 i < GATE_TIMES ? i : GATE_TIMES);
			for (unsigned t = 1; t < i && t < GATE_TIMES; t++)
				assert_true(times[t - 1] <= times[t]);
			assert_int_equal(times[(i < GATE_TIMES ? i : GATE_TIMES) - 1], last);
		}

		gate_disarm(gate, session->slot);
		assert_false(gate_armed(gate, session->slot));
		assert_int_equal(passes(&s), 1);
		assert_int_equal(taken(session), 20);
		assert_memory_equal(last_passed, s.data, s.size);
	}
	assert_int_equal(gate_dropped(gate), 20 * KINDS);
}

static void every_bit_counts(void **state)
{
	struct session *session = session_of(0);
	const struct sent s = from_peer(session, "");

	gate_arm(gate, session->slot, s.data);
	for (unsigned bit = 0; bit < 8 * PACKET_SIZE; bit++) {
		struct sent other = s;

		other.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(passes(&other), 1);
		assert_memory_equal(last_passed, other.data, other.size);
	}
	assert_int_equal(taken(session), 0);
	assert_int_equal(passes(&s), 0);
	assert_int_equal(taken(session), 1);
}

/* Right bytes, wrong in something else: what CHANGE makes of it passes, and is not taken. */
#define WRONG(kind, change)                                         \
	do {                                                        \
		struct session *its = table_slot(&table, kind + 1); \
		struct sent s = from_peer(its, "");                 \
                                                                    \
		gate_arm(gate, its->slot, s.data);                  \
		change;                                             \
		assert_int_equal(passes(&s), 1);                    \
		assert_int_equal(taken(its), 0);                    \
	} while (0)

static void elsewhere(void **state)
{
	for (unsigned kind = 0; kind < KINDS; kind++) {
		session_of(kind);
		WRONG(kind, s.size = 25);
		WRONG(kind, s.size = 23);
		WRONG(kind, s.size = 0);
		WRONG(kind, s.multihop ^= true);
		WRONG(kind, s.ttl = kind == 3 ? 249 : 254);
		WRONG(kind, s.ttl = 1);
		WRONG(kind, s.peer.bytes[3] ^= 1);
	}
	WRONG(0, s.local = address("192.0.1.1"));
	WRONG(0, s.link = 1);
	WRONG(0, s.peer = address("2001:db8::2"); s.local = address("2001:db8::1"));
	WRONG(0, s.peer = address("c000:2::"); s.local = address("c000:1::"));
	WRONG(1, s.local = address("fe80::1"));
	WRONG(1, s.peer.bytes[15] ^= 1);
	WRONG(1, s.link = 0);
	WRONG(2, s.link = 0);
	WRONG(3, s.local = address("192.0.1.1"));
}

static void multihop(void **state)
{
	struct session *session = session_of(3);
	struct sent s = from_peer(session, "");

	gate_arm(gate, session->slot, s.data);
	s.ttl = 250;
	assert_int_equal(passes(&s), 0);
	s.link = 1; /* another way back */
	assert_int_equal(passes(&s), 0);
	assert_int_equal(taken(session), 2);

	session->config.min_ttl = 251;
	gate_session(gate, session);
	assert_false(gate_armed(gate, session->slot));
	gate_arm(gate, session->slot, s.data);
	assert_int_equal(passes(&s), 1);
	assert_int_equal(passed_as[DROP_TTL], 1);
	s.ttl = 251;
	assert_int_equal(passes(&s), 0);
}

static void any_local_any_interface(void **state)
{
	struct session *session = add(9, "192.0.0.2", "", 0, 255);
	struct sent s = from_peer(session, "192.0.0.1");

	gate_arm(gate, session->slot, s.data);
	assert_int_equal(passes(&s), 0);
	s.local = address("192.0.1.1");
	s.link = 1;
	assert_int_equal(passes(&s), 0);
	assert_int_equal(taken(session), 2);
}

static void slot_again(void **state)
{
	struct session *session = session_of(0);
	struct sent old = from_peer(session, ""), s;

	gate_arm(gate, session->slot, old.data);
	assert_int_equal(passes(&old), 0);
	forget(session);
	assert_false(gate_armed(gate, session->slot));
	assert_int_equal(passes(&old), 1);
	assert_int_equal(passed_as[DROP_UNKNOWN_DISCR], 1);
	gate_arm(gate, session->slot, old.data); /* nobody there */
	assert_false(gate_armed(gate, session->slot));

	session = session_of(0);
	s = from_peer(session, "");
	assert_memory_not_equal(s.data, old.data, PACKET_SIZE);
	assert_int_equal(passes(&old), 1);
	assert_int_equal(passes(&s), 1);
	gate_arm(gate, session->slot, s.data);
	assert_int_equal(passes(&s), 0);
	assert_int_equal(passes(&old), 1);
	assert_int_equal(taken(session), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(steady, setup, teardown),
		cmocka_unit_test_setup_teardown(every_bit_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(multihop, setup, teardown),
		cmocka_unit_test_setup_teardown(any_local_any_interface, setup, teardown),
		cmocka_unit_test_setup_teardown(slot_again, setup, teardown),
	};

	return cmocka_run_group_tests_name("gate", tests, build_lab, NULL);
}
