/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values as people read them, and colours. What comes from the daemon leaves here escaped. */
#ifndef CTL_TEXT_H
#define CTL_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT 512

enum text_style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_WARN, STYLE_STRONG, STYLE_FAINT };

/* Colours from now on, or none (the default). */
void text_colours(bool on);
/* The escape sequences around text of this style; "" without colours. */
const char *text_begin(enum text_style style);
const char *text_end(enum text_style style);
/* Columns that TEXT takes: its characters, without escape sequences of ours. */
size_t text_width(const char *text);

/* These return BUF. */
/* Any scalar; null and what is missing is "-". */
const char *text_value(char buf[TEXT], const json_t *value);
/* The scalar KEY of OBJECT. */
const char *text_get(char buf[TEXT], const json_t *object, const char *key);
/* Milliseconds: "50 ms", "16.667 ms", "1 s"; "-" for 0. */
const char *text_ms(char buf[TEXT], const json_t *ms);
/* Microseconds: "87 us", "1.203 ms". */
const char *text_us(char buf[TEXT], int64_t us);
/* Seconds: "320 ms", "42s", "2m13s", "5h07m", "3d04h". */
const char *text_duration(char buf[TEXT], double seconds);
/* RFC 3339: "2m13s ago". */
const char *text_ago(char buf[TEXT], const json_t *time);
/* RFC 3339: local time "2026-01-31 12:34:56.123". */
const char *text_local(char buf[TEXT], const json_t *time);
/* The style for a state name. */
enum text_style text_state_style(const char *state);

bool text_is_time(const json_t *value);

#endif
