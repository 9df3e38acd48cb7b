/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes that may be secret: whatever memory they have been in is wiped before it is given back. */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* NULL while ROOM is 0 */
	size_t size, room;
};

/* Room for MORE bytes and a NUL behind those that are there. False: out of memory, and nothing changed. */
bool text_grow(struct text *text, size_t more);
/* Adds SIZE bytes, and a NUL that does not count. False as above. */
bool text_add(struct text *text, const char *bytes, size_t size);
void text_free(struct text *text);

#endif
