// SPDX-License-Identifier: GPL-2.0-or-later
#include "ops/writer.h"

#include <stdlib.h>
#include <string.h>

#include "ops/view.h"

#define FIRST_SIZE 4096
#define DIGITS 20 /* of 2^64 */

bool writer_room(struct writer *writer, size_t size)
{
	size_t pending = writer->end - writer->start, room = writer->size;
	char *grown;

	if (writer->failed)
		return false;
	if (size <= writer->size - writer->end && pending + size <= writer->limit)
		return true;
	writer->failed = pending + size > writer->limit;
	if (writer->failed)
		return false;
	if (writer->start) {
		memmove(writer->bytes, writer->bytes + writer->start, pending);
		writer->start = 0;
		writer->end = pending;
	}
	while (pending + size > room)
		room = room ? 2 * room : FIRST_SIZE;
	if (room == writer->size)
		return true;
	grown = realloc(writer->bytes, room);
	writer->failed = !grown;
	if (writer->failed)
		return false;
	writer->bytes = grown;
	writer->size = room;
	return true;
}

void writer_bytes(struct writer *writer, const char *bytes, size_t size)
{
	if (!size || !writer_room(writer, size))
		return;
	memcpy(writer->bytes + writer->end, bytes, size);
	writer->end += size;
}

void writer_text(struct writer *writer, const char *text)
{
	writer_bytes(writer, text, strlen(text));
}

/* A string ends in a quotation mark, so these cannot be a part of one. */
static void separate(struct writer *writer)
{
	char last = writer->end > writer->start ? writer->bytes[writer->end - 1] : '[';

	if (last != '[' && last != '{' && last != ':')
		writer_bytes(writer, ",", 1);
}

void writer_open(struct writer *writer, char bracket)
{
	separate(writer);
	writer_bytes(writer, &bracket, 1);
}

void writer_close(struct writer *writer, char bracket)
{
	writer_bytes(writer, &bracket, 1);
}

void writer_key(struct writer *writer, const char *key)
{
	separate(writer);
	writer_bytes(writer, "\"", 1);
	writer_text(writer, key);
	writer_bytes(writer, "\":", 2);
}

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~' || *text == '"' || *text == '\\')
			return false;
	return true;
}

static int dump(const char *bytes, size_t size, void *context)
{
	struct writer *writer = context;

	writer_bytes(writer, bytes, size);
	return writer->failed ? -1 : 0;
}

void writer_string(struct writer *writer, const char *text)
{
	json_t *string;

	separate(writer);
	if (text && *text && is_plain(text)) {
		writer_bytes(writer, "\"", 1);
		writer_text(writer, text);
		writer_bytes(writer, "\"", 1);
		return;
	}
	string = view_text(text);
	if (!string || json_dump_callback(string, dump, writer, JSON_ENCODE_ANY | VIEW_DUMP))
		writer->failed = true;
	json_decref(string);
}

static void put_number(struct writer *writer, uint64_t value)
{
	char digits[DIGITS], *at = digits + DIGITS;

	do
		*--at = (char)('0' + value % 10);
	while (value /= 10);
	writer_bytes(writer, at, (size_t)(digits + DIGITS - at));
}

void writer_integer(struct writer *writer, uint64_t value)
{
	separate(writer);
	put_number(writer, value);
}

void writer_boolean(struct writer *writer, bool value)
{
	separate(writer);
	writer_text(writer, value ? "true" : "false");
}

void writer_null(struct writer *writer)
{
	separate(writer);
	writer_text(writer, "null");
}

void writer_ms(struct writer *writer, usec_t duration)
{
	unsigned rest = (unsigned)(duration % USEC_MS);
	char fraction[] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10),
			   (char)('0' + rest % 10)};
	size_t length = sizeof(fraction);

	writer_integer(writer, (uint64_t)(duration / USEC_MS));
	if (!rest)
		return;
	while (fraction[length - 1] == '0')
		length--;
	writer_bytes(writer, fraction, length);
}
