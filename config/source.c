/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/source.h"

#define DEPTH_MAX 10
#define DIGITS_INT32 9 /* decimal digits that surely fit */
#define DIGITS_HEX 7   /* after 0x, and that stay positive */

#define TOKEN_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.*+-"

struct reader {
	struct source *source;
	struct reports *reports;
	FILE *out;
};

static void append_file(struct reader *reader, const char *name, const struct place *from, unsigned depth);

/* Takes NAME over. NULL when it is one too many. */
static const char *enter_file(struct reader *reader, char *name)
{
	struct source *source = reader->source;

	if (source->nfiles == SOURCE_FILES) {
		free(name);
		return NULL;
	}
	source->files[source->nfiles++] = name;
	return name;
}

/* All that is left of IN, and a NUL; NULL with errno. */
static char *read_all(FILE *in, size_t *size)
{
	size_t room = 16384;
	char *text = malloc(room), *more = text;

	for (*size = 0; more; room *= 2) {
		*size += fread(text + *size, 1, room - 1 - *size, in);
		if (*size < room - 1) {
			text[*size] = '\0';
			return text;
		}
		errno = EFBIG;
		more = room < SOURCE_SIZE ? realloc(text, 2 * room) : NULL;
		text = more ? more : text;
	}
	free(text);
	return NULL;
}

/* The whole of FILE, and a NUL; NULL with errno. */
static char *slurp(const char *file, size_t *size)
{
	FILE *in = fopen(file, "re");
	struct stat status;
	char *text = NULL;
	int error;

	if (!in)
		return NULL;
	if (!fstat(fileno(in), &status) && S_ISDIR(status.st_mode))
		errno = EISDIR;
	else
		text = read_all(in, size);
	error = ferror(in) ? EIO : errno;
	if (text && ferror(in)) {
		free(text);
		text = NULL;
	}
	fclose(in);
	errno = error;
	return text;
}

static void end_line(struct reader *reader, const struct place *at)
{
	struct source *source = reader->source;
	struct place *lines;

	if (!(source->nlines & (source->nlines - 1))) { /* room is the next power of two */
		lines = reallocarray(source->lines, source->nlines ? 2 * source->nlines : 1, sizeof(*lines));
		if (!lines) {
			reader->reports->out_of_memory = true;
			return;
		}
		source->lines = lines;
	}
	source->lines[source->nlines++] = *at;
	putc('\n', reader->out);
}

/* libconfig 1.5 cuts integers to 32 bits without a word, unless they bear an L. */
static bool needs_suffix(const char *token, size_t length)
{
	if (length > 2 && token[0] == '0' && (token[1] == 'x' || token[1] == 'X'))
		return length - 2 > DIGITS_HEX && 2 + strspn(token + 2, "0123456789abcdefABCDEF") == length;
	if (*token == '-' || *token == '+') {
		token++;
		length--;
	}
	return length > DIGITS_INT32 && strspn(token, "0123456789") == length;
}

/* Copies a line, following where strings and comments begin and end. */
static void append_text(struct reader *reader, const char *p, const struct place *at)
{
	enum source_state *state = &reader->source->state;
	size_t length;

	while (*p) {
		length = 1;
		if (*state == SOURCE_COMMENT) {
			if (!strncmp(p, "*/", 2)) {
				*state = SOURCE_PLAIN;
				length = 2;
			}
		} else if (*state == SOURCE_STRING) {
			if (*p == '"')
				*state = SOURCE_PLAIN;
			else if (*p == '\\' && p[1])
				length = 2;
		} else if (*p == '#' || !strncmp(p, "//", 2)) {
			return;
		} else if (!strncmp(p, "/*", 2)) {
			*state = SOURCE_COMMENT;
			reader->source->opened = *at;
			length = 2;
		} else if (*p == '"') {
			*state = SOURCE_STRING;
			reader->source->opened = *at;
		} else if (strspn(p, TOKEN_CHARS)) {
			length = strspn(p, TOKEN_CHARS);
		}
		fwrite(p, 1, length, reader->out);
		if (*state == SOURCE_PLAIN && needs_suffix(p, length))
			putc('L', reader->out);
		p += length;
	}
}

/* The name in an include line, NUL-terminated in place, and the REST of the line; NULL: it is another line.
 */
static char *include_name(char *line, char **rest)
{
	char *p = line + strspn(line, " \t"), *end;

	if (strncmp(p, "@include", 8) || !strspn(p + 8, " \t"))
		return NULL;
	p += 8 + strspn(p + 8, " \t");
	end = *p == '"' ? strchr(p + 1, '"') : NULL;
	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return p + 1;
}

static void append_line(struct reader *reader, char *line, const struct place *at, unsigned depth)
{
	char *rest, *name = reader->source->state == SOURCE_PLAIN ? include_name(line, &rest) : NULL;

	if (name) {
		if (depth == DEPTH_MAX)
			report_error(reader->reports, at, "@include nests more than %d deep", DEPTH_MAX);
		else
			append_file(reader, name, at, depth + 1);
		line = rest;
	}
	append_text(reader, line, at);
	end_line(reader, at);
}

static void append_lines(struct reader *reader, const char *file, char *text, size_t size, unsigned depth)
{
	struct place at = {.file = file};
	char *line, *next, *end = text + size;

	for (line = text; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next + 1 : end + 1;
		at.line++;
		next[-1] = '\0';
		if (strlen(line) < (size_t)(next - 1 - line))
			report_error(reader->reports, &at, "a NUL byte: this is not a text file");
		if (ftell(reader->out) > SOURCE_SIZE) {
			report_error(reader->reports, &at, "the file and what it includes are too large");
			return;
		}
		append_line(reader, line, &at, depth);
	}
}

/* FROM: the line that includes it; NULL for the first file, whose NAME is taken as it is. */
static void append_file(struct reader *reader, const char *name, const struct place *from, unsigned depth)
{
	const char *base = reader->source->files[0], *slash = from ? strrchr(base, '/') : NULL, *file;
	struct place whole;
	char *path, *text;
	size_t size;

	if (*name == '/' || !slash)
		path = strdup(name);
	else if (asprintf(&path, "%.*s%s", (int)(slash + 1 - base), base, name) < 0)
		path = NULL;
	if (!path) {
		reader->reports->out_of_memory = true;
		return;
	}
	file = enter_file(reader, path);
	if (!file) {
		report_error(reader->reports, from, "more than %d files are included", SOURCE_FILES - 1);
		return;
	}
	whole = (struct place){.file = file};
	text = slurp(file, &size);
	if (!text) {
		if (from)
			report_error(reader->reports, from, "cannot include \"%s\": %s", file,
				     strerror(errno));
		else
			report_error(reader->reports, &whole, "cannot read it: %s", strerror(errno));
		return;
	}
	append_lines(reader, file, text, size, depth);
	free(text);
}

bool source_read(struct source *source, const char *file, struct reports *reports)
{
	struct reader reader = {.source = source, .reports = reports};

	*source = (struct source){0};
	reader.out = open_memstream(&source->text, &source->size);
	if (!reader.out) {
		reports->out_of_memory = true;
		return false;
	}
	append_file(&reader, file, NULL, 0);
	if (fclose(reader.out) || !source->text)
		reports->out_of_memory = true;
	return !reports->errors && !reports->out_of_memory;
}

void source_free(struct source *source)
{
	for (unsigned i = 0; i < source->nfiles; i++)
		free(source->files[i]);
	free(source->lines);
	if (source->text) /* there may be secrets in it */
		explicit_bzero(source->text, source->size);
	free(source->text);
}

const struct place *source_place(const struct source *source, unsigned line)
{
	static const struct place nowhere = {.file = "", .line = 0};

	if (!source->nlines)
		return &nowhere;
	if (line > source->nlines)
		line = source->nlines;
	return &source->lines[line ? line - 1 : 0];
}
