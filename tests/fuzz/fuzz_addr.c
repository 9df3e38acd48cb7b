/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text to address and prefix: what is accepted, comes back the same after being written and read again. */
#include <string.h>

#include "core/addr.h"
#include "tests/fuzz/fuzz.h"

static void try_addr(const char *text)
{
	struct addr addr, again;
	char buf[ADDR_TEXT];

	memset(&addr, 0x55, sizeof(addr));
	if (!addr_parse(&addr, text)) {
		promise(addr.family == 0x55 && addr.bytes[15] == 0x55);
		return;
	}
	promise(addr_size(addr.family) == 4 || addr_size(addr.family) == 16);
	promise(addr_parse(&again, addr_format(&addr, buf)));
	promise(addr_equal(&addr, &again));
}

static void try_prefix(const char *text)
{
	struct prefix prefix, again;
	char buf[PREFIX_TEXT];

	if (prefix_parse(&prefix, text) != PREFIX_OK)
		return;
	promise(prefix.length <= 8 * addr_size(prefix.addr.family));
	promise(prefix_contains(&prefix, &prefix.addr));
	promise(prefix_parse(&again, prefix_format(&prefix, buf)) == PREFIX_OK);
	promise(prefix_compare(&prefix, &again) == 0);
	promise(prefix_overlaps(&prefix, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[256];

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	try_addr(text);
	try_prefix(text);
	return 0;
}
