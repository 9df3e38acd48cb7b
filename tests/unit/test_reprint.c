// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON printed anew, against what jansson says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "ctl/reprint.h"

/* Of our own: memory of exactly the text's size, so that a step beyond it is noticed. */
static char *exact(const char *text, size_t length)
{
	char *copy = malloc(length ? length : 1);

	memcpy(copy, text, length);
	return copy;
}

static char *reprinted(const char *text, size_t length)
{
	char *copy = exact(text, length), *out = NULL;
	size_t size;
	FILE *file = open_memstream(&out, &size);

	reprint(copy, length, file);
	fclose(file);
	free(copy);
	return out;
}

static size_t checked(const char *text, size_t length)
{
	char *copy = exact(text, length);
	size_t used = reprint_check(copy, length);

	free(copy);
	return used;
}

static void prints_as_jansson_does(void **state)
{
	static const char *const texts[] = {
		"null",
		"[]",
		"{}",
		"[[],{}]",
		"[1,-2,3.5,16.667,0,-0.25]",
		"{\"a\":true,\"b\":[false,null]}",
		"[{\"a\":1,\"b\":{\"c\":[]}},{\"a\":2,\"b\":{}}]",
		"\"\\\"\\\\\\n\\u001B\"",
		"\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x93\x9e x\"",
		"{\"\xc3\xa9\":\"[,:{\"}",
		"\"\"",
		"\"\x7f\"",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t length = strlen(texts[i]);
		json_t *json = json_loads(texts[i], JSON_DECODE_ANY, NULL);
		char *wanted, *got;

		assert_non_null(json);
		wanted = json_dumps(json, JSON_ENSURE_ASCII | JSON_INDENT(2) | JSON_ENCODE_ANY |
						  JSON_REAL_PRECISION(15));
		assert_int_equal(checked(texts[i], length), length);
		got = reprinted(texts[i], length);
		assert_string_equal(got, wanted);
		free(got);
		free(wanted);
		json_decref(json);
	}
}

static void a_tree_is_what_jansson_makes_of_it(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"a\":1,\"b\":{\"c\":[1,{\"d\":2}]},\"e\":\"f\"}",
		"{ \"a\" : -1 , \"b\" : 16.667 }",
		"{\"a\":999999999999999999,\"b\":1000000000000000000,\"c\":1e3,\"d\":0}",
		"{\"a\":\"\\u001b\\\"\",\"b\":\"caf\xc3\xa9\",\"c\":\"\",\"d\":null,\"e\":true}",
		"[1,\"x\"]",
		"7",
		"\"x\"",
		"null",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *text = exact(texts[i], strlen(texts[i]));
		json_t *wanted = json_loads(texts[i], JSON_DECODE_ANY, NULL),
		       *got = reprint_tree(text, strlen(texts[i]));

		assert_true(json_equal(got, wanted));
		json_decref(got);
		json_decref(wanted);
		free(text);
	}
}

static void elements_come_one_by_one(void **state)
{
	static const char text[] = "[ 1,{\"a\":[2]} , \"]\"]", empty[] = "[ ]";
	static const char *const wanted[] = {"1", "{\"a\":[2]}", "\"]\""};
	const char *at = text, *element;
	size_t length;

	for (unsigned i = 0; i < 3; i++) {
		element = reprint_element(&at, text + strlen(text), &length);
		assert_int_equal(length, strlen(wanted[i]));
		assert_memory_equal(element, wanted[i], length);
	}
	assert_null(reprint_element(&at, text + strlen(text), &length));
	at = empty;
	assert_null(reprint_element(&at, empty + strlen(empty), &length));
}

static void blanks_do_not_matter(void **state)
{
	static const char text[] = " { \"a\" :\t[ ] , \"b\" : [ 1 ,\r\n2 ] }";
	char *got = reprinted(text, strlen(text));

	assert_int_equal(checked(text, strlen(text)), strlen(text));
	assert_string_equal(got, "{\n  \"a\": [],\n  \"b\": [\n    1,\n    2\n  ]\n}");
	free(got);
}

static void the_value_ends_where_it_ends(void **state)
{
	assert_int_equal(checked("[1,2]}", 6), 5);
	assert_int_equal(checked("truex", 5), 4);
	assert_int_equal(checked("\"a\"\"b\"", 6), 3);
}

static void deep_nesting_is_refused(void **state)
{
	static char text[200000];

	memset(text, '[', 100000);
	memset(text + 100000, ']', 100000);
	assert_int_equal(checked(text, sizeof(text)), 0);
	assert_int_equal(checked(text + 100000 - 200, 400), 400);
}

static bool only_blanks(const char *text, size_t length)
{
	return strspn(text, " \n") >= length;
}

/* Valid JSON, bent by a byte or two: what the check takes jansson takes as well, and the other way round; and
 * what is printed of it is the same value. */
static void takes_what_jansson_takes(void **state)
{
	static const char seed[] =
		"{\"a\":[1,-2.5e+3,true,false,null,\"x\\u00e9\\n\xc3\xa9\xf0\x9f\x93\x9e\"],\"b\":{}}";
	static const char alphabet[] = "{}[]:,\"\\/ut0123456789-+.eE \n\x01\xc3\xa9\xed\xa0\xf0\xf4\xff";
	uint64_t random = 88172645463325252;
	unsigned taken = 0;

	for (unsigned i = 0; i < 300000; i++) {
		char text[sizeof(seed)];
		size_t length = sizeof(seed) - 1, used;
		json_t *json, *again;
		char *got;

		memcpy(text, seed, sizeof(seed));
		for (unsigned change = 0; change <= i % 3; change++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			text[random % length] = alphabet[(random >> 32) % (sizeof(alphabet) - 1)];
		}
		json = json_loadb(text, length, JSON_DECODE_ANY, NULL);
		used = checked(text, length);
		if (json && (!used || !only_blanks(text + used, length - used)))
			fail_msg("refused: %.*s", (int)length, text);
		if (!json && used == length && !strstr(text, "\\u") && !strpbrk(text, "eE"))
			fail_msg("taken: %.*s", (int)length, text);
		if (json) {
			taken++;
			got = reprinted(text, length);
			again = json_loads(got, JSON_DECODE_ANY, NULL);
			assert_true(json_equal(json, again));
			json_decref(again);
			free(got);
		}
		json_decref(json);
	}
	assert_true(taken > 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_what_jansson_makes_of_it),
		cmocka_unit_test(elements_come_one_by_one),
		cmocka_unit_test(prints_as_jansson_does),
		cmocka_unit_test(blanks_do_not_matter),
		cmocka_unit_test(the_value_ends_where_it_ends),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(takes_what_jansson_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
