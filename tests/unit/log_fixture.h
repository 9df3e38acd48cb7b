/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the log writes, caught. */
#ifndef UNIT_LOG_FIXTURE_H
#define UNIT_LOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/log.h"

static int saved_stderr, reader;

/* Standard error becomes a socket that keeps the bounds of each write(). */
static inline int setup(void **state)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(pair[1], STDERR_FILENO);
	close(pair[1]);
	reader = pair[0];
	unsetenv("JOURNAL_STREAM");
	log_init(LOG_LEVEL_INFO);
	return 0;
}

static inline int teardown(void **state)
{
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(reader);
	unsetenv("JOURNAL_STREAM");
	log_init(LOG_LEVEL_INFO);
	return 0;
}

/* One write() of the log; "" when there was none. */
static inline const char *written(void)
{
	static char buf[4 * LOG_MESSAGE_MAX + 1];
	ssize_t n = recv(reader, buf, sizeof(buf) - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

#endif
