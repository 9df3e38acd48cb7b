/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Authentication in Demand mode: what an agreed silence does to sequence numbers (RFC 5880 6.6, 6.8.1). */
#include "session_fixture.h"

#include "auth_fixture.h"
#include "core/poll.h"

#define DETECTION (150 * MS)
#define OLD 64

static union chain_memory memory;
static struct auth_chain *chain;
static struct session_extra extra;
static struct auth_state signer; /* the peer's */
static struct {
	uint8_t bytes[WIRE_MAX];
	size_t size;
} tape[OLD], *last = tape;

static void say(enum bfd_state state, bool final)
{
	struct packet packet = peer;

	packet.state = (uint8_t)state;
	packet.final = final;
	last = last < &tape[OLD - 1] ? last + 1 : tape;
	packet_encode(&packet, last->bytes);
	last->size = auth_sign(chain, &signer, last->bytes, now, 1000);
	assert_int_not_equal(last->size, 0);
}

/* The owner's part, as in io/sessions.c. */
static enum drop arrive(const uint8_t *bytes, size_t size)
{
	struct packet packet;
	enum drop drop;

	assert_int_equal(packet_decode(&packet, bytes, size), DROP_NONE);
	drop = session_authenticate(&s, &packet, bytes, now);
	if (!drop)
		drop = session_receive(&s, &packet, now, &effects);
	return drop;
}

static enum drop hear(enum bfd_state state, bool final)
{
	say(state, final);
	return arrive(last->bytes, last->size);
}

static struct packet periodic(void)
{
	struct packet packet = sent();

	if (packet.poll)
		session_polled(&s, now);
	session_transmitted(&s, now, 0);
	return packet;
}

static void demand(bool demand)
{
	struct session_config config = s.config;

	config.demand_mode = demand;
	session_configure(&s, &config, now, &effects);
	assert_true(periodic().poll);
	now += 10 * MS;
	assert_int_equal(hear(BFD_UP, true), DROP_NONE);
	assert_int_equal(s.demand_used, demand);
	now += USEC_S; /* the pause */
}

static int setup_keys(void **state)
{
	struct session_config config = usual;

	chain = one_key(&memory, 1, AUTH_METICULOUS_SHA1, "secret");
	config.auth = chain;
	memset(&extra, 0, sizeof(extra));
	memset(&signer, 0, sizeof(signer));
	start(&config);
	s.extra = &extra;
	assert_int_equal(hear(BFD_DOWN, false), DROP_NONE);
	peer.your_discr = 1;
	assert_int_equal(hear(BFD_INIT, false), DROP_NONE);
	assert_true(periodic().poll);
	assert_int_equal(hear(BFD_UP, true), DROP_NONE);
	now += USEC_S;
	assert_int_equal(hear(BFD_UP, false), DROP_NONE);
	assert_int_equal(s.state, BFD_UP);
	return 0;
}

static void an_agreed_silence_lets_no_old_packet_in(void **state)
{
	struct packet down;

	demand(true);
	now += 3600 * USEC_S;
	for (unsigned i = 1; &tape[i] <= last; i++)
		assert_int_equal(arrive(tape[i].bytes, tape[i].size), DROP_AUTH_SEQUENCE);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(packet_decode(&down, tape[1].bytes, tape[1].size), DROP_NONE);
	assert_int_equal(down.state, BFD_DOWN); /* it would have been the end */
	/* The peer itself goes on. */
	assert_int_equal(hear(BFD_UP, false), DROP_NONE);
}

/* The first silence is one, too, before the peer has said anything in Demand mode. */
static void it_is_so_from_the_moment_of_asking_on(void **state)
{
	struct session_config config = s.config;

	config.demand_mode = true;
	session_configure(&s, &config, now, &effects);
	assert_true(s.demand_used);
	now += 3 * DETECTION; /* our packets wait for something */
	assert_int_equal(arrive(last->bytes, last->size), DROP_AUTH_SEQUENCE);
}

static void without_demand_numbers_are_forgotten(void **state)
{
	now += 2 * DETECTION - 1;
	assert_int_equal(arrive(last->bytes, last->size), DROP_AUTH_SEQUENCE);
	now++;
	assert_int_equal(arrive(last->bytes, last->size), DROP_NONE);
}

static void who_leaves_demand_mode_forgets_again(void **state)
{
	demand(true);
	demand(false);
	now -= USEC_S;
	now += 2 * DETECTION - 1;
	assert_int_equal(arrive(last->bytes, last->size), DROP_AUTH_SEQUENCE);
	now++;
	assert_int_equal(arrive(last->bytes, last->size), DROP_NONE);
}

/* It is asked, does not answer as who it was, and is believed two detection times after the Down. */
static void a_peer_that_begins_anew_is_doubted_then_met(void **state)
{
	demand(true);
	now += 3600 * USEC_S;
	memset(&signer, 0, sizeof(signer));
	signer.started = true;
	signer.xmit_seq = 0xdeadbeef;
	peer.my_discr = PEER_DISCR + 1;
	peer.your_discr = 0;
	assert_int_equal(hear(BFD_DOWN, false), DROP_AUTH_SEQUENCE);
	assert_true(session_doubt(&s, now, &effects));
	assert_false(session_doubt(&s, now, &effects)); /* being asked already */
	assert_true(periodic().poll);
	assert_false(session_doubt(&s, now, &effects));
	assert_int_equal(session_detect_deadline(&s), now + DETECTION);
	now += DETECTION;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_false(session_doubt(&s, now, &effects));
	now += 2 * DETECTION - 1;
	assert_int_equal(hear(BFD_DOWN, false), DROP_AUTH_SEQUENCE);
	now++;
	assert_int_equal(hear(BFD_DOWN, false), DROP_NONE);
	assert_int_equal(s.state, BFD_INIT);
}

/* Who sends old packets makes us ask, and the peer answers. */
static void doubts_are_settled_by_an_answer(void **state)
{
	demand(true);
	now += 3600 * USEC_S;
	assert_int_equal(arrive(tape[1].bytes, tape[1].size), DROP_AUTH_SEQUENCE);
	assert_true(session_doubt(&s, now, &effects));
	assert_true(periodic().poll);
	now += 10 * MS;
	assert_int_equal(hear(BFD_UP, true), DROP_NONE);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(session_detect_deadline(&s), USEC_NEVER);
	/* And again, but no sooner than after the pause. */
	assert_true(session_doubt(&s, now, &effects));
	assert_false(s.poll_active);
	assert_false(periodic().poll);
	now += POLL_PAUSE_MIN;
	session_transmitted(&s, now, 0);
	assert_true(sent().poll);
}

static void who_demands_nothing_doubts_nothing(void **state)
{
	assert_false(session_doubt(&s, now, &effects));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup_keys)
	const struct CMUnitTest tests[] = {
		TEST(an_agreed_silence_lets_no_old_packet_in),
		TEST(it_is_so_from_the_moment_of_asking_on),
		TEST(without_demand_numbers_are_forgotten),
		TEST(who_leaves_demand_mode_forgets_again),
		TEST(a_peer_that_begins_anew_is_doubted_then_met),
		TEST(doubts_are_settled_by_an_answer),
		TEST(who_demands_nothing_doubts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
