/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/rfc3339.h"

#include <ctype.h>

#include "core/usec.h"

/* N digits; -1: there are not so many. */
static int number(const char **text, unsigned n)
{
	int value = 0;

	for (; n; n--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return -1;
		value = 10 * value + **text - '0';
	}
	return value;
}

static bool sign(const char **text, char wanted)
{
	if (**text != wanted)
		return false;
	(*text)++;
	return true;
}

static int days_of(int year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static int64_t days_until(int year, int month, int day)
{
	int64_t days = day - 1 + 365LL * (year - 1970);

	/* Leap days of the years before this one. */
	days += (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
	for (int m = 1; m < month; m++)
		days += days_of(year, m);
	return days;
}

static bool read_date(const char **text, int64_t *days)
{
	int year, month, day;

	year = number(text, 4);
	if (year < 1 || !sign(text, '-'))
		return false;
	month = number(text, 2);
	if (month < 1 || month > 12 || !sign(text, '-'))
		return false;
	day = number(text, 2);
	if (day < 1 || day > days_of(year, month))
		return false;
	*days = days_until(year, month, day);
	return true;
}

static bool read_clock(const char **text, int64_t *seconds)
{
	int hour, minute, second;

	hour = number(text, 2);
	if (hour < 0 || hour > 23 || !sign(text, ':'))
		return false;
	minute = number(text, 2);
	if (minute < 0 || minute > 59 || !sign(text, ':'))
		return false;
	second = number(text, 2);
	if (second < 0 || second > 60) /* 60: a leap second */
		return false;
	*seconds = 3600 * hour + 60 * minute + second;
	return true;
}

static bool read_fraction(const char **text, int64_t *usec)
{
	int64_t unit = USEC_S / 10;

	*usec = 0;
	if (!sign(text, '.'))
		return true;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++, unit /= 10)
		*usec += unit * (**text - '0');
	return true;
}

/* In seconds east of Greenwich. */
static bool read_offset(const char **text, int64_t *offset)
{
	bool west = **text == '-';
	int hour, minute;

	*offset = 0;
	if (sign(text, 'Z') || sign(text, 'z'))
		return true;
	if (!west && **text != '+')
		return false;
	(*text)++;
	hour = number(text, 2);
	if (hour < 0 || hour > 23 || !sign(text, ':'))
		return false;
	minute = number(text, 2);
	*offset = (west ? -60 : 60) * (60 * hour + minute);
	return minute >= 0 && minute <= 59;
}

bool rfc3339_parse(const char *text, int64_t *time)
{
	int64_t days, seconds, usec, offset;

	if (!read_date(&text, &days) || (!sign(&text, 'T') && !sign(&text, 't') && !sign(&text, ' ')) ||
	    !read_clock(&text, &seconds) || !read_fraction(&text, &usec) || !read_offset(&text, &offset) ||
	    *text)
		return false;
	*time = (days * 86400 + seconds - offset) * USEC_S + usec;
	return true;
}
