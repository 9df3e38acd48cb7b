/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/source.h"

#define DEPTH_MAX 10
#define READ_AT_ONCE 16384
#define DIGITS_INT32 9 /* decimal digits that surely fit */
#define DIGITS_HEX 7   /* after 0x, and that stay positive */

#define TOKEN_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.*+-"

struct reader {
	struct source *source;
	struct reports *reports;
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

/* All of FILE. False with errno; TEXT is to be freed in any case. */
static bool read_all(int fd, struct text *text)
{
	ssize_t got;

	do {
		if (text->size >= SOURCE_SIZE) {
			errno = EFBIG;
			return false;
		}
		if (!text_grow(text, READ_AT_ONCE))
			return false;
		got = read(fd, text->bytes + text->size, READ_AT_ONCE);
		if (got > 0)
			text->size += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	text->bytes[text->size] = '\0';
	return !got;
}

static bool slurp(const char *file, struct text *text)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY), error;
	bool good;

	if (fd < 0)
		return false;
	good = read_all(fd, text);
	error = errno;
	close(fd);
	errno = error;
	return good;
}

static void put(struct reader *reader, const char *bytes, size_t size)
{
	if (!text_add(&reader->source->text, bytes, size))
		reader->reports->out_of_memory = true;
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
	put(reader, "\n", 1);
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
		put(reader, p, length);
		if (*state == SOURCE_PLAIN && needs_suffix(p, length))
			put(reader, "L", 1);
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
		if (reader->source->text.size > SOURCE_SIZE) {
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
	struct text text = {0};
	char *path;

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
	if (slurp(file, &text))
		append_lines(reader, file, text.bytes, text.size, depth);
	else if (from)
		report_error(reader->reports, from, "cannot include \"%s\": %s", file, strerror(errno));
	else
		report_error(reader->reports, &whole, "cannot read it: %s", strerror(errno));
	text_free(&text);
}

bool source_read(struct source *source, const char *file, struct reports *reports)
{
	struct reader reader = {.source = source, .reports = reports};

	*source = (struct source){0};
	put(&reader, "", 0);
	append_file(&reader, file, NULL, 0);
	return !reports->errors && !reports->out_of_memory;
}

void source_free(struct source *source)
{
	for (unsigned i = 0; i < source->nfiles; i++)
		free(source->files[i]);
	free(source->lines);
	text_free(&source->text);
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
