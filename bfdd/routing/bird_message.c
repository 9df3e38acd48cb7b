/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/bird_message.h"

#include <stdio.h>
#include <string.h>

const char *bird_reader_take(struct bird_reader *reader, const char **data, size_t *size)
{
	if (reader->ended)
		reader->used = 0;
	reader->ended = false;
	while (*size) {
		char c = *(*data)++;

		--*size;
		if (c == '\n') {
			reader->line[reader->used] = '\0';
			reader->ended = true;
			return reader->line;
		}
		if (reader->used < sizeof(reader->line) - 1)
			reader->line[reader->used++] = c ? c : '?';
	}
	return NULL;
}

bool bird_line_read(const char *text, unsigned previous, struct bird_line *line)
{
	unsigned code = 0;

	if (*text == ' ' || *text == '+') {
		*line = (struct bird_line){.code = previous, .text = *text == ' ' ? text + 1 : ""};
		return true;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		code = 10 * code + (unsigned)(text[i] - '0');
	}
	if (text[4] != '-' && text[4] != ' ')
		return false;
	*line = (struct bird_line){.code = code, .last = text[4] == ' ', .text = text + 5};
	return true;
}

bool bird_name_valid(const char *name)
{
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-");

	return length > 0 && length < BIRD_NAME && !name[length];
}

/* The next word of *TEXT into BUF; false: there is none, or it is too long. *TEXT is behind it. */
static bool word(const char **text, char *buf, size_t size)
{
	const char *from = *text + strspn(*text, " \t");
	size_t length = strcspn(from, " \t");

	*text = from + length;
	if (!length || length >= size)
		return false;
	memcpy(buf, from, length);
	buf[length] = '\0';
	return true;
}

/* "pa         BGP        ---        up     14:13:57.678  Established" */
static void take_head(struct bird_protocol *protocol, const char *text)
{
	char name[BIRD_NAME], type[16], table[BIRD_LINE], state[16];
	bool named = word(&text, name, sizeof(name));

	*protocol = (struct bird_protocol){0};
	if (named && bird_name_valid(name))
		strcpy(protocol->name, name);
	protocol->bgp = word(&text, type, sizeof(type)) && !strcmp(type, "BGP");
	if (word(&text, table, sizeof(table)) && word(&text, state, sizeof(state)))
		protocol->down = strcmp(state, "up") && strcmp(state, "start");
}

/* What follows KEY in TEXT, if TEXT begins with it; NULL. */
static const char *value_of(const char *text, const char *key)
{
	size_t length = strlen(key);

	if (strncmp(text, key, length) != 0)
		return NULL;
	return text + length + strspn(text + length, " \t");
}

/* "fe80::2%eth0" */
static void take_neighbour(struct bird_protocol *protocol, const char *text)
{
	char buf[ADDR_TEXT + IFNAMSIZ], *percent;
	struct addr addr;

	if (!word(&text, buf, sizeof(buf)))
		return;
	percent = strchr(buf, '%');
	if (percent)
		*percent++ = '\0';
	if (!addr_parse(&addr, buf) || (percent && strlen(percent) >= sizeof(protocol->interface)))
		return;
	protocol->neighbour = addr;
	strcpy(protocol->interface, percent ? percent : "");
}

/* "10000 imported, 5 filtered, 0 exported": a count of channels that have not got that far is none. */
static void take_routes(struct bird_protocol *protocol, const char *text)
{
	uint64_t n = 0;

	for (; *text >= '0' && *text <= '9' && n <= UINT32_MAX; text++)
		n = 10 * n + (uint64_t)(*text - '0');
	if (strncmp(text, " imported", 9) != 0)
		return;
	n += protocol->imported;
	protocol->imported = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static void take_detail(struct bird_protocols *protocols, const char *text)
{
	struct bird_protocol *protocol = &protocols->now;
	const char *value;

	text += strspn(text, " \t");
	if ((value = value_of(text, "Message:")))
		protocol->ours = !strncmp(value, BIRD_OURS, strlen(BIRD_OURS));
	else if ((value = value_of(text, "BGP state:")))
		word(&value, protocol->bgp_state, sizeof(protocol->bgp_state));
	else if ((value = value_of(text, "Neighbor address:")))
		take_neighbour(protocol, value);
	else if ((value = value_of(text, "Routes:")))
		take_routes(protocol, value);
	else if (value_of(text, "Local capabilities") || value_of(text, "Session:"))
		protocols->remote = false;
	else if (value_of(text, "Neighbor capabilities"))
		protocols->remote = true;
	else if (value_of(text, "Restart time:"))
		protocol->neighbour_restarts |= protocols->remote;
}

void bird_protocols_begin(struct bird_protocols *protocols,
			  void (*fn)(void *context, const struct bird_protocol *protocol), void *context)
{
	*protocols = (struct bird_protocols){.fn = fn, .context = context};
}

void bird_protocols_end(struct bird_protocols *protocols)
{
	if (protocols->any)
		protocols->fn(protocols->context, &protocols->now);
	protocols->any = false;
}

void bird_protocols_line(struct bird_protocols *protocols, const struct bird_line *line)
{
	if (line->code == BIRD_PROTOCOL && *line->text) {
		bird_protocols_end(protocols);
		take_head(&protocols->now, line->text);
		protocols->any = true;
		protocols->remote = false;
	} else if (line->code == BIRD_PROTOCOL_DETAIL && protocols->any) {
		take_detail(protocols, line->text);
	}
}

/* Bytes of the UTF-8 character at TEXT; 0: it is none. */
static size_t character(const unsigned char *text)
{
	size_t length = text[0] < 0x80			    ? 1
			: text[0] >= 0xc2 && text[0] < 0xe0 ? 2
			: text[0] >= 0xe0 && text[0] < 0xf0 ? 3
			: text[0] >= 0xf0 && text[0] < 0xf5 ? 4
							    : 0;

	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

const char *bird_reason(const char *reason, char buf[BIRD_REASON])
{
	size_t used = 0;

	while (*reason) {
		size_t length = character((const unsigned char *)reason);

		if (used + (length ? length : 1) >= BIRD_REASON)
			break;
		if (!length || *reason == '"' || (unsigned char)*reason < ' ' || *reason == 0x7f) {
			buf[used++] = *reason == '"' ? '\'' : '?';
			reason++;
			continue;
		}
		memcpy(buf + used, reason, length);
		used += length;
		reason += length;
	}
	buf[used] = '\0';
	return buf;
}

size_t bird_command_disable(const char *name, const char *reason, char buf[BIRD_COMMAND])
{
	char clean[BIRD_REASON];

	return (size_t)snprintf(buf, BIRD_COMMAND, "disable '%s' \"%s\"\n", name, bird_reason(reason, clean));
}

size_t bird_command_enable(const char *name, char buf[BIRD_COMMAND])
{
	return (size_t)snprintf(buf, BIRD_COMMAND, "enable '%s'\n", name);
}
