// SPDX-License-Identifier: GPL-2.0-or-later
#include "ops/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ops/escape.h"

static enum log_level log_most = LOG_LEVEL_INFO;
static bool log_journal;
static unsigned log_lost; /* lines, since the last one that was written */

static const char *const log_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning", [LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
};

/* The variable is inherited also where standard error was redirected since: hence the comparison. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;
	char end;

	return stream && sscanf(stream, "%ju:%ju%c", &device, &inode, &end) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_init(enum log_level most)
{
	log_most = most;
	log_journal = stderr_is_journal();
	log_lost = 0;
}

static size_t prefix(char *line, enum log_level level)
{
	return log_journal ? (size_t)sprintf(line, "<%d>", level)
			   : (size_t)sprintf(line, "bfdd: %s: ", log_names[level]);
}

/* Nobody waits for who reads the log. A pipe that is ready takes PIPE_BUF bytes at once; a full one loses
 * lines, and the next that goes through says how many. */
void log_write(enum log_level level, const char *format, ...)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char message[LOG_MESSAGE_MAX], line[PIPE_BUF];
	int saved = errno, length;
	size_t used = 0;
	va_list ap;

	if (level > log_most)
		return;
	va_start(ap, format);
	length = vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(message))
		strcpy(message + sizeof(message) - 4, "...");
	if (log_lost) {
		used = prefix(line, LOG_LEVEL_WARNING);
		used += (size_t)sprintf(line + used, "%u lines are missing here: nobody read them\n",
					log_lost);
	}
	used += prefix(line + used, level);
	used += escape_text(line + used, sizeof(line) - used - 1, message);
	line[used++] = '\n';
	if (poll(&out, 1, 0) == 1 && out.revents & POLLOUT && write(STDERR_FILENO, line, used) >= 0)
		log_lost = 0;
	else
		log_lost++;
	errno = saved;
}
