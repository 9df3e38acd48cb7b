/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate under floods: what it sheds, why, and what comes through all the same. */
#include <pthread.h>

#include "gate_fixture.h"

#define GARBAGE_RATE 1000 /* a second, for all; a quarter of that at once */
#define PLAUSIBLE_RATE 4000
#define FLOOD 20000
#define SESSIONS 4
#define IN_FLIGHT 400
#define FLOOD_EACH 4000

static uint64_t shed_as[DROP_COUNT];

static void read_shed(void)
{
	memset(shed_as, 0, sizeof(shed_as));
	gate_shed(gate, shed_as);
}

/* What a bucket of RATE lets through from SINCE to now, at most. */
static uint64_t budget(unsigned rate, usec_t since)
{
	return rate / 4 + (uint64_t)(clock_now() - since) * rate / USEC_S + 1;
}

static struct session *one_of_each(struct session *sessions[SESSIONS])
{
	sessions[0] = add(1, "192.0.0.2", "192.0.0.1", ifindex[0], 255);
	sessions[1] = add(2, "2001:db8:1::2", "2001:db8:1::1", ifindex[1], 255);
	sessions[2] = add(3, "fe80::2", "fe80::1", ifindex[1], 255);
	sessions[3] = add(4, "203.0.113.9", "192.0.0.1", 0, 250);
	return sessions[0];
}

static struct sent random_packet(struct session *const sessions[SESSIONS])
{
	struct sent s = from_peer(sessions[rand() % SESSIONS], "");

	switch (rand() % 13) {
	case 0: /* any bits */
		for (size_t i = 0; i < s.size; i++)
			s.data[i] = (uint8_t)rand();
		break;
	case 1:
		s.size = (size_t)rand() % sizeof(s.data);
		break;
	case 2:
		s.ttl = (uint8_t)(245 + rand() % 11);
		break;
	case 3:
		s.multihop = rand() & 1;
		break;
	case 4:
		s.peer.bytes[1 + rand() % 3] ^= 1; /* the first would make it multicast */
		break;
	case 5: /* Your Discriminator 0, in all states, also from nobody's peer */
		memset(s.data + 8, 0, 4);
		s.peer.bytes[1] ^= rand() & 1;
		s.data[1] = (uint8_t)((rand() & 3) << 6);
		break;
	case 6:
		memset(s.data + 4, 0, 4);
		break;
	case 7:
		s.link ^= 1;
		break;
	case 8: /* authentication, of any type and length */
		s.data[1] |= 4;
		s.size = 24 + (size_t)rand() % 30;
		s.data[3] = (uint8_t)(s.size - (rand() % 4 == 0) + (rand() % 8 == 0));
		s.data[24] = (uint8_t)(rand() % 7);
		s.data[25] = (uint8_t)(rand() & 1 ? s.size - 24 : (size_t)rand() % 32);
		break;
	case 9: /* somebody else's discriminator */
		memcpy(s.data + 8, from_peer(sessions[rand() % SESSIONS], "").data + 8, 4);
		break;
	case 10:
		s.data[rand() % 24] ^= (uint8_t)(1 << rand() % 8);
		break;
	case 11:
		s.data[rand() % 4] = rand() & 1 ? (uint8_t)rand() : 0;
		break;
	}
	return s;
}

/* Every packet is either passed, and then the daemon says of it what it does, or shed for the reason that the
 * daemon would have had. What the daemon would accept is shed for its rate alone. The interface the daemon
 * judges by itself. */
static void same_reasons(void **state)
{
	struct session *sessions[SESSIONS];
	uint64_t accepted = 0, shed_garbage = 0;
	usec_t begin = clock_now();

	one_of_each(sessions);
	for (unsigned i = 0; i < FLOOD; i++) {
		struct sent s = random_packet(sessions);

		send_one(&s);
		if (i % 50 == 0)
			settle();
	}
	settle();
	read_shed();
	for (enum drop drop = DROP_NONE + 1; drop < DROP_RATE; drop++) {
		if (drop == DROP_WRONG_INTERFACE)
			continue;
		assert_int_equal(sent_as[drop], passed_as[drop] + shed_as[drop]);
		shed_garbage += shed_as[drop];
	}
	accepted = sent_as[DROP_NONE] + sent_as[DROP_WRONG_INTERFACE];
	assert_int_equal(accepted,
			 passed_as[DROP_NONE] + passed_as[DROP_WRONG_INTERFACE] + shed_as[DROP_RATE]);
	assert_int_equal(shed_as[DROP_WRONG_INTERFACE] + shed_as[DROP_NONE], 0);
	/* Each of them occurred. */
	for (enum drop drop = DROP_NONE; drop <= DROP_TTL; drop++) {
		if (sent_as[drop] <= 20)
			fail_msg("of %s only %d were tried", drop_name(drop), (int)sent_as[drop]);
	}
	assert_true(passed - passed_as[DROP_NONE] - passed_as[DROP_WRONG_INTERFACE] <=
		    budget(GARBAGE_RATE, begin));
	assert_true(shed_garbage > 0);
}

/* A peer speaks for the first time, and another changes what it says, while a flood comes from anywhere. */
static void heard_in_a_flood(void **state)
{
	struct session *sessions[SESSIONS], *up = one_of_each(sessions);
	struct sent first = from_peer(sessions[3], ""), change = from_peer(up, ""), flood = change;
	usec_t begin = clock_now();

	memset(first.data + 8, 0, 4);
	first.data[1] = BFD_DOWN << 6;
	gate_arm(gate, up->slot, change.data);
	for (uint32_t i = 0; i < FLOOD; i++) {
		uint32_t random = (uint32_t)rand();

		memcpy(flood.peer.bytes, &i, 4);
		flood.peer.bytes[0] = 10;
		memcpy(flood.data + 8, &random, 4);
		send_one(&flood);
		if (i % 100)
			continue;
		settle();
		assert_int_equal(passes(&first), 1);
		change.data[1] ^= 0x20;
		assert_int_equal(passes(&change),
				 i / 100 % 2 == 0); /* each other time: what it said before */
	}
	settle();
	read_shed();
	assert_int_equal(passed_as[DROP_NONE], FLOOD / 100 + FLOOD / 200);
	assert_int_equal(taken(up), FLOOD / 200);
	assert_int_equal(passed_as[DROP_UNKNOWN_DISCR] + shed_as[DROP_UNKNOWN_DISCR],
			 sent_as[DROP_UNKNOWN_DISCR]);
	assert_true(shed_as[DROP_UNKNOWN_DISCR] > 0);
	assert_true(passed_as[DROP_UNKNOWN_DISCR] <= budget(GARBAGE_RATE, begin));
	assert_int_equal(shed_as[DROP_RATE], 0);
}

/* One session's packets, replayed: of others, and of what it says all the time, nothing is lost. */
static void replayed(void **state)
{
	struct session *sessions[SESSIONS], *victim = one_of_each(sessions);
	struct sent steady = from_peer(victim, ""), flood = steady, other = from_peer(sessions[1], "");
	usec_t begin = clock_now();
	uint64_t others = 0;

	gate_arm(gate, victim->slot, steady.data);
	flood.data[1] ^= 0x20;
	for (unsigned i = 0; i < FLOOD; i++) {
		send_one(&flood);
		if (i % 100)
			continue;
		settle();
		others += passes(&other);
		assert_int_equal(passes(&steady), 0);
	}
	settle();
	read_shed();
	assert_int_equal(others, FLOOD / 100);
	assert_int_equal(taken(victim), FLOOD / 100);
	assert_int_equal(passed - others + shed_as[DROP_RATE], FLOOD);
	assert_true(passed - others <= budget(PLAUSIBLE_RATE, begin));
	assert_true(passed - others >= PLAUSIBLE_RATE / 4);
}

static uint64_t shed_as_garbage(void)
{
	uint64_t sum = 0;

	read_shed();
	for (enum drop drop = DROP_NONE; drop < DROP_RATE; drop++)
		sum += shed_as[drop];
	return sum;
}

/* Whether this is no garbage to the gate: of much garbage it sheds some. */
static bool welcome(const struct sent *s)
{
	uint64_t before = shed_as_garbage();

	for (unsigned i = 0; i < 4 * GARBAGE_RATE; i++) {
		send_one(s);
		if (i % 100)
			continue;
		settle();
		if (shed_as_garbage() > before)
			return false;
	}
	return true;
}

static void known_peers(void **state)
{
	struct session *first = add(1, "203.0.113.9", "192.0.0.1", 0, 250), *second;
	struct sent s = from_peer(first, "");

	memset(s.data + 8, 0, 4);
	s.data[1] = BFD_DOWN << 6;
	assert_true(welcome(&s));
	s.ttl = 249;
	assert_false(welcome(&s));
	second = add(2, "203.0.113.9", "192.0.1.1", 0, 240);
	assert_true(welcome(&s));
	forget(first);
	assert_true(welcome(&s));
	gate_session(gate, second); /* again, of no effect */
	gate_session(gate, second);
	assert_true(welcome(&s));
	s.multihop = false;
	assert_false(welcome(&s));
	s.multihop = true;
	forget(second);
	gate_forget(gate, second->slot); /* again */
	assert_false(welcome(&s));
	first = add(3, "203.0.113.9", "192.0.0.1", 0, 250);
	assert_false(welcome(&s));
	s.ttl = 250;
	assert_true(welcome(&s));
}

/* Sessions that the gate has no room for go without it. */
static void beyond(void **state)
{
	struct session *session = add(GATE_SLOTS, "192.0.0.2", "192.0.0.1", ifindex[0], 255);
	struct sent s = from_peer(session, "");
	usec_t last = 5, times[GATE_TIMES];

	gate_arm(gate, session->slot, s.data);
	assert_false(gate_armed(gate, session->slot));
	gate_disarm(gate, session->slot);
	assert_true(welcome(&s));
	memset(s.data + 8, 0, 4);
	s.data[1] = BFD_DOWN << 6;
	assert_true(welcome(&s));
	assert_int_equal(gate_taken(gate, session->slot, &last), 0);
	assert_int_equal(gate_times(gate, session->slot, times), 0);
	assert_int_equal(last, 5);
	assert_int_equal(gate_dropped(gate), 0);
	forget(session);
}

struct sender {
	pthread_t thread;
	int processor;
	struct sent steady, garbage, plausible;
};

/* No more at once than the queues in between hold. */
static void put_paced(const struct sent *s)
{
	static uint64_t issued;
	uint64_t number = __atomic_add_fetch(&issued, 1, __ATOMIC_RELAXED);

	while (number > __atomic_load_n(&passed, __ATOMIC_RELAXED) + gate_dropped(gate) + IN_FLIGHT)
		sched_yield();
	put(s);
}

static void *send_much(void *context)
{
	struct sender *sender = context;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sender->processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
	for (unsigned i = 0; i < FLOOD_EACH; i++) {
		put_paced(&sender->steady);
		put_paced(&sender->garbage);
		put_paced(&sender->plausible);
	}
	return NULL;
}

/* Each has a steady session of its own; garbage and one session they share. */
static void two_processors(void **state)
{
	struct session *sessions[SESSIONS];
	static struct sender senders[2];
	usec_t begin = clock_now();
	cpu_set_t may;

	one_of_each(sessions);
	sched_getaffinity(0, sizeof(may), &may);
	for (int i = 0, processor = 0; i < 2; i++, processor++) {
		struct sender *sender = &senders[i];

		while (!CPU_ISSET(processor % CPU_SETSIZE, &may))
			processor++;
		sender->processor = processor % CPU_SETSIZE;
		sender->steady = from_peer(sessions[i], "");
		sender->garbage = sender->steady;
		memset(sender->garbage.data + 4, 0, 4);
		sender->plausible = from_peer(sessions[3], "");
		gate_arm(gate, sessions[i]->slot, sender->steady.data);
	}
	sent = 2 * 3 * FLOOD_EACH;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&senders[i].thread, NULL, send_much, &senders[i]), 0);
	settle();
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
	read_shed();
	assert_int_equal(taken(sessions[0]), FLOOD_EACH);
	assert_int_equal(taken(sessions[1]), FLOOD_EACH);
	assert_int_equal(passed_as[DROP_MY_DISCR_ZERO] + shed_as[DROP_MY_DISCR_ZERO], 2 * FLOOD_EACH);
	assert_int_equal(passed_as[DROP_NONE] + shed_as[DROP_RATE], 2 * FLOOD_EACH);
	assert_true(shed_as[DROP_RATE] > 0 && shed_as[DROP_MY_DISCR_ZERO] > 0);
	/* Meeting in a bucket they may both find the same room. */
	assert_true(passed_as[DROP_MY_DISCR_ZERO] <= 2 * budget(GARBAGE_RATE, begin));
	assert_true(passed_as[DROP_NONE] <= 2 * budget(PLAUSIBLE_RATE, begin));
}

static void without_a_gate(void **state)
{
	struct session *session = add(1, "192.0.0.2", "192.0.0.1", ifindex[0], 255);
	uint64_t drops[DROP_COUNT] = {[DROP_TTL] = 3};
	usec_t last = 5, times[GATE_TIMES];
	uint8_t packet[GATE_PACKET] = {0};

	gate_session(NULL, session);
	gate_arm(NULL, 1, packet);
	assert_false(gate_armed(NULL, 1));
	gate_disarm(NULL, 1);
	gate_forget(NULL, 1);
	assert_int_equal(gate_taken(NULL, 1, &last), 0);
	assert_int_equal(gate_times(NULL, 1, times), 0);
	gate_shed(NULL, drops);
	assert_int_equal(drops[DROP_TTL], 3);
	assert_int_equal(last, 5);
	assert_int_equal(gate_dropped(NULL), 0);
	gate_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(same_reasons, setup, teardown),
		cmocka_unit_test_setup_teardown(heard_in_a_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(replayed, setup, teardown),
		cmocka_unit_test_setup_teardown(known_peers, setup, teardown),
		cmocka_unit_test_setup_teardown(beyond, setup, teardown),
		cmocka_unit_test_setup_teardown(two_processors, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_gate, setup, teardown),
	};

	return cmocka_run_group_tests_name("gate floods", tests, build_lab, NULL);
}
