/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/clock.h"

#define OFFSET (1700000000 * USEC_S)
#define DAY (86400 * USEC_S)

/* A clock whose turns were at 10 s and 10 s + 1 ms. */
static struct clock two_turns(usec_t offset, usec_t offset_then)
{
	struct clock clock = {0};

	clock_set(&clock, 10 * USEC_S, 10 * USEC_S + offset);
	clock_set(&clock, 10 * USEC_S + 1000, 10 * USEC_S + 1000 + offset_then);
	return clock;
}

static void plain(void **state)
{
	struct clock clock = two_turns(OFFSET, OFFSET);

	assert_int_equal(clock.now, 10 * USEC_S + 1000);
	assert_int_equal(clock_received(&clock, OFFSET + 10 * USEC_S + 400), 10 * USEC_S + 400);
	assert_int_equal(clock_received(&clock, OFFSET + 10 * USEC_S - 3000), 10 * USEC_S - 3000);
}

static void no_stamp(void **state)
{
	struct clock clock = two_turns(OFFSET, OFFSET);

	assert_int_equal(clock_received(&clock, 0), clock.now);
}

static void bounds(void **state)
{
	struct clock clock = two_turns(OFFSET, OFFSET);

	/* It came while this turn was reading. */
	assert_int_equal(clock_received(&clock, OFFSET + clock.now + 7), clock.now);
	assert_int_equal(clock_received(&clock, OFFSET), 10 * USEC_S - CLOCK_SLACK);
	assert_int_equal(clock_received(&clock, 1), 10 * USEC_S - CLOCK_SLACK);
	assert_int_equal(clock_received(&clock, INT64_MAX / 4), clock.now);
}

static void first_turn(void **state)
{
	struct clock clock = {0};

	clock_set(&clock, 10 * USEC_S, 10 * USEC_S + OFFSET);
	assert_int_equal(clock_received(&clock, OFFSET + 9 * USEC_S), 9 * USEC_S);
}

/* Whichever way and however far the realtime clock was set between stamp and turn, a packet stamped before
 * and one stamped after come out right. */
static void steps(void **state)
{
	static const usec_t by[] = {2000, 30000, USEC_S, DAY, -2000, -30000, -USEC_S, -DAY};

	for (unsigned i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		struct clock clock = two_turns(OFFSET, OFFSET + by[i]);

		assert_int_equal(clock_received(&clock, OFFSET + 10 * USEC_S + 300), 10 * USEC_S + 300);
		assert_int_equal(clock_received(&clock, OFFSET + by[i] + 10 * USEC_S + 700),
				 10 * USEC_S + 700);
		/* The next turn has forgotten the step. */
		clock_set(&clock, 10 * USEC_S + 2000, 10 * USEC_S + 2000 + OFFSET + by[i]);
		assert_int_equal(clock.offset_before, clock.offset);
	}
}

/* adjtime() moves the clock by half a millisecond in a second: no step. */
static void slewing(void **state)
{
	struct clock clock = {0};

	clock_set(&clock, 10 * USEC_S, 10 * USEC_S + OFFSET);
	clock_set(&clock, 70 * USEC_S, 70 * USEC_S + OFFSET + 30000);
	assert_int_equal(clock.offset_before, clock.offset);
	assert_int_equal(clock_received(&clock, OFFSET + 30000 + 70 * USEC_S - 50), 70 * USEC_S - 50);
}

static void real(void **state)
{
	struct clock clock = {0};
	usec_t before = clock_now();

	clock_turn(&clock);
	assert_in_range(clock.now, before, clock_now());
	assert_true(clock.offset > OFFSET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),      cmocka_unit_test(no_stamp), cmocka_unit_test(bounds),
		cmocka_unit_test(first_turn), cmocka_unit_test(steps),	  cmocka_unit_test(slewing),
		cmocka_unit_test(real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
