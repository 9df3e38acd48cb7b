/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The prefix map against an array that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "netlink/prefix_map.h"

#define MOST 3000
#define STEPS 10000

static const uint64_t secret[2] = {0x0123456789abcdef, 0xfedcba9876543210};

struct item {
	struct prefix prefix;
	uint32_t value;
};

struct model {
	struct item items[MOST];
	unsigned n;
};

/* Few bits, so that the same ones come again. */
static struct prefix some_prefix(uint8_t family, unsigned kinds)
{
	unsigned kind = (unsigned)rand() % kinds;
	struct prefix prefix = {.addr.family = family, .length = (uint8_t)(8 * addr_size(family) - kind % 3)};

	prefix.addr.bytes[0] = (uint8_t)kind;
	prefix.addr.bytes[addr_size(family) - 2] = (uint8_t)(kind >> 8);
	return prefix;
}

static void add(struct prefix_map *map, struct model *model, const struct prefix *prefix)
{
	uint32_t value = (uint32_t)rand();
	void *place;

	if (model->n == MOST)
		return;
	place = prefix_map_add(map, prefix);
	assert_non_null(place);
	assert_memory_equal(place, &(uint32_t){0}, sizeof(value));
	memcpy(place, &value, sizeof(value));
	model->items[model->n++] = (struct item){*prefix, value};
}

static unsigned model_find(const struct model *model, const struct prefix *prefix, uint32_t value)
{
	unsigned i = 0;

	while (i < model->n &&
	       (prefix_compare(&model->items[i].prefix, prefix) || model->items[i].value != value))
		i++;
	return i;
}

static unsigned model_count(const struct model *model, const struct prefix *prefix)
{
	unsigned n = 0;

	for (unsigned i = 0; i < model->n; i++)
		n += !prefix_compare(&model->items[i].prefix, prefix);
	return n;
}

/* All of this prefix are found, one after the other, and no other is. */
static void look(const struct prefix_map *map, const struct model *model, const struct prefix *prefix)
{
	unsigned n = 0;

	for (const void *at = prefix_map_find(map, prefix, NULL); at;
	     at = prefix_map_find(map, prefix, at), n++) {
		struct prefix found = prefix_map_prefix(map, at);
		uint32_t value;

		memcpy(&value, at, sizeof(value));
		assert_int_equal(prefix_compare(&found, prefix), 0);
		assert_in_range(model_find(model, prefix, value), 0, model->n - 1);
		assert_ptr_equal(prefix_map_at(map, prefix_map_index(map, at)), at);
	}
	assert_int_equal(n, model_count(model, prefix));
}

static void remove_one(struct prefix_map *map, struct model *model, const struct prefix *prefix)
{
	void *place = prefix_map_find(map, prefix, NULL);
	unsigned i;
	uint32_t value;

	if (!place)
		return;
	memcpy(&value, place, sizeof(value));
	i = model_find(model, prefix, value);
	assert_in_range(i, 0, model->n - 1);
	model->items[i] = model->items[--model->n];
	prefix_map_remove(map, place);
}

static void compare(const struct prefix_map *map, const struct model *model)
{
	unsigned n = 0;

	for (unsigned i = 0; i < map->nslots; i++)
		n += !!prefix_map_at(map, i);
	assert_int_equal(n, model->n);
	assert_int_equal(map->live, model->n);
	for (unsigned i = 0; i < model->n; i++)
		look(map, model, &model->items[i].prefix);
}

static void random_steps(uint8_t family, unsigned kinds, unsigned adds)
{
	static struct model model;
	struct prefix_map map;

	model.n = 0;
	prefix_map_init(&map, family, sizeof(uint32_t), secret);
	for (unsigned step = 0; step < STEPS; step++) {
		struct prefix prefix = some_prefix(family, kinds);

		if ((unsigned)rand() % 100 < adds)
			add(&map, &model, &prefix);
		else
			remove_one(&map, &model, &prefix);
		look(&map, &model, &prefix);
		if (step % 5000 == 0)
			compare(&map, &model);
	}
	compare(&map, &model);
	prefix_map_free(&map);
	assert_int_equal(map.live, 0);
	assert_null(prefix_map_find(&map, &(struct prefix){.addr.family = family}, NULL));
}

static void test_random(void **state)
{
	srand(1);
	random_steps(AF_INET, 2000, 50);
	random_steps(AF_INET6, 2000, 50);
	random_steps(AF_INET, 40000, 60);
	random_steps(AF_INET, 20, 30);
}

/* A million that come and go take no more room than those that are there at a time. */
static void test_churn(void **state)
{
	struct prefix_map map;
	struct prefix prefix = {.addr.family = AF_INET, .length = 32};

	prefix_map_init(&map, AF_INET, 1, secret);
	for (uint32_t i = 0; i < 1000000; i++) {
		memcpy(prefix.addr.bytes, &i, sizeof(i));
		assert_non_null(prefix_map_add(&map, &prefix));
		if (i < 1000)
			continue;
		memcpy(prefix.addr.bytes, &(uint32_t){i - 1000}, sizeof(i));
		prefix_map_remove(&map, prefix_map_find(&map, &prefix, NULL));
	}
	assert_int_equal(map.live, 1000);
	assert_in_range(prefix_map_memory(&map), 1000, 1000 * 6 * 10);
	prefix_map_free(&map);
}

/* After a reservation no addition moves anything. */
static void test_reserve(void **state)
{
	struct prefix_map map;
	struct prefix prefix = {.addr.family = AF_INET6, .length = 128};
	unsigned nslots;

	prefix_map_init(&map, AF_INET6, 1, secret);
	assert_true(prefix_map_reserve(&map, 0));
	assert_true(prefix_map_reserve(&map, 100000));
	nslots = map.nslots;
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(prefix.addr.bytes + 4, &i, sizeof(i));
		assert_non_null(prefix_map_add(&map, &prefix));
		assert_int_equal(map.nslots, nslots);
	}
	assert_in_range(prefix_map_memory(&map), 1800000, 4800000);
	/* Looking for one does not go through all the others: that would take hours. */
	for (uint32_t i = 0; i < 100000; i++) {
		memcpy(prefix.addr.bytes + 4, &i, sizeof(i));
		assert_non_null(prefix_map_find(&map, &prefix, NULL));
	}
	prefix.addr.family = AF_INET;
	assert_null(prefix_map_find(&map, &prefix, NULL));
	prefix_map_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_churn),
		cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
