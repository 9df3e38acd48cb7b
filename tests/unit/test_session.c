/* SPDX-License-Identifier: GPL-2.0-or-later */
/* States, timers and transmission: RFC 5880 6.1, 6.2, 6.8.1, 6.8.4, 6.8.6, 6.8.7, 6.8.16. */
#include "session_fixture.h"

#include <stdlib.h>

static void a_session_starts_down_silent_and_unheard(void **state)
{
	session_init(&s, &usual, &key, 0xcafe0001, 50000, now);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(s.remote_state, BFD_DOWN);
	assert_int_equal(s.remote_min_rx, 1);
	assert_int_equal(s.path, SESSION_NO_PATH);
	assert_false(s.path_up);
	assert_int_equal(s.next_tx, USEC_NEVER);
	assert_int_equal(session_detect_deadline(&s), USEC_NEVER);
	assert_int_equal(sent().my_discr, 0xcafe0001);
	assert_int_equal(sent().your_discr, 0);
	assert_int_equal(sent().required_min_echo_rx, 0);
	assert_false(sent().demand || sent().multipoint || sent().auth_present);
}

static void a_path_that_comes_is_used_soon(void **state)
{
	session_init(&s, &usual, &key, 0xcafe0001, 50000, now);
	session_path(&s, true, now, &effects);
	assert_true(effects.what & EFFECT_TX);
	assert_in_range(s.next_tx, now, now + 100 * MS);
	assert_int_equal(s.tx_interval, USEC_S);
	session_path(&s, true, now, &effects);
	assert_int_equal(effects.what, 0);
}

static void a_flapping_path_does_not_make_us_fast(void **state)
{
	int soon = 0, i;

	for (i = 0; i < 100; i++) {
		session_transmitted(&s, now, 0);
		session_path(&s, false, now, &effects);
		assert_int_equal(s.next_tx, USEC_NEVER);
		session_path(&s, true, now, &effects);
		soon += s.next_tx < now + 750 * MS;
	}
	assert_in_range(soon, 1, 5);
}

static void the_three_way_handshake(void **state)
{
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_INIT);
	assert_true(effects.what & EFFECT_STATE && effects.what & EFFECT_SEND &&
		    effects.what & EFFECT_DETECT);
	assert_int_equal(effects.from, BFD_DOWN);
	assert_int_equal(effects.to, BFD_INIT);
	assert_int_equal(sent().your_discr, PEER_DISCR);
	assert_int_equal(s.since, now);
	now += 5 * MS;
	receive(BFD_UP);
	assert_int_equal(s.state, BFD_UP);
	assert_true(effects.what & EFFECT_SEND && effects.what & EFFECT_TX);
	assert_int_equal(s.up_transitions, 1);
	assert_int_equal(s.down_transitions, 0);
	assert_int_equal(s.since, now);
	assert_int_equal(s.packets_in, 2);
	assert_int_equal(s.local_diag, DIAG_NONE);
}

static void a_quiet_packet_has_no_effects(void **state)
{
	bring_up();
	now += 40 * MS;
	receive(BFD_UP);
	assert_int_equal(effects.what, 0);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS);
}

static void detection_is_neither_early_nor_missed(void **state)
{
	bring_up();
	now += 150 * MS - 1;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(effects.what, EFFECT_DETECT);
	assert_int_equal(s.state, BFD_UP);
	now += 1;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(effects.diag, DIAG_DETECTION_EXPIRED);
	assert_true(effects.what & EFFECT_STATE && effects.what & EFFECT_SEND &&
		    effects.what & EFFECT_DETECT && effects.what & EFFECT_NEGOTIATED);
	assert_int_equal(sent().diag, DIAG_DETECTION_EXPIRED);
	assert_int_equal(s.down_transitions, 1);
	assert_int_equal(session_detect_deadline(&s), USEC_NEVER);
}

static void silence_in_init_goes_down(void **state)
{
	peer.desired_min_tx = USEC_S;
	receive(BFD_DOWN);
	assert_int_equal(session_detect_deadline(&s), now + 3 * USEC_S);
	now += 3 * USEC_S;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(s.local_diag, DIAG_DETECTION_EXPIRED);
	assert_int_equal(s.down_transitions, 0); /* what never was Up has not failed */
}

/* 6.8.1: after a detection time without a packet, and not sooner. */
static void the_remote_discriminator_is_forgotten_after_silence(void **state)
{
	bring_up();
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(sent().your_discr, PEER_DISCR);
	now += 150 * MS - 1;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(sent().your_discr, PEER_DISCR);
	now += 1;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(sent().your_discr, 0);
	assert_false(effects.what & (EFFECT_STATE | EFFECT_SEND));
	assert_int_equal(s.local_diag, DIAG_NEIGHBOR_DOWN);
	assert_int_equal(s.remote_min_rx, 1);
	assert_int_equal(s.state, BFD_DOWN);
}

static void what_a_gone_peer_asked_for_does_not_bind_the_next(void **state)
{
	peer.required_min_rx = 0;
	peer.demand = true;
	bring_up();
	assert_int_equal(s.next_tx, USEC_NEVER);
	now += 150 * MS;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.tx_interval, USEC_S);
	assert_true(effects.what & EFFECT_TX);
	assert_false(s.remote_demand);
}

static void the_kernel_s_time_counts_and_never_runs_back(void **state)
{
	bring_up();
	now += 20 * MS;
	receive(BFD_UP);
	now -= 15 * MS; /* read later, received earlier */
	receive(BFD_UP);
	now += 15 * MS;
	assert_int_equal(s.last_rx, now);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS);
}

/* After a pause of ours: what the kernel received long ago is no sign of life now. */
static void an_old_packet_is_not_fresh(void **state)
{
	usec_t then;

	bring_up();
	then = now + 10 * MS;
	now = then;
	receive(BFD_UP);
	now += 10 * USEC_S;
	assert_int_equal(session_detect_deadline(&s), then + 150 * MS);
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
}

static void a_neighbor_s_admin_down_is_no_failure_of_the_path(void **state)
{
	bring_up();
	receive(BFD_ADMIN_DOWN);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(effects.diag, DIAG_NEIGHBOR_DOWN);
	assert_int_equal(s.remote_state, BFD_ADMIN_DOWN);
	assert_true(effects.what & EFFECT_SEND);
	receive(BFD_ADMIN_DOWN);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(s.remote_state, BFD_ADMIN_DOWN);
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_INIT);
}

static void a_restarted_peer_is_met_under_its_new_discriminator(void **state)
{
	bring_up();
	peer.my_discr = 78;
	peer.your_discr = 0;
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(sent().your_discr, 78);
	receive(BFD_DOWN);
	receive(BFD_INIT);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(s.up_transitions, 2);
	assert_int_equal(s.down_transitions, 1);
}

static void shutdown_tells_and_hears_nothing(void **state)
{
	struct session_config config = usual;

	bring_up();
	config.shutdown = true;
	session_configure(&s, &config, now, &effects);
	assert_int_equal(s.state, BFD_ADMIN_DOWN);
	assert_int_equal(effects.diag, DIAG_ADMIN_DOWN);
	assert_true(effects.what & EFFECT_SEND);
	assert_int_equal(sent().state, BFD_ADMIN_DOWN);
	assert_int_equal(s.tx_interval, USEC_S); /* goes on telling, slowly */
	assert_int_equal(receive_flags(BFD_UP, true, false), DROP_ADMIN_DOWN);
	assert_int_equal(effects.what, 0);
	config.shutdown = false;
	session_configure(&s, &config, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(s.local_diag, DIAG_NONE);
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_INIT);
}

static void a_session_may_be_born_shut(void **state)
{
	struct session_config config = usual;

	config.shutdown = true;
	start(&config);
	assert_int_equal(s.state, BFD_ADMIN_DOWN);
	assert_int_equal(sent().diag, DIAG_ADMIN_DOWN);
	assert_int_equal(s.tx_interval, USEC_S);
}

static void losing_the_path_is_down_at_once(void **state)
{
	bring_up();
	session_path(&s, false, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(effects.diag, DIAG_PATH_DOWN);
	assert_false(effects.what & EFFECT_SEND); /* there is no way out */
	assert_int_equal(s.next_tx, USEC_NEVER);
	assert_int_equal(receive_flags(BFD_UP, true, false), DROP_NO_PATH);
	assert_int_equal(effects.what, 0);
	assert_int_equal(s.down_transitions, 1);
}

static void authentication_is_refused(void **state)
{
	struct packet packet = peer;

	packet.state = BFD_DOWN;
	packet.auth_present = true;
	assert_int_equal(session_receive(&s, &packet, now, &effects), DROP_AUTH_UNEXPECTED);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(s.remote_discr, 0);
}

static void a_passive_session_waits_to_be_spoken_to(void **state)
{
	struct session_config config = usual;

	config.passive = true;
	start(&config);
	session_init(&s, &config, &key, 0xcafe0001, 50000, now);
	session_path(&s, true, now, &effects);
	assert_int_equal(s.next_tx, USEC_NEVER);
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_INIT);
	assert_true(effects.what & EFFECT_SEND && effects.what & EFFECT_TX);
	assert_true(s.last_tx <= now); /* what is periodic is counted from no moment in the future */
	bring_up();
	now += 150 * MS;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(s.next_tx, USEC_NEVER); /* 6.8.7: discriminator forgotten, silent again */
	assert_false(effects.what & EFFECT_SEND);
}

static void a_peer_that_wants_no_packets_gets_none(void **state)
{
	bring_up();
	peer.required_min_rx = 0;
	receive(BFD_UP);
	assert_int_equal(s.tx_interval, 0);
	assert_int_equal(s.next_tx, USEC_NEVER);
	assert_true(effects.what & EFFECT_TX);
	peer.required_min_rx = 50000;
	receive(BFD_UP);
	assert_int_equal(s.tx_interval, 50000);
	assert_true(s.next_tx <= now + 50000);
}

static void a_peer_in_demand_mode_hears_only_polls(void **state)
{
	peer.demand = true;
	receive(BFD_DOWN);
	receive(BFD_INIT);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(s.tx_interval, 50000); /* not Up both */
	receive(BFD_UP);
	assert_int_equal(s.tx_interval, 50000); /* our Poll Sequence runs */
	receive_final(BFD_UP);
	assert_int_equal(s.next_tx, USEC_NEVER);
	now += USEC_S;
	configure(60000, 50000);
	assert_true(sent().poll);
	assert_true(s.next_tx != USEC_NEVER && effects.what & EFFECT_TX);
}

static void intervals_are_jittered_within_the_rfc_s_bounds(void **state)
{
	struct session_config config = usual;
	usec_t least = USEC_NEVER, most = 0, grid = session_grid(50000);
	unsigned mult, i;

	assert_int_equal(grid, 4096);
	for (mult = 1; mult <= 3; mult++) {
		config.detect_mult = (uint8_t)mult;
		start(&config);
		bring_up();
		now = session_on_grid(now, 50000);
		least = USEC_NEVER;
		most = 0;
		srand(3);
		for (i = 0; i < 20000; i++) {
			uint32_t random = (uint32_t)rand() << 16 ^ (uint32_t)rand();
			usec_t wait;

			session_transmitted(&s, now, i == 0 ? 0 : i == 1 ? UINT32_MAX : random);
			wait = s.next_tx - now;
			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		assert_in_range(least, 37500, 37500 + grid);
		assert_in_range(most, (mult == 1 ? 45000 : 50000) - grid, mult == 1 ? 45000 : 50000);
		assert_int_equal(most % grid, now % grid); /* from the grid to the grid */
	}
}

/* Each packet that changes our state is answered out of turn, but not at the rate at which someone sends
 * them. */
static void nobody_chases_us_through_the_states(void **state)
{
	unsigned i, sends = 0;
	usec_t began = now;

	for (i = 0; i < 10000; i++) {
		receive(i % 3 == 0 ? BFD_DOWN : i % 3 == 1 ? BFD_INIT : BFD_DOWN);
		sends += !!(effects.what & EFFECT_SEND);
		now += MS;
	}
	assert_in_range(sends, 5, 6 + (now - began) / (250 * MS));
}

static void check_invariants(const struct session *before, enum drop drop)
{
	assert_true(s.state <= BFD_UP);
	assert_true(before->state != BFD_ADMIN_DOWN || s.state == BFD_ADMIN_DOWN || !s.config.shutdown);
	assert_int_equal(s.state == BFD_ADMIN_DOWN, s.config.shutdown);
	assert_true((s.state != BFD_INIT && s.state != BFD_UP) || (s.remote_discr && s.path_up));
	assert_true(s.state == BFD_UP || s.desired_min_tx_used >= USEC_S);
	assert_true(s.state == BFD_UP || s.desired_min_tx >= USEC_S);
	assert_true(!s.tx_interval || (s.tx_interval >= s.remote_min_rx && s.path_up));
	if (s.tx_interval || !s.remote_demand || !s.poll_pending) /* else a poll will break the silence */
		assert_int_equal(s.next_tx == USEC_NEVER, s.tx_interval == 0);
	assert_true(s.desired_min_tx_used <= s.desired_min_tx && s.required_min_rx_used >= s.required_min_rx);
	if (s.desired_min_tx_used != s.desired_min_tx || s.required_min_rx_used != s.required_min_rx)
		assert_true(s.poll_active || s.poll_pending);
	assert_true(!(s.poll_active || s.poll_pending) || s.remote_discr);
	assert_true(s.last_rx >= before->last_rx && s.last_rx <= now);
	assert_int_equal(!!(effects.what & EFFECT_STATE), s.state != before->state);
	assert_int_equal(!!(effects.what & EFFECT_TX), s.next_tx != before->next_tx);
	assert_true(!(effects.what & EFFECT_SEND_FINAL) || effects.what & EFFECT_SEND);
	assert_true(!(effects.what & EFFECT_SEND) || s.path_up);
	assert_true(!(effects.what & EFFECT_SEND) || !s.config.passive || s.remote_discr);
	if (session_detect_deadline(&s) < session_detect_deadline(before))
		assert_true(effects.what & EFFECT_DETECT);
	assert_int_equal(s.up_transitions - before->up_transitions,
			 s.state == BFD_UP && before->state != BFD_UP);
	assert_int_equal(s.down_transitions - before->down_transitions,
			 s.state != BFD_UP && before->state == BFD_UP);
	if (drop) {
		assert_int_equal(effects.what, 0);
		assert_int_equal(s.packets_in, before->packets_in);
	}
}

static uint32_t random_interval(void)
{
	static const uint32_t some[] = {0, 1, 10000, 50000, 300000, 1000000, 5000000, UINT32_MAX};

	return some[(unsigned)rand() % 8];
}

static enum drop random_packet(const struct session *before)
{
	enum drop drop;

	peer.my_discr = 1 + (uint32_t)rand() % 2;
	peer.demand = rand() % 8 == 0;
	peer.detect_mult = (uint8_t)(1 + rand() % 255);
	peer.desired_min_tx = random_interval();
	peer.required_min_rx = random_interval();
	peer.auth_present = rand() % 50 == 0;
	drop = receive_flags((enum bfd_state)(rand() % 4), rand() % 4 == 0, rand() % 4 == 0);
	assert_true(drop == DROP_NONE || peer.auth_present || !before->path_up ||
		    before->state == BFD_ADMIN_DOWN);
	assert_true(drop != DROP_NONE || (before->path_up && before->state != BFD_ADMIN_DOWN));
	return drop;
}

static void a_random_life_keeps_the_invariants(void **state)
{
	unsigned i, ups = 0;

	srand(42);
	for (i = 0; i < 300000; i++) {
		struct session before = s;
		enum drop drop = DROP_NONE;
		struct session_config config = s.config;
		int what = rand() % 100;

		now += rand() % 3 ? rand() % 60000 : rand() % 3000000;
		before = s;
		effects.what = 0;
		if (what < 75) {
			drop = random_packet(&before);
		} else if (what < 85) {
			session_detect_expired(&s, now, &effects);
			assert_true(session_detect_deadline(&s) > now);
		} else if (what < 90) {
			session_transmitted(&s, now, (uint32_t)rand());
			effects.what = s.next_tx != before.next_tx ? EFFECT_TX : 0;
		} else if (what < 97) {
			config.desired_min_tx = random_interval();
			config.required_min_rx = random_interval();
			config.detect_mult = (uint8_t)(1 + rand() % 10);
			config.passive = rand() % 4 == 0;
			config.shutdown = rand() % 8 == 0;
			session_configure(&s, &config, now, &effects);
		} else {
			session_path(&s, rand() % 4 != 0, now, &effects);
		}
		check_invariants(&before, drop);
		ups += s.up_transitions - before.up_transitions;
	}
	assert_true(ups > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(a_session_starts_down_silent_and_unheard),
		TEST(a_path_that_comes_is_used_soon),
		TEST(a_flapping_path_does_not_make_us_fast),
		TEST(the_three_way_handshake),
		TEST(a_quiet_packet_has_no_effects),
		TEST(detection_is_neither_early_nor_missed),
		TEST(silence_in_init_goes_down),
		TEST(the_remote_discriminator_is_forgotten_after_silence),
		TEST(what_a_gone_peer_asked_for_does_not_bind_the_next),
		TEST(the_kernel_s_time_counts_and_never_runs_back),
		TEST(an_old_packet_is_not_fresh),
		TEST(a_neighbor_s_admin_down_is_no_failure_of_the_path),
		TEST(a_restarted_peer_is_met_under_its_new_discriminator),
		TEST(shutdown_tells_and_hears_nothing),
		TEST(a_session_may_be_born_shut),
		TEST(losing_the_path_is_down_at_once),
		TEST(authentication_is_refused),
		TEST(a_passive_session_waits_to_be_spoken_to),
		TEST(a_peer_that_wants_no_packets_gets_none),
		TEST(a_peer_in_demand_mode_hears_only_polls),
		TEST(intervals_are_jittered_within_the_rfc_s_bounds),
		TEST(nobody_chases_us_through_the_states),
		TEST(a_random_life_keeps_the_invariants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
