/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "config/names.h"

static const char *name_at(const struct names *names, unsigned i)
{
	return section_text(&names->sections->list[names->order[i]], KEY_NAME);
}

static int compare(const void *a, const void *b, void *context)
{
	const struct sections *sections = ((const struct names *)context)->sections;
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	int order = strcmp(section_text(&sections->list[x], KEY_NAME),
			   section_text(&sections->list[y], KEY_NAME));

	return order ? order : x < y ? -1 : x > y;
}

bool names_init(struct names *names, const struct sections *sections, const char *what,
		struct reports *reports)
{
	unsigned first = 0;

	*names = (struct names){.sections = sections};
	names->order = report_calloc(reports, sections->n, sizeof(*names->order));
	if (!names->order)
		return false;
	for (unsigned i = 0; i < sections->n; i++)
		if (section_has(&sections->list[i], KEY_NAME))
			names->order[names->n++] = i;
	qsort_r(names->order, names->n, sizeof(*names->order), compare, names);
	for (unsigned i = 1; i < names->n; i++) {
		const struct place *at = &sections->list[names->order[i]].values[KEY_NAME].at;
		const struct place *earlier = &sections->list[names->order[first]].values[KEY_NAME].at;

		if (!strcmp(name_at(names, i), name_at(names, first)))
			report_error(reports, at, "%s \"%s\" is there twice: first at %s:%u", what,
				     name_at(names, i), earlier->file, earlier->line);
		else
			first = i;
	}
	return true;
}

void names_free(struct names *names)
{
	free(names->order);
}

bool names_find(const struct names *names, const char *name, unsigned *index)
{
	unsigned low = 0, high = names->n;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (strcmp(name_at(names, middle), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == names->n || strcmp(name_at(names, low), name) != 0)
		return false;
	*index = names->order[low];
	return true;
}

void names_report_unknown(const struct names *names, const char *what, const char *name,
			  const struct place *at, struct reports *reports)
{
	struct nearest nearest;
	char hint[NEAREST_TEXT];

	nearest_init(&nearest, name);
	for (unsigned i = 0; i < names->n; i++)
		nearest_offer(&nearest, name_at(names, i));
	report_error(reports, at, "unknown %s \"%s\"%s", what, name, nearest_text(&nearest, hint));
}
