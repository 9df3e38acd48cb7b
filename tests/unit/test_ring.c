/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "core/ring.h"

struct item {
	uint64_t number, copy[3]; /* torn items differ within themselves */
};

static void a_ring_is_first_in_first_out_and_bounded(void **state)
{
	struct item memory[4], item;
	struct ring ring;
	uint64_t in = 0, out = 0;
	int round;

	ring_init(&ring, memory, sizeof(item), 4);
	assert_false(ring_pop(&ring, &item));
	for (round = 0; round < 10; round++) {
		while (ring_space(&ring)) {
			item.number = in++;
			assert_true(ring_push(&ring, &item));
		}
		assert_int_equal(in - out, 4);
		item.number = 999;
		assert_false(ring_push(&ring, &item));
		for (int n = 0; n < 3; n++) {
			assert_true(ring_pop(&ring, &item));
			assert_int_equal(item.number, out++);
		}
		assert_int_equal(ring_space(&ring), 3);
	}
	assert_true(ring_pop(&ring, &item));
	assert_int_equal(item.number, out);
	assert_false(ring_pop(&ring, &item));
}

static void indices_may_wrap(void **state)
{
	int memory[2], item;
	struct ring ring;

	ring_init(&ring, memory, sizeof(item), 2);
	atomic_store(&ring.head, SIZE_MAX);
	atomic_store(&ring.tail, SIZE_MAX);
	for (item = 0; item < 2; item++)
		assert_true(ring_push(&ring, &item));
	assert_false(ring_push(&ring, &item));
	assert_int_equal(ring_space(&ring), 0);
	assert_true(ring_pop(&ring, &item));
	assert_int_equal(item, 0);
	assert_true(ring_pop(&ring, &item));
	assert_int_equal(item, 1);
	assert_false(ring_pop(&ring, &item));
}

#define MANY 1000000

static void *produce(void *context)
{
	struct ring *ring = context;
	uint64_t n;

	for (n = 0; n < MANY; n++) {
		struct item item = {n, {n, ~n, n}};

		while (!ring_push(ring, &item))
			sched_yield();
	}
	return NULL;
}

static void a_million_items_pass_between_threads(void **state)
{
	struct item memory[64], item;
	struct ring ring;
	pthread_t producer;
	uint64_t n;

	ring_init(&ring, memory, sizeof(item), 64);
	assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
	for (n = 0; n < MANY; n++) {
		while (!ring_pop(&ring, &item))
			sched_yield();
		if (item.number != n || item.copy[0] != n || item.copy[1] != ~n || item.copy[2] != n)
			fail_msg("item %lu came as %lu", (unsigned long)n, (unsigned long)item.number);
	}
	assert_int_equal(pthread_join(producer, NULL), 0);
	assert_false(ring_pop(&ring, &item));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ring_is_first_in_first_out_and_bounded),
		cmocka_unit_test(indices_may_wrap),
		cmocka_unit_test(a_million_items_pass_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
