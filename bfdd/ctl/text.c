// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "ops/escape.h"

static bool colours;

void text_colours(bool on)
{
	colours = on;
}

const char *text_begin(enum text_style style)
{
	static const char *const sequences[] = {
		[STYLE_PLAIN] = "",	   [STYLE_GOOD] = "\033[32m",  [STYLE_BAD] = "\033[31m",
		[STYLE_WARN] = "\033[33m", [STYLE_STRONG] = "\033[1m", [STYLE_FAINT] = "\033[2m",
	};

	return colours ? sequences[style] : "";
}

const char *text_end(enum text_style style)
{
	return colours && style != STYLE_PLAIN ? "\033[0m" : "";
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++) {
		if (*text == '\033')
			text += strcspn(text, "m");
		else if ((*text & 0xc0) != 0x80)
			width++;
		if (!*text)
			break;
	}
	return width;
}

const char *text_value(char buf[TEXT], const json_t *value)
{
	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		escape_text(buf, TEXT, json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(buf, TEXT, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		snprintf(buf, TEXT, "%.15g", json_real_value(value));
		break;
	case JSON_TRUE:
		strcpy(buf, "yes");
		break;
	case JSON_FALSE:
		strcpy(buf, "no");
		break;
	default:
		strcpy(buf, "-");
	}
	return buf;
}

const char *text_get(char buf[TEXT], const json_t *object, const char *key)
{
	return text_value(buf, json_object_get(object, key));
}

const char *text_ms(char buf[TEXT], const json_t *ms)
{
	double value = json_number_value(ms);

	if (value <= 0)
		strcpy(buf, "-");
	else if (value >= 1000)
		snprintf(buf, TEXT, "%.10g s", value / 1000);
	else
		snprintf(buf, TEXT, "%.10g ms", value);
	return buf;
}

const char *text_us(char buf[TEXT], int64_t us)
{
	if (us >= 1000)
		snprintf(buf, TEXT, "%.10g ms", (double)us / 1000);
	else
		snprintf(buf, TEXT, "%" PRId64 " us", us);
	return buf;
}

const char *text_duration(char buf[TEXT], double seconds)
{
	/* also keeps what cannot be a duration (NaN, too large) from the conversion */
	uint64_t s = seconds > 0 && seconds < 1e15 ? (uint64_t)seconds : 0;

	if (s < 1 && seconds > 0)
		snprintf(buf, TEXT, "%.0f ms", seconds * 1000);
	else if (s < 60)
		snprintf(buf, TEXT, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(buf, TEXT, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(buf, TEXT, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(buf, TEXT, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
	return buf;
}

/* RFC 3339 in UTC, as the daemon writes it. */
static bool parse_time(const json_t *value, double *time)
{
	const char *text = json_string_value(value);
	const char *rest;
	struct tm tm = {0};
	double fraction = 0;
	int used = 0;

	rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (!rest)
		return false;
	if (*rest == '.' && sscanf(rest, "%lf%n", &fraction, &used) == 1)
		rest += used;
	if (strcmp(rest, "Z") != 0 || tm.tm_year < 70)
		return false;
	*time = (double)timegm(&tm) + fraction;
	return true;
}

bool text_is_time(const json_t *value)
{
	double time;

	return parse_time(value, &time);
}

const char *text_ago(char buf[TEXT], const json_t *time)
{
	struct timespec now;
	double then;

	if (!parse_time(time, &then))
		return text_value(buf, time);
	clock_gettime(CLOCK_REALTIME, &now);
	text_duration(buf, (double)now.tv_sec + (double)now.tv_nsec / 1e9 - then);
	return strcat(buf, " ago");
}

const char *text_local(char buf[TEXT], const json_t *time)
{
	double then;
	time_t seconds;
	struct tm tm;
	size_t used;

	if (!parse_time(time, &then))
		return text_value(buf, time);
	seconds = (time_t)then;
	localtime_r(&seconds, &tm);
	used = strftime(buf, TEXT, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(buf + used, TEXT - used, ".%03d", (int)((then - (double)seconds) * 1000));
	return buf;
}

enum text_style text_state_style(const char *state)
{
	if (!strcmp(state, "up"))
		return STYLE_GOOD;
	if (!strcmp(state, "admin-down"))
		return STYLE_FAINT;
	return !strcmp(state, "init") ? STYLE_WARN : STYLE_BAD;
}
