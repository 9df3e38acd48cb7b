/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of a list of sections, sorted. */
#ifndef CONFIG_NAMES_H
#define CONFIG_NAMES_H

#include "config/tree.h"

struct names {
	const struct sections *sections;
	unsigned *order; /* indices of the named sections, by name, then as in the file */
	unsigned n;
};

/* Reports names that are used twice; WHAT is the singular. False: out of memory. */
bool names_init(struct names *names, const struct sections *sections, const char *what,
		struct reports *reports);
void names_free(struct names *names);
bool names_find(const struct names *names, const char *name, unsigned *index);
/* Reports NAME as unknown, with the nearest known one. */
void names_report_unknown(const struct names *names, const char *what, const char *name,
			  const struct place *at, struct reports *reports);

#endif
