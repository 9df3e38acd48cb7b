/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Echo in virtual time, affiliated and not, by the engine itself: packets that are delayed, lost and
 * reordered on their way to the peer and back, and an engine that stands still. Rules of its own, by what was
 * sent and what came back, say when the session must be Up and when Down. SCENARIOS=n runs so many of each
 * kind, SEED=n only number n.
 */
#include "tests/unit/echo_fixture.h"

#define SCENARIOS 60

static unsigned number, downs, stalls;
static bool was_up, stalled; /* STALLED: in this scenario */
static usec_t down_at, stall_most;

#define rule(condition)                                                                             \
	do {                                                                                        \
		if (!(condition))                                                                   \
			fail_msg("SEED=%u, %s, at %lld us: broken: %s", number,                     \
				 loop ? "unaffiliated" : "affiliated", (long long)now, #condition); \
	} while (0)

/* When what is waited for now began to be missed: of Echo packets the oldest that is newer than all that came
 * back, of looped ones the silence since the last. */
static usec_t missed_since(void)
{
	if (loop)
		return last_back;
	return newest + 1 < (int)nechoes ? echo_sent_at[newest + 1] : now;
}

static void watch(void)
{
	const struct session *session = session_of(0);
	bool up = session->state == BFD_UP;

	if (was_up && !up) {
		downs++;
		down_at = now;
		rule(session->local_diag == DIAG_ECHO_FAILED);
		rule(now - missed_since() >= detection());
		newest = (int)nechoes - 1; /* those that come after it are another life's */
	} else if (up && was_up && session->since < now) {
		/* Put off by one detection time at most, and by what was not sent. */
		rule(now - missed_since() < detection() + (stalled ? detection() + 2 * stall_most : 1));
	}
	was_up = up;
}

static void start(bool looped)
{
	static const uint32_t intervals[] = {10000, 20000, 50000, 100000};

	loop = looped;
	random_state = 0x9e3779b97f4a7c15ull * (2 * number + looped + 1);
	interval = intervals[random_below(4)];
	mult = (uint8_t)(2 + random_below(4));
	delay = random_below((uint32_t)(detection() - interval) / 2);
	jitter = random_below((uint32_t)(detection() - interval) / 2 - interval / 10);
	loss = 0;
	after_turn = NULL;
	assert_int_equal(setup(NULL), 0);
	bring_up_echo();
	stalled = false;
	stall_most = 0;
	was_up = true;
	after_turn = watch;
}

static void finish(void)
{
	assert_int_equal(teardown_echo(NULL), 0);
}

static void stall_now(usec_t most)
{
	usec_t length = 1 + random_below((uint32_t)most);

	stalled = true;
	stall_most = length > stall_most ? length : stall_most;
	stalls++;
	stall(length, random_below(2));
	run(now + length);
}

/* No delay, order or stall of ours takes a path down that brings all back within its time. */
static void sound(bool looped)
{
	unsigned before = downs;

	start(looped);
	run(now + 5 * USEC_S);
	rule(downs == before);
	for (unsigned i = random_below(10); i > 0; i--) {
		stall_now(random_below(2) ? 2 * USEC_S : 30 * USEC_MS);
		run(now + random_below(1000000));
	}
	run(now + 2 * USEC_S);
	rule(downs == before);
	finish();
}

/* A dead one is found in time, not before, and comes up again when it lives. */
static void cut_and_mended(bool looped)
{
	usec_t since, most;

	start(looped);
	run(now + random_below(2000000));
	cut = true;
	since = now;
	most = interval + delay + jitter + detection();
	if (random_below(2)) {
		run(now + random_below(100000));
		if (was_up)
			stall_now(random_below(2) ? USEC_S : 30 * USEC_MS);
		/* What was stamped late by it, and then what was not sent in it. */
		most += 2 * stall_most + detection();
	}
	run(since + most + 2 * ENGINE_TICK);
	rule(!was_up);
	rule(down_at - since >= detection() - (looped ? interval : 0));
	run(now + random_below(5000000));
	rule(!was_up);
	cut = false;
	/* The peer, too, has to come back from Down. */
	if (!looped) {
		next_control = USEC_NEVER;
		for (unsigned i = 0; i < 4; i++) {
			control_arrives(i ? BFD_UP : BFD_DOWN);
			run(now + USEC_MS);
		}
		next_control = now + CONTROL;
	}
	run(now + 2 * USEC_S + delay + jitter);
	rule(was_up);
	run(now + USEC_S);
	rule(was_up);
	finish();
}

/* What is lost takes it down only when all of a detection time is. */
static void lossy(bool looped)
{
	start(looped);
	loss = random_below(500);
	for (unsigned i = 0; i < 20; i++) {
		run(now + random_below(1000000));
		if (was_up)
			continue;
		if (!looped && next_control != USEC_NEVER) /* it hears of it, and begins again */
			control_arrives(BFD_DOWN);
		run(now + 100 * USEC_MS);
	}
	finish();
}

static void each(void (*scenario)(bool looped))
{
	const char *seed = getenv("SEED"), *count = getenv("SCENARIOS");
	unsigned most = count ? (unsigned)atoi(count) : SCENARIOS;

	downs = stalls = 0;
	for (number = 0; number < most; number++)
		for (unsigned looped = 0; looped < 2; looped++)
			if (!seed || number == (unsigned)atoi(seed))
				scenario(looped);
	print_message("%u Down, %u stalls\n", downs, stalls);
}

static void nothing_takes_a_sound_path_down(void **state)
{
	each(sound);
	assert_int_equal(downs, 0);
	assert_true(stalls > 0);
}

static void a_dead_path_is_found_in_time(void **state)
{
	each(cut_and_mended);
	assert_true(downs > 0);
}

static void loss_takes_it_down_only_when_all_is_lost(void **state)
{
	each(lossy);
	assert_true(getenv("SEED") || downs > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_takes_a_sound_path_down),
		cmocka_unit_test(a_dead_path_is_found_in_time),
		cmocka_unit_test(loss_takes_it_down_only_when_all_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
