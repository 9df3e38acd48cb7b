/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which names have which numbers, kept in the state folder: a restart with another file is then as good as a
 * reload, since what stays the same keeps its tables, nexthops and bit of the mark. Each line of the file is
 * a kind, a number and the name. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

enum { TABLES, NEXTHOPS, MARKS, KINDS };

static const char *const kinds[KINDS] = {"table", "nexthop", "mark"};

static struct ids **ids_of(struct app *app, unsigned kind)
{
	return kind == TABLES ? &app->table_ids : kind == NEXTHOPS ? &app->nexthop_ids : &app->mark_ids;
}

static struct ids *create(const struct app *app, unsigned kind)
{
	switch (kind) {
	case TABLES:
		return ids_create(app->range.table_first, CONFIG_TABLES);
	case NEXTHOPS:
		return ids_create(app->range.nexthop_first, CONFIG_NEXTHOPS);
	}
	return ids_create(1, (unsigned)__builtin_popcount(app->mark_mask));
}

static FILE *open_file(const struct app *app, const char *suffix, const char *mode, char path[4096])
{
	snprintf(path, 4096, "%s/numbers%s", app->options.state_dir, suffix);
	return fopen(path, mode);
}

/* What a line says of a name that is wanted now is taken; a name or number said twice, and what is not
 * understood, is not. */
static void take_line(struct ids *const wanted[KINDS], struct ids *const fresh[KINDS], char *line)
{
	char kind[16];
	uint32_t number;
	int name = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%15s %" SCNu32 " %n", kind, &number, &name) != 2 || !name)
		return;
	for (unsigned i = 0; i < KINDS; i++)
		if (!strcmp(kind, kinds[i]) && wanted[i] && ids_has(wanted[i], line + name))
			ids_put(fresh[i], line + name, number);
}

bool app_numbers_take(struct app *app)
{
	struct ids *wanted[KINDS], *fresh[KINDS] = {0};
	char path[4096], *line = NULL;
	FILE *file = open_file(app, "", "re", path);
	bool ok = file;
	size_t room = 0;

	for (unsigned i = 0; i < KINDS && ok; i++) {
		wanted[i] = *ids_of(app, i);
		fresh[i] = wanted[i] ? create(app, i) : NULL;
		ok = fresh[i] || !wanted[i];
	}
	while (ok && getline(&line, &room, file) > 0)
		take_line(wanted, fresh, line);
	for (unsigned i = 0; i < KINDS; i++) {
		ids_free(ok ? wanted[i] : fresh[i]);
		if (ok)
			*ids_of(app, i) = fresh[i];
	}
	free(line);
	if (file)
		fclose(file);
	return ok;
}

struct output {
	FILE *file;
	const char *kind;
};

static void write_line(void *context, const char *name, uint32_t number)
{
	const struct output *output = context;

	fprintf(output->file, "%s %" PRIu32 " %s\n", output->kind, number, name);
}

void app_numbers_keep(struct app *app)
{
	char path[4096], temporary[4096];
	struct output output = {.file = open_file(app, ".new", "we", temporary)};
	bool ok = output.file;

	snprintf(path, sizeof(path), "%s/numbers", app->options.state_dir);
	for (unsigned i = 0; i < KINDS && ok; i++) {
		output.kind = kinds[i];
		if (*ids_of(app, i))
			ids_each(*ids_of(app, i), write_line, &output);
	}
	ok = ok && !ferror(output.file);
	if (output.file && fclose(output.file))
		ok = false;
	if (!ok || rename(temporary, path))
		log_warning("cannot write %s: %s; a restart with another file may move services for a moment",
			    path, strerror(errno));
}
