/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Echo packets of ours: their tag, which of them count, and when silence is failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/echo.h"

#define INTERVAL 50000
#define MULT 3
#define DISCR 0x1234abcd

static const uint8_t key[SIPHASH_KEY] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static struct echo echo;
static uint8_t packets[300][ECHO_SIZE];
static usec_t now, rtt;

/* The designers' test vectors: key and data count up from 0. */
static void the_hash_is_siphash_2_4(void **state)
{
	uint8_t data[16];

	for (uint8_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	assert_true(siphash(key, data, 0) == 0x726fdb47dd0e0e31);
	assert_true(siphash(key, data, 1) == 0x74f839c593dc67fd);
	assert_true(siphash(key, data, 8) == 0x93f5f5799a932462);
	assert_true(siphash(key, data, 15) == 0xa129ca6149be45e5);
}

static int setup(void **state)
{
	memset(&echo, 0, sizeof(echo));
	echo_begin(&echo, INTERVAL, MULT);
	now = 1000 * USEC_S;
	return 0;
}

/* N packets, one each interval, from number FIRST on. */
static void sends(unsigned first, unsigned n)
{
	for (unsigned i = first; i < first + n; i++) {
		echo_send(&echo, key, DISCR, now, packets[i], 0);
		now += INTERVAL;
	}
}

static enum drop returns(unsigned i, usec_t at)
{
	return echo_returned(&echo, key, packets[i], 0, at, &rtt);
}

static void each_counts_once(void **state)
{
	sends(0, 1);
	assert_int_equal(echo_discr(packets[0], ECHO_SIZE), DISCR);
	assert_int_equal(echo_discr(packets[0], ECHO_SIZE - 1), 0);
	assert_int_equal(returns(0, now - INTERVAL + 170), DROP_NONE);
	assert_int_equal(rtt, 170);
	assert_int_equal(returns(0, now - INTERVAL + 180), DROP_ECHO_LATE);
	assert_int_equal(echo.packets_out, 1);
	assert_int_equal(echo.packets_in, 1);
	assert_true(echo_deadline(&echo) == USEC_NEVER);
}

static void no_byte_may_be_another(void **state)
{
	static const uint8_t other[SIPHASH_KEY] = {1};

	sends(0, 1);
	for (unsigned bit = 0; bit < ECHO_SIZE * 8; bit++) {
		packets[0][bit / 8] ^= 1 << bit % 8;
		assert_int_equal(returns(0, now), DROP_ECHO_FORGED);
		packets[0][bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(echo_returned(&echo, other, packets[0], 0, now, &rtt), DROP_ECHO_FORGED);
	assert_int_equal(returns(0, now), DROP_NONE);
}

/* RFC 9747: the Control packet in front is under the same tag. */
static void what_lies_before_may_not_change_either(void **state)
{
	uint8_t packet[24 + ECHO_SIZE] = {0x20, 0xc0, 3, 24}, *behind = packet + 24;

	echo_send(&echo, key, DISCR, now, behind, 24);
	now += 300;
	for (unsigned bit = 0; bit < sizeof(packet) * 8; bit++) {
		packet[bit / 8] ^= 1 << bit % 8;
		assert_int_equal(echo_returned(&echo, key, behind, 24, now, &rtt), DROP_ECHO_FORGED);
		packet[bit / 8] ^= 1 << bit % 8;
	}
	assert_int_equal(echo_returned(&echo, key, behind, 0, now, &rtt), DROP_ECHO_FORGED);
	assert_int_equal(echo_returned(&echo, key, behind, 24, now, &rtt), DROP_NONE);
	assert_int_equal(rtt, 300);
	assert_int_equal(echo_returned(&echo, key, behind, 24, now, &rtt), DROP_ECHO_LATE);
}

/* A path may be longer than the detection time and as good: only how many are under way has an end. */
static void who_is_patient_takes_late_ones(void **state)
{
	echo.patient = true;
	sends(0, ECHO_WINDOW);
	assert_int_equal(returns(0, now), DROP_NONE);
	assert_int_equal(rtt, ECHO_WINDOW * INTERVAL);
	sends(ECHO_WINDOW, 2);
	assert_int_equal(returns(1, now), DROP_ECHO_LATE);
	assert_int_equal(returns(2, now), DROP_NONE);
	/* Those that may yet come are lost all the same, once their time is over; until they come. */
	assert_int_equal(echo_lost(&echo), ECHO_WINDOW + 2 - 2 - (MULT + 1));
}

static void silence_is_counted_from_the_first_that_is_missed(void **state)
{
	usec_t begin = now;

	assert_true(echo_deadline(&echo) == USEC_NEVER);
	sends(0, 5);
	assert_true(echo_deadline(&echo) == begin + MULT * INTERVAL);
	assert_int_equal(returns(2, begin + 2 * INTERVAL + 10), DROP_NONE);
	assert_true(echo_deadline(&echo) == begin + (3 + MULT) * INTERVAL);
	/* What was sent earlier is no sign of life for what was sent later. */
	assert_int_equal(returns(1, begin + 2 * INTERVAL + 20), DROP_NONE);
	assert_true(echo_deadline(&echo) == begin + (3 + MULT) * INTERVAL);
	assert_int_equal(returns(4, begin + 4 * INTERVAL + 10), DROP_NONE);
	assert_true(echo_deadline(&echo) == USEC_NEVER);
	/* We were away for an hour: nothing was asked, so nothing is missed. */
	now += 3600 * USEC_S;
	sends(5, 1);
	assert_true(echo_deadline(&echo) == now - INTERVAL + MULT * INTERVAL);
}

static void later_than_the_detection_time_is_no_life(void **state)
{
	usec_t begin = now;

	sends(0, 2);
	assert_int_equal(returns(0, begin + MULT * INTERVAL + 1), DROP_ECHO_LATE);
	assert_true(echo_deadline(&echo) == begin + MULT * INTERVAL);
	assert_int_equal(returns(1, begin + INTERVAL + MULT * INTERVAL), DROP_NONE);
}

static void what_is_lost_is_counted(void **state)
{
	sends(0, 4);
	assert_int_equal(echo_lost(&echo), 0);
	sends(4, 1); /* the first is not back after 200 ms */
	assert_int_equal(echo_lost(&echo), 1);
	for (unsigned i = 5; i < 205; i++) { /* many more than the window */
		sends(i, 1);
		assert_int_equal(returns(i, now - INTERVAL + 5), DROP_NONE);
	}
	assert_int_equal(echo_lost(&echo), 5);
	assert_int_equal(returns(4, now), DROP_ECHO_LATE);
	sends(205, 2);
	echo_end(&echo, true);
	assert_int_equal(echo_lost(&echo), 7);
	assert_int_equal(returns(206, now), DROP_ECHO_LATE);
	assert_int_equal(echo.packets_out, echo.packets_in + 7);
}

/* Nobody counts to 2^32 in a test, but the session may. */
static void numbers_go_round(void **state)
{
	echo.next = UINT32_MAX - 2;
	for (unsigned i = 0; i < 6; i++) {
		sends(i, 1);
		assert_int_equal(returns(i, now - INTERVAL + 5), DROP_NONE);
	}
	assert_int_equal(echo.next, 3);
	assert_int_equal(echo_lost(&echo), 0);
}

static void the_peer_gets_what_was_promised(void **state)
{
	unsigned back = 0, n;

	/* A peer at three quarters of the interval (6.8.9) loses none. */
	for (n = 0; n < 1000; n++, now += INTERVAL * 3 / 4)
		assert_true(echo_reflect(&echo, INTERVAL, now));
	/* A flood gets no more than that. */
	for (n = 0; n < 100000; n++, now += 10)
		back += echo_reflect(&echo, INTERVAL, now);
	assert_in_range(back, USEC_S / (INTERVAL * 3 / 4), USEC_S / (INTERVAL * 3 / 4) + 3);
	assert_int_equal(echo.reflected, 1000 + back);
}

/* The peer goes on until it has heard of it. */
static void who_takes_fewer_keeps_its_promise_until_it_is_known(void **state)
{
	assert_int_equal(echo_takes(&echo, 0, now), 0);
	assert_int_equal(echo_takes(&echo, INTERVAL, now), INTERVAL);
	echo_withdraw(&echo, INTERVAL, now + USEC_S);
	assert_int_equal(echo_takes(&echo, 0, now + USEC_S - 1), INTERVAL);
	assert_int_equal(echo_takes(&echo, 2 * INTERVAL, now + USEC_S - 1), INTERVAL);
	assert_int_equal(echo_takes(&echo, INTERVAL / 2, now), INTERVAL / 2); /* it changed its mind */
	assert_int_equal(echo_takes(&echo, 0, now + USEC_S), 0);
	assert_int_equal(echo_takes(&echo, 2 * INTERVAL, now + USEC_S), 2 * INTERVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_siphash_2_4),
		cmocka_unit_test_setup(each_counts_once, setup),
		cmocka_unit_test_setup(no_byte_may_be_another, setup),
		cmocka_unit_test_setup(what_lies_before_may_not_change_either, setup),
		cmocka_unit_test_setup(who_is_patient_takes_late_ones, setup),
		cmocka_unit_test_setup(silence_is_counted_from_the_first_that_is_missed, setup),
		cmocka_unit_test_setup(later_than_the_detection_time_is_no_life, setup),
		cmocka_unit_test_setup(what_is_lost_is_counted, setup),
		cmocka_unit_test_setup(numbers_go_round, setup),
		cmocka_unit_test_setup(the_peer_gets_what_was_promised, setup),
		cmocka_unit_test_setup(who_takes_fewer_keeps_its_promise_until_it_is_known, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
