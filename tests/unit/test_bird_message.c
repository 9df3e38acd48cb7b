/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BIRD's control protocol: what a real 2.0.12 said, what is broken, and what goes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "routing/bird_message.h"

/* `show protocols all`, shortened. */
static const char answer[] =
	"2002-Name       Proto      Table      State  Since         Info\n"
	"1002-device1    Device     ---        up     14:13:56.824  \n"
	"1006-\n"
	"1002-pa         BGP        ---        up     2026-11-22 14:13:57.678  Established   \n"
	"1006-  Description:    our friend\n"
	"   BGP state:          Established\n"
	"     Neighbor address: 10.9.0.1\n"
	"     Neighbor AS:      65002\n"
	"     Local capabilities\n"
	"       Graceful restart\n"
	"         Restart time: 120\n"
	"     Neighbor capabilities\n"
	"       Graceful restart\n"
	"       Long-lived graceful restart\n"
	"     Session:          external AS4\n"
	"   Channel ipv4\n"
	"     State:          UP\n"
	"     Routes:         10000 imported, 0 exported, 9999 preferred\n"
	"   Channel ipv6\n"
	"     Routes:         7 imported, 3 filtered, 0 exported, 7 preferred\n"
	"     Route change stats:     received   rejected   filtered    ignored   accepted\n"
	"       Import updates:              2          0          0          0          2\n"
	" \n"
	"1002-a-name.that:is_longer_than_its_column BGP ---        down   14:13:56.824  \n"
	"1006-  Message:        bfdd: pc went down: control-expiry\n"
	"   BGP state:          Down\n"
	"     Neighbor address: fe80::2%v0\n"
	"     Neighbor capabilities\n"
	"       Graceful restart\n"
	"         Restart time: 120\n"
	"1002-pd         BGP        ---        stop   14:13:56.824  \n"
	"1006-  Message:        not bfdd: maintenance\n"
	"1002-pe         BGP        ---        start  14:13:56.824  Active   Socket: Connection refused\n"
	"1006-  BGP state:          Active\n"
	"     Neighbor address: 192.0.2.9\n"
	"0000 \n";

struct heard {
	struct bird_protocol protocols[8];
	unsigned n;
};

static void hear(void *context, const struct bird_protocol *protocol)
{
	struct heard *heard = context;

	assert_true(heard->n < 8);
	heard->protocols[heard->n++] = *protocol;
}

/* In pieces of STEP bytes. */
static void read_all(const char *text, size_t step, struct heard *heard)
{
	struct bird_reader reader = {0};
	struct bird_protocols protocols;
	size_t size = strlen(text);
	unsigned code = 0, last = 0;

	heard->n = 0;
	bird_protocols_begin(&protocols, hear, heard);
	for (size_t at = 0; at < size; at += step) {
		const char *data = text + at, *line;
		size_t left = size - at < step ? size - at : step;

		while ((line = bird_reader_take(&reader, &data, &left))) {
			struct bird_line parsed;

			assert_true(bird_line_read(line, code, &parsed));
			code = parsed.code;
			last += parsed.last;
			bird_protocols_line(&protocols, &parsed);
		}
		assert_int_equal(left, 0);
	}
	bird_protocols_end(&protocols);
	assert_int_equal(last, 1);
}

static void test_protocols(void **state)
{
	static const size_t steps[] = {1, 2, 7, 100, 4096};
	struct heard heard;
	struct addr addr;

	for (unsigned i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const struct bird_protocol *p = heard.protocols;

		read_all(answer, steps[i], &heard);
		assert_int_equal(heard.n, 5);
		assert_string_equal(p[0].name, "device1");
		assert_false(p[0].bgp || p[0].down || p[0].ours);
		assert_string_equal(p[1].name, "pa");
		assert_true(p[1].bgp && !p[1].down && !p[1].ours);
		assert_string_equal(p[1].bgp_state, "Established");
		assert_true(addr_parse(&addr, "10.9.0.1") && addr_equal(&addr, &p[1].neighbour));
		assert_string_equal(p[1].interface, "");
		assert_int_equal(p[1].imported, 10007);
		assert_false(p[1].neighbour_restarts); /* it helps, and that is all */
		assert_string_equal(p[2].name, "a-name.that:is_longer_than_its_column");
		assert_true(p[2].down && p[2].ours && p[2].neighbour_restarts);
		assert_true(addr_parse(&addr, "fe80::2") && addr_equal(&addr, &p[2].neighbour));
		assert_string_equal(p[2].interface, "v0");
		assert_true(p[3].down && !p[3].ours);
		assert_string_equal(p[4].bgp_state, "Active");
		assert_false(p[4].down);
	}
}

static void test_lines(void **state)
{
	static const char *const broken[] = {"",      "1",     "001",	 "0001",  "0001x",
					     "x001 ", "000a-", "0001\t", "-0001 "};
	struct bird_line line;

	assert_true(bird_line_read("0001 BIRD 2.0.12 ready.", 0, &line));
	assert_true(line.last && line.code == 1);
	assert_string_equal(line.text, "BIRD 2.0.12 ready.");
	assert_true(bird_line_read("0009-pa: disabled", 0, &line));
	assert_true(!line.last && line.code == BIRD_DISABLED);
	assert_true(bird_line_read(" more", 1006, &line));
	assert_true(!line.last && line.code == 1006);
	assert_string_equal(line.text, "more");
	assert_true(bird_line_read("+bird: <INFO> Reconfigured", 1002, &line));
	assert_true(!line.last && line.code == 1002 && !*line.text);
	assert_true(bird_line_read("9999 ", 0, &line));
	assert_true(line.last && line.code == 9999 && !*line.text);
	for (unsigned i = 0; i < sizeof(broken) / sizeof(*broken); i++)
		assert_false(bird_line_read(broken[i], 0, &line));
}

/* A line that is longer than we look at, and NULs. */
static void test_reader(void **state)
{
	static char text[3 * BIRD_LINE + 8];
	struct bird_reader reader = {0};
	const char *data = text, *line;
	size_t size = sizeof(text);

	memset(text, 'x', sizeof(text));
	text[3] = '\0';
	text[sizeof(text) - 3] = '\n';
	text[sizeof(text) - 1] = '\n';
	line = bird_reader_take(&reader, &data, &size);
	assert_non_null(line);
	assert_int_equal(strlen(line), BIRD_LINE - 1);
	assert_int_equal(line[3], '?');
	line = bird_reader_take(&reader, &data, &size);
	assert_string_equal(line, "x");
	assert_null(bird_reader_take(&reader, &data, &size));
	assert_int_equal(size, 0);
}

static void test_hostile_protocols(void **state)
{
	struct heard heard;

	/* Names that we could not say, numbers beyond all bounds, addresses that are none, details of
	 * nothing. */
	read_all("1006-  Message:        bfdd: x\n"
		 "1002-na\"me BGP --- down x\n"
		 "1006-  Message: bfdd: x\n"
		 "1002-p1 BGP --- up x\n"
		 "1006-    Routes: 99999999999999999999999999 imported\n"
		 "1006-    Routes: 4294967290 imported, 1 exported\n"
		 "1006-    Routes: 4294967290 imported, 1 exported\n"
		 "1006-    Routes: -1 imported\n"
		 "1006-    Neighbor address: 10.0.0.256\n"
		 "1006-    Neighbor address: fe80::1%an-interface-with-a-long-name\n"
		 "1006-    BGP state:\n"
		 "1006-    BGP state: Establishedbutratherlongerthananystate\n"
		 "1002-\n"
		 "1002-p2\n"
		 "0000 \n",
		 5, &heard);
	assert_int_equal(heard.n, 3);
	assert_string_equal(heard.protocols[0].name, "");
	assert_int_equal(heard.protocols[1].imported, UINT32_MAX);
	assert_int_equal(heard.protocols[1].neighbour.family, AF_UNSPEC);
	assert_string_equal(heard.protocols[1].bgp_state, "");
	assert_string_equal(heard.protocols[2].name, "p2");
	assert_false(heard.protocols[2].bgp);
}

static void test_names(void **state)
{
	static const char *const good[] = {
		"pa", "_x", "a-b.c:d", "1",
		"abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij1234"};
	static const char *const bad[] = {
		"",    "a b",
		"a'b", "a\"b",
		"*",   "a\n",
		"a;b", "\xc3\xa4",
		"p?",  "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij12345"};

	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(bird_name_valid(good[i]));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(bird_name_valid(bad[i]));
}

static void test_commands(void **state)
{
	char text[BIRD_COMMAND], clean[BIRD_REASON], longest[400];

	assert_int_equal(bird_command_enable("pa-1", text), strlen("enable 'pa-1'\n"));
	assert_string_equal(text, "enable 'pa-1'\n");
	bird_command_disable("pa", "bfdd: ams went down", text);
	assert_string_equal(text, "disable 'pa' \"bfdd: ams went down\"\n");
	bird_command_disable("pa", "x\"\ndisable all\n\x7f\t", text);
	assert_string_equal(text, "disable 'pa' \"x'?disable all???\"\n");
	assert_string_equal(bird_reason("Z\xc3\xbcrich \xe2\x82\xac", clean), "Z\xc3\xbcrich \xe2\x82\xac");
	assert_string_equal(bird_reason("\xc3(\xff\xe2\x82", clean), "?(???");
	/* Never half a character. */
	memset(longest, 'y', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest + BIRD_REASON - 3, "\xe2\x82\xac", 3);
	assert_int_equal(strlen(bird_reason(longest, clean)), BIRD_REASON - 3);
	memset(longest, 'n', BIRD_NAME - 1);
	longest[BIRD_NAME - 1] = '\0';
	assert_true(bird_name_valid(longest));
	memset(clean, 'r', sizeof(clean) - 1);
	clean[sizeof(clean) - 1] = '\0';
	assert_true(bird_command_disable(longest, clean, text) < BIRD_COMMAND);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_protocols), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_reader),	  cmocka_unit_test(test_hostile_protocols),
		cmocka_unit_test(test_names),	  cmocka_unit_test(test_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
