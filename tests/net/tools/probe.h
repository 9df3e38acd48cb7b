/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the netlink probes share: checks, shell commands, the range of ids that is ours in them. */
#ifndef TESTS_NET_TOOLS_PROBE_H
#define TESTS_NET_TOOLS_PROBE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/usec.h"
#include "netlink/objects.h"

#define OURS 77
#define FOREIGN 78
#define WAIT (5 * USEC_S)

static const struct object_range range = {OURS, 1000, 1999, 5000, 5099, 700, 799};
static unsigned failures;
static char error[256];

#define CHECK(condition) check(condition, #condition, __LINE__)

static inline void check(bool good, const char *what, int line)
{
	printf("%s %d: %s\n", good ? "  ok  " : "  FAIL", line, what);
	fflush(stdout);
	failures += !good;
}

static inline usec_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

/* The exit status of a shell command. */
__attribute__((format(printf, 1, 2))) static inline int sh(const char *format, ...)
{
	char command[512];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return system(command);
}

#define MUST(...) CHECK(sh(__VA_ARGS__) == 0)

static inline struct addr ip(const char *text)
{
	struct addr addr = {0};

	if (!addr_parse(&addr, text))
		CHECK(!"an address");
	return addr;
}

static inline struct prefix net(const char *text)
{
	struct prefix prefix = {0};

	if (prefix_parse(&prefix, text) != PREFIX_OK)
		CHECK(!"a prefix");
	return prefix;
}

#endif
