/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket against well-behaved and hostile clients. Daemon and clients run in this one thread:
 * pump() turns the daemon's loop until a condition holds. libev's clock is ours (clock_gettime() below), so
 * that time-outs of minutes can be tested in no time.
 */
#ifndef UNIT_CONTROL_FIXTURE_H
#define UNIT_CONTROL_FIXTURE_H

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

#define LIST_ELEMENT 1000 /* bytes */

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

static inline void stream_closed(void *context)
{
	struct daemon *daemon = context;

	daemon->closed++;
	daemon->stream = NULL;
}

static inline json_t *long_string(size_t length)
{
	char *text = malloc(length + 1);
	json_t *string;

	memset(text, 'x', length);
	text[length] = '\0';
	string = json_string(text);
	free(text);
	return string;
}

/* As many long strings as are asked for. */
static inline void write_list(void *context, struct writer *out)
{
	json_int_t *left = context;
	char text[LIST_ELEMENT + 1];

	memset(text, 'x', LIST_ELEMENT);
	text[LIST_ELEMENT] = '\0';
	writer_open(out, '[');
	while ((*left)-- > 0)
		writer_string(out, text);
	writer_close(out, ']');
}

static inline void handle(void *context, struct control_request *request, const char *command,
			  const json_t *args)
{
	struct daemon *daemon = context;
	json_int_t count = json_array_size(args) ? atoll(json_string_value(json_array_get(args, 0))) : 0;

	daemon->handled++;
	if (!strcmp(command, "echo")) {
		control_reply(request, json_deep_copy(args));
	} else if (!strcmp(command, "big")) {
		control_reply(request, long_string((size_t)count));
	} else if (!strcmp(command, "list")) {
		control_reply_written(request, write_list, &count);
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

static inline void start(struct daemon *daemon)
{
	daemon->control = control_create(daemon->loop, daemon->path, handle, daemon, daemon->error,
					 sizeof(daemon->error));
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	struct daemon *daemon = *state;

	control_free(daemon->control);
	ev_loop_destroy(daemon->loop);
	assert_int_equal(rmdir(daemon->folder), 0); /* so nothing is left in it */
	free(daemon);
	return 0;
}

/* Turns the loop as long as there is something to do. */
static inline void settle(struct daemon *daemon)
{
	for (int i = 0; i < 50; i++)
		ev_run(daemon->loop, EVRUN_NOWAIT);
}

static inline int dial(const struct daemon *daemon)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, daemon->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static inline void say_bytes(int fd, const void *bytes, size_t size)
{
	assert_int_equal(send(fd, bytes, size, MSG_NOSIGNAL), size);
}

static inline void say(int fd, const char *text)
{
	say_bytes(fd, text, strlen(text));
}

/* All that the daemon has to say now; *ENDED: it closed then. */
static inline const char *hear(struct daemon *daemon, int fd, bool *ended)
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

static inline void expect(struct daemon *daemon, int fd, const char *text)
{
	bool ended;

	assert_string_equal(hear(daemon, fd, &ended), text);
	assert_false(ended);
}

static inline void expect_end(struct daemon *daemon, int fd, const char *text)
{
	bool ended;

	assert_string_equal(hear(daemon, fd, &ended), text);
	assert_true(ended);
	close(fd);
}

static inline void expect_alive(struct daemon *daemon)
{
	int fd = dial(daemon);

	say(fd, "{\"command\": \"echo\", \"args\": [\"alive\"]}\n");
	expect(daemon, fd, "{\"ok\":true,\"data\":[\"alive\"]}\n");
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
