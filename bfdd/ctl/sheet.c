// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/sheet.h"

#include <err.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/text.h"

#define LABEL 20 /* columns of a label with the blanks after it */
#define WIDTH 100

static void print_label(FILE *out, const char *label)
{
	size_t width = text_width(label);

	fprintf(out, "%s%s%s%*s", text_begin(STYLE_STRONG), label, text_end(STYLE_STRONG),
		width < LABEL ? (int)(LABEL - width) : 1, "");
}

void sheet_line(FILE *out, const char *label, const char *format, ...)
{
	va_list ap;

	print_label(out, label);
	va_start(ap, format);
	vfprintf(out, format, ap);
	va_end(ap);
	fputc('\n', out);
}

static bool ends_in(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length > tail && !strcmp(text + length - tail, end);
}

/* The key is a hint of what the value means. */
static void print_scalar(FILE *out, const char *key, const json_t *value)
{
	char buf[TEXT], ago[TEXT];

	if (text_is_time(value))
		fprintf(out, "%s (%s)", text_local(buf, value), text_ago(ago, value));
	else if (json_is_number(value) && !strcmp(key, "uptime"))
		fputs(text_duration(buf, json_number_value(value)), out);
	else if (json_is_integer(value) && ends_in(key, "-us"))
		fputs(text_us(buf, json_integer_value(value)), out);
	else
		fputs(text_value(buf, value), out);
}

static void print_label_in_line(FILE *out, const char *key)
{
	json_t *name = json_string(key);
	char buf[TEXT];

	text_value(buf, name);
	if (ends_in(buf, "-us"))
		buf[strlen(buf) - 3] = '\0';
	fprintf(out, "%s ", buf);
	json_decref(name);
}

static void print_items(FILE *out, json_t *value, size_t indent);

static void print_in_line(FILE *out, const char *key, json_t *value)
{
	if (!json_is_object(value) && !json_is_array(value)) {
		print_scalar(out, key, value);
		return;
	}
	fputc('(', out);
	print_items(out, value, 0);
	fputc(')', out);
}

struct items {
	FILE *out;
	size_t indent, column, count; /* INDENT 0: one line, however long */
};

static void print_item(struct items *items, const char *key, json_t *value)
{
	size_t size, width;
	char *text = NULL;
	FILE *item = open_memstream(&text, &size);

	if (!item)
		err(1, NULL);
	if (key)
		print_label_in_line(item, key);
	print_in_line(item, key ? key : "", value);
	fclose(item);
	width = text_width(text) + strlen(", ");
	if (items->indent && items->count && items->column + width > WIDTH) {
		fprintf(items->out, ",\n%*s", (int)items->indent, "");
		items->column = items->indent;
	} else if (items->count) {
		fputs(", ", items->out);
	}
	fputs(text, items->out);
	items->column += width;
	items->count++;
	free(text);
}

/* "a 1, b 2", wrapped and then indented by INDENT columns when that is not 0. */
static void print_items(FILE *out, json_t *value, size_t indent)
{
	struct items items = {.out = out, .indent = indent, .column = indent};
	const char *key;
	json_t *item;
	size_t i;

	json_object_foreach(value, key, item) print_item(&items, key, item);
	json_array_foreach(value, i, item) print_item(&items, NULL, item);
	if (!items.count)
		fputs("none", out);
}

static bool is_in(const char *const *list, const char *key)
{
	for (; list && *list; list++)
		if (!strcmp(*list, key))
			return true;
	return false;
}

void sheet_object(FILE *out, json_t *object, const char *const *skip)
{
	const char *key;
	char buf[TEXT];
	json_t *value, *name;

	json_object_foreach(object, key, value)
	{
		if (is_in(skip, key))
			continue;
		name = json_string(key);
		print_label(out, text_value(buf, name));
		json_decref(name);
		if (json_is_object(value) || json_is_array(value))
			print_items(out, value, LABEL);
		else
			print_scalar(out, key, value);
		fputc('\n', out);
	}
}
