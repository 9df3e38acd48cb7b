/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of a configuration file with all that it includes. Includes are resolved here and not by
 * libconfig, which exits the program when one names a folder, knows no absolute paths beside a base folder,
 * and does not say which file it failed to open.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/report.h"
#include "config/text.h"

#define SOURCE_FILES 1024
#define SOURCE_SIZE (64 << 20) /* bytes, all in all */

enum source_state { SOURCE_PLAIN, SOURCE_STRING, SOURCE_COMMENT };

struct source {
	struct text text;    /* ends with a newline */
	struct place *lines; /* of the text */
	unsigned nlines;
	char *files[SOURCE_FILES]; /* in the order of reading */
	unsigned nfiles;
	enum source_state state;
	struct place opened; /* where the string or comment began that STATE is in */
};

/* Relative includes are looked for in the folder of FILE, also the nested ones. False, and reported, when
 * something cannot be read. Call source_free() in any case, after reports_tell(). */
bool source_read(struct source *source, const char *file, struct reports *reports);
void source_free(struct source *source);
/* The place of the text's line LINE, counted from 1; beyond the end, the last. */
const struct place *source_place(const struct source *source, unsigned line);

#endif
