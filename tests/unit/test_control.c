// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket against well-behaved and hostile clients. Daemon and clients run in this one thread:
 * pump() turns the daemon's loop until a condition holds. libev's clock is ours (clock_gettime() below), so
 * that time-outs of minutes can be tested in no time.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/control.h"

static time_t clock_ahead; /* s */

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int result = (int)syscall(SYS_clock_gettime, clock, ts);

	ts->tv_sec += clock_ahead;
	return result;
}

struct daemon {
	char folder[64], path[128], error[512];
	struct ev_loop *loop;
	struct control *control;
	struct control_request *held; /* of "hold" */
	struct control_request *stream;
	unsigned handled, closed;
};

static void stream_closed(void *context)
{
	struct daemon *daemon = context;

	daemon->closed++;
	daemon->stream = NULL;
}

static json_t *long_string(size_t length)
{
	char *text = malloc(length + 1);
	json_t *string;

	memset(text, 'x', length);
	text[length] = '\0';
	string = json_string(text);
	free(text);
	return string;
}

static void handle(void *context, struct control_request *request, const char *command, const json_t *args)
{
	struct daemon *daemon = context;
	json_int_t count = json_array_size(args) ? atoll(json_string_value(json_array_get(args, 0))) : 0;

	daemon->handled++;
	if (!strcmp(command, "echo")) {
		control_reply(request, json_deep_copy(args));
	} else if (!strcmp(command, "big")) {
		control_reply(request, long_string((size_t)count));
	} else if (!strcmp(command, "hold")) {
		daemon->held = request;
	} else if (!strcmp(command, "follow")) {
		daemon->stream = request;
		control_stream(request, count ? long_string((size_t)count) : json_pack("[i]", 0),
			       stream_closed, daemon);
	} else {
		control_fail(request, "no command %s", command);
	}
}

static void start(struct daemon *daemon)
{
	daemon->control = control_create(daemon->loop, daemon->path, handle, daemon, daemon->error,
					 sizeof(daemon->error));
}

static int setup(void **state)
{
	struct daemon *daemon = calloc(1, sizeof(*daemon));

	strcpy(daemon->folder, "/tmp/bfdd-control-XXXXXX");
	assert_non_null(mkdtemp(daemon->folder));
	snprintf(daemon->path, sizeof(daemon->path), "%s/control", daemon->folder);
	daemon->loop = ev_loop_new(EVFLAG_AUTO);
	start(daemon);
	assert_non_null(daemon->control);
	*state = daemon;
	return 0;
}

static int teardown(void **state)
{
	struct daemon *daemon = *state;

	control_free(daemon->control);
	ev_loop_destroy(daemon->loop);
	assert_int_equal(rmdir(daemon->folder), 0); /* so nothing is left in it */
	free(daemon);
	return 0;
}

/* Turns the loop as long as there is something to do. */
static void settle(struct daemon *daemon)
{
	for (int i = 0; i < 50; i++)
		ev_run(daemon->loop, EVRUN_NOWAIT);
}

static int dial(const struct daemon *daemon)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, daemon->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void say_bytes(int fd, const void *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

static void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* All that the daemon has to say now; *ENDED: it closed then. */
static const char *hear(struct daemon *daemon, int fd, bool *ended)
{
	static char buf[1 << 16];
	size_t used = 0;

	*ended = false;
	for (int quiet = 0; quiet < 3;) {
		ssize_t n;

		settle(daemon);
		n = recv(fd, buf + used, sizeof(buf) - 1 - used, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			*ended = true;
			break;
		}
		if (n > 0)
			used += (size_t)n;
		else
			quiet++;
	}
	buf[used] = '\0';
	return buf;
}

static void expect(struct daemon *daemon, int fd, const char *text)
{
	bool ended;

	assert_string_equal(hear(daemon, fd, &ended), text);
	assert_false(ended);
}

static void expect_end(struct daemon *daemon, int fd, const char *text)
{
	bool ended;

	assert_string_equal(hear(daemon, fd, &ended), text);
	assert_true(ended);
	close(fd);
}

static void expect_alive(struct daemon *daemon)
{
	int fd = dial(daemon);

	say(fd, "{\"command\": \"echo\", \"args\": [\"alive\"]}\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[\"alive\"]}\n");
	close(fd);
}

static void test_answers(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"echo\", \"args\": [\"a\", \"b\"]}\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[\"a\",\"b\"]}\n");
	say(fd, "{\"command\": \"echo\"}\r\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[]}\n");
	say(fd, "{\"command\": \"x\\u001b\\\"y\", \"other\": 1}\n");
	expect(daemon, fd, "{\"ok\":false,\"error\":\"no command x\\u001B\\\"y\"}\n");
	close(fd);
}

static void test_answers_after_half_close(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"echo\"}\n{\"command\": \"echo\"}\n{\"half");
	shutdown(fd, SHUT_WR);
	expect_end(daemon, fd, "{\"ok\":true,\"data\":[]}\n{\"ok\":true,\"data\":[]}\n");
}

static void test_pieces(void **state)
{
	static const char line[] = "{\"command\": \"echo\", \"args\": [\"a\"]}\n";
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		expect(daemon, fd, "");
		say_bytes(fd, line + i, 1);
	}
	expect(daemon, fd, "{\"ok\":true,\"data\":[\"a\"]}\n");
	close(fd);
}

static void test_order(void **state)
{
	struct daemon *daemon = *state;
	char line[64], expected[8192] = "";
	int fd = dial(daemon);

	say(fd, "{\"command\": \"hold\"}\n");
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "{\"command\": \"echo\", \"args\": [\"%d\"]}\n", i);
		say(fd, line);
		snprintf(expected + strlen(expected), 64, "{\"ok\":true,\"data\":[\"%d\"]}\n", i);
	}
	expect(daemon, fd, ""); /* all wait for the first */
	assert_int_equal(daemon->handled, 1);
	control_reply(daemon->held, json_null());
	settle(daemon);
	expect(daemon, fd,
	       (memmove(expected + 24, expected, strlen(expected) + 1),
		memcpy(expected, "{\"ok\":true,\"data\":null}\n", 24), expected));
	close(fd);
}

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

static void test_client_gone_while_held(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"hold\"}\n");
	settle(daemon);
	assert_non_null(daemon->held);
	close(fd);
	settle(daemon);
	control_reply(daemon->held, json_pack("{}"));
	settle(daemon);
	expect_alive(daemon);
}

static void test_free_while_held(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"hold\"}\n");
	settle(daemon);
	control_free(daemon->control);
	daemon->control = NULL;
	control_stream(daemon->held, json_pack("{}"), stream_closed, daemon);
	assert_int_equal(daemon->closed, 1);
	close(fd);
}

static void test_stream(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);
	json_t *event = json_pack("{s:i}", "id", 1);

	say(fd, "{\"command\": \"follow\"}\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[0]}\n");
	control_push(daemon->stream, event);
	control_push(daemon->stream, event);
	expect(daemon, fd, "{\"data\":{\"id\":1}}\n{\"data\":{\"id\":1}}\n");
	say(fd, "{\"command\": \"echo\"}\n"); /* a stream hears nothing but its end */
	expect(daemon, fd, "");
	control_push(daemon->stream, event);
	close(fd);
	settle(daemon);
	assert_int_equal(daemon->closed, 1);
	json_decref(event);
	expect_alive(daemon);
}

static void test_stream_free(void **state)
{
	struct daemon *daemon = *state;
	int fd = dial(daemon);

	say(fd, "{\"command\": \"follow\"}\n");
	settle(daemon);
	control_free(daemon->control);
	daemon->control = NULL;
	assert_int_equal(daemon->closed, 1);
	expect_end(daemon, fd, "{\"ok\":true,\"data\":[0]}\n");
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

static void test_big_answer(void **state)
{
	struct daemon *daemon = *state;
	size_t total = 0, size = 5000000;
	char line[128], buf[65536], *last = NULL;
	ssize_t n = 1;
	int fd = dial(daemon);

	snprintf(line, sizeof(line), "{\"command\": \"big\", \"args\": [\"%zu\"]}\n{\"command\": \"echo\"}\n",
		 size);
	say(fd, line);
	for (int i = 0; i < 100000 && !last; i++) {
		ev_run(daemon->loop, EVRUN_NOWAIT);
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		if (n <= 0)
			continue;
		buf[n] = '\0';
		total += (size_t)n;
		last = strstr(buf, "{\"ok\":true,\"data\":[]}\n");
	}
	assert_non_null(last);
	assert_int_equal(total, size + strlen("{\"ok\":true,\"data\":\"\"}\n") +
					strlen("{\"ok\":true,\"data\":[]}\n"));
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

static void test_socket_file(void **state)
{
	struct daemon *daemon = *state;
	struct stat st;

	assert_int_equal(lstat(daemon->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	/* another one refuses, and leaves the first alone */
	assert_null(control_create(daemon->loop, daemon->path, handle, daemon, daemon->error,
				   sizeof(daemon->error)));
	assert_non_null(strstr(daemon->error, "a daemon already answers on /tmp/bfdd-control-"));
	expect_alive(daemon);
	/* a file that is no longer ours stays */
	unlink(daemon->path);
	close(open(daemon->path, O_CREAT | O_WRONLY, 0600));
	control_free(daemon->control);
	assert_int_equal(lstat(daemon->path, &st), 0);
	/* and is not replaced */
	start(daemon);
	assert_null(daemon->control);
	assert_non_null(strstr(daemon->error, "something that is no socket is in the way"));
	unlink(daemon->path);
}

static void test_stale_socket(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct daemon *daemon = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	control_free(daemon->control);
	strcpy(addr.sun_path, daemon->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	start(daemon);
	assert_non_null(daemon->control);
	expect_alive(daemon);
}

/* A daemon that is there but too busy to accept. */
static void test_busy_daemon(void **state)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct daemon *daemon = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client;

	control_free(daemon->control);
	strcpy(addr.sun_path, daemon->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 0), 0);
	client = dial(daemon);
	start(daemon);
	assert_null(daemon->control);
	assert_non_null(strstr(daemon->error, "already answers"));
	close(fd);
	close(client);
	unlink(daemon->path);
}

static void test_directory(void **state)
{
	struct daemon *daemon = *state;
	char folder[100], path[128];
	struct control *control;
	struct stat st;

	snprintf(folder, sizeof(folder), "%s/new", daemon->folder);
	snprintf(path, sizeof(path), "%s/control", folder);
	control = control_create(daemon->loop, path, handle, daemon, daemon->error, sizeof(daemon->error));
	assert_non_null(control);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	control_free(control);
	assert_int_equal(rmdir(folder), 0);

	snprintf(path, sizeof(path), "%s/new/er/control", daemon->folder);
	assert_null(control_create(daemon->loop, path, handle, daemon, daemon->error, sizeof(daemon->error)));
	assert_non_null(strstr(daemon->error, "cannot make the control socket's directory"));
	assert_non_null(strstr(daemon->error, "/new/er: No such file or directory"));
}

static void test_path_length(void **state)
{
	struct daemon *daemon = *state;
	char path[200];
	size_t used = (size_t)snprintf(path, sizeof(path), "%s/", daemon->folder);
	struct control *control;

	memset(path + used, 'x', sizeof(path) - used);
	path[108] = '\0';
	assert_null(control_create(daemon->loop, path, handle, daemon, daemon->error, sizeof(daemon->error)));
	assert_non_null(strstr(daemon->error, "a path of 1 to 107 bytes is needed"));
	assert_null(control_create(daemon->loop, "", handle, daemon, daemon->error, sizeof(daemon->error)));
	path[107] = '\0';
	control = control_create(daemon->loop, path, handle, daemon, daemon->error, sizeof(daemon->error));
	assert_non_null(control);
	control_free(control);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),	    TEST(test_answers_after_half_close),
		TEST(test_pieces),	    TEST(test_order),
		TEST(test_garbage),	    TEST(test_longest_line),
		TEST(test_deep_nesting),    TEST(test_client_gone_while_held),
		TEST(test_free_while_held), TEST(test_stream),
		TEST(test_stream_free),	    TEST(test_stream_unread),
		TEST(test_stream_burst),    TEST(test_big_answer),
		TEST(test_answer_too_big),  TEST(test_stream_too_big),
		TEST(test_unread_answers),  TEST(test_idle),
		TEST(test_too_many),	    TEST(test_no_descriptors),
		TEST(test_socket_file),	    TEST(test_stale_socket),
		TEST(test_busy_daemon),	    TEST(test_directory),
		TEST(test_path_length),	    TEST(test_fuzz),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
