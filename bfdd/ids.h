/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers for names out of a range: a name keeps its number over reloads, and a number is given again once
 * its name is gone. */
#ifndef IDS_H
#define IDS_H

#include <stdbool.h>
#include <stdint.h>

struct ids;

/* SIZE numbers from FIRST. NULL: out of memory. */
struct ids *ids_create(uint32_t first, uint32_t size);
void ids_free(struct ids *ids);
/* The number of NAME (copied), a new one if need be: the lowest free. 0 when the range is used up or memory
 * ran out. */
uint32_t ids_get(struct ids *ids, const char *name);
bool ids_has(const struct ids *ids, const char *name);
/* NAME has had NUMBER before. False: it is not in the range, or one of them is in use, or memory ran out. */
bool ids_put(struct ids *ids, const char *name, uint32_t number);
/* Each name with its number, by number. */
void ids_each(const struct ids *ids, void (*fn)(void *context, const char *name, uint32_t number),
	      void *context);
/* Forgets the names that ids_get() was not asked for since the last sweep. */
void ids_sweep(struct ids *ids);

#endif
