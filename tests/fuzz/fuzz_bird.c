/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes from BIRD's control socket, in pieces; and that nothing of it, said back as name or reason, can
 * be more than a name or a reason. */
#include <string.h>

#include "routing/bgp.h"
#include "routing/bird_message.h"
#include "tests/fuzz/fuzz.h"

static void try_command(const char *name, const char *reason)
{
	char text[BIRD_COMMAND], clean[BIRD_REASON];
	size_t length;

	promise(strlen(bird_reason(reason, clean)) < BIRD_REASON);
	promise(!strpbrk(clean, "\"\n\r"));
	for (const char *p = clean; *p; p++)
		promise((unsigned char)*p >= ' ' && *p != 0x7f);
	if (!bird_name_valid(name))
		return;
	length = bird_command_disable(name, reason, text);
	promise(length == strlen(text) && length < BIRD_COMMAND);
	promise(strchr(text, '\n') == text + length - 1);
	promise(!strncmp(text, "disable '", 9));
	promise(strchr(text + 9, '\'') == text + 9 + strlen(name));
	length = bird_command_enable(name, text);
	promise(length == strlen(name) + strlen("enable ''\n"));
}

static void hear(void *context, const struct bird_protocol *protocol)
{
	char word[BGP_TEXT];

	promise(!*protocol->name || bird_name_valid(protocol->name));
	promise(memchr(protocol->bgp_state, 0, sizeof(protocol->bgp_state)));
	promise(memchr(protocol->interface, 0, sizeof(protocol->interface)));
	promise(protocol->neighbour.family == AF_UNSPEC || addr_size(protocol->neighbour.family));
	bgp_word(protocol->bgp_state, word);
	promise(strlen(word) < sizeof(word));
	try_command(protocol->name, protocol->bgp_state);
	++*(unsigned *)context;
}

static unsigned read_all(const uint8_t *data, size_t size, size_t step)
{
	struct bird_reader reader = {0};
	struct bird_protocols protocols;
	unsigned code = 0, heard = 0;

	bird_protocols_begin(&protocols, hear, &heard);
	for (size_t at = 0; at < size; at += step) {
		const char *piece = (const char *)data + at, *text;
		size_t left = size - at < step ? size - at : step;

		while ((text = bird_reader_take(&reader, &piece, &left))) {
			struct bird_line line;

			promise(strlen(text) < BIRD_LINE);
			try_command(text, text);
			if (!bird_line_read(text, code, &line))
				continue;
			promise(line.code <= 9999);
			code = line.code;
			bird_protocols_line(&protocols, &line);
		}
		promise(!left);
	}
	bird_protocols_end(&protocols);
	return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	promise(read_all(data, size, 1) == read_all(data, size, 4096));
	return 0;
}
