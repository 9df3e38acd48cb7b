/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON written straight into memory, for answers about thousands of peers: no tree of it is ever built. The
 * text is what jansson writes with VIEW_DUMP. Commas come by themselves. What was written when memory or the
 * limit came to its end is to be thrown away; who writes need not ask, `failed` stays.
 */
#ifndef OPS_WRITER_H
#define OPS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/usec.h"

struct writer {
	char *bytes; /* malloc'ed; START to END is written and not taken yet */
	size_t start, end, size;
	size_t limit; /* bytes between START and END */
	bool failed;
};

/* Room for SIZE more bytes at END; false: `failed` is set. */
bool writer_room(struct writer *writer, size_t size);
void writer_bytes(struct writer *writer, const char *bytes, size_t size);
void writer_text(struct writer *writer, const char *text); /* as it is */

void writer_open(struct writer *writer, char bracket);	/* '{' or '[', as a value */
void writer_close(struct writer *writer, char bracket); /* '}' or ']' */
void writer_key(struct writer *writer, const char *key);
/* Values: behind a key, or elements of an array. */
void writer_string(struct writer *writer, const char *text); /* as view_text(): null for "" and NULL */
void writer_integer(struct writer *writer, uint64_t value);
void writer_boolean(struct writer *writer, bool value);
void writer_null(struct writer *writer);
void writer_ms(struct writer *writer, usec_t duration); /* as view_ms(); not negative */

#endif
