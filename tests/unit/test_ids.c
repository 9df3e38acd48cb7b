/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for names: over reloads, and over restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ids.h"

#define FIRST 100
#define SIZE 4

static struct ids *ids;
static char all[256];

static int setup(void **state)
{
	ids = ids_create(FIRST, SIZE);
	return !ids;
}

static int teardown(void **state)
{
	ids_free(ids);
	return 0;
}

static void append(void *context, const char *name, uint32_t number)
{
	size_t length = strlen(all);

	snprintf(all + length, sizeof(all) - length, "%s=%u ", name, number);
}

static const char *list(void)
{
	all[0] = '\0';
	ids_each(ids, append, NULL);
	return all;
}

static void a_name_keeps_its_number_while_it_is_asked_for(void **state)
{
	assert_int_equal(ids_get(ids, "a"), 100);
	assert_int_equal(ids_get(ids, "b"), 101);
	assert_int_equal(ids_get(ids, "a"), 100);
	ids_sweep(ids);
	assert_int_equal(ids_get(ids, "b"), 101);
	ids_sweep(ids);
	assert_string_equal(list(), "b=101 ");
	assert_int_equal(ids_get(ids, "c"), 100);
	assert_int_equal(ids_get(ids, "d"), 102);
	assert_int_equal(ids_get(ids, "e"), 103);
	assert_int_equal(ids_get(ids, "f"), 0); /* all given */
	assert_string_equal(list(), "c=100 b=101 d=102 e=103 ");
}

static void a_number_of_before_is_given_to_its_name(void **state)
{
	assert_true(ids_put(ids, "c", 102));
	assert_true(ids_put(ids, "a", 100));
	assert_true(ids_has(ids, "c"));
	assert_false(ids_has(ids, "b"));
	assert_int_equal(ids_get(ids, "b"), 101); /* the lowest free */
	assert_int_equal(ids_get(ids, "d"), 103);
	assert_int_equal(ids_get(ids, "c"), 102);
	assert_int_equal(ids_get(ids, "e"), 0);
	ids_sweep(ids);
	assert_string_equal(list(), "b=101 c=102 d=103 "); /* nobody asked for a */
}

static void numbers_and_names_are_put_once_and_in_the_range(void **state)
{
	assert_true(ids_put(ids, "a", 103));
	assert_false(ids_put(ids, "b", 103));
	assert_false(ids_put(ids, "a", 100));
	assert_false(ids_put(ids, "b", 99));
	assert_false(ids_put(ids, "b", 104));
	assert_false(ids_put(ids, "b", 0));
	assert_false(ids_put(ids, "b", UINT32_MAX));
	assert_string_equal(list(), "a=103 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_keeps_its_number_while_it_is_asked_for, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_number_of_before_is_given_to_its_name, setup, teardown),
		cmocka_unit_test_setup_teardown(numbers_and_names_are_put_once_and_in_the_range, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
