/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/wheel.h"

#define YEAR (365 * 24 * 3600 * USEC_S)

static struct wheel wheel;

static void a_timer_fires_at_its_microsecond(void **state)
{
	usec_t now = 123456789;
	struct timer t = {0};

	wheel_init(&wheel, now);
	assert_int_equal(wheel_next(&wheel), USEC_NEVER);
	assert_false(timer_armed(&t));
	wheel_arm(&wheel, &t, now + 5000);
	assert_true(timer_armed(&t));
	assert_null(wheel_expire(&wheel, now + 4999));
	assert_int_equal(wheel_next(&wheel), now + 5000);
	assert_ptr_equal(wheel_expire(&wheel, now + 5000), &t);
	assert_false(timer_armed(&t));
	assert_null(wheel_expire(&wheel, now + 5000));
	assert_int_equal(wheel_next(&wheel), USEC_NEVER);
}

static void a_deadline_in_the_past_is_due_at_once(void **state)
{
	struct timer t = {0};

	wheel_init(&wheel, 10 * USEC_S);
	wheel_arm(&wheel, &t, 0);
	assert_int_equal(wheel_next(&wheel), 10 * USEC_S);
	assert_ptr_equal(wheel_expire(&wheel, 10 * USEC_S), &t);
	wheel_arm(&wheel, &t, -5);
	assert_ptr_equal(wheel_expire(&wheel, 10 * USEC_S), &t);
}

static void arming_again_moves_and_cancelling_takes_out(void **state)
{
	struct timer a = {0}, b = {0};

	wheel_init(&wheel, 0);
	wheel_arm(&wheel, &a, 1000);
	wheel_arm(&wheel, &b, 1001);
	wheel_arm(&wheel, &a, 50000);
	assert_ptr_equal(wheel_expire(&wheel, 49999), &b);
	assert_null(wheel_expire(&wheel, 49999));
	wheel_cancel(&wheel, &a);
	wheel_cancel(&wheel, &a);
	assert_false(timer_armed(&a));
	assert_null(wheel_expire(&wheel, YEAR));
	assert_int_equal(wheel_next(&wheel), USEC_NEVER);
}

/* The due are taken out together, and may still be cancelled or moved while they wait to be handed out. */
static void the_due_can_be_cancelled_and_rearmed_while_looping(void **state)
{
	struct timer t[4] = {0};
	unsigned i, fired = 0;
	struct timer *first;

	wheel_init(&wheel, 0);
	for (i = 0; i < 4; i++)
		wheel_arm(&wheel, &t[i], 100 + i);
	first = wheel_expire(&wheel, 200);
	assert_non_null(first);
	i = (unsigned)(first - t);
	wheel_cancel(&wheel, &t[(i + 1) % 4]);
	wheel_arm(&wheel, &t[(i + 2) % 4], 5000);
	wheel_arm(&wheel, first, 150); /* due again */
	assert_int_equal(wheel_next(&wheel), 200);
	while ((first = wheel_expire(&wheel, 200))) {
		assert_true(first == &t[i] || first == &t[(i + 3) % 4]);
		fired++;
	}
	assert_int_equal(fired, 2);
	assert_false(timer_armed(&t[(i + 1) % 4]));
	assert_ptr_equal(wheel_expire(&wheel, 5000), &t[(i + 2) % 4]);
}

static void years_are_not_too_far(void **state)
{
	struct timer far = {0}, never = {0};
	usec_t now = 0;
	unsigned moves = 0;

	wheel_init(&wheel, now);
	wheel_arm(&wheel, &far, 60 * USEC_S + 7);
	wheel_arm(&wheel, &never, USEC_NEVER);
	for (;;) {
		usec_t next = wheel_next(&wheel);
		struct timer *fired;

		assert_true(next > now && next <= 60 * USEC_S + 7);
		now = next;
		fired = wheel_expire(&wheel, now);
		if (fired) {
			assert_ptr_equal(fired, &far);
			break;
		}
		assert_true(++moves < 20);
	}
	assert_int_equal(now, 60 * USEC_S + 7);
	wheel_arm(&wheel, &far, 100 * YEAR);
	assert_null(wheel_expire(&wheel, 100 * YEAR - 1)); /* one leap over all slots */
	assert_ptr_equal(wheel_expire(&wheel, 100 * YEAR), &far);
	assert_null(wheel_expire(&wheel, 100 * YEAR));
	assert_true(timer_armed(&never));
}

static void time_that_goes_backwards_loses_nothing(void **state)
{
	struct timer t = {0};

	wheel_init(&wheel, 5 * USEC_S);
	wheel_arm(&wheel, &t, 6 * USEC_S);
	assert_null(wheel_expire(&wheel, 1 * USEC_S));
	assert_null(wheel_expire(&wheel, 6 * USEC_S - 1));
	assert_ptr_equal(wheel_expire(&wheel, 6 * USEC_S), &t);
}

#define TIMERS 300

static usec_t random_delay(void)
{
	static const usec_t scale[] = {1, 500, 20 * USEC_MS, USEC_S, 5 * USEC_S, 60 * USEC_S};

	return rand() % scale[(size_t)rand() % 6] - (rand() % 10 ? 0 : 1000);
}

/* wheel_next() never lies beyond a deadline. It may lie before one, but not without end. */
static void check_next(const usec_t deadlines[TIMERS], usec_t now)
{
	usec_t least = USEC_NEVER, next = wheel_next(&wheel);
	int i;

	for (i = 0; i < TIMERS; i++)
		if (deadlines[i] < least)
			least = deadlines[i];
	assert_int_equal(least == USEC_NEVER, next == USEC_NEVER);
	assert_true(next <= (least > now ? least : now));
	assert_true(next >= now);
}

/* Against a plain array: the same timers fire, in the same round. */
static void a_random_life_agrees_with_an_array(void **state)
{
	static struct timer timers[TIMERS];
	static usec_t deadlines[TIMERS];
	usec_t now = 987654321;
	int round, i;

	srand(1);
	memset(timers, 0, sizeof(timers));
	wheel_init(&wheel, now);
	for (i = 0; i < TIMERS; i++)
		deadlines[i] = USEC_NEVER;
	for (round = 0; round < 30000; round++) {
		struct timer *fired;

		for (int n = rand() % 4; n > 0; n--) {
			i = rand() % TIMERS;
			if (rand() % 5) {
				deadlines[i] = now + random_delay();
				wheel_arm(&wheel, &timers[i], deadlines[i]);
			} else {
				deadlines[i] = USEC_NEVER;
				wheel_cancel(&wheel, &timers[i]);
			}
		}
		check_next(deadlines, now);
		now = rand() % 3 && wheel_next(&wheel) != USEC_NEVER ? wheel_next(&wheel)
								     : now + rand() % 3000;
		if (rand() % 2000 == 0)
			now += 10 * USEC_S;
		while ((fired = wheel_expire(&wheel, now))) {
			i = (int)(fired - timers);
			assert_true(deadlines[i] <= now);
			assert_int_equal(fired->deadline, deadlines[i]);
			deadlines[i] = USEC_NEVER;
		}
		for (i = 0; i < TIMERS; i++) {
			assert_true(deadlines[i] > now);
			assert_int_equal(timer_armed(&timers[i]), deadlines[i] != USEC_NEVER);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_timer_fires_at_its_microsecond),
		cmocka_unit_test(a_deadline_in_the_past_is_due_at_once),
		cmocka_unit_test(arming_again_moves_and_cancelling_takes_out),
		cmocka_unit_test(the_due_can_be_cancelled_and_rearmed_while_looping),
		cmocka_unit_test(years_are_not_too_far),
		cmocka_unit_test(time_that_goes_backwards_loses_nothing),
		cmocka_unit_test(a_random_life_agrees_with_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
