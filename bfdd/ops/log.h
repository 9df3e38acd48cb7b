/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines on standard error: "bfdd: level: message", or "<N>message" when that is the journal
 * (JOURNAL_STREAM, systemd.exec(5)). Each line is one write(). Main thread only. */
#ifndef OPS_LOG_H
#define OPS_LOG_H

/* syslog's priorities */
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

#define LOG_MESSAGE_MAX 2048 /* bytes of a message; what is longer ends in "..." */

/* Lines above MOST are left out. Before this: up to LOG_LEVEL_INFO, without the journal's prefix. */
void log_init(enum log_level most);
/* Control characters in the message come out escaped (ops/escape.h). Keeps errno. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
