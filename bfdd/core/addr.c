/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/addr.h"

#include <arpa/inet.h>
#include <string.h>

bool addr_parse(struct addr *addr, const char *text)
{
	struct addr parsed = {.family = AF_UNSPEC};

	if (inet_pton(AF_INET, text, parsed.bytes) == 1)
		parsed.family = AF_INET;
	else if (inet_pton(AF_INET6, text, parsed.bytes) == 1)
		parsed.family = AF_INET6;
	else
		return false;
	*addr = parsed;
	return true;
}

const char *addr_format(const struct addr *addr, char buf[ADDR_TEXT])
{
	if (!addr_size(addr->family) || !inet_ntop(addr->family, addr->bytes, buf, ADDR_TEXT))
		buf[0] = '\0';
	return buf;
}

size_t addr_size(uint8_t family)
{
	return family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && !memcmp(a->bytes, b->bytes, addr_size(a->family));
}

bool addr_is_link_local(const struct addr *addr)
{
	return addr->family == AF_INET6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *addr)
{
	if (addr->family == AF_INET)
		return (addr->bytes[0] & 0xf0) == 0xe0;
	return addr->family == AF_INET6 && addr->bytes[0] == 0xff;
}

bool addr_is_unspecified(const struct addr *addr)
{
	static const uint8_t zero[16];

	return !memcmp(addr->bytes, zero, addr_size(addr->family));
}

/* One to three digits without a sign, blank or leading zero; -1 for anything else. */
static int prefix_parse_length(const char *text)
{
	int length = 0;

	if (!*text || strlen(text) > 3 || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		length = length * 10 + *text - '0';
	}
	return length;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) >> (8 - rest));
}

static bool host_bits_clear(const struct prefix *prefix)
{
	unsigned at = prefix->length / 8, size = (unsigned)addr_size(prefix->addr.family);

	if (at < size && prefix->addr.bytes[at] & (0xff >> prefix->length % 8))
		return false;
	while (++at < size)
		if (prefix->addr.bytes[at])
			return false;
	return true;
}

enum prefix_error prefix_parse(struct prefix *prefix, const char *text)
{
	char host[ADDR_TEXT];
	size_t size = strcspn(text, "/");
	struct prefix parsed;
	int length, most;

	if (size >= sizeof(host))
		return PREFIX_SYNTAX;
	memcpy(host, text, size);
	host[size] = '\0';
	if (!addr_parse(&parsed.addr, host))
		return PREFIX_SYNTAX;

	most = (int)addr_size(parsed.addr.family) * 8;
	length = text[size] ? prefix_parse_length(text + size + 1) : most;
	if (length < 0)
		return PREFIX_SYNTAX;
	if (length > most)
		return PREFIX_LENGTH;
	parsed.length = (uint8_t)length;
	if (!host_bits_clear(&parsed))
		return PREFIX_HOST_BITS;
	*prefix = parsed;
	return PREFIX_OK;
}

const char *prefix_format(const struct prefix *prefix, char buf[PREFIX_TEXT])
{
	char *p = buf + strlen(addr_format(&prefix->addr, buf));
	unsigned length = prefix->length;

	*p++ = '/';
	if (length >= 100)
		*p++ = (char)('0' + length / 100);
	if (length >= 10)
		*p++ = (char)('0' + length / 10 % 10);
	*p++ = (char)('0' + length % 10);
	*p = '\0';
	return buf;
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
	return prefix->addr.family == addr->family &&
	       bits_equal(prefix->addr.bytes, addr->bytes, prefix->length);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->length < b->length ? prefix_contains(a, &b->addr) : prefix_contains(b, &a->addr);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order;

	if (a->addr.family != b->addr.family)
		return a->addr.family < b->addr.family ? -1 : 1;
	order = memcmp(a->addr.bytes, b->addr.bytes, addr_size(a->addr.family));
	if (order)
		return order < 0 ? -1 : 1;
	return (a->length > b->length) - (a->length < b->length);
}
