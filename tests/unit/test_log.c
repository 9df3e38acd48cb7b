// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>

#include "ops/escape.h"
#include "tests/unit/log_fixture.h"

static void journal_stream(long inode_offset, const char *end)
{
	char value[64];
	struct stat st;

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(value, sizeof(value), "%ju:%ju%s", (uintmax_t)st.st_dev,
		 (uintmax_t)(st.st_ino + inode_offset), end);
	setenv("JOURNAL_STREAM", value, 1);
	log_init(LOG_LEVEL_INFO);
}

static void test_levels(void **state)
{
	log_error("a %d", 1);
	assert_string_equal(written(), "bfdd: error: a 1\n");
	log_warning("b");
	assert_string_equal(written(), "bfdd: warning: b\n");
	log_notice("c");
	assert_string_equal(written(), "bfdd: notice: c\n");
	log_info("d");
	assert_string_equal(written(), "bfdd: info: d\n");
	log_debug("e");
	assert_string_equal(written(), "");
	log_init(LOG_LEVEL_DEBUG);
	log_debug("f");
	assert_string_equal(written(), "bfdd: debug: f\n");
}

static void test_journal(void **state)
{
	journal_stream(0, "");
	log_error("x");
	assert_string_equal(written(), "<3>x\n");
	log_info("<0>y");
	assert_string_equal(written(), "<6><0>y\n");
}

static void test_not_the_journal(void **state)
{
	journal_stream(1, "");
	log_error("x");
	assert_string_equal(written(), "bfdd: error: x\n");
	journal_stream(0, "x");
	log_error("x");
	assert_string_equal(written(), "bfdd: error: x\n");
}

static void test_escapes(void **state)
{
	log_error("%s", "a\nb\033[31mc\x7f\xc2\x9b \xff \xc3\xa4");
	assert_string_equal(written(), "bfdd: error: a\\x0ab\\x1b[31mc\\x7f\\xc2\\x9b \\xff \xc3\xa4\n");
	assert_string_equal(written(), "");
}

static void test_long(void **state)
{
	char text[2 * LOG_MESSAGE_MAX];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_error("%s", text);
	line = written();
	assert_int_equal(strlen(line), strlen("bfdd: error: ") + LOG_MESSAGE_MAX - 1 + 1);
	assert_string_equal(line + strlen(line) - 5, "x...\n");

	/* the longest that escaping can make */
	memset(text, 1, sizeof(text) - 1);
	log_error("%s", text);
	line = written();
	assert_true(strlen(line) > PIPE_BUF - 4); /* and no more: a pipe takes it in one piece */
	assert_true(strlen(line) <= PIPE_BUF);
	assert_int_equal(line[strlen(line) - 1], '\n');
	assert_null(strchr(line, 1));
}

static void test_errno(void **state)
{
	errno = ENOENT;
	log_error("x");
	assert_int_equal(errno, ENOENT);
	close(reader); /* now writing fails */
	signal(SIGPIPE, SIG_IGN);
	errno = ENOENT;
	log_error("x");
	assert_int_equal(errno, ENOENT);
	reader = dup(STDERR_FILENO);
}

/* A reader that hangs holds up nobody; what it missed is said when it reads on. */
static void test_full_pipe(void **state)
{
	char buf[PIPE_BUF];
	int ends[2];

	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	memset(buf, 'x', sizeof(buf));
	while (write(ends[1], buf, sizeof(buf)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0); /* as standard error is: blocking */
	dup2(ends[1], STDERR_FILENO);
	alarm(10);
	log_error("lost");
	log_error("lost, too");
	while (read(ends[0], buf, sizeof(buf)) > 0)
		;
	log_error("heard");
	alarm(0);
	memset(buf, 0, sizeof(buf));
	assert_true(read(ends[0], buf, sizeof(buf) - 1) > 0);
	assert_string_equal(
		buf, "bfdd: warning: 2 lines are missing here: nobody read them\nbfdd: error: heard\n");
	close(ends[0]);
	close(ends[1]);
}

static void test_escape_utf8(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", ""},
		{"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xe2\x80\xae", "\\xe2\\x80\\xae"},	      /* right-to-left override */
		{"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},	      /* isolate */
		{"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},	      /* line separator */
		{"\xc0\xaf", "\\xc0\\xaf"},		      /* overlong */
		{"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},	      /* overlong */
		{"\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b"}, /* overlong */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},	      /* surrogate */
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
		{"\xc3", "\\xc3"},			      /* cut */
		{"\xe2\x82", "\\xe2\\x82"},		      /* cut */
		{"\xf0\x9f\x98"
		 "a",
		 "\\xf0\\x9f\\x98"
		 "a"}, /* cut */
	};
	char out[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(escape_text(out, sizeof(out), cases[i].in), strlen(cases[i].out));
		assert_string_equal(out, cases[i].out);
	}
}

static void test_escape_room(void **state)
{
	char out[8];

	assert_int_equal(escape_text(out, 1, "abc"), 0);
	assert_string_equal(out, "");
	assert_int_equal(escape_text(out, 8, "abcdefghij"), 7);
	assert_int_equal(escape_text(out, 8, "abcd\033"), 4); /* an escape is written whole or not at all */
	assert_string_equal(out, "abcd");
	assert_int_equal(escape_text(out, 8, "abc\033"), 7);
	assert_string_equal(out, "abc\\x1b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_the_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errno, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_pipe, setup, teardown),
		cmocka_unit_test(test_escape_utf8),
		cmocka_unit_test(test_escape_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
