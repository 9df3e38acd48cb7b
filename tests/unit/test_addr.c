/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/addr.h"

static struct addr addr(const char *text)
{
	struct addr parsed;

	assert_true(addr_parse(&parsed, text));
	return parsed;
}

static struct prefix prefix(const char *text)
{
	struct prefix parsed;

	assert_int_equal(prefix_parse(&parsed, text), PREFIX_OK);
	return parsed;
}

static void an_address_is_parsed_into_network_order(void **state)
{
	static const uint8_t v4[16] = {192, 0, 2, 1};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	struct addr a = addr("192.0.2.1");

	assert_int_equal(a.family, AF_INET);
	assert_memory_equal(a.bytes, v4, 16);
	a = addr("2001:db8::1");
	assert_int_equal(a.family, AF_INET6);
	assert_memory_equal(a.bytes, v6, 16);
}

static void what_is_no_address_leaves_the_old_one(void **state)
{
	static const char *const bad[] = {"",		"192.0.2",  "192.0.2.256", "192.0.2.1 ",  "a.example",
					  "fe80::1%lo", "2001:db8", ":::",	   "192.0.2.1/32"};
	struct addr a = addr("192.0.2.1"), kept = a;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(addr_parse(&a, bad[i]));
	assert_memory_equal(&a, &kept, sizeof(a));
}

static void an_address_is_written_as_it_was_read(void **state)
{
	static const char *const texts[] = {"0.0.0.0", "255.255.255.255", "::", "fe80::1",
					    "2001:db8:1111:2222:3333:4444:5555:6666"};
	struct addr none = {.family = AF_UNSPEC}, a;
	char buf[ADDR_TEXT];
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		a = addr(texts[i]);
		assert_string_equal(addr_format(&a, buf), texts[i]);
	}
	assert_string_equal(addr_format(&none, buf), "");
}

static void addresses_equal_only_within_their_family(void **state)
{
	struct addr v4 = addr("0.0.0.0"), v6 = addr("::"), other = addr("0.0.0.1"), none = {0}, junk = {0};

	assert_true(addr_equal(&v4, &v4));
	assert_false(addr_equal(&v4, &v6));
	assert_false(addr_equal(&v4, &other));
	junk.bytes[3] = 1; /* AF_UNSPEC has no bytes */
	assert_true(addr_equal(&none, &junk));
}

static void kinds_of_addresses(void **state)
{
	static const struct {
		const char *text;
		bool link_local, multicast, unspecified;
	} cases[] = {
		{"fe80::1", true, false, false},
		{"febf:ffff::", true, false, false},
		{"fec0::1", false, false, false},
		{"fe7f::1", false, false, false},
		{"169.254.0.1", false, false, false},
		{"224.0.0.1", false, true, false},
		{"239.255.255.255", false, true, false},
		{"240.0.0.1", false, false, false},
		{"223.255.255.255", false, false, false},
		{"ff02::1", false, true, false},
		{"fe00::", false, false, false},
		{"0.0.0.0", false, false, true},
		{"::", false, false, true},
		{"::1", false, false, false},
		{"0.0.0.1", false, false, false},
	};
	struct addr none = {.family = AF_UNSPEC};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr a = addr(cases[i].text);

		assert_int_equal(addr_is_link_local(&a), cases[i].link_local);
		assert_int_equal(addr_is_multicast(&a), cases[i].multicast);
		assert_int_equal(addr_is_unspecified(&a), cases[i].unspecified);
	}
	assert_true(addr_is_unspecified(&none));
	assert_false(addr_is_multicast(&none));
	assert_int_equal(addr_size(AF_INET), 4);
	assert_int_equal(addr_size(AF_INET6), 16);
	assert_int_equal(addr_size(AF_UNSPEC), 0);
}

static void a_prefix_is_parsed_or_its_error_told(void **state)
{
	static const struct {
		const char *text;
		enum prefix_error error;
		int length;
	} cases[] = {
		{"192.0.2.0/24", PREFIX_OK, 24},
		{"192.0.2.1", PREFIX_OK, 32},
		{"2001:db8::1", PREFIX_OK, 128},
		{"0.0.0.0/0", PREFIX_OK, 0},
		{"::/0", PREFIX_OK, 0},
		{"52.112.0.0/14", PREFIX_OK, 14},
		{"2603:1063::/38", PREFIX_OK, 38},
		{"255.255.255.255/32", PREFIX_OK, 32},
		{"192.0.2.0/33", PREFIX_LENGTH, 0},
		{"::/129", PREFIX_LENGTH, 0},
		{"192.0.2.1/24", PREFIX_HOST_BITS, 0},
		{"52.113.0.0/14", PREFIX_HOST_BITS, 0},
		{"52.112.0.1/14", PREFIX_HOST_BITS, 0},
		{"::1/127", PREFIX_HOST_BITS, 0},
		{"128.0.0.0/0", PREFIX_HOST_BITS, 0},
		{"192.0.2.0/", PREFIX_SYNTAX, 0},
		{"192.0.2.0/024", PREFIX_SYNTAX, 0},
		{"192.0.2.0/-1", PREFIX_SYNTAX, 0},
		{"192.0.2.0/+8", PREFIX_SYNTAX, 0},
		{"192.0.2.0/ 8", PREFIX_SYNTAX, 0},
		{"192.0.2.0/8x", PREFIX_SYNTAX, 0},
		{"192.0.2.0/24/24", PREFIX_SYNTAX, 0},
		{"192.0.2.0/4294967320", PREFIX_SYNTAX, 0},
		{"/24", PREFIX_SYNTAX, 0},
		{"", PREFIX_SYNTAX, 0},
		{"2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999/1", PREFIX_SYNTAX, 0},
	};
	struct prefix p;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(prefix_parse(&p, cases[i].text), cases[i].error);
		if (cases[i].error == PREFIX_OK)
			assert_int_equal(p.length, cases[i].length);
	}
}

static void a_prefix_is_written_with_its_length(void **state)
{
	static const char *const texts[] = {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.1/32", "2001:db8::/100",
					    "2001:db8:1111:2222:3333:4444:5555:6666/128"};
	char buf[PREFIX_TEXT];
	struct prefix p;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		p = prefix(texts[i]);
		assert_string_equal(prefix_format(&p, buf), texts[i]);
	}
}

static bool contains(const char *text, const char *host)
{
	struct prefix p = prefix(text);
	struct addr a = addr(host);

	return prefix_contains(&p, &a);
}

static void a_prefix_contains_what_shares_its_bits(void **state)
{
	assert_true(contains("52.112.0.0/14", "52.115.255.255"));
	assert_false(contains("52.112.0.0/14", "52.116.0.0"));
	assert_true(contains("192.0.2.1", "192.0.2.1"));
	assert_false(contains("192.0.2.1", "192.0.2.0"));
	assert_true(contains("0.0.0.0/0", "203.0.113.9"));
	assert_false(contains("0.0.0.0/0", "::1"));
	assert_true(contains("2603:1063::/38", "2603:1063:3ff::1"));
	assert_false(contains("2603:1063::/38", "2603:1063:400::1"));
	assert_true(contains("2001:db8::1/128", "2001:db8::1"));
}

static bool overlaps(const char *a, const char *b)
{
	struct prefix pa = prefix(a), pb = prefix(b);

	assert_int_equal(prefix_overlaps(&pa, &pb), prefix_overlaps(&pb, &pa));
	return prefix_overlaps(&pa, &pb);
}

static void prefixes_overlap_when_one_holds_the_other(void **state)
{
	assert_true(overlaps("10.0.0.0/8", "10.1.0.0/16"));
	assert_true(overlaps("10.0.0.0/8", "10.0.0.0/8"));
	assert_true(overlaps("0.0.0.0/0", "10.0.0.0/8"));
	assert_false(overlaps("10.0.0.0/9", "10.128.0.0/9"));
	assert_false(overlaps("::/0", "0.0.0.0/0"));
}

static void prefixes_have_a_total_order(void **state)
{
	static const char *const sorted[] = {"0.0.0.0/0",    "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24",
					     "192.0.2.0/24", "::/0",	   "::/1",	  "8000::/1"};
	const int n = sizeof(sorted) / sizeof(sorted[0]);
	int i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++) {
			struct prefix a = prefix(sorted[i]), b = prefix(sorted[j]);

			assert_int_equal(prefix_compare(&a, &b), (i > j) - (i < j));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_parsed_into_network_order),
		cmocka_unit_test(what_is_no_address_leaves_the_old_one),
		cmocka_unit_test(an_address_is_written_as_it_was_read),
		cmocka_unit_test(addresses_equal_only_within_their_family),
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(a_prefix_is_parsed_or_its_error_told),
		cmocka_unit_test(a_prefix_is_written_with_its_length),
		cmocka_unit_test(a_prefix_contains_what_shares_its_bits),
		cmocka_unit_test(prefixes_overlap_when_one_holds_the_other),
		cmocka_unit_test(prefixes_have_a_total_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
