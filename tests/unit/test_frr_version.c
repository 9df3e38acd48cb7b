/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which FRR is installed, and which are known to be bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "routing/frr_version.h"

static void assert_read(const char *text, const char *wanted)
{
	char version[FRR_VERSION] = "before";

	assert_int_equal(frr_version_read(text, version), wanted != NULL);
	assert_string_equal(version, wanted ? wanted : "before");
}

static void test_read(void **state)
{
	/* Debian 12's, and as others are built. */
	assert_read("bfdd version 8.4.4\nCopyright 1996-2005 Kunihiro Ishiguro, et al.\n", "8.4.4");
	assert_read("bfdd version 10.4.1-1~deb12u1\n", "10.4.1-1~deb12u1");
	assert_read("bfdd version 10.5.0_git (edge)\n", "10.5.0_git");
	assert_read("some word before\nbfdd version 10.6", "10.6");
	assert_read("bfdd version 1234567890123456789012345678901", "1234567890123456789012345678901");
}

static void test_not_read(void **state)
{
	assert_read("", NULL);
	assert_read("bfdd version ", NULL);
	assert_read("bfdd version \n8.4.4", NULL);
	assert_read("zebra version 8.4.4\n", NULL);
	assert_read("bfdd: invalid option -- 'version'\n", NULL);
	assert_read("bfdd version 8.4.4\x1b[2J\n", NULL); /* it is shown to people */
	assert_read("bfdd version \"8\"\n", NULL);
	assert_read("bfdd version 12345678901234567890123456789012", NULL);
}

static void test_flaws(void **state)
{
	static const struct {
		const char *version;
		unsigned flaws;
	} known[] = {
		{"8.4.4", FRR_MUST_LISTEN},
		{"8.5", FRR_MUST_LISTEN},
		{"9.1", 0},
		{"10.3.2", 0},
		{"10.4", FRR_WAITS},
		{"10.4.1-1~deb12u1", FRR_WAITS},
		{"10.5.0", FRR_WAITS},
		{"10.5-dev", FRR_WAITS},
		{"10.6.0", 0},
		{"10.40", 0},
		{"10.14.4", 0},
		{"110.4", 0},
		{"1.10.4", 0},
		{"4.10", 0},
		{"10", 0},
		{"10.", 0},
		{"git", 0},
		{"", 0},
		{"4294967306.4294967300", 0}, /* 2^32 + 10, 2^32 + 4 */
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (frr_version_flaws(known[i].version) != known[i].flaws)
			fail_msg("%s: %u, not %u", known[i].version, frr_version_flaws(known[i].version),
				 known[i].flaws);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_not_read),
		cmocka_unit_test(test_flaws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
