/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What outlives a process: its form, what of it is believed, and how a session goes on with it. */
#include "session_fixture.h"

#include <string.h>

#include "auth_fixture.h"
#include "core/resume.h"

#define SLOT 0x1234
#define DISCR (0xabcd0000 | SLOT)

static const struct session_key real_key = {
	.peer = {AF_INET6, {0xfe, 0x80, [15] = 1}},
	.local = {AF_INET6, {0xfe, 0x80, [15] = 2}},
	.ifindex = 7,
};

static uint8_t record[RESUME_RECORD];
static struct resume kept, read_back;

static int setup_up(void **state)
{
	start(&usual);
	session_init(&s, &usual, &real_key, DISCR, 50000, now);
	session_path(&s, true, now, &effects);
	peer.your_discr = DISCR;
	bring_up();
	resume_take(&kept, &s);
	resume_encode(&kept, record);
	return 0;
}

static bool readable(void)
{
	return resume_decode(&read_back, record, SLOT, now);
}

/* With another value, and the checksum of that. */
static bool believed(const struct resume *changed)
{
	resume_encode(changed, record);
	return resume_decode(&read_back, record, (uint16_t)changed->local_discr, now);
}

#define refused_with(member, value)               \
	do {                                      \
		struct resume changed = kept;     \
		changed.member = value;           \
		assert_false(believed(&changed)); \
	} while (0)

static void what_is_kept_is_read_back(void **state)
{
	assert_true(readable());
	assert_memory_equal(&read_back, &kept, sizeof(kept));
	kept.key = (struct session_key){.peer = {AF_INET, {192, 0, 2, 1}}, .type = SESSION_MULTIHOP};
	kept.remote_demand = kept.remote_cpi = kept.polling = true;
	kept.up_transitions = 3;
	kept.down_transitions = 2;
	kept.xmit_started = kept.rcv_known = true;
	kept.xmit_seq = UINT32_MAX;
	kept.rcv_seq = 0x80000001;
	kept.chain = 0xfffffffe;
	assert_true(believed(&kept));
	assert_memory_equal(&read_back, &kept, sizeof(kept));
}

/* Authentication's sequence numbers go on; what the peer sent meanwhile is not known. */
static void numbers_go_on(void **state)
{
	struct session_extra extra = {.auth = {.started = true,
					       .xmit_seq = 77,
					       .known = AUTH_KNOWN,
					       .rcv_seq = 99,
					       .known_until = now}};

	s.extra = &extra;
	resume_take(&kept, &s);
	assert_true(believed(&kept));
	extra = (struct session_extra){0};
	session_init(&s, &usual, &real_key, DISCR, 50000, now);
	s.extra = &extra;
	session_resume(&s, &read_back, now, &effects);
	assert_true(extra.auth.started);
	assert_int_equal(extra.auth.xmit_seq, 77);
	assert_int_equal(extra.auth.known, AUTH_RESUMED);
	assert_int_equal(extra.auth.rcv_seq, 99);
	assert_true(extra.auth.known_until == now + 2 * s.detection_time);
	/* Another key chain, or none, is no reason to forget; a session without memory for it is no harm. */
	s.extra = NULL;
	session_resume(&s, &read_back, now, &effects);
}

/* By its name: its keys may be others by then. */
static void whose_keys_it_had_is_kept(void **state)
{
	union chain_memory memory;

	assert_int_equal(kept.chain, 0);
	s.config.auth = one_key(&memory, 1, AUTH_SHA1, "secret");
	resume_take(&kept, &s);
	assert_true(believed(&kept));
	assert_int_equal(read_back.chain, auth_chain_mark("test"));
	assert_int_not_equal(read_back.chain, auth_chain_mark("tesu"));
	assert_int_not_equal(auth_chain_mark(""), 0);
	assert_null(resume_config(&read_back).auth);
}

static void half_a_record_is_none(void **state)
{
	uint8_t whole[RESUME_RECORD], other[RESUME_RECORD];

	memcpy(whole, record, sizeof(whole));
	kept.up_transitions++;
	kept.since++;
	kept.remote_discr++;
	kept.key.peer.bytes[14] = 9;
	resume_encode(&kept, other);
	for (size_t cut = 1; cut < RESUME_RECORD; cut++) {
		memcpy(record, other, cut);
		memcpy(record + cut, whole + cut, RESUME_RECORD - cut);
		if (memcmp(record, other, sizeof(other)) && memcmp(record, whole, sizeof(whole)))
			assert_false(readable());
	}
	for (size_t bit = 0; bit < 8 * RESUME_RECORD; bit++) {
		memcpy(record, whole, sizeof(record));
		record[bit / 8] ^= 1 << bit % 8;
		assert_false(readable());
	}
	memset(record, 0, sizeof(record));
	assert_false(readable());
}

static void what_no_session_can_be_is_refused(void **state)
{
	assert_false(resume_decode(&read_back, record, SLOT + 1, now));
	assert_false(resume_decode(&read_back, record, SLOT, s.since - 1)); /* from the future */
	refused_with(local_discr, 0);
	refused_with(local_discr, 0x1ffff); /* a slot that the engine has not */
	refused_with(source_port, 49151);
	refused_with(state, 4);
	refused_with(remote_state, 4);
	refused_with(local_diag, 32);
	refused_with(remote_diag, 32);
	refused_with(detect_mult, 0);
	refused_with(remote_discr, 0);
	refused_with(remote_detect_mult, 0);
	refused_with(desired_min_tx, 999);
	refused_with(desired_min_tx_used, 0);
	refused_with(required_min_rx, 0);
	refused_with(required_min_rx_used, 0);
	refused_with(since, 0);
	refused_with(created, s.since + 1);
	refused_with(key.peer.family, AF_UNIX);
	refused_with(key.type, SESSION_SBFD);
	/* Nobody would notice that it is gone. */
	kept.demand = true;
	assert_true(believed(&kept));
	refused_with(key.type, SESSION_ECHO);
	kept.demand = false;
	refused_with(key.peer.bytes[0], 0xff); /* multicast */
	assert_true(believed(&kept));
}

static void only_its_own_host_and_namespace_go_on_with_a_file(void **state)
{
	const struct resume_owner us = {{1, 2, 3}, 4, 5};
	struct resume_owner other = us;
	uint8_t header[RESUME_FIXED];

	resume_header_encode(&us, header);
	assert_int_equal(resume_header_check(&us, header, sizeof(header)), RESUME_FINE);
	for (size_t size = 0; size < sizeof(header); size++)
		assert_int_equal(resume_header_check(&us, header, size), RESUME_NO_STATE_FILE);
	other.boot[15] = 1;
	assert_int_equal(resume_header_check(&other, header, sizeof(header)), RESUME_OTHER_BOOT);
	other = us;
	other.namespace_inode++;
	assert_int_equal(resume_header_check(&other, header, sizeof(header)), RESUME_OTHER_NAMESPACE);
	other = us;
	other.namespace_device++;
	assert_int_equal(resume_header_check(&other, header, sizeof(header)), RESUME_OTHER_NAMESPACE);
	for (size_t bit = 0; bit < 8 * sizeof(header); bit++) {
		header[bit / 8] ^= 1 << bit % 8;
		assert_int_not_equal(resume_header_check(&us, header, sizeof(header)), RESUME_FINE);
		header[bit / 8] ^= 1 << bit % 8;
	}
}

static void a_session_goes_on_only_while_its_peer_waits(void **state)
{
	assert_true(resume_in_time(&kept, 0));
	assert_true(resume_in_time(&kept, 150 * MS - 1));
	assert_false(resume_in_time(&kept, 150 * MS));
	assert_false(resume_in_time(&kept, -1));
	kept.remote_min_rx = 400000; /* the slower of both counts */
	assert_true(resume_in_time(&kept, 1200 * MS - 1));
	kept.state = BFD_INIT;
	assert_true(resume_in_time(&kept, 0));
	kept.state = BFD_DOWN;
	assert_false(resume_in_time(&kept, 0));
	kept.state = BFD_ADMIN_DOWN;
	assert_false(resume_in_time(&kept, 0));
}

static bool has_failed(uint8_t state, uint8_t remote_state, uint8_t diag, uint32_t downs)
{
	const struct resume resume = {
		.state = state, .remote_state = remote_state, .local_diag = diag, .down_transitions = downs};

	return resume_failed(&resume);
}

/* RFC 5882 3.2: what was said to be down by intent is no failure; 4.1: nor what never was up. */
static void who_has_failed_is_known_after_a_restart(void **state)
{
	assert_true(has_failed(BFD_DOWN, BFD_DOWN, DIAG_DETECTION_EXPIRED, 1));
	assert_true(has_failed(BFD_INIT, BFD_DOWN, DIAG_DETECTION_EXPIRED, 1));
	assert_true(has_failed(BFD_DOWN, BFD_UP, DIAG_PATH_DOWN, 3));
	assert_false(has_failed(BFD_DOWN, BFD_DOWN, DIAG_DETECTION_EXPIRED, 0));
	assert_false(has_failed(BFD_UP, BFD_UP, DIAG_DETECTION_EXPIRED, 1));
	assert_false(has_failed(BFD_ADMIN_DOWN, BFD_DOWN, DIAG_ADMIN_DOWN, 1));
	assert_false(has_failed(BFD_DOWN, BFD_ADMIN_DOWN, DIAG_NEIGHBOR_DOWN, 1));
	/* It may have been meant, and be said no more. */
	assert_false(has_failed(BFD_DOWN, BFD_DOWN, DIAG_NEIGHBOR_DOWN, 1));
}

static void go_on(const struct session_config *config)
{
	now += 100 * MS;
	session_init(&s, config, &real_key, DISCR, 50000, now);
	session_resume(&s, &kept, now, &effects);
}

static void it_goes_on_as_if_nothing_had_been(void **state)
{
	const struct session was = s;
	struct packet packet;

	go_on(&usual);
	assert_int_equal(effects.what, EFFECT_SEND | EFFECT_TX | EFFECT_DETECT | EFFECT_NEGOTIATED);
	packet = sent();
	assert_int_equal(packet.state, BFD_UP);
	assert_int_equal(packet.my_discr, DISCR);
	assert_int_equal(packet.your_discr, PEER_DISCR);
	assert_int_equal(packet.desired_min_tx, 50000);
	assert_int_equal(packet.required_min_rx, 50000);
	assert_false(packet.poll);
	assert_int_equal(s.tx_interval, was.tx_interval);
	assert_int_equal(s.detection_time, was.detection_time);
	assert_int_equal(s.since, was.since);
	assert_int_equal(s.created, was.created);
	assert_int_equal(s.up_transitions, 1);
	assert_in_range(s.next_tx, now + 1, now + 50 * MS);
	receive(BFD_UP);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(s.up_transitions, 1);
	assert_int_equal(s.down_transitions, 0);
}

/* Demand mode goes on, too: the peer is silent, and is asked at once whether it is there. */
static void demand_mode_goes_on_with_a_poll(void **state)
{
	struct session_config config = usual;

	config.demand_mode = true;
	s.config = config;
	receive(BFD_UP);
	session_polled(&s, now);
	receive_final(BFD_UP);
	assert_true(s.demand_used && !s.poll_pending);
	resume_take(&kept, &s);
	assert_true(believed(&kept));
	kept = read_back;
	go_on(&config);
	assert_true(sent().demand && s.demand_used);
	assert_int_equal(session_detect_deadline(&s), USEC_NEVER);
	now += 200 * MS;
	session_transmitted(&s, now, 0);
	assert_true(sent().poll);
	session_polled(&s, now);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS);
	/* Not configured any more: it ends as ever, by a Poll Sequence. */
	go_on(&usual);
	assert_false(sent().demand);
	assert_true(s.demand_used && s.poll_pending);
}

static void a_peer_that_died_meanwhile_is_found_in_a_detection_time(void **state)
{
	go_on(&usual);
	assert_int_equal(session_detect_deadline(&s), now + 150 * MS);
	now += 150 * MS;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(s.local_diag, DIAG_DETECTION_EXPIRED);
	assert_int_equal(s.down_transitions, 1);
}

static void a_peer_that_gave_up_takes_it_down(void **state)
{
	go_on(&usual);
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_DOWN);
	assert_int_equal(s.local_diag, DIAG_NEIGHBOR_DOWN);
}

static void other_intervals_are_negotiated(void **state)
{
	struct session_config slower = usual;

	slower.desired_min_tx = 100000;
	go_on(&slower);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(sent().desired_min_tx, 100000);
	assert_int_equal(s.tx_interval, 50000); /* until the Final (6.8.3) */
	now += 100 * MS;
	session_transmitted(&s, now, 0);
	assert_true(sent().poll);
	receive_final(BFD_UP);
	assert_int_equal(s.tx_interval, 100000);
}

static void a_poll_that_ran_runs_again(void **state)
{
	struct session_config slower;

	configure(100000, 50000);
	assert_true(s.poll_active);
	resume_take(&kept, &s);
	slower = s.config;
	go_on(&slower);
	assert_int_equal(s.tx_interval, 50000);
	receive_final(BFD_UP); /* an answer to the one of before */
	assert_int_equal(s.tx_interval, 50000);
	now += 100 * MS;
	session_transmitted(&s, now, 0);
	assert_true(sent().poll);
	receive_final(BFD_UP);
	assert_int_equal(s.tx_interval, 100000);
	assert_false(sent().poll);
}

static void one_that_is_shut_down_now_says_so(void **state)
{
	struct session_config shut = usual;

	shut.shutdown = true;
	go_on(&shut);
	assert_true(effects.what & EFFECT_STATE);
	assert_true(effects.what & EFFECT_SEND);
	assert_int_equal(sent().state, BFD_ADMIN_DOWN);
	assert_int_equal(sent().my_discr, DISCR);
}

static void keys_are_told_apart(void **state)
{
	struct session_key a = real_key, b = real_key;

	assert_int_equal(resume_key_compare(&a, &b), 0);
	b.ifindex = 8;
	assert_true(resume_key_compare(&a, &b) < 0 && resume_key_compare(&b, &a) > 0);
	a.type = b.type = SESSION_MULTIHOP; /* on whatever interface */
	assert_int_equal(resume_key_compare(&a, &b), 0);
	a.type = SESSION_SINGLE_HOP;
	assert_int_not_equal(resume_key_compare(&a, &b), 0);
	a = b;
	b.local.bytes[15]++;
	assert_int_not_equal(resume_key_compare(&a, &b), 0);
	b = a;
	b.peer.bytes[15]++;
	assert_int_not_equal(resume_key_compare(&a, &b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_kept_is_read_back, setup_up),
		cmocka_unit_test_setup(numbers_go_on, setup_up),
		cmocka_unit_test_setup(whose_keys_it_had_is_kept, setup_up),
		cmocka_unit_test_setup(half_a_record_is_none, setup_up),
		cmocka_unit_test_setup(what_no_session_can_be_is_refused, setup_up),
		cmocka_unit_test(only_its_own_host_and_namespace_go_on_with_a_file),
		cmocka_unit_test_setup(a_session_goes_on_only_while_its_peer_waits, setup_up),
		cmocka_unit_test(who_has_failed_is_known_after_a_restart),
		cmocka_unit_test_setup(it_goes_on_as_if_nothing_had_been, setup_up),
		cmocka_unit_test_setup(demand_mode_goes_on_with_a_poll, setup_up),
		cmocka_unit_test_setup(a_peer_that_died_meanwhile_is_found_in_a_detection_time, setup_up),
		cmocka_unit_test_setup(a_peer_that_gave_up_takes_it_down, setup_up),
		cmocka_unit_test_setup(other_intervals_are_negotiated, setup_up),
		cmocka_unit_test_setup(a_poll_that_ran_runs_again, setup_up),
		cmocka_unit_test_setup(one_that_is_shut_down_now_says_so, setup_up),
		cmocka_unit_test(keys_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
