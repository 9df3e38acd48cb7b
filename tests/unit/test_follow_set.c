/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is followed, against a model: a kernel's table whose changes are told one by one, some lost, in the
 * order in which they happened but late, while it is listed bit by bit and goes on changing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netlink/follow_set.h"

#define PREFIXES 40
#define METRICS 2
#define ROUTES (PREFIXES * METRICS)
#define QUEUE 4096
#define SERVICES 3

static const uint64_t secret[2] = {1, 2};

/* What the owner of the set has: by the changes it was told. */
static uint16_t told[PREFIXES];

static struct prefix nth(unsigned i)
{
	struct prefix prefix = {.addr = {.family = i % 2 ? AF_INET6 : AF_INET, .bytes = {10, (uint8_t)i}},
				.length = 16};

	return prefix;
}

static void changed(void *context, const struct prefix *prefix, uint16_t before, uint16_t wanted)
{
	unsigned i = prefix->addr.bytes[1];

	assert_int_equal(prefix_compare(prefix, &(struct prefix){nth(i).addr, 16}), 0);
	assert_int_equal(told[i], before);
	assert_int_not_equal(before, wanted);
	told[i] = wanted;
}

static void begin(struct follow_set *set, usec_t delay)
{
	memset(told, 0, sizeof(told));
	follow_set_init(set, secret, changed, NULL);
	for (unsigned s = 0; s < FOLLOW_SERVICES; s++)
		set->delay[s] = delay;
}

static void list_nothing(struct follow_set *set, usec_t now)
{
	follow_set_list_begin(set);
	follow_set_list_end(set, now);
}

static unsigned counted;
static void count_one(void *context, const struct prefix *prefix)
{
	assert_true(told[prefix->addr.bytes[1]] >> *(unsigned *)context & 1);
	counted++;
}

/* What can be read is what was told. */
static void consistent(struct follow_set *set)
{
	for (unsigned s = 0; s < SERVICES; s++) {
		unsigned n = 0;

		counted = 0;
		follow_set_each(set, AF_INET, s, count_one, &s);
		follow_set_each(set, AF_INET6, s, count_one, &s);
		for (unsigned i = 0; i < PREFIXES; i++)
			n += told[i] >> s & 1;
		assert_int_equal(counted, n);
		assert_int_equal(follow_set_count(set, s).prefixes, n);
	}
}

static void test_delay(void **state)
{
	struct follow_set set;
	struct prefix prefix = nth(0);
	usec_t t = 1000 * USEC_S;

	begin(&set, 10 * USEC_S);
	set.delay[1] = 2 * USEC_S;
	list_nothing(&set, t);
	follow_set_heard(&set, &prefix, 20, 3, 1, t);
	assert_int_equal(told[0], 3);
	/* From one peer to the other, by way of nothing. */
	follow_set_gone(&set, &prefix, 20, 1, t + USEC_S);
	assert_int_equal(told[0], 3);
	assert_int_equal(follow_set_count(&set, 0).waiting, 1);
	assert_int_equal(follow_set_expire(&set, t + 2 * USEC_S), t + 3 * USEC_S);
	follow_set_heard(&set, &prefix, 20, 3, 1, t + 2 * USEC_S);
	assert_int_equal(follow_set_expire(&set, t + 100 * USEC_S), USEC_NEVER);
	assert_int_equal(told[0], 3);
	/* Gone for good: each service by its own delay. */
	t += 200 * USEC_S;
	follow_set_gone(&set, &prefix, 20, 1, t);
	assert_int_equal(follow_set_expire(&set, t + 2 * USEC_S), t + 10 * USEC_S);
	assert_int_equal(told[0], 1);
	assert_int_equal(follow_set_expire(&set, t + 9999 * USEC_MS), t + 10 * USEC_S);
	assert_int_equal(follow_set_expire(&set, t + 10 * USEC_S), USEC_NEVER);
	assert_int_equal(told[0], 0);
	assert_int_equal(set.families[0].prefixes.live + set.families[0].routes.live, 0);
	follow_set_free(&set);
}

static void test_no_delay(void **state)
{
	struct follow_set set;
	struct prefix prefix = nth(1);

	begin(&set, 0);
	list_nothing(&set, 0);
	follow_set_heard(&set, &prefix, 20, 1, 1, 0);
	/* Of two routes one goes. */
	follow_set_heard(&set, &prefix, 32, 1, 1, 0);
	follow_set_gone(&set, &prefix, 20, 1, 0);
	assert_int_equal(told[1], 1);
	follow_set_heard(&set, &prefix, 32, 0, 1, 0); /* it leads elsewhere now */
	assert_int_equal(told[1], 0);
	follow_set_free(&set);
}

/* In doubt nothing leaves, and what a predecessor left is there before anything is known. */
static void test_doubt(void **state)
{
	struct follow_set set;
	struct prefix a = nth(0), b = nth(1), c = nth(2);

	begin(&set, 0);
	follow_set_adopt(&set, &a, 2, 0);
	follow_set_adopt(&set, &b, 2, 0);
	follow_set_adopt(&set, &b, 2, 0);
	assert_int_equal(told[0], 4);
	assert_int_equal(follow_set_expire(&set, 100 * USEC_S), USEC_NEVER);
	assert_int_equal(told[0], 4);
	follow_set_list_begin(&set);
	follow_set_listed(&set, &b, 20, 4, 1, 100 * USEC_S);
	follow_set_list_end(&set, 100 * USEC_S);
	follow_set_expire(&set, 100 * USEC_S);
	assert_int_equal(told[0], 0);
	assert_int_equal(told[1], 4);
	/* Missed: that b has gone, and c has come. */
	follow_set_doubt(&set);
	follow_set_list_begin(&set);
	follow_set_listed(&set, &c, 20, 4, 1, 101 * USEC_S);
	follow_set_list_abort(&set);
	assert_int_equal(told[1] & told[2], 4);
	list_nothing(&set, 102 * USEC_S);
	follow_set_expire(&set, 102 * USEC_S);
	assert_int_equal(told[1] | told[2], 0);
	follow_set_free(&set);
}

static void test_heard_wins(void **state)
{
	struct follow_set set;
	struct prefix a = nth(0), b = nth(1), c = nth(3);

	begin(&set, 0);
	list_nothing(&set, 0);
	follow_set_heard(&set, &a, 20, 1, 1, 0);
	follow_set_list_begin(&set);
	follow_set_gone(&set, &a, 20, 1, 0);
	follow_set_listed(&set, &a, 20, 1, 1, 0); /* as it was before */
	assert_int_equal(told[0], 0);
	follow_set_heard(&set, &b, 20, 2, 1, 0);
	follow_set_listed(&set, &b, 20, 1, 1, 0);
	follow_set_gone(&set, &c, 20, 1, 0); /* never heard of */
	follow_set_listed(&set, &c, 20, 1, 1, 0);
	follow_set_list_end(&set, 0);
	assert_int_equal(told[0], 0);
	assert_int_equal(told[1], 2);
	assert_int_equal(told[3], 0);
	assert_int_equal(set.families[1].routes.live, 1);
	follow_set_free(&set);
}

/* IPv6: next hops go one by one, and what is left has to be listed. */
static void test_partial(void **state)
{
	struct follow_set set;
	struct prefix prefix = nth(1);

	begin(&set, 0);
	list_nothing(&set, 0);
	follow_set_heard(&set, &prefix, 20, 3, 3, 0);
	follow_set_gone(&set, &prefix, 20, 1, 0);
	follow_set_gone(&set, &prefix, 20, 1, 0);
	assert_int_equal(told[1], 3);
	assert_int_equal(set.families[1].partial, 1);
	follow_set_list_begin(&set);
	follow_set_listed(&set, &prefix, 20, 2, 1, 0);
	follow_set_list_end(&set, 0);
	assert_int_equal(told[1], 2);
	assert_int_equal(set.families[1].partial, 0);
	follow_set_heard(&set, &prefix, 20, 3, 2, 0);
	follow_set_gone(&set, &prefix, 20, 1, 0);
	follow_set_gone(&set, &prefix, 20, 1, 0);
	assert_int_equal(told[1], 0);
	assert_int_equal(set.families[1].partial, 0);
	follow_set_free(&set);
}

/* A service that follows no more, and another in its place. */
static void test_forget(void **state)
{
	struct follow_set set;

	begin(&set, 0);
	list_nothing(&set, 0);
	for (unsigned i = 0; i < 8; i++)
		follow_set_heard(&set, &(struct prefix){nth(i).addr, 16}, 20, i % 4, 1, 0);
	follow_set_forget(&set, 1);
	for (unsigned i = 0; i < 8; i++)
		told[i] &= 1;
	consistent(&set);
	assert_int_equal(follow_set_count(&set, 0).prefixes, 4);
	follow_set_free(&set);
}

/* The model */

struct truth {
	uint16_t services[ROUTES]; /* the kernel's */
	struct {
		unsigned route;
		uint16_t services;
	} queue[QUEUE];
	unsigned head, tail;
	unsigned lost; /* told once the queue has been read up to there */
	bool overflow;
	unsigned listing; /* the next route to be listed; ROUTES: none is */
	uint16_t ahead;	  /* what the dump holds ready of it */
};

static void kernel_change(struct truth *k)
{
	unsigned r = (unsigned)rand() % ROUTES;
	uint16_t services = rand() % 3 ? (uint16_t)(rand() % (1 << SERVICES)) : 0;

	k->services[r] = services;
	if (rand() % 50 == 0) {
		k->overflow = true; /* nobody hears of this one */
		k->lost = k->head;
		return;
	}
	k->queue[k->head % QUEUE].route = r;
	k->queue[k->head++ % QUEUE].services = services;
}

static void hear(struct follow_set *set, struct truth *k, usec_t now)
{
	unsigned r;
	struct prefix prefix;

	if (k->tail == k->head)
		return;
	r = k->queue[k->tail % QUEUE].route;
	prefix = nth(r / METRICS);
	if (k->queue[k->tail % QUEUE].services || rand() % 2)
		follow_set_heard(set, &prefix, r % METRICS, k->queue[k->tail % QUEUE].services, 1, now);
	else
		follow_set_gone(set, &prefix, r % METRICS, 1, now);
	k->tail++;
}

/* The socket says so, and all from before is read before anything is listed. */
static void lose(struct follow_set *set, struct truth *k, usec_t now)
{
	if (k->listing < ROUTES)
		follow_set_list_abort(set);
	k->listing = ROUTES;
	follow_set_doubt(set);
	k->overflow = false;
	while (k->tail != k->lost)
		hear(set, k, now);
}

static void list_some(struct follow_set *set, struct truth *k, usec_t now)
{
	if (k->listing == ROUTES) {
		follow_set_list_begin(set);
		k->listing = 0;
		k->ahead = k->services[0];
		return;
	}
	if (k->ahead)
		follow_set_listed(set, &(struct prefix){nth(k->listing / METRICS).addr, 16},
				  k->listing % METRICS, k->ahead, 1, now);
	if (++k->listing < ROUTES)
		k->ahead = k->services[k->listing];
	else
		follow_set_list_end(set, now);
}

static void settle(struct follow_set *set, struct truth *k, usec_t now)
{
	if (k->overflow)
		lose(set, k, now);
	if (!set->sure)
		do
			list_some(set, k, now);
		while (!set->sure || k->listing < ROUTES);
	while (k->tail != k->head)
		hear(set, k, now);
}

static void model_agrees(struct follow_set *set, const struct truth *k)
{
	unsigned routes = 0;

	for (unsigned i = 0; i < PREFIXES; i++) {
		uint16_t there = 0;

		for (unsigned m = 0; m < METRICS; m++) {
			there |= k->services[i * METRICS + m];
			routes += !!k->services[i * METRICS + m];
		}
		assert_int_equal(told[i], there);
	}
	if (!set->listing) /* otherwise those that are gone are kept */
		assert_int_equal(set->families[0].routes.live + set->families[1].routes.live, routes);
	consistent(set);
}

static void run(unsigned seed, usec_t delay)
{
	static struct truth k;
	struct follow_set set;
	usec_t now = 5 * USEC_S;

	srand(seed);
	memset(&k, 0, sizeof(k));
	k.listing = ROUTES;
	begin(&set, delay);
	for (unsigned step = 0; step < 3000; step++) {
		unsigned dice = (unsigned)rand() % 100;

		now += rand() % 1000;
		if (dice < 40 && k.head - k.tail < QUEUE)
			kernel_change(&k);
		else if (k.overflow)
			lose(&set, &k, now);
		else if (dice < 75)
			hear(&set, &k, now);
		else
			list_some(&set, &k, now);
		if (step % 100 == 0)
			follow_set_expire(&set, now);
		if (step % 500)
			continue;
		consistent(&set);
		settle(&set, &k, now);
		now += delay + USEC_MS;
		follow_set_expire(&set, now);
		model_agrees(&set, &k);
	}
	follow_set_free(&set);
}

static void test_model(void **state)
{
	const char *seed = getenv("SEED");

	for (unsigned s = 1; s <= 300 && !seed; s++)
		run(s, s % 2 ? 0 : 300 * USEC_MS);
	if (seed)
		run((unsigned)atoi(seed), atoi(seed) % 2 ? 0 : 300 * USEC_MS);
}

/* With a delay nothing leaves that is back in time, whatever the order of things. */
static void test_model_delay(void **state)
{
	struct follow_set set;
	usec_t now = 0;

	srand(7);
	begin(&set, 10 * USEC_S);
	list_nothing(&set, now);
	for (unsigned i = 0; i < PREFIXES; i++)
		follow_set_heard(&set, &(struct prefix){nth(i).addr, 16}, 20, 1, 1, now);
	for (unsigned step = 0; step < 10000; step++) {
		struct prefix prefix = nth((unsigned)rand() % PREFIXES);

		now += USEC_S;
		follow_set_gone(&set, &prefix, 20, 1, now);
		follow_set_expire(&set, now);
		now += 9 * USEC_S;
		if (rand() % 2)
			list_nothing(&set, now);
		for (unsigned i = 0; i < PREFIXES; i++)
			follow_set_heard(&set, &(struct prefix){nth(i).addr, 16}, (uint32_t)rand() % 2, 1, 1,
					 now);
		for (unsigned i = 0; i < PREFIXES; i++)
			assert_int_equal(told[i], 1);
	}
	follow_set_free(&set);
}

/* 32 bits of milliseconds go round after 49 days. */
static void test_wrap(void **state)
{
	struct follow_set set;
	struct prefix prefix = nth(0);
	usec_t t = ((usec_t)UINT32_MAX - 2000) * USEC_MS;

	begin(&set, 5 * USEC_S);
	list_nothing(&set, t);
	follow_set_heard(&set, &prefix, 20, 1, 1, t);
	follow_set_gone(&set, &prefix, 20, 1, t);
	follow_set_expire(&set, t + 4 * USEC_S);
	assert_int_equal(told[0], 1);
	follow_set_expire(&set, t + 5 * USEC_S);
	assert_int_equal(told[0], 0);
	for (unsigned i = 0; i < 600; i++) { /* rounds go round, too */
		follow_set_list_begin(&set);
		if (i == 3)
			follow_set_listed(&set, &prefix, 20, 1, 1, t);
		if (i == 258) {
			follow_set_heard(&set, &prefix, 20, 1, 1, t);
			follow_set_list_end(&set, t);
		} else {
			follow_set_list_abort(&set);
		}
	}
	assert_int_equal(told[0], 1);
	list_nothing(&set, t);
	follow_set_expire(&set, t + 6 * USEC_S);
	assert_int_equal(told[0], 0);
	follow_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delay),	cmocka_unit_test(test_no_delay),
		cmocka_unit_test(test_doubt),	cmocka_unit_test(test_heard_wins),
		cmocka_unit_test(test_partial), cmocka_unit_test(test_forget),
		cmocka_unit_test(test_model),	cmocka_unit_test(test_model_delay),
		cmocka_unit_test(test_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
