/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/text.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 4096

bool text_grow(struct text *text, size_t more)
{
	size_t room = text->room ? text->room : FIRST;
	char *bytes;

	if (text->room > text->size + more)
		return true;
	while (room <= text->size + more)
		room *= 2;
	bytes = malloc(room); /* realloc() would leave the old ones behind */
	if (!bytes)
		return false;
	if (text->size)
		memcpy(bytes, text->bytes, text->size);
	bytes[text->size] = '\0';
	if (text->room)
		explicit_bzero(text->bytes, text->room);
	free(text->bytes);
	text->bytes = bytes;
	text->room = room;
	return true;
}

bool text_add(struct text *text, const char *bytes, size_t size)
{
	if (!text_grow(text, size))
		return false;
	memcpy(text->bytes + text->size, bytes, size);
	text->size += size;
	text->bytes[text->size] = '\0';
	return true;
}

void text_free(struct text *text)
{
	if (text->room)
		explicit_bzero(text->bytes, text->room);
	free(text->bytes);
	*text = (struct text){0};
}
