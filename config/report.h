/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects what is found wrong, and tells it in the order of the file at the end. */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* A line of a file. FILE is borrowed from the struct source. */
struct place {
	const char *file;
	unsigned line;
};

struct report;

struct reports {
	struct report *list;
	unsigned n, room, errors;
	bool out_of_memory;
};

void report_error(struct reports *reports, const struct place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void report_warning(struct reports *reports, const struct place *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* calloc() whose failure counts as an error and is told; N 0 gives one element. */
void *report_calloc(struct reports *reports, size_t n, size_t size);
/* Tells everything, then frees it. Of places in the same file the lines give the order; files come in the
 * order in which they were read (a lower FILES[] index first). */
void reports_tell(struct reports *reports, const char *const *files, unsigned nfiles, config_report_fn *fn,
		  void *context);

/* The candidate most like NAME, if it is so near that a slip of the pen is likely. Keep one of these and
 * offer all. */
struct nearest {
	const char *name, *best;
	unsigned distance;
};
void nearest_init(struct nearest *nearest, const char *name);
void nearest_offer(struct nearest *nearest, const char *candidate);
/* "; did you mean "x"?" or "". Returns BUF. */
#define NEAREST_TEXT (CONFIG_NAME + 32)
const char *nearest_text(const struct nearest *nearest, char buf[NEAREST_TEXT]);

#endif
