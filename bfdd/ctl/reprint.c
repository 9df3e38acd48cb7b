// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/reprint.h"

#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 256
#define INDENT 2
#define KEY_MAX 64

/* Checking: each of these goes behind what it is named for; NULL: that is not there. */

static const char *blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *digits(const char *p, const char *end)
{
	if (p == end || !is_digit(*p))
		return NULL;
	while (p < end && is_digit(*p))
		p++;
	return p;
}

static const char *number(const char *p, const char *end)
{
	if (p < end && *p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = digits(p, end);
	if (p && p < end && *p == '.')
		p = digits(p + 1, end);
	if (p && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = digits(p, end);
	}
	return p;
}

static const char *escape(const char *p, const char *end)
{
	if (p == end || !*p || !strchr("\"\\/bfnrtu", *p))
		return NULL;
	if (*p++ != 'u')
		return p;
	for (int i = 0; i < 4; i++, p++)
		if (p == end || !*p || !strchr("0123456789abcdefABCDEF", *p))
			return NULL;
	return p;
}

/* One character beyond ASCII; its code point in *CODE. */
static const char *beyond(const char *p, const char *end, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)*p;
	int size = first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0;

	if (!size || end - p < size)
		return NULL;
	*code = first & (0x7f >> size);
	for (int i = 1; i < size; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return NULL;
		*code = *code << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (*code < least[size] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return NULL;
	return p + size;
}

static const char *string(const char *p, const char *end)
{
	uint32_t code;

	if (p == end || *p++ != '"')
		return NULL;
	while (p && p < end && *p != '"') {
		unsigned char c = (unsigned char)*p;

		if (c < ' ')
			return NULL;
		p = c == '\\' ? escape(p + 1, end) : c < 0x80 ? p + 1 : beyond(p, end, &code);
	}
	return p && p < end ? p + 1 : NULL;
}

static const char *word(const char *p, const char *end, const char *wanted)
{
	size_t length = strlen(wanted);

	return (size_t)(end - p) >= length && !memcmp(p, wanted, length) ? p + length : NULL;
}

static const char *value(const char *p, const char *end, unsigned depth);

static const char *member(const char *p, const char *end, unsigned depth)
{
	p = string(p, end);
	if (!p)
		return NULL;
	p = blank(p, end);
	return p < end && *p == ':' ? value(p + 1, end, depth) : NULL;
}

static const char *container(const char *p, const char *end, unsigned depth)
{
	bool object = *p == '{';
	char close = object ? '}' : ']';

	if (depth == DEPTH_MAX)
		return NULL;
	p = blank(p + 1, end);
	if (p < end && *p == close)
		return p + 1;
	for (;;) {
		p = object ? member(p, end, depth + 1) : value(p, end, depth + 1);
		if (!p)
			return NULL;
		p = blank(p, end);
		if (p < end && *p == close)
			return p + 1;
		if (p == end || *p != ',')
			return NULL;
		p = blank(p + 1, end);
	}
}

static const char *value(const char *p, const char *end, unsigned depth)
{
	p = blank(p, end);
	if (p == end)
		return NULL;
	switch (*p) {
	case '{':
	case '[':
		return container(p, end, depth);
	case '"':
		return string(p, end);
	case 't':
		return word(p, end, "true");
	case 'f':
		return word(p, end, "false");
	case 'n':
		return word(p, end, "null");
	default:
		return number(p, end);
	}
}

size_t reprint_check(const char *text, size_t length)
{
	const char *end = value(text, text + length, 0);

	return end ? (size_t)(end - text) : 0;
}

const char *reprint_element(const char **at, const char *end, size_t *length)
{
	const char *p = blank(*at, end), *behind;

	if (p == end || *p == ']')
		return NULL;
	p = blank(p + 1, end); /* behind the bracket or a comma */
	behind = value(p, end, 0);
	if (!behind)
		return NULL;
	*at = behind;
	*length = (size_t)(behind - p);
	return p;
}

static const char *next_member(const char **at, const char *end, const char **key, size_t *key_length,
			       size_t *length)
{
	const char *p = blank(*at, end), *behind;

	if (p == end || *p == '}')
		return NULL;
	p = blank(p + 1, end); /* behind the brace or a comma */
	behind = string(p, end);
	if (!behind)
		return NULL;
	*key = p + 1;
	*key_length = (size_t)(behind - p) - 2;
	p = blank(blank(behind, end) + 1, end); /* behind the colon */
	behind = value(p, end, 0);
	if (!behind)
		return NULL;
	*at = behind;
	*length = (size_t)(behind - p);
	return p;
}

#define SAFE_DIGITS 18 /* fit an integer of 64 bits */

/* The values that there are thousands of are made here, which takes a quarter of jansson's time for the text.
 */
static json_t *tree_of(const char *text, size_t length)
{
	json_int_t number = 0;

	if (*text == '"' && !memchr(text, '\\', length))
		return json_stringn_nocheck(text + 1, length - 2);
	if (is_digit(*text) && length <= SAFE_DIGITS) {
		for (size_t i = 0; i < length; i++) {
			if (!is_digit(text[i]))
				return json_loadb(text, length, JSON_DECODE_ANY, NULL);
			number = 10 * number + (text[i] - '0');
		}
		return json_integer(number);
	}
	return json_loadb(text, length, JSON_DECODE_ANY, NULL);
}

json_t *reprint_tree(const char *text, size_t length)
{
	const char *at = text, *member, *key;
	size_t key_length, member_length;
	json_t *object;
	char name[KEY_MAX];

	if (*text != '{')
		return tree_of(text, length);
	object = json_object();
	while ((member = next_member(&at, text + length, &key, &key_length, &member_length))) {
		if (key_length >= sizeof(name))
			continue;
		memcpy(name, key, key_length);
		name[key_length] = '\0';
		json_object_set_new_nocheck(object, name, tree_of(member, member_length));
	}
	return object;
}

/* Printing */

static void line(FILE *out, unsigned depth)
{
	putc_unlocked('\n', out);
	for (unsigned i = 0; i < INDENT * depth; i++)
		putc_unlocked(' ', out);
}

/* As escapes of UTF-16 (RFC 8259 7). */
static const char *print_beyond(const char *p, const char *end, FILE *out)
{
	uint32_t code = 0;

	p = beyond(p, end, &code);
	if (code < 0x10000)
		fprintf(out, "\\u%04X", (unsigned)code);
	else
		fprintf(out, "\\u%04X\\u%04X", (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
			(unsigned)(0xdc00 + (code & 0x3ff)));
	return p;
}

static const char *print_string(const char *p, const char *end, FILE *out)
{
	const char *from = p, *behind = string(p, end);

	while (p < behind)
		if ((unsigned char)*p < 0x80) {
			p++;
		} else {
			fwrite_unlocked(from, 1, (size_t)(p - from), out);
			from = p = print_beyond(p, behind, out);
		}
	fwrite_unlocked(from, 1, (size_t)(p - from), out);
	return behind;
}

void reprint(const char *text, size_t length, FILE *out)
{
	const char *p = text, *end = text + length;
	unsigned depth = 0;

	while ((p = blank(p, end)) < end) {
		char c = *p;

		if (c == '"') {
			p = print_string(p, end, out);
			continue;
		}
		p++;
		if (c == '}' || c == ']')
			line(out, --depth);
		putc_unlocked(c, out);
		if (c == ':')
			putc_unlocked(' ', out);
		if (c == ',')
			line(out, depth);
		if (c != '{' && c != '[')
			continue;
		p = blank(p, end);
		if (*p == '}' || *p == ']')
			putc_unlocked(*p++, out);
		else
			line(out, ++depth);
	}
}
