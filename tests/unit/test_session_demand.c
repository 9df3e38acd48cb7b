/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Demand mode: RFC 5880 6.6, 6.8.4, 6.8.7. */
#include "session_fixture.h"

static void configure_demand(bool demand, uint32_t poll_interval)
{
	struct session_config config = s.config;

	config.demand_mode = demand;
	config.demand_poll_interval = poll_interval;
	session_configure(&s, &config, now, &effects);
}

/* A packet leaves as the owner sends it. */
static struct packet leaves(void)
{
	struct packet packet = sent();

	if (packet.poll)
		session_polled(&s, now);
	return packet;
}

static struct packet periodic(void)
{
	struct packet packet = leaves();

	session_transmitted(&s, now, 0);
	return packet;
}

/* Up at both ends, D is said and known to the peer, the pause is over. */
static void demand(uint32_t poll_interval)
{
	bring_up();
	configure_demand(true, poll_interval);
	assert_true(periodic().poll);
	now += 10 * MS;
	receive_final(BFD_UP);
	assert_false(s.poll_active || s.poll_pending);
	now += USEC_S;
}

static void nothing_is_demanded_before_both_are_up(void **state)
{
	configure_demand(true, 0);
	assert_false(sent().demand);
	receive(BFD_DOWN);
	assert_false(sent().demand);
	receive(BFD_INIT);
	assert_int_equal(s.state, BFD_UP);
	assert_false(sent().demand); /* the peer is still Init */
	receive(BFD_UP);
	assert_true(sent().demand);
	receive(BFD_DOWN);
	assert_false(sent().demand);
	assert_false(s.demand_used);
}

static void a_change_of_the_bit_begins_a_poll_sequence(void **state)
{
	bring_up();
	configure_demand(true, 0);
	assert_true(sent().demand && sent().poll);
	assert_int_equal(s.state, BFD_UP);
	session_polled(&s, now);
	receive_final(BFD_UP);
	assert_true(sent().demand);
	assert_false(sent().poll);
	now += USEC_S;
	configure_demand(false, 0);
	assert_true(!sent().demand && sent().poll);
	assert_int_equal(s.state, BFD_UP);
}

static void silence_is_no_failure(void **state)
{
	demand(0);
	assert_int_equal(session_detect_deadline(&s), USEC_NEVER);
	now += 3600 * USEC_S;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_UP);
}

/* Two of our packets at 80 ms are the time, whatever the peer's multiplier and interval are. */
static void a_poll_without_answer_is_one_after_our_own_detection_time(void **state)
{
	struct session_config config = usual;

	config.detect_mult = 2;
	start(&config);
	peer.required_min_rx = 80000;
	peer.desired_min_tx = 500000;
	peer.detect_mult = 9;
	demand(1000000);
	assert_int_equal(s.detection_time, 2 * 80000);
	session_transmitted(&s, now, 0);
	assert_true(s.poll_active);
	assert_int_equal(session_detect_deadline(&s), USEC_NEVER); /* P has not left */
	now += 60 * MS;
	assert_true(periodic().poll);
	assert_int_equal(session_detect_deadline(&s), now + 160 * MS);
	now += 80 * MS;
	assert_true(periodic().poll); /* repeated */
	assert_int_equal(session_detect_deadline(&s), now + 80 * MS);
	receive(BFD_UP); /* not what was asked for */
	assert_int_equal(session_detect_deadline(&s), now + 80 * MS);
	now += 80 * MS - 1;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_UP);
	now++;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(effects.diag, DIAG_DETECTION_EXPIRED);
	assert_int_equal(s.remote_discr, 0);
	assert_false(sent().demand || sent().poll);
}

static void an_answer_ends_the_wait(void **state)
{
	demand(1000000);
	session_transmitted(&s, now, 0);
	periodic();
	now += 149 * MS;
	receive_final(BFD_UP);
	assert_false(sent().poll);
	assert_int_equal(session_detect_deadline(&s), USEC_NEVER);
	assert_int_equal(s.poll_answered, now);
}

static void polls_keep_their_interval(void **state)
{
	usec_t last;

	demand(2000000);
	for (unsigned i = 0; !s.poll_active && i < 100; i++) {
		now += 40 * MS;
		session_transmitted(&s, now, 0);
	}
	assert_true(s.poll_active);
	last = now;
	periodic();
	receive_final(BFD_UP);
	for (unsigned i = 0; !s.poll_active && i < 100; i++) {
		now += 40 * MS;
		session_transmitted(&s, now, 0);
	}
	assert_in_range(now - last, 2000 * MS, 2041 * MS);
}

static void without_an_interval_only_an_order_polls(void **state)
{
	demand(0);
	for (unsigned i = 0; i < 1000; i++) {
		now += 40 * MS;
		assert_false(periodic().poll);
	}
	assert_true(session_poll(&s, now, &effects));
	assert_true(periodic().poll);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS);
}

/* Nothing else would ask a second time. */
static void an_order_outlives_a_reload(void **state)
{
	demand(0);
	assert_true(session_poll(&s, now, &effects));
	periodic();
	now += 10 * MS;
	receive_final(BFD_UP);
	assert_true(session_poll(&s, now, &effects));
	assert_false(s.poll_active); /* the pause */
	configure(s.config.desired_min_tx, s.config.required_min_rx);
	now += USEC_S;
	periodic();
	assert_true(periodic().poll);
	receive_final(BFD_UP);
	assert_int_equal(s.poll_answered, now);
}

static void who_is_not_up_is_not_asked(void **state)
{
	assert_false(session_poll(&s, now, &effects));
	receive(BFD_DOWN);
	assert_false(session_poll(&s, now, &effects));
	receive(BFD_INIT); /* we are, the peer is not */
	assert_int_equal(s.state, BFD_UP);
	assert_false(session_poll(&s, now, &effects));
}

/* Until the peer is known to have heard that it must speak again, its silence stays no failure. */
static void leaving_it_waits_for_the_final(void **state)
{
	demand(0);
	now += 3600 * USEC_S;
	configure_demand(false, 0);
	assert_true(s.demand_used);
	assert_int_equal(session_detect_deadline(&s), USEC_NEVER);
	assert_false(periodic().demand);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS); /* of the poll */
	now += 100 * MS;
	receive_final(BFD_UP);
	assert_int_equal(s.state, BFD_UP);
	assert_false(s.demand_used);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS); /* of its packets */
	now += 150 * MS;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
}

static void a_change_of_mind_within_a_sequence_is_not_answered_by_it(void **state)
{
	bring_up();
	configure_demand(true, 0);
	periodic();
	configure_demand(false, 0);
	now += 10 * MS;
	receive_final(BFD_UP); /* to D set */
	assert_true(s.demand_used);
	now += USEC_S;
	session_transmitted(&s, now, 0);
	assert_true(!sent().demand && sent().poll);
	session_polled(&s, now);
	receive_final(BFD_UP);
	assert_false(s.demand_used);
}

/* 6.6: "whenever the contents of the next packet would be different". */
static void any_change_is_polled_for_in_demand_mode(void **state)
{
	struct session_config config;

	demand(0);
	config = s.config;
	config.detect_mult = 7;
	session_configure(&s, &config, now, &effects);
	assert_true(sent().poll);
	session_polled(&s, now);
	receive_final(BFD_UP);
	now += USEC_S;
	config.control_plane_independent = true;
	session_configure(&s, &config, now, &effects);
	assert_true(sent().poll && sent().control_plane_independent);
	session_polled(&s, now);
	receive_final(BFD_UP);
	now += USEC_S;
	config.echo_rx = 50000;
	session_configure(&s, &config, now, &effects);
	assert_true(sent().poll && sent().required_min_echo_rx == 50000);
}

static void the_c_bit_alone_needs_no_poll(void **state)
{
	struct session_config config = usual;

	bring_up();
	config.control_plane_independent = true;
	session_configure(&s, &config, now, &effects);
	assert_true(sent().control_plane_independent);
	assert_false(sent().poll);
}

/* Others are told of it, FRR for one: who does not look at each packet has this effect to go by. */
static void what_the_peer_says_of_itself_is_an_effect(void **state)
{
	bring_up();
	receive(BFD_UP);
	assert_int_equal(effects.what, 0);
	peer.control_plane_independent = true;
	receive(BFD_UP);
	assert_int_equal(effects.what, EFFECT_NEGOTIATED);
	receive(BFD_UP);
	assert_int_equal(effects.what, 0);
	peer.required_min_echo_rx = 50000;
	receive(BFD_UP);
	assert_int_equal(effects.what, EFFECT_NEGOTIATED);
	peer.demand = true;
	receive(BFD_UP);
	assert_true(effects.what & EFFECT_NEGOTIATED);
}

/* The other role: the peer demands. */

static void who_is_asked_to_is_silent_but_for_answers(void **state)
{
	bring_up();
	peer.demand = true;
	receive(BFD_UP);
	assert_true(effects.what & EFFECT_TX);
	assert_int_equal(s.next_tx, USEC_NEVER);
	receive_flags(BFD_UP, true, false);
	assert_true(effects.what & EFFECT_SEND_FINAL);
	assert_int_equal(s.next_tx, USEC_NEVER);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS); /* it does not demand of itself */
	now += 10 * USEC_S;
	peer.demand = false;
	receive(BFD_UP);
	assert_true(effects.what & EFFECT_TX);
	assert_true(s.next_tx <= now); /* at once */
}

/* Values changed within the pause after a sequence: nobody sends anything that could begin the next one. */
static void who_is_silent_still_polls_for_changes(void **state)
{
	bring_up();
	peer.demand = true;
	receive(BFD_UP);
	configure(300000, 50000);
	assert_in_range(s.next_tx, now, now + 50 * MS);
	now = s.next_tx;
	assert_true(periodic().poll);
	now += 10 * MS;
	receive_final(BFD_UP);
	assert_int_equal(s.next_tx, USEC_NEVER);
	configure(200000, 50000);
	assert_false(s.poll_active);
	assert_int_equal(s.next_tx, s.poll_earliest);
	now = s.next_tx;
	assert_true(session_break_silence(&s, now));
	assert_true(periodic().poll);
	assert_in_range(s.next_tx, now + 37500, now + 300 * MS); /* repeated */
	now = s.next_tx;
	assert_true(periodic().poll);
	receive_final(BFD_UP);
	assert_int_equal(s.desired_min_tx_used, 200000);
	assert_int_equal(s.next_tx, USEC_NEVER);
}

static void both_ends_are_silent_but_for_polls(void **state)
{
	demand(5000000);
	peer.demand = true;
	receive(BFD_UP);
	assert_int_equal(s.tx_interval, 0);
	assert_int_equal(s.next_tx, s.poll_next);
	assert_true(s.next_tx > now && s.next_tx <= now + 5 * USEC_S);
	now = s.next_tx;
	assert_true(session_break_silence(&s, now));
	assert_true(periodic().poll);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS);
	receive_final(BFD_UP);
	assert_int_equal(s.tx_interval, 0);
	assert_int_equal(s.next_tx, s.poll_next);
	assert_int_equal(s.next_tx, now + 5 * USEC_S);
}

static void what_is_not_repeated_is_not_armed(void **state)
{
	struct packet packet;

	bring_up();
	packet = peer;
	packet.state = BFD_UP;
	assert_true(session_steady(&s, &packet));
	peer.demand = packet.demand = true;
	receive(BFD_UP);
	assert_false(session_steady(&s, &packet));
	peer.demand = packet.demand = false;
	start(&usual);
	demand(0);
	assert_false(session_steady(&s, &packet));
}

/* Nothing periodic may be sent to it (6.8.7), so no Poll either. */
static void who_wants_no_packets_is_not_asked_to_be_silent(void **state)
{
	demand(0);
	peer.required_min_rx = 0;
	receive(BFD_UP);
	assert_true(effects.what & EFFECT_SEND);
	assert_false(sent().demand);
	assert_int_equal(session_detect_deadline(&s), now + s.detection_time);
	now += s.detection_time;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);

	start(&usual);
	peer.required_min_rx = 0;
	bring_up();
	configure_demand(true, 0);
	assert_false(sent().demand);
	assert_int_not_equal(session_detect_deadline(&s), USEC_NEVER);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_demanded_before_both_are_up),
		TEST(a_change_of_the_bit_begins_a_poll_sequence),
		TEST(silence_is_no_failure),
		TEST(a_poll_without_answer_is_one_after_our_own_detection_time),
		TEST(an_answer_ends_the_wait),
		TEST(polls_keep_their_interval),
		TEST(without_an_interval_only_an_order_polls),
		TEST(an_order_outlives_a_reload),
		TEST(who_is_not_up_is_not_asked),
		TEST(leaving_it_waits_for_the_final),
		TEST(a_change_of_mind_within_a_sequence_is_not_answered_by_it),
		TEST(any_change_is_polled_for_in_demand_mode),
		TEST(the_c_bit_alone_needs_no_poll),
		TEST(what_the_peer_says_of_itself_is_an_effect),
		TEST(who_is_asked_to_is_silent_but_for_answers),
		TEST(who_is_silent_still_polls_for_changes),
		TEST(both_ends_are_silent_but_for_polls),
		TEST(what_is_not_repeated_is_not_armed),
		TEST(who_wants_no_packets_is_not_asked_to_be_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
