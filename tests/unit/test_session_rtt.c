/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Poll Sequences that measure the round-trip time. */
#include "session_fixture.h"

static struct session_extra extra;

static int setup_rtt(void **state)
{
	struct session_config config = usual;

	config.rtt_interval = 1000000;
	extra = (struct session_extra){0};
	start(&config);
	s.extra = &extra;
	return 0;
}

static struct packet periodic(void)
{
	struct packet packet = sent();

	if (packet.poll)
		session_polled(&s, now);
	session_transmitted(&s, now, 0);
	return packet;
}

/* Until a measuring sequence is to begin with the next packet. */
static void wait_for_one(void)
{
	for (unsigned i = 0; !s.poll_active && i < 100; i++) {
		now += 40 * MS;
		receive(BFD_UP);
		session_transmitted(&s, now, 0);
	}
	assert_true(s.poll_active && s.poll_asks);
}

static void only_who_measures_needs_memory(void **state)
{
	assert_false(session_needs_extra(&usual));
	assert_true(session_needs_extra(&s.config));
}

static void a_round_trip_is_from_the_poll_to_its_final(void **state)
{
	bring_up();
	extra = (struct session_extra){0};
	wait_for_one();
	now += 35 * MS;
	assert_true(periodic().poll);
	now += 1234;
	receive_final(BFD_UP);
	assert_int_equal(extra.rtt.count, 1);
	assert_int_equal(extra.rtt.last, 1234);
	assert_false(s.poll_active);
}

/* Of two that are out nobody could tell which is answered. */
static void one_poll_is_out_at_a_time(void **state)
{
	bring_up();
	extra = (struct session_extra){0};
	wait_for_one();
	assert_true(periodic().poll);
	for (unsigned i = 0; i < 5; i++) {
		now += 40 * MS;
		receive(BFD_UP);
		assert_false(periodic().poll);
	}
	receive_final(BFD_UP);
	assert_int_equal(extra.rtt.last, 200 * MS);
}

static void who_never_answers_is_given_up_and_asked_again(void **state)
{
	bring_up();
	extra = (struct session_extra){0};
	wait_for_one();
	assert_true(periodic().poll);
	for (unsigned i = 0; i < 25; i++) {
		now += 40 * MS;
		receive(BFD_UP);
		session_transmitted(&s, now, 0);
	}
	assert_false(s.poll_active);
	assert_int_equal(extra.rtt_unanswered, 1);
	receive_final(BFD_UP); /* too late: it is nobody's */
	assert_int_equal(extra.rtt.count, 0);
	now += USEC_S;
	wait_for_one();
	assert_int_equal(s.state, BFD_UP);
}

/* It may answer the packet that had the old values. */
static void its_final_puts_no_change_in_force(void **state)
{
	bring_up();
	extra = (struct session_extra){0};
	wait_for_one();
	assert_true(periodic().poll);
	configure(300000, 20000);
	assert_true(s.poll_pending);
	now += 10 * MS;
	receive_final(BFD_UP);
	assert_int_equal(s.tx_interval, 50000);
	assert_int_equal(s.detection_time, 150000);
	assert_false(s.poll_active);
	now += 99 * MS;
	session_transmitted(&s, now, 0);
	assert_false(s.poll_active); /* the pause */
	now += MS;
	session_transmitted(&s, now, 0);
	assert_true(s.poll_active && !s.poll_asks);
	periodic();
	receive_final(BFD_UP);
	assert_int_equal(s.tx_interval, 300000);
	assert_int_equal(s.detection_time, 3 * 50000);
}

/* One that is lost does not hold a change up: P is repeated until it is answered. */
static void a_change_is_not_held_up_by_a_lost_one(void **state)
{
	bring_up();
	wait_for_one();
	assert_true(periodic().poll);
	now += 40 * MS;
	receive(BFD_UP);
	assert_false(periodic().poll);
	configure(300000, 50000);
	now += 40 * MS;
	receive(BFD_UP);
	assert_true(periodic().poll);
	extra = (struct session_extra){0};
	receive_final(BFD_UP);
	assert_int_equal(extra.rtt.count, 0); /* two were out */
}

static void a_sequence_that_announces_is_not_joined(void **state)
{
	struct session_config config = usual;

	start(&usual);
	bring_up();
	config.rtt_interval = 200000;
	config.desired_min_tx = 300000;
	session_configure(&s, &config, now, &effects);
	for (unsigned i = 0; i < 40; i++) {
		now += 40 * MS;
		receive(BFD_UP);
		periodic();
	}
	assert_true(s.poll_active && !s.poll_asks); /* due for long, but not begun */
}

static void nothing_is_measured_that_is_not_up(void **state)
{
	for (unsigned i = 0; i < 100; i++) {
		now += 100 * MS;
		receive(BFD_ADMIN_DOWN);
		assert_false(periodic().poll);
	}
	bring_up();
	wait_for_one();
	receive(BFD_DOWN);
	assert_false(s.poll_active && s.poll_asks);
}

static void no_more_often_than_ten_times_a_second(void **state)
{
	struct session_config config = s.config;
	unsigned polls = 0;

	bring_up();
	config.rtt_interval = 1;
	session_configure(&s, &config, now, &effects);
	for (unsigned i = 0; i < 1000; i++) {
		now += 10 * MS;
		if (periodic().poll) {
			polls++;
			receive_final(BFD_UP);
		} else {
			receive(BFD_UP);
		}
	}
	assert_in_range(polls, 50, 100);
}

static void an_order_measures_once(void **state)
{
	start(&usual);
	bring_up();
	assert_true(session_poll(&s, now, &effects));
	assert_true(periodic().poll);
	now += 40 * MS;
	assert_false(periodic().poll);
	receive_final(BFD_UP);
	assert_int_equal(s.poll_answered, now);
	for (unsigned i = 0; i < 100; i++) {
		now += 100 * MS;
		receive(BFD_UP);
		assert_false(periodic().poll);
	}
}

/* A reflector copies P to F, and each packet is answered. */
static void a_reflector_is_measured_too(void **state)
{
	const struct session_key sbfd = {.type = SESSION_SBFD};
	struct session_config config = usual;

	config.rtt_interval = 1000000;
	config.remote_discr = PEER_DISCR;
	start(&usual);
	extra = (struct session_extra){0};
	session_init(&s, &config, &sbfd, 1, 50000, now);
	s.extra = &extra;
	session_path(&s, true, now, &effects);
	receive(BFD_UP);
	assert_int_equal(s.state, BFD_UP);
	wait_for_one();
	assert_true(periodic().poll);
	now += 3 * MS;
	receive(BFD_UP); /* to the packet before */
	now += 4 * MS;
	receive_final(BFD_UP);
	assert_int_equal(extra.rtt.count, 1);
	assert_int_equal(extra.rtt.last, 7 * MS);
}

static void a_final_before_the_poll_has_left_answers_nothing(void **state)
{
	struct packet packet = peer;

	bring_up();
	extra = (struct session_extra){0};
	wait_for_one();
	packet.state = BFD_UP;
	packet.final = true;
	assert_int_equal(session_receive(&s, &packet, now, &effects), DROP_NONE);
	assert_true(s.poll_active);
	assert_int_equal(extra.rtt.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup_rtt)
	const struct CMUnitTest tests[] = {
		TEST(only_who_measures_needs_memory),
		TEST(a_round_trip_is_from_the_poll_to_its_final),
		TEST(one_poll_is_out_at_a_time),
		TEST(who_never_answers_is_given_up_and_asked_again),
		TEST(its_final_puts_no_change_in_force),
		TEST(a_change_is_not_held_up_by_a_lost_one),
		TEST(a_sequence_that_announces_is_not_joined),
		TEST(nothing_is_measured_that_is_not_up),
		TEST(no_more_often_than_ten_times_a_second),
		TEST(an_order_measures_once),
		TEST(a_reflector_is_measured_too),
		TEST(a_final_before_the_poll_has_left_answers_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
