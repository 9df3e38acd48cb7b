/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Negotiation and Poll Sequences: RFC 5880 6.5, 6.8.2, 6.8.3, 6.8.4. */
#include "session_fixture.h"

static void the_slower_of_both_ends_wins(void **state)
{
	peer.required_min_rx = 80000;
	peer.desired_min_tx = 60000;
	peer.detect_mult = 5;
	bring_up();
	assert_int_equal(s.tx_interval, 80000);
	assert_int_equal(s.detection_time, 5 * 60000);
	peer.required_min_rx = 10000;
	peer.desired_min_tx = 10000;
	peer.detect_mult = 2;
	receive(BFD_UP);
	assert_true(effects.what & EFFECT_NEGOTIATED);
	assert_true(effects.what & EFFECT_DETECT); /* the deadline moved forward */
	assert_int_equal(s.tx_interval, 50000);
	assert_int_equal(s.detection_time, 2 * 50000);
}

/* With the largest random number: the grid's last place in INTERVAL, and none later. */
static void assert_latest(usec_t since, usec_t interval)
{
	assert_in_range(s.next_tx, since + interval - session_grid(interval), since + interval);
}

static void the_largest_values_do_not_overflow(void **state)
{
	peer.desired_min_tx = UINT32_MAX;
	peer.required_min_rx = UINT32_MAX;
	peer.detect_mult = 255;
	bring_up();
	assert_int_equal(s.detection_time, 255 * (usec_t)UINT32_MAX);
	assert_int_equal(session_detect_deadline(&s), now + 255 * (usec_t)UINT32_MAX);
	session_transmitted(&s, now, UINT32_MAX);
	assert_true(s.next_tx > now + (usec_t)UINT32_MAX * 99 / 100 && s.next_tx <= now + UINT32_MAX);
}

static void going_up_polls_for_the_fast_interval(void **state)
{
	receive(BFD_DOWN);
	assert_int_equal(sent().desired_min_tx, USEC_S);
	assert_false(sent().poll);
	receive(BFD_INIT);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(sent().desired_min_tx, 50000);
	assert_true(sent().poll);
	assert_int_equal(s.tx_interval, 50000); /* faster is allowed at once */
	receive(BFD_UP);
	assert_true(sent().poll); /* until F comes */
	receive_final(BFD_UP);
	assert_false(sent().poll);
	receive_final(BFD_UP);
	assert_false(sent().poll);
}

static void sending_less_often_waits_for_the_final(void **state)
{
	bring_up();
	configure(300000, 50000);
	assert_int_equal(sent().desired_min_tx, 300000);
	assert_true(sent().poll);
	assert_int_equal(s.tx_interval, 50000);
	session_transmitted(&s, now, UINT32_MAX);
	assert_latest(now, 50000);
	now += 10 * MS;
	receive_final(BFD_UP);
	assert_int_equal(s.tx_interval, 300000);
	assert_true(effects.what & EFFECT_TX && effects.what & EFFECT_NEGOTIATED);
	assert_latest(now - 10 * MS, 300000);
}

static void sending_more_often_does_not_wait(void **state)
{
	bring_up();
	session_transmitted(&s, now, UINT32_MAX);
	configure(20000, 50000);
	peer.required_min_rx = 10000;
	receive(BFD_UP);
	assert_true(sent().poll);
	assert_int_equal(s.tx_interval, 20000);
	assert_true(effects.what & EFFECT_TX);
	assert_latest(now, 20000);
}

static void waiting_shorter_waits_for_the_final(void **state)
{
	configure(50000, 300000);
	bring_up();
	assert_int_equal(s.detection_time, 900000);
	configure(50000, 50000);
	assert_int_equal(sent().required_min_rx, 50000);
	assert_true(sent().poll);
	assert_int_equal(s.detection_time, 900000);
	receive(BFD_UP);
	assert_int_equal(s.detection_time, 900000);
	receive_final(BFD_UP);
	assert_int_equal(s.detection_time, 150000);
	assert_true(effects.what & EFFECT_DETECT);
}

static void waiting_longer_does_not_wait(void **state)
{
	bring_up();
	configure(50000, 200000);
	assert_true(sent().poll);
	assert_int_equal(s.detection_time, 600000);
	assert_false(effects.what & EFFECT_DETECT); /* later than armed: the timer finds out by itself */
}

static void the_multiplier_needs_no_poll(void **state)
{
	struct session_config config = usual;

	bring_up();
	config.detect_mult = 7;
	session_configure(&s, &config, now, &effects);
	assert_false(sent().poll);
	assert_int_equal(sent().detect_mult, 7);
	assert_int_equal(s.state, BFD_UP);
}

/* Multiplier 1 leaves no packet to lose: what is scheduled already must keep to 90 %. */
static void the_multiplier_one_moves_the_packet_under_way(void **state)
{
	struct session_config config = usual;

	bring_up();
	session_transmitted(&s, now, UINT32_MAX);
	config.detect_mult = 1;
	session_configure(&s, &config, now, &effects);
	assert_true(effects.what & EFFECT_TX);
	assert_in_range(s.next_tx, now + 37500, now + 45000);
}

/* ... and the peer goes on counting on 1 until a packet tells it otherwise. */
static void leaving_the_multiplier_one_waits_for_the_next_packet(void **state)
{
	struct session_config config = usual;

	config.detect_mult = 1;
	start(&config);
	bring_up();
	session_transmitted(&s, now, UINT32_MAX);
	config.detect_mult = 3;
	session_configure(&s, &config, now, &effects);
	assert_in_range(s.next_tx, now + 37500, now + 45000);
	session_transmitted(&s, now, UINT32_MAX);
	assert_latest(now, 50000);
}

static void the_same_configuration_changes_nothing(void **state)
{
	bring_up();
	session_configure(&s, &s.config, now, &effects);
	assert_int_equal(effects.what, 0);
	assert_false(sent().poll);
}

/* A second change while the first is polled for: F answers the first, and may not put the second in force. */
static void a_second_change_queues_for_a_sequence_of_its_own(void **state)
{
	bring_up();
	configure(300000, 50000);
	configure(200000, 50000);
	assert_true(s.poll_active && s.poll_pending);
	assert_int_equal(sent().desired_min_tx, 200000);
	now += 20 * MS;
	receive_final(BFD_UP);
	assert_false(sent().poll);
	assert_int_equal(s.tx_interval, 50000);

	now += 30 * MS; /* the Final of another P of the first sequence */
	receive_final(BFD_UP);
	assert_int_equal(s.tx_interval, 50000);
	assert_false(sent().poll);

	now += 100 * MS;
	session_transmitted(&s, now, 0);
	assert_true(sent().poll);
	assert_false(s.poll_pending);
	assert_int_equal(s.tx_interval, 50000);
	now += 20 * MS;
	receive_final(BFD_UP);
	assert_false(sent().poll);
	assert_int_equal(s.tx_interval, 200000);
}

static void a_change_right_after_a_sequence_waits_for_its_late_finals(void **state)
{
	bring_up();
	configure(50000, 300000);
	now += 200 * MS; /* a long way: several P are out */
	receive_final(BFD_UP);
	configure(50000, 50000);
	assert_false(sent().poll);
	now += 150 * MS;
	receive_final(BFD_UP);
	assert_int_equal(s.detection_time, 900000);
	now += 249 * MS;
	receive(BFD_UP);
	assert_false(sent().poll);
	now += 2 * MS;
	receive(BFD_UP);
	assert_true(sent().poll);
	receive_final(BFD_UP);
	assert_int_equal(s.detection_time, 150000);
}

/* The kernel received it before we began: it cannot be our answer. */
static void a_final_older_than_the_sequence_is_none(void **state)
{
	usec_t began;

	bring_up();
	began = now;
	configure(300000, 50000);
	now = began - 1;
	receive_final(BFD_UP);
	assert_true(sent().poll);
	assert_int_equal(s.tx_interval, 50000);
	now = began;
	receive_final(BFD_UP);
	assert_int_equal(s.tx_interval, 300000);
}

static void a_final_without_a_poll_does_nothing(void **state)
{
	bring_up();
	receive_final(BFD_UP);
	assert_int_equal(effects.what, 0);
}

static void leaving_up_is_slow_at_once(void **state)
{
	bring_up();
	session_transmitted(&s, now, UINT32_MAX);
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(sent().desired_min_tx, USEC_S);
	assert_int_equal(s.tx_interval, USEC_S);
	assert_latest(now, USEC_S);
	assert_true(sent().poll); /* 6.8.3: any change */
}

static void slower_than_a_second_stays_slower(void **state)
{
	configure(4000000, 50000);
	assert_int_equal(sent().desired_min_tx, 4000000);
	assert_int_equal(s.tx_interval, 4000000);
}

static void nobody_is_polled_before_he_is_known(void **state)
{
	configure(20000, 20000);
	assert_false(sent().poll);
	assert_int_equal(s.required_min_rx_used, 20000);
}

static void a_poll_ends_with_the_peer_it_was_for(void **state)
{
	bring_up();
	configure(300000, 20000);
	now += USEC_S;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_false(s.poll_active || s.poll_pending);
	assert_int_equal(s.required_min_rx_used, 20000);
	assert_int_equal(s.desired_min_tx_used, USEC_S);
}

static void admin_down_drops_the_poll_and_the_next_life_has_the_new_values(void **state)
{
	struct session_config config = usual;

	bring_up();
	configure(50000, 20000);
	config.required_min_rx = 20000;
	config.shutdown = true;
	session_configure(&s, &config, now, &effects);
	assert_false(sent().poll);
	config.shutdown = false;
	session_configure(&s, &config, now, &effects);
	assert_false(s.poll_active || s.poll_pending);
	assert_int_equal(s.required_min_rx_used, 20000);
}

static void a_poll_is_answered_at_once_and_never_with_poll(void **state)
{
	struct packet packet;

	bring_up();
	configure(300000, 50000);
	assert_int_equal(receive_flags(BFD_UP, true, false), DROP_NONE);
	assert_true(effects.what & EFFECT_SEND && effects.what & EFFECT_SEND_FINAL);
	session_packet(&s, true, &packet);
	assert_true(packet.final);
	assert_false(packet.poll);
	session_packet(&s, false, &packet);
	assert_true(packet.poll);
	assert_false(packet.final);
	receive(BFD_UP);
	assert_false(effects.what & EFFECT_SEND);
}

static void a_final_is_due_also_where_nothing_periodic_is(void **state)
{
	peer.required_min_rx = 0;
	bring_up();
	assert_int_equal(s.next_tx, USEC_NEVER);
	receive_flags(BFD_UP, true, false);
	assert_true(effects.what & EFFECT_SEND_FINAL);
}

static void poll_and_final_in_one_are_both_heard(void **state)
{
	bring_up();
	configure(300000, 50000);
	assert_int_equal(receive_flags(BFD_UP, true, true), DROP_NONE);
	assert_true(effects.what & EFFECT_SEND_FINAL);
	assert_false(s.poll_active);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(the_slower_of_both_ends_wins),
		TEST(the_largest_values_do_not_overflow),
		TEST(going_up_polls_for_the_fast_interval),
		TEST(sending_less_often_waits_for_the_final),
		TEST(sending_more_often_does_not_wait),
		TEST(waiting_shorter_waits_for_the_final),
		TEST(waiting_longer_does_not_wait),
		TEST(the_multiplier_needs_no_poll),
		TEST(the_multiplier_one_moves_the_packet_under_way),
		TEST(leaving_the_multiplier_one_waits_for_the_next_packet),
		TEST(the_same_configuration_changes_nothing),
		TEST(a_second_change_queues_for_a_sequence_of_its_own),
		TEST(a_change_right_after_a_sequence_waits_for_its_late_finals),
		TEST(a_final_older_than_the_sequence_is_none),
		TEST(a_final_without_a_poll_does_nothing),
		TEST(leaving_up_is_slow_at_once),
		TEST(slower_than_a_second_stays_slower),
		TEST(nobody_is_polled_before_he_is_known),
		TEST(a_poll_ends_with_the_peer_it_was_for),
		TEST(admin_down_drops_the_poll_and_the_next_life_has_the_new_values),
		TEST(a_poll_is_answered_at_once_and_never_with_poll),
		TEST(a_final_is_due_also_where_nothing_periodic_is),
		TEST(poll_and_final_in_one_are_both_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
