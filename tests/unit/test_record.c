/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The flight recorder's rings, its seal, and the merge of what came by different ways. */
#include <string.h>

#include "core/record.h"
#include "session_fixture.h"

static struct record record;
static uint8_t bytes[PACKET_SIZE];

static int begin(void **state)
{
	memset(&record, 0xa5, sizeof(record)); /* whatever was there before */
	record_reset(&record, 1000);
	for (unsigned i = 0; i < PACKET_SIZE; i++)
		bytes[i] = (uint8_t)(i + 1);
	return 0;
}

static void came(usec_t at)
{
	bytes[0] = (uint8_t)at;
	record_in(&record, bytes, PACKET_SIZE, at, at + 7, 255, 50000, DROP_NONE);
}

static void an_entry_is_small(void **state)
{
	assert_true(sizeof(struct record_packet) <= 40);
}

static void entries_have_all_that_was_told(void **state)
{
	struct record_packet in[RECORD_IN_MAX], out[RECORD_PACKETS];
	uint8_t longer[60] = {9, 8, 7};

	came(2000);
	record_in(&record, longer, sizeof(longer), 3000, 3400, 254, 50001, DROP_TTL);
	record_in(&record, bytes, 3, 4000, 3999, 1, 50002, DROP_SHORT);
	assert_int_equal(record_merge(in, &record, NULL, 0, NULL), 3);
	assert_int_equal(in[0].at, 2000);
	assert_int_equal(in[0].delay, 7);
	assert_int_equal(in[0].ttl, 255);
	assert_int_equal(in[0].port, 50000);
	assert_int_equal(in[0].drop, DROP_NONE);
	assert_int_equal(in[0].size, PACKET_SIZE);
	assert_memory_equal(in[0].bytes, bytes, PACKET_SIZE);
	assert_int_equal(in[1].drop, DROP_TTL);
	assert_int_equal(in[1].size, sizeof(longer));
	assert_memory_equal(in[1].bytes, longer, PACKET_SIZE);
	assert_int_equal(in[2].delay, 0); /* not negative */
	assert_int_equal(in[2].size, 3);
	assert_int_equal(in[2].bytes[2], bytes[2]);
	assert_int_equal(in[2].bytes[3], 0);

	record_out(&record, bytes, 5000, 4000);
	record_out(&record, bytes, 5001, USEC_NEVER);
	assert_int_equal(record_sent(out, &record), 2);
	assert_int_equal(out[0].delay, 1000);
	assert_false(out[0].out_of_turn);
	assert_true(out[1].out_of_turn);
	assert_int_equal(out[1].delay, 0);
}

/* Length counts the authentication, of which nothing is kept: it may be a password. */
static void what_is_sent_has_its_length(void **state)
{
	struct record_packet out[RECORD_PACKETS];
	uint8_t signed_[PACKET_SIZE] = {0x20, 0xc4, 3, PACKET_SIZE + 28};

	record_out(&record, signed_, 5000, 5000);
	signed_[3] = PACKET_SIZE;
	record_out(&record, signed_, 6000, 6000);
	assert_int_equal(record_sent(out, &record), 2);
	assert_int_equal(out[0].size, PACKET_SIZE + 28);
	assert_int_equal(out[1].size, PACKET_SIZE);
}

static void delays_do_not_wrap(void **state)
{
	record_in(&record, bytes, PACKET_SIZE, 0, USEC_S * 1000, 255, 0, DROP_NONE);
	assert_int_equal(record.in[0].delay, RECORD_DELAY_MAX);
}

static void rings_keep_the_last(void **state)
{
	struct record_packet in[RECORD_IN_MAX];

	for (usec_t at = 2000; at < 2100; at++)
		came(at);
	assert_int_equal(record_merge(in, &record, NULL, 0, NULL), RECORD_PACKETS);
	for (unsigned i = 0; i < RECORD_PACKETS; i++)
		assert_int_equal(in[i].at, 2100 - RECORD_PACKETS + (int)i);
}

static void dropped_packets_push_out_no_others(void **state)
{
	struct record_packet in[RECORD_IN_MAX];
	unsigned accepted = 0, dropped = 0, n;

	for (usec_t at = 2000; at < 2016; at++)
		came(at);
	for (usec_t at = 3000; at < 4000; at++)
		record_in(&record, bytes, 5, at, at, 17, 1, DROP_SHORT);
	n = record_merge(in, &record, NULL, 0, NULL);
	for (unsigned i = 0; i < n; i++)
		in[i].drop ? dropped++ : accepted++;
	assert_int_equal(accepted, RECORD_PACKETS);
	assert_int_equal(dropped, RECORD_DROPS);
	assert_int_equal(in[n - 1].at, 3999);
}

static void merge_is_in_order_of_time(void **state)
{
	const usec_t times[] = {500, 2050, 2150, 2160};
	const uint8_t steady[PACKET_SIZE] = {0x20, 0xc0, 3, 24};
	const usec_t wanted[] = {2000, 2050, 2100, 2120, 2150, 2160, 2200};
	struct record_packet in[RECORD_IN_MAX];

	came(2000);
	record_in(&record, bytes, PACKET_SIZE, 2120, 2120, 9, 7, DROP_TTL);
	record_in(&record, bytes, PACKET_SIZE, 2100, 2100, 253, 51000, DROP_NONE);
	came(2200);
	assert_int_equal(record_merge(in, &record, times, 4, steady), 7); /* 500 was before this session */
	for (unsigned i = 0; i < 7; i++) {
		bool unseen = i == 1 || i == 4 || i == 5;

		assert_int_equal(in[i].at, wanted[i]);
		assert_int_equal(in[i].unseen, unseen);
		if (unseen)
			assert_memory_equal(in[i].bytes, steady, PACKET_SIZE);
	}
	assert_int_equal(in[1].ttl, 255);
	assert_int_equal(in[1].port, 50000);
	assert_int_equal(in[4].ttl, 253); /* that of the packet accepted before, not of the dropped one */
	assert_int_equal(in[4].port, 51000);
}

/* Hours of steady packets lie between what reached the socket and the times that are still known. */
static void merge_tells_of_no_gap_that_was_none(void **state)
{
	struct record_packet in[RECORD_IN_MAX];
	usec_t times[RECORD_TIMES];

	came(2000);
	for (unsigned i = 0; i < RECORD_TIMES; i++)
		times[i] = 3600 * USEC_S + i;
	came(3600 * USEC_S + 100);
	assert_int_equal(record_merge(in, &record, times, RECORD_TIMES, bytes), RECORD_TIMES + 1);
	assert_int_equal(in[0].at, times[0]);
	assert_int_equal(in[0].port, 50000);
	assert_int_equal(in[RECORD_TIMES].at, 3600 * USEC_S + 100);
	assert_int_equal(record_merge(in, &record, times, RECORD_TIMES - 1, bytes), RECORD_TIMES + 1);
	assert_int_equal(in[0].at, 2000); /* all of them are known */
}

static void merge_is_bounded(void **state)
{
	struct record_packet in[RECORD_IN_MAX];
	usec_t times[2 * RECORD_TIMES];

	for (usec_t i = 0; i < 100; i++) {
		came(2000 + i);
		record_in(&record, bytes, 1, 2000 + i, 2000 + i, 0, 0, DROP_SHORT);
	}
	for (unsigned i = 0; i < 2 * RECORD_TIMES; i++)
		times[i] = 2000 + i;
	assert_int_equal(record_merge(in, &record, times, 2 * RECORD_TIMES, bytes), RECORD_IN_MAX);
}

static void strangers_are_told_apart(void **state)
{
	struct addr other = {AF_INET, {192, 0, 2, 66}}, local = {AF_INET, {192, 0, 2, 1}};

	record_stranger(&record, 2000, 1000, &local, &local);
	record_stranger(&record, 2500, 1000, &other, &local);
	assert_int_equal(record.stranger.count, 2);
	assert_int_equal(record.stranger.at, 2500);
	assert_true(addr_equal(&record.stranger.peer, &other));
	assert_int_equal(record.nin + record.ndropped, 0);
	record_stranger(&record, 4000, 3000, &other, &local); /* the peer itself was heard between them */
	assert_int_equal(record.stranger.count, 1);
}

static void a_sealed_record_stays(void **state)
{
	struct record before;
	usec_t times[RECORD_TIMES + 3];
	struct addr other = {AF_INET, {192, 0, 2, 66}};

	start(&usual);
	bring_up();
	record_agreed(&record, &s);
	assert_int_equal(record.terms.detection_time, 150000);
	assert_int_equal(record.terms.patience, 150000);
	came(2000);
	now += 150000;
	session_detect_expired(&s, now, &effects);
	assert_int_equal(effects.to, BFD_DOWN);
	for (unsigned i = 0; i < RECORD_TIMES + 3; i++)
		times[i] = 3000 + i;
	record_seal(&record, &s, now, times, RECORD_TIMES + 3);
	assert_true(record.sealed);
	assert_int_equal(record.fall.at, now);
	assert_int_equal(record.fall.last_rx, now - 150000);
	assert_int_equal(record.fall.to, BFD_DOWN);
	assert_int_equal(record.fall.diag, DIAG_DETECTION_EXPIRED);
	assert_int_equal(record.ntimes, RECORD_TIMES); /* the last ones */
	assert_int_equal(record.times[0], 3003);
	assert_int_equal(record.terms.detection_time, 150000); /* the session has forgotten it */

	before = record;
	came(9000);
	record_in(&record, bytes, 3, 9000, 9000, 1, 1, DROP_SHORT);
	record_out(&record, bytes, 9000, 9000);
	record_stranger(&record, 9000, 1000, &other, &other);
	record_agreed(&record, &s);
	assert_memory_equal(&record, &before, sizeof(record));
	record_seal(&record, &s, now + 1, NULL, 0);
	record_seal(&record, &s, now + 2, NULL, 0);
	assert_int_equal(record.fall.more, 2);
	record.fall.more = 0;
	assert_memory_equal(&record, &before, sizeof(record));

	record_reset(&record, now + 3);
	assert_false(record.sealed);
	assert_int_equal(record.nin, 0);
	came(now + 4);
	assert_int_equal(record.nin, 1);
}

static void delays_are_rings(void **state)
{
	struct record_delays delays = {0};

	for (unsigned i = 0; i < 100; i++) {
		record_late(&delays, i, 500 + i);
		record_overflow(&delays, i ? i - 1 : 0, i, UINT64_MAX);
		record_error(&delays, i, 1);
	}
	assert_int_equal(delays.nlate, 100);
	assert_int_equal(delays.late[99 % RECORD_DELAYS].amount, 599);
	assert_int_equal(delays.late[99 % RECORD_DELAYS].at, 99);
	assert_int_equal(delays.late[100 % RECORD_DELAYS].at, 100 - RECORD_DELAYS);
	assert_int_equal(delays.overflows[99 % RECORD_LOSSES].amount, UINT32_MAX);
	assert_int_equal(delays.errors[99 % RECORD_LOSSES].amount, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_entry_is_small, begin),
		cmocka_unit_test_setup(entries_have_all_that_was_told, begin),
		cmocka_unit_test_setup(what_is_sent_has_its_length, begin),
		cmocka_unit_test_setup(delays_do_not_wrap, begin),
		cmocka_unit_test_setup(rings_keep_the_last, begin),
		cmocka_unit_test_setup(dropped_packets_push_out_no_others, begin),
		cmocka_unit_test_setup(merge_is_in_order_of_time, begin),
		cmocka_unit_test_setup(merge_tells_of_no_gap_that_was_none, begin),
		cmocka_unit_test_setup(merge_is_bounded, begin),
		cmocka_unit_test_setup(strangers_are_told_apart, begin),
		cmocka_unit_test_setup(a_sealed_record_stays, begin),
		cmocka_unit_test_setup(delays_are_rings, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
