/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON as text: checked, taken apart, and printed anew for people's eyes, without a tree of all of it:
 * answers have megabytes. */
#ifndef CTL_REPRINT_H
#define CTL_REPRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The length of the one JSON value (RFC 8259, UTF-8) that TEXT, of LENGTH bytes, begins with; 0: there is
 * none, or it is nested too deeply. */
size_t reprint_check(const char *text, size_t length);
/* The next element of an array that was checked, of *LENGTH bytes, as *AT goes from its begin towards END;
 * NULL: there is none left. */
const char *reprint_element(const char **at, const char *end, size_t *length);
/* A value that was checked as a tree, the caller's. Of an object the members whose keys are of less than 64
 * bytes, without escapes: those that the daemon has. */
json_t *reprint_tree(const char *text, size_t length);
/* Prints a value that was checked: each member on a line of its own, indented by 2; nothing but ASCII.
 * Numbers and escapes stay as they are. */
void reprint(const char *text, size_t length, FILE *out);

#endif
