// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/table.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2 /* blanks between columns */

struct cell {
	char *text;
	enum text_style style;
};

struct table {
	const char *const *titles;
	unsigned columns;
	size_t ncells, size;
	struct cell *cells;
};

struct table *table_create(const char *const *titles)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		err(1, NULL);
	table->titles = titles;
	while (titles[table->columns])
		table->columns++;
	return table;
}

void table_cell(struct table *table, enum text_style style, const char *format, ...)
{
	struct cell *cell;
	va_list ap;

	if (table->ncells == table->size) {
		table->size = table->size ? 2 * table->size : 256;
		table->cells = reallocarray(table->cells, table->size, sizeof(table->cells[0]));
		if (!table->cells)
			err(1, NULL);
	}
	cell = &table->cells[table->ncells++];
	cell->style = style;
	va_start(ap, format);
	if (vasprintf(&cell->text, format, ap) < 0)
		err(1, NULL);
	va_end(ap);
}

static const char *title(const struct table *table, unsigned column)
{
	return table->titles[column] + (table->titles[column][0] == '>');
}

/* 0: nothing but empty cells. */
static size_t column_width(const struct table *table, unsigned column)
{
	size_t widest = 0, width;

	for (size_t i = column; i < table->ncells; i += table->columns) {
		width = text_width(table->cells[i].text);
		if (width > widest)
			widest = width;
	}
	width = text_width(title(table, column));
	return widest && widest < width ? width : widest;
}

/* PENDING blanks are owed: they are paid only when something follows, so that no line ends in blanks. */
static void print_cell(const struct table *table, unsigned column, size_t width, const char *text,
		       enum text_style style, size_t *pending, FILE *out)
{
	size_t fill = width - text_width(text);
	bool right = table->titles[column][0] == '>';

	if (*text) {
		fprintf(out, "%*s%s%s%s", (int)(*pending + (right ? fill : 0)), "", text_begin(style), text,
			text_end(style));
		*pending = GAP + (right ? 0 : fill);
	} else {
		*pending += GAP + width;
	}
}

void table_print(struct table *table, FILE *out)
{
	size_t rows = table->ncells / table->columns;
	size_t *widths = calloc(table->columns, sizeof(*widths));

	if (!widths)
		err(1, NULL);
	for (unsigned column = 0; column < table->columns; column++)
		widths[column] = column_width(table, column);
	for (size_t row = 0; row <= rows; row++) {
		const struct cell *cells = row ? table->cells + (row - 1) * table->columns : NULL;
		size_t pending = 0;

		for (unsigned column = 0; column < table->columns; column++)
			if (widths[column])
				print_cell(table, column, widths[column],
					   cells ? cells[column].text : title(table, column),
					   cells ? cells[column].style : STYLE_STRONG, &pending, out);
		fputc('\n', out);
	}
	for (size_t i = 0; i < table->ncells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(widths);
	free(table);
}
