/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object as lines of a label and a value. */
#ifndef CTL_SHEET_H
#define CTL_SHEET_H

#include <jansson.h>
#include <stdio.h>

void sheet_line(FILE *out, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A line for each field of OBJECT, whatever they are, but those in SKIP (ended by NULL; may be NULL). */
void sheet_object(FILE *out, json_t *object, const char *const *skip);

#endif
