/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/report.h"

#define TEXT_MAX 512

struct report {
	struct place at;
	unsigned file, serial;
	bool warning;
	char *text;
};

static void add(struct reports *reports, const struct place *at, bool warning, const char *format,
		va_list args)
{
	struct report *report, *list;
	char text[TEXT_MAX];

	reports->errors += !warning;
	vsnprintf(text, sizeof(text), format, args);
	for (char *p = text; *p; p++) /* what a string in the file may bring along */
		if (iscntrl((unsigned char)*p))
			*p = '?';
	if (reports->n == reports->room) {
		unsigned room = reports->room ? 2 * reports->room : 16;

		list = reallocarray(reports->list, room, sizeof(*list));
		if (!list) {
			reports->out_of_memory = true;
			return;
		}
		reports->list = list;
		reports->room = room;
	}
	report = &reports->list[reports->n];
	*report = (struct report){.at = *at, .serial = reports->n, .warning = warning, .text = strdup(text)};
	if (report->text)
		reports->n++;
	else
		reports->out_of_memory = true;
}

void report_error(struct reports *reports, const struct place *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(reports, at, false, format, args);
	va_end(args);
}

void report_warning(struct reports *reports, const struct place *at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(reports, at, true, format, args);
	va_end(args);
}

void *report_calloc(struct reports *reports, size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size);

	if (!memory) {
		reports->out_of_memory = true;
		reports->errors++;
	}
	return memory;
}

static int compare(const void *a, const void *b)
{
	const struct report *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	return x->serial < y->serial ? -1 : 1;
}

void reports_tell(struct reports *reports, const char *const *files, unsigned nfiles, config_report_fn *fn,
		  void *context)
{
	for (unsigned i = 0; i < reports->n; i++)
		while (reports->list[i].file < nfiles &&
		       files[reports->list[i].file] != reports->list[i].at.file)
			reports->list[i].file++;
	if (reports->n)
		qsort(reports->list, reports->n, sizeof(*reports->list), compare);
	for (unsigned i = 0; i < reports->n; i++) {
		struct report *report = &reports->list[i];

		fn(context, report->at.file, report->at.line, report->warning, report->text);
		free(report->text);
	}
	if (reports->out_of_memory)
		fn(context, nfiles ? files[0] : "", 0, false, "out of memory");
	free(reports->list);
	*reports = (struct reports){0};
}

void nearest_init(struct nearest *nearest, const char *name)
{
	size_t length = strlen(name);

	*nearest = (struct nearest){.name = name,
				    .distance = length < 3   ? 1
						: length < 4 ? 2
						: length < 8 ? 3
							     : 4};
}

/* Insertions, deletions, changes and swaps of neighbours (optimal string alignment), three rows at a time. */
static unsigned distance(const char *a, size_t m, const char *b, size_t n)
{
	unsigned rows[3][CONFIG_NAME + 1];

	for (size_t j = 0; j <= n; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= m; i++) {
		unsigned *row = rows[i % 3];
		const unsigned *up = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned best = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    twice[j - 2] + 1 < best)
				best = twice[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[m % 3][n];
}

void nearest_offer(struct nearest *nearest, const char *candidate)
{
	size_t m = strlen(nearest->name), n = strlen(candidate);
	unsigned found;

	if (m > CONFIG_NAME || n > CONFIG_NAME)
		return;
	found = distance(nearest->name, m, candidate, n);
	if (found < nearest->distance) {
		nearest->distance = found;
		nearest->best = candidate;
	}
}

const char *nearest_text(const struct nearest *nearest, char buf[NEAREST_TEXT])
{
	buf[0] = '\0';
	if (nearest->best)
		snprintf(buf, NEAREST_TEXT, "; did you mean \"%s\"?", nearest->best);
	return buf;
}
