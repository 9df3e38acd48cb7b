// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket against clients that talk nonsense, do not read, do not leave, or come in crowds. */
#include "tests/unit/control_fixture.h"

static void test_garbage(void **state)
{
	static const struct {
		const char *line;
		size_t size;
		const char *error;
	} cases[] = {
#define GARBAGE(text, error) {text, sizeof(text) - 1, error}
#define NO_REQUEST "a request is one line of JSON: {\\\"command\\\": \\\"...\\\", \\\"args\\\": [...]}"
		GARBAGE("\n", NO_REQUEST),
		GARBAGE("status\n", NO_REQUEST),
		GARBAGE("[]\n", NO_REQUEST),
		GARBAGE("{\"command\": \"echo\"} x\n", NO_REQUEST),
		GARBAGE("{\"command\": \"echo\", \"command\": \"x\"}\n", NO_REQUEST),
		GARBAGE("{\"command\": \"ec\0ho\"}\n", NO_REQUEST),
		GARBAGE("{\"command\": \"ec\\u0000ho\"}\n", NO_REQUEST),
		GARBAGE("\xff\xfe\x00\n", NO_REQUEST),
		GARBAGE("\0\n", NO_REQUEST),
		GARBAGE("{}\n", "a request needs a \\\"command\\\", a string"),
		GARBAGE("{\"command\": 1}\n", "a request needs a \\\"command\\\", a string"),
		GARBAGE("{\"command\": \"echo\", \"args\": \"a\"}\n", "\\\"args\\\" is an array of strings"),
		GARBAGE("{\"command\": \"echo\", \"args\": [\"a\", 1]}\n",
			"\\\"args\\\" is an array of strings"),
		GARBAGE("{\"command\": \"echo\", \"args\": null}\n", "\\\"args\\\" is an array of strings"),
	};
	struct daemon *daemon = *state;
	char expected[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = dial(daemon);

		say_bytes(fd, cases[i].line, cases[i].size);
		say(fd, "{\"command\": \"echo\"}\n"); /* not heard any more */
		snprintf(expected, sizeof(expected), "{\"ok\":false,\"error\":\"%s\"}\n", cases[i].error);
		expect_end(daemon, fd, expected);
	}
	assert_int_equal(daemon->handled, 0);
	expect_alive(daemon);
}

static void test_longest_line(void **state)
{
	struct daemon *daemon = *state;
	char line[CONTROL_LINE_MAX + 2];
	int fd = dial(daemon);

	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"command\": \"echo\"}", 19);
	line[CONTROL_LINE_MAX] = '\n';
	say_bytes(fd, line, CONTROL_LINE_MAX + 1);
	expect(daemon, fd, "{\"ok\":true,\"data\":[]}\n");
	line[CONTROL_LINE_MAX] = ' ';
	line[CONTROL_LINE_MAX + 1] = '\n';
	say_bytes(fd, line, CONTROL_LINE_MAX + 2);
	expect_end(daemon, fd, "{\"ok\":false,\"error\":\"the request is too long\"}\n");
	expect_alive(daemon);
}

static void test_deep_nesting(void **state)
{
	struct daemon *daemon = *state;
	char line[CONTROL_LINE_MAX];
	bool ended;
	int fd = dial(daemon);

	memset(line, '[', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	say_bytes(fd, line, sizeof(line));
	assert_non_null(strstr(hear(daemon, fd, &ended), "\"ok\":false"));
	assert_true(ended);
	close(fd);
	expect_alive(daemon);
}

/* One who never reads what is pushed to him is cut off when CONTROL_STREAM_MAX waits, and not long before. */
static void test_stream_unread(void **state)
{
	struct daemon *daemon = *state;
	json_t *event = json_pack("{s:s%}", "text", "0123456789012345678901234567890123456789", 40);
	size_t pushed = 0,
	       size = strlen("{\"data\":{\"text\":\"0123456789012345678901234567890123456789\"}}\n");
	int fd = dial(daemon);

	say(fd, "{\"command\": \"follow\"}\n");
	settle(daemon);
	while (daemon->stream && pushed < 8 * CONTROL_STREAM_MAX) {
		control_push(daemon->stream, event);
		pushed += size;
		if (pushed % (1000 * size) == 0)
			settle(daemon);
	}
	assert_int_equal(daemon->closed, 1);
	assert_in_range(pushed, CONTROL_STREAM_MAX, 4 * CONTROL_STREAM_MAX);
	json_decref(event);
	close(fd);
	expect_alive(daemon);
}

/* Pushed without the loop running in between: the caller may go on pushing until it is told. */
static void test_stream_burst(void **state)
{
	struct daemon *daemon = *state;
	json_t *event = json_pack("{s:i}", "id", 1);
	int fd = dial(daemon);

	say(fd, "{\"command\": \"follow\"}\n");
	settle(daemon);
	for (size_t i = 0; i < CONTROL_STREAM_MAX / 4; i++)
		control_push(daemon->stream, event);
	assert_int_equal(daemon->closed, 0);
	settle(daemon);
	assert_int_equal(daemon->closed, 1);
	json_decref(event);
	close(fd);
}

static void test_answer_too_big(void **state)
{
	struct daemon *daemon = *state;
	char line[128];
	int fd = dial(daemon);

	snprintf(line, sizeof(line), "{\"command\": \"big\", \"args\": [\"%d\"]}\n", CONTROL_BACKLOG_MAX);
	say(fd, line);
	expect_end(daemon, fd, "{\"ok\":false,\"error\":\"the answer is too long\"}\n");
	expect_alive(daemon);
}

static void test_list_too_big(void **state)
{
	struct daemon *daemon = *state;
	char line[128];
	int fd = dial(daemon);

	snprintf(line, sizeof(line), "{\"command\": \"list\", \"args\": [\"%d\"]}\n",
		 CONTROL_BACKLOG_MAX / LIST_ELEMENT);
	say(fd, line);
	expect_end(daemon, fd, "{\"ok\":false,\"error\":\"the answer is too long\"}\n");
	expect_alive(daemon);
}

static void test_stream_too_big(void **state)
{
	struct daemon *daemon = *state;
	char line[128];
	int fd = dial(daemon);

	snprintf(line, sizeof(line), "{\"command\": \"follow\", \"args\": [\"%d\"]}\n", CONTROL_BACKLOG_MAX);
	say(fd, line);
	expect_end(daemon, fd, "{\"ok\":false,\"error\":\"the answer is too long\"}\n");
	assert_int_equal(daemon->closed, 1);
	expect_alive(daemon);
}

/* Asks and asks, and never reads: one answer waits, the rest is not even taken up. */
static void test_unread_answers(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon), small = 4096;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < 50; i++)
		say(fd, "{\"command\": \"big\", \"args\": [\"1000000\"]}\n");
	settle(daemon);
	assert_int_equal(daemon->handled, 1);
	expect_alive(daemon);
	/* it is cut off in the end */
	clock_ahead += CONTROL_STUCK - 1;
	settle(daemon);
	assert_int_equal(send(fd, " ", 1, MSG_NOSIGNAL), 1);
	clock_ahead += 2;
	settle(daemon);
	assert_int_equal(send(fd, " ", 1, MSG_NOSIGNAL), -1);
	close(fd);
	assert_int_equal(daemon->handled, 2);
}

static void test_idle(void **state)
{
	struct daemon *daemon = *state;
	int silent = dial(daemon), half = dial(daemon), held = dial(daemon), stream = dial(daemon);
	json_t *event = json_pack("{}");

	say(held, "{\"command\": \"hold\"}\n");
	say(stream, "{\"command\": \"follow\"}\n");
	expect(daemon, stream, "{\"ok\":true,\"data\":[0]}\n");
	for (int i = 0; i < 3; i++) { /* trickling in a line keeps nobody */
		say(half, "{");
		settle(daemon);
		clock_ahead += CONTROL_IDLE / 3 - 1;
	}
	expect(daemon, silent, "");
	expect(daemon, half, "");
	clock_ahead += 4;
	expect_end(daemon, silent, "");
	expect_end(daemon, half, "");
	/* who waits for the daemon stays */
	expect(daemon, held, "");
	control_reply(daemon->held, json_null());
	expect(daemon, held, "{\"ok\":true,\"data\":null}\n");
	control_push(daemon->stream, event);
	expect(daemon, stream, "{\"data\":{}}\n");
	json_decref(event);
	close(held);
	close(stream);
}

static void *no_memory(size_t size)
{
	return NULL;
}

/* There is no memory even for saying so. As many as there may be clients: none of them stays. */
static void test_no_memory(void **state)
{
	struct daemon *daemon = *state;

	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		int fd = dial(daemon);

		say(fd, "{\"command\": \"hold\"}\n");
		settle(daemon);
		json_set_alloc_funcs(no_memory, free);
		control_fail(daemon->held, "out of memory");
		json_set_alloc_funcs(malloc, free);
		expect_end(daemon, fd, "");
	}
	expect_alive(daemon);
}

static void test_too_many(void **state)
{
	struct daemon *daemon = *state;
	int fds[CONTROL_CLIENTS_MAX], more;

	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fds[i] = dial(daemon);
		settle(daemon);
	}
	more = dial(daemon);
	expect_end(daemon, more, "{\"ok\":false,\"error\":\"too many clients\"}\n");
	close(fds[7]);
	settle(daemon);
	expect_alive(daemon);
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (i != 7)
			close(fds[i]);
	settle(daemon);
	expect_alive(daemon);
}

/* Without descriptors the loop must not spin on the client that cannot be taken, and takes it later. */
static void test_no_descriptors(void **state)
{
	struct daemon *daemon = *state;
	struct rlimit limit, none;
	struct timespec before, after;
	int fd = dial(daemon);

	settle(daemon);
	close(fd);
	settle(daemon);
	fd = dial(daemon);
	say(fd, "{\"command\": \"echo\"}\n");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd; /* the lowest that was free: all below are taken */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	ev_run(daemon->loop, EVRUN_NOWAIT);
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 2; i++)
		ev_run(daemon->loop, EVRUN_ONCE); /* waits for the pause to end */
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 > 400);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	clock_ahead += 1;
	expect(daemon, fd, "{\"ok\":true,\"data\":[]}\n");
	close(fd);
}

static uint32_t random_below(uint32_t *seed, uint32_t bound)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % bound;
}

/* Some bytes that are likely to reach deeper than noise does. */
static size_t make_noise(uint32_t *seed, char *buf, size_t size)
{
	static const char *const bits[] = {"{\"command\": \"echo\"}\n",
					   "{\"command\": \"follow\"}\n",
					   "{\"command\": \"big\", \"args\": [\"100000\"]}\n",
					   "\n",
					   "{",
					   "\"args\": [",
					   "\"",
					   "\\u",
					   "]",
					   "\xff",
					   "{\"command\":"};
	size_t used = 0, wanted = random_below(seed, (uint32_t)size - 64);

	while (used < wanted) {
		const char *bit = bits[random_below(seed, sizeof(bits) / sizeof(bits[0]))];

		if (random_below(seed, 4)) {
			memcpy(buf + used, bit, strlen(bit));
			used += strlen(bit);
		} else {
			buf[used++] = (char)random_below(seed, 256);
		}
	}
	return used;
}

/* Clients that say anything, in pieces, read or not, and go at any time. CONTROL_FUZZ_SECONDS prolongs it. */
static void test_fuzz(void **state)
{
	const char *seconds = getenv("CONTROL_FUZZ_SECONDS");
	time_t end = time(NULL) + (seconds ? atoi(seconds) : 0);
	struct daemon *daemon = *state;
	int fds[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
	json_t *event = json_pack("{s:s}", "event", "noise");
	uint32_t seed = seconds ? (uint32_t)time(NULL) : 1;
	char buf[3 * CONTROL_LINE_MAX];

	for (unsigned round = 0; round < 20000 || time(NULL) < end; round++) {
		int *fd = &fds[random_below(&seed, 8)];

		if (*fd < 0)
			*fd = dial(daemon);
		switch (random_below(&seed, 8)) {
		case 0:
			close(*fd);
			*fd = -1;
			break;
		case 1:
			shutdown(*fd, SHUT_WR);
			break;
		case 2:
		case 3:
			if (recv(*fd, buf, sizeof(buf), 0) == 0) {
				close(*fd);
				*fd = -1;
			}
			break;
		default:
			send(*fd, buf, make_noise(&seed, buf, random_below(&seed, 8) ? 100 : sizeof(buf)),
			     MSG_NOSIGNAL);
		}
		if (daemon->stream)
			control_push(daemon->stream, event);
		ev_run(daemon->loop, EVRUN_NOWAIT);
	}
	for (int i = 0; i < 8; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	settle(daemon);
	assert_true(daemon->handled > 100);
	json_decref(event);
	expect_alive(daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_garbage),	  TEST(test_longest_line),   TEST(test_deep_nesting),
		TEST(test_stream_unread), TEST(test_stream_burst),   TEST(test_answer_too_big),
		TEST(test_list_too_big),  TEST(test_stream_too_big), TEST(test_unread_answers),
		TEST(test_idle),	  TEST(test_too_many),	     TEST(test_no_descriptors),
		TEST(test_no_memory),	  TEST(test_fuzz),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
