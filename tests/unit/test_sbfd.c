/* SPDX-License-Identifier: GPL-2.0-or-later */
/* S-BFD by the text of RFC 7880 and 7881: the reflector, the initiator's state machine, and the engine with
 * both. */
#include "turn_fixture.h"

#include <errno.h>

#include "core/sbfd.h"

#define MINE 1000u
#define INTERVAL (50 * USEC_MS)

static const struct sbfd_reflector reflector = {
	.n = 2, .discriminators = {0xc0000201, MINE}, .required_min_rx = 10000};

static struct packet request(void)
{
	return (struct packet){.state = BFD_DOWN,
			       .demand = true,
			       .detect_mult = 5,
			       .length = PACKET_SIZE,
			       .my_discr = 77,
			       .your_discr = MINE,
			       .desired_min_tx = 1234567};
}

/* 7.2.2: each field. */
static void test_reply(void **state)
{
	struct packet p = request(), r;

	assert_int_equal(sbfd_reflect(&reflector, &p, 50000, &r), DROP_NONE);
	assert_int_equal(r.state, BFD_UP);
	assert_int_equal(r.diag, DIAG_NONE);
	assert_false(r.demand || r.poll || r.final || r.multipoint || r.auth_present ||
		     r.control_plane_independent);
	assert_int_equal(r.detect_mult, 5);
	assert_int_equal(r.length, PACKET_SIZE);
	assert_int_equal(r.my_discr, MINE);
	assert_int_equal(r.your_discr, 77);
	assert_int_equal(r.desired_min_tx, 1234567);
	assert_int_equal(r.required_min_rx, 10000);
	assert_int_equal(r.required_min_echo_rx, 0);
	/* Whatever state the initiator is in. */
	p.state = BFD_UP;
	p.your_discr = 0xc0000201;
	p.poll = true;
	assert_int_equal(sbfd_reflect(&reflector, &p, 50000, &r), DROP_NONE);
	assert_int_equal(r.state, BFD_UP);
	assert_int_equal(r.my_discr, 0xc0000201);
	assert_true(r.final && !r.poll);
}

/* 7.2.3: out of service for now. */
static void test_reply_admin_down(void **state)
{
	struct sbfd_reflector down = reflector;
	struct packet p = request(), r;

	down.admin_down = true;
	assert_int_equal(sbfd_reflect(&down, &p, 50000, &r), DROP_NONE);
	assert_int_equal(r.state, BFD_ADMIN_DOWN);
	assert_int_equal(r.diag, DIAG_ADMIN_DOWN);
}

static void test_no_reply(void **state)
{
	struct sbfd_reflector none = {.n = 0};
	struct packet p = request(), r;

	p.your_discr = 999;
	assert_int_equal(sbfd_reflect(&reflector, &p, 50000, &r), DROP_UNKNOWN_DISCR);
	p.your_discr = 0;
	assert_int_equal(sbfd_reflect(&reflector, &p, 50000, &r), DROP_UNKNOWN_DISCR);
	p = request();
	p.demand = false; /* another reflector's */
	assert_int_equal(sbfd_reflect(&reflector, &p, 50000, &r), DROP_NO_INITIATOR);
	p = request();
	assert_int_equal(sbfd_reflect(&reflector, &p, BFD_PORT_SBFD, &r), DROP_NO_INITIATOR);
	p.auth_present = true;
	assert_int_equal(sbfd_reflect(&reflector, &p, 50000, &r), DROP_AUTH_UNEXPECTED);
	p = request();
	assert_int_equal(sbfd_reflect(&none, &p, 50000, &r), DROP_UNKNOWN_DISCR);
}

/* No reply can be answered: neither by a reflector, nor by an initiator. */
static void test_no_loop(void **state)
{
	struct packet p = request(), r, again;

	p.my_discr = 0xc0000201; /* as if the other reflector spoke */
	assert_int_equal(sbfd_reflect(&reflector, &p, 50000, &r), DROP_NONE);
	assert_int_equal(sbfd_reflect(&reflector, &r, 50000, &again), DROP_NO_INITIATOR);
}

static struct session session;

static void init(uint32_t interval, uint8_t mult)
{
	const struct session_config config = {.desired_min_tx = interval,
					      .required_min_rx = interval,
					      .detect_mult = mult,
					      .min_ttl = 254,
					      .remote_discr = MINE};
	const struct session_key key = {.peer = address(1, 1), .local = address(2, 1), .type = SESSION_SBFD};
	struct session_effects effects;

	session_init(&session, &config, &key, 0x50001, 57784, USEC_S);
	session_path(&session, true, USEC_S, &effects);
}

static enum drop receive(enum bfd_state state, usec_t at, struct session_effects *effects)
{
	const struct packet p = {.state = state,
				 .detect_mult = session.config.detect_mult,
				 .length = PACKET_SIZE,
				 .my_discr = MINE,
				 .your_discr = session.local_discr,
				 .desired_min_tx = session.desired_min_tx,
				 .required_min_rx = 10000};

	return session_receive(&session, &p, at, effects);
}

/* 7.3.2: each field. */
static void test_request(void **state)
{
	struct packet p;

	init(INTERVAL, 3);
	session_packet(&session, false, &p);
	assert_int_equal(p.state, BFD_DOWN);
	assert_true(p.demand);
	assert_false(p.poll || p.final || p.control_plane_independent || p.multipoint);
	assert_int_equal(p.my_discr, 0x50001);
	assert_int_equal(p.your_discr, MINE);
	assert_int_equal(p.required_min_rx, 0);
	assert_int_equal(p.required_min_echo_rx, 0);
	assert_int_equal(p.desired_min_tx, SESSION_SLOW_TX);
	assert_int_equal(session.tx_interval, SESSION_SLOW_TX);
	assert_int_equal(session_detect_deadline(&session), USEC_NEVER);
}

/* The figure of 7.3.1, each arrow. */
static void test_machine(void **state)
{
	struct session_effects effects;
	usec_t at = 2 * USEC_S;

	init(INTERVAL, 3);
	assert_int_equal(receive(BFD_ADMIN_DOWN, at, &effects), DROP_NONE);
	assert_int_equal(session.state, BFD_DOWN);
	session_detect_expired(&session, at + 10 * USEC_S, &effects);
	assert_int_equal(session.state, BFD_DOWN);
	assert_int_equal(receive(BFD_UP, at, &effects), DROP_NONE);
	assert_int_equal(session.state, BFD_UP);
	assert_int_equal(effects.from, BFD_DOWN);
	assert_int_equal(session.tx_interval, INTERVAL);
	assert_int_equal(session.detection_time, 3 * INTERVAL);
	assert_int_equal(receive(BFD_UP, at + 1000, &effects), DROP_NONE);
	assert_int_equal(session.state, BFD_UP);
	assert_false(effects.what & EFFECT_STATE);
	assert_int_equal(receive(BFD_ADMIN_DOWN, at + 2000, &effects), DROP_NONE);
	assert_int_equal(session.state, BFD_DOWN);
	assert_int_equal(session.local_diag, DIAG_NEIGHBOR_DOWN);
	assert_int_equal(session.tx_interval, SESSION_SLOW_TX);
	assert_int_equal(receive(BFD_UP, at + 3000, &effects), DROP_NONE);
	assert_int_equal(session.local_diag, DIAG_NONE);
	session_detect_expired(&session, at + 3000 + 3 * INTERVAL - 1, &effects);
	assert_int_equal(session.state, BFD_UP);
	session_detect_expired(&session, at + 3000 + 3 * INTERVAL, &effects);
	assert_int_equal(session.state, BFD_DOWN);
	assert_int_equal(session.local_diag, DIAG_DETECTION_EXPIRED);
	assert_int_equal(session.remote_discr, MINE); /* not learnt, so not forgotten */
	assert_int_equal(session.tx_interval, SESSION_SLOW_TX);
}

static void test_what_is_no_reflection(void **state)
{
	struct session_effects effects;
	struct packet p = {.state = BFD_UP,
			   .detect_mult = 3,
			   .length = PACKET_SIZE,
			   .my_discr = MINE,
			   .your_discr = 0x50001,
			   .desired_min_tx = USEC_S,
			   .required_min_rx = 1};

	init(INTERVAL, 3);
	p.demand = true;
	assert_int_equal(session_receive(&session, &p, 2 * USEC_S, &effects), DROP_NO_REFLECTION);
	p.demand = false;
	p.my_discr = MINE + 1;
	assert_int_equal(session_receive(&session, &p, 2 * USEC_S, &effects), DROP_NO_REFLECTION);
	p.my_discr = MINE;
	p.state = BFD_INIT;
	assert_int_equal(session_receive(&session, &p, 2 * USEC_S, &effects), DROP_NO_REFLECTION);
	p.state = BFD_DOWN;
	assert_int_equal(session_receive(&session, &p, 2 * USEC_S, &effects), DROP_NO_REFLECTION);
	assert_int_equal(session.state, BFD_DOWN);
	assert_int_equal(session.packets_in, 0);
	/* A P that nobody has the right to set is not answered, and nothing that comes back silences us. */
	p.state = BFD_UP;
	p.poll = true;
	p.required_min_rx = 0;
	assert_int_equal(session_receive(&session, &p, 2 * USEC_S, &effects), DROP_NONE);
	assert_false(effects.what & EFFECT_SEND_FINAL);
	assert_int_equal(session.tx_interval, INTERVAL);
	assert_int_equal(session.detection_time, 3 * INTERVAL);
	assert_false(session_steady(&session, &p));
}

/* The reflector may ask for less. */
static void test_reflector_slows(void **state)
{
	struct session_effects effects;
	struct packet p = {.state = BFD_UP,
			   .detect_mult = 3,
			   .length = PACKET_SIZE,
			   .my_discr = MINE,
			   .your_discr = 0x50001,
			   .desired_min_tx = USEC_S,
			   .required_min_rx = 400 * USEC_MS};

	init(INTERVAL, 3);
	assert_int_equal(session_receive(&session, &p, 2 * USEC_S, &effects), DROP_NONE);
	assert_int_equal(session.tx_interval, 400 * USEC_MS);
	assert_int_equal(session.detection_time, 1200 * USEC_MS);
}

/* Nothing is agreed on, so another interval holds at once, and no silence of before counts by it. */
static void test_configure(void **state)
{
	struct session_effects effects;
	struct session_config config;

	init(USEC_S, 3);
	assert_int_equal(receive(BFD_UP, 2 * USEC_S, &effects), DROP_NONE);
	config = session.config;
	config.desired_min_tx = INTERVAL;
	session_configure(&session, &config, 2 * USEC_S + 900 * USEC_MS, &effects);
	assert_int_equal(session.tx_interval, INTERVAL);
	assert_false(session.poll_active || session.poll_pending);
	assert_int_equal(session_detect_deadline(&session), 2 * USEC_S + 900 * USEC_MS + 3 * INTERVAL);
	config.shutdown = true;
	session_configure(&session, &config, 3 * USEC_S, &effects);
	assert_int_equal(session.state, BFD_ADMIN_DOWN);
	assert_int_equal(session.tx_interval, 0);
	assert_int_equal(receive(BFD_UP, 3 * USEC_S, &effects), DROP_ADMIN_DOWN);
	config.shutdown = false;
	session_configure(&session, &config, 4 * USEC_S, &effects);
	assert_int_equal(session.state, BFD_DOWN);
	assert_int_equal(session.tx_interval, SESSION_SLOW_TX);
}

/* The engine: by the doors. */

static struct queued *arrive_at(uint8_t type, unsigned n, struct packet packet)
{
	assert_true(nqueue < QUEUE);
	queue[nqueue] = (struct queued){
		.packet = packet,
		.origin = {.peer = address(1, n),
			   .local = address(2, 1),
			   .ifindex = 4,
			   .ttl = 255,
			   .type = type,
			   .port = type == SESSION_SBFD ? BFD_PORT_SBFD : 50000},
		.stamp = now,
	};
	return &queue[nqueue++];
}

static void reflect(uint32_t rate)
{
	assert_true(engine_reflector(engine, &reflector, rate));
	turn_at(now);
	nsent = 0;
}

static void the_engine_reflects(void **state)
{
	arrive_at(TABLE_REFLECTOR, 1, request());
	turn_at(now);
	assert_int_equal(nsent, 0);
	reflect(1000);
	arrive_at(TABLE_REFLECTOR, 1, request());
	turn_at(now);
	assert_int_equal(nsent, 1);
	assert_int_equal(sent.my_discr, MINE);
	assert_int_equal(sent.your_discr, 77);
	arrive_at(TABLE_REFLECTOR, 1, request())->origin.cast = true;
	arrive_at(TABLE_REFLECTOR, 1, request())->origin.port = BFD_PORT_SBFD;
	arrive_at(TABLE_REFLECTOR, 1, request())->origin.port = 0;
	turn_at(now);
	assert_int_equal(nsent, 1);
	assert_int_equal(drops(DROP_NO_INITIATOR), 3);
	assert_true(engine_reflector(engine, NULL, 0));
	turn_at(now);
	arrive_at(TABLE_REFLECTOR, 1, request());
	turn_at(now);
	assert_int_equal(nsent, 1);
}

static void a_flood_is_answered_at_the_rate(void **state)
{
	unsigned victim = 0;

	reflect(1000);
	memset(sent_to, 0, sizeof(sent_to));
	for (unsigned ms = 0; ms < 10000; ms += 10) {
		for (unsigned i = 0; i < 100; i++)
			arrive_at(TABLE_REFLECTOR, 1, request());
		if (ms % 50 == 0)
			arrive_at(TABLE_REFLECTOR, 2, request());
		turn_at(now + 10 * USEC_MS);
	}
	victim = sent_to[2];
	/* A quarter of the rate for one address, so the other one is heard each time. */
	assert_int_equal(victim, 200);
	assert_in_range(nsent - victim, 2300, 2700);
	assert_true(drops(DROP_RATE) > 90000);
	/* From everywhere: the rate of all. */
	nsent = 0;
	for (unsigned ms = 0; ms < 10000; ms += 10) {
		for (unsigned i = 0; i < 100; i++)
			arrive_at(TABLE_REFLECTOR, 1000 + (ms + i) % 60000, request());
		turn_at(now + 10 * USEC_MS);
	}
	assert_in_range(nsent, 9000, 10300);
}

static void initiate(void)
{
	struct session_config config = {.desired_min_tx = INTERVAL,
					.required_min_rx = INTERVAL,
					.detect_mult = 3,
					.min_ttl = 254,
					.remote_discr = MINE};
	struct session_key key = {.peer = address(1, 1), .local = address(2, 1), .type = SESSION_SBFD};

	assert_int_equal(engine_add(engine, &config, &key, SESSION_NO_PATH), -EAGAIN);
	engine_sbfd_port(engine, 57784);
	assert_int_equal(engine_add(engine, &config, &key, SESSION_NO_PATH), 0);
	assert_true(engine_path(engine, 0, true, &key.local, 0, 0));
	turn_at(now);
	run_until(now + USEC_S);
	assert_int_equal(session_of(0)->source_port, 57784);
}

static struct packet reply(void)
{
	return (struct packet){.state = BFD_UP,
			       .detect_mult = 3,
			       .length = PACKET_SIZE,
			       .my_discr = MINE,
			       .your_discr = session_of(0)->local_discr,
			       .desired_min_tx = USEC_S,
			       .required_min_rx = 10000};
}

static void an_initiator_goes_up_and_down(void **state)
{
	initiate();
	assert_true(nsent >= 1);
	assert_true(sent.demand);
	arrive_at(SESSION_SBFD, 1, reply());
	turn_at(now);
	assert_int_equal(session_of(0)->state, BFD_UP);
	for (unsigned i = 0; i < 20; i++) {
		arrive_at(SESSION_SBFD, 1, reply())->origin.ttl = 254;
		turn_at(now);
		run_until(now + INTERVAL);
	}
	assert_int_equal(session_of(0)->state, BFD_UP);
	run_until(now + 4 * INTERVAL);
	assert_int_equal(session_of(0)->state, BFD_DOWN);
	assert_int_equal(told[ENGINE_STATE], 2);
}

static void forged_replies_are_counted(void **state)
{
	initiate();
	arrive_at(SESSION_SBFD, 1, reply())->origin.port = 50000;
	arrive_at(SESSION_SBFD, 9, reply());
	arrive_at(SESSION_SBFD, 1, reply())->origin.ttl = 253;
	arrive_at(SESSION_SBFD, 1, reply())->packet.your_discr ^= 0x10000;
	arrive_at(SESSION_SBFD, 1, reply())->packet.my_discr++;
	arrive_at(SESSION_SBFD, 1, reply())->packet.demand = true;
	arrive_at(SESSION_MULTIHOP, 1, reply());
	arrive_at(SESSION_SBFD, 1, reply())->origin.vrf = 9;
	turn_at(now);
	assert_int_equal(session_of(0)->state, BFD_DOWN);
	assert_int_equal(session_of(0)->drops[DROP_WRONG_PORT], 2);
	assert_int_equal(session_of(0)->drops[DROP_WRONG_PEER], 1);
	assert_int_equal(session_of(0)->drops[DROP_TTL], 1);
	assert_int_equal(session_of(0)->drops[DROP_UNKNOWN_DISCR], 1);
	assert_int_equal(session_of(0)->drops[DROP_NO_REFLECTION], 2);
	assert_int_equal(session_of(0)->drops[DROP_WRONG_INTERFACE], 1);
}

/* Nobody is told of its end, as nobody knows of it. */
static void an_initiator_says_no_goodbye(void **state)
{
	initiate();
	arrive_at(SESSION_SBFD, 1, reply());
	turn_at(now);
	nsent = 0;
	assert_true(engine_remove(engine, 0));
	turn_at(now);
	assert_int_equal(nsent, 0);
	assert_int_equal(told[ENGINE_REMOVED], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_reply_admin_down),
		cmocka_unit_test(test_no_reply),
		cmocka_unit_test(test_no_loop),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_what_is_no_reflection),
		cmocka_unit_test(test_reflector_slows),
		cmocka_unit_test(test_configure),
		TEST(the_engine_reflects),
		TEST(a_flood_is_answered_at_the_rate),
		TEST(an_initiator_goes_up_and_down),
		TEST(forged_replies_are_counted),
		TEST(an_initiator_says_no_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
