/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aligned columns. Cells are given row by row; a column in which all cells are "" is left out. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdio.h>

#include "ctl/text.h"

struct table;

/* TITLES (borrowed): one for each column, ended by NULL; one that begins with '>' is aligned to the right. */
struct table *table_create(const char *const *titles);
void table_cell(struct table *table, enum text_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints and frees TABLE. */
void table_print(struct table *table, FILE *out);

#endif
