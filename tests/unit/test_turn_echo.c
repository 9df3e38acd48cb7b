/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stalls of ours, and echo: nothing that comes back is judged before the sockets were read dry, what was late
 * by us is not the path's fault, and a dead path is found all the same. */
#include "echo_fixture.h"

static int setup_affiliated(void **state)
{
	loop = false;
	interval = 50000;
	mult = 3;
	delay = 5 * USEC_MS;
	jitter = 0;
	if (setup(state))
		return -1;
	bring_up_echo();
	return 0;
}

static int setup_loop(void **state)
{
	loop = true;
	interval = 50000;
	mult = 3;
	delay = 5 * USEC_MS;
	jitter = 0;
	if (setup(state))
		return -1;
	bring_up_echo();
	return 0;
}

static bool up(void)
{
	return session_of(0)->state == BFD_UP;
}

static usec_t deadline(void)
{
	return loop ? session_detect_deadline(session_of(0)) : echo_deadline(echo_of());
}

/* It lies in the socket when its time is up, and the turn begins late. */
static void what_lies_in_the_socket_counts_after_a_stall(void **state)
{
	usec_t end;

	run(echo_sent_at[nechoes - 1] + interval); /* one is under way */
	end = echo_sent_at[nechoes - 1] + detection();
	for (unsigned round = 0; round < 20; round++) {
		stall(detection() + 40 * USEC_MS, false);
		run(now + 10 * USEC_S);
		assert_true(up());
	}
	assert_true(now > end);
	assert_int_equal(session_of(0)->drops[DROP_ECHO_LATE], 0);
}

/* Nothing was sent for a second, so nothing is missed. */
static void late_sending_is_excused(void **state)
{
	for (unsigned round = 0; round < 20; round++) {
		unsigned before = nechoes;

		run(now + 333 * USEC_MS);
		stall(USEC_S, round & 1);
		run(now + USEC_S - 1);
		assert_true(nechoes - before <= 333 / 37 + 1);
		run(now + USEC_S);
		assert_true(up());
	}
}

/* The kernel was as starved as we were: the stamp of what came back is the end of the stall. */
static void what_was_stamped_late_counts(void **state)
{
	usec_t lost;

	delay = 95 * USEC_MS; /* two are under way at any time */
	run(now + USEC_S);
	lost = echo_lost(echo_of());
	for (unsigned round = 0; round < 50; round++) {
		stall(20 * USEC_MS + random_below(300000), true);
		run(now + 700 * USEC_MS + random_below(100000));
		assert_true(up());
	}
	assert_int_equal(session_of(0)->drops[DROP_ECHO_LATE], 0);
	assert_int_equal(echo_lost(echo_of()), lost);
}

/* All that is put off comes to an end: by a detection time, however long the stall, or how many there are. */
static void a_dead_path_is_found_by_who_stalls(void **state)
{
	usec_t from, most;

	for (unsigned often = 0; often < 2; often++) {
		if (often) {
			teardown_echo(state);
			loop ? setup_loop(state) : setup_affiliated(state);
		}
		cut = true;
		from = now;
		most = delay + interval + 2 * detection();
		while (up() && now < from + 10 * USEC_S) {
			if (often || now == from)
				stall(often ? 12 * USEC_MS : USEC_S, true);
			run(now + (often ? 13 * USEC_MS : USEC_S + ENGINE_TICK));
		}
		assert_false(up());
		assert_int_equal(session_of(0)->local_diag, DIAG_ECHO_FAILED);
		assert_true(session_of(0)->since - from >= detection());
		assert_true(session_of(0)->since - from <= most + (often ? interval + detection() : USEC_S));
	}
}

/* Without a stall it is the very moment. */
static void a_dead_path_is_found_when_its_time_is_up(void **state)
{
	usec_t since;

	cut = true;
	run(now + interval + delay); /* what was under way is back, and one was lost */
	since = deadline();
	assert_in_range(since, now, now + detection());
	run(since - 1);
	assert_true(up());
	run(since);
	assert_false(up());
	assert_int_equal(session_of(0)->local_diag, DIAG_ECHO_FAILED);
}

/* A stall of the moment in which it is judged gives it as long as that, and no longer. */
static void a_short_stall_puts_it_off_shortly(void **state)
{
	usec_t since;

	cut = true;
	run(now + interval + delay);
	since = deadline();
	run(since - 1);
	stall(10 * USEC_MS, false);
	run(since + 9 * USEC_MS);
	assert_true(up());
	run(since + 21 * USEC_MS);
	assert_false(up());
}

/* Each once, and not what somebody kept. */
static void a_second_copy_is_no_life(void **state)
{
	struct flight kept;

	run(echo_sent_at[nechoes - 1] + interval);
	while (!nflights)
		step(USEC_NEVER);
	kept = flights[0];
	run(now + interval);
	cut = true;
	for (unsigned i = 0; i < 10 && up(); i++) {
		echo_arrives(kept.bytes, kept.size, now);
		run(now + interval / 2);
	}
	run(now + 2 * detection());
	assert_false(up());
	assert_in_range(session_of(0)->drops[DROP_ECHO_LATE], 3, 10);
}

#define BOTH(name)                                                             \
	{#name " (affiliated)", name, setup_affiliated, teardown_echo, NULL},  \
	{                                                                      \
#name " (unaffiliated)", name, setup_loop, teardown_echo, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(what_lies_in_the_socket_counts_after_a_stall),
		BOTH(late_sending_is_excused),
		BOTH(what_was_stamped_late_counts),
		BOTH(a_dead_path_is_found_by_who_stalls),
		BOTH(a_dead_path_is_found_when_its_time_is_up),
		BOTH(a_short_stall_puts_it_off_shortly),
		BOTH(a_second_copy_is_no_life),
	};

	random_state = 0x9e3779b97f4a7c15ull;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
