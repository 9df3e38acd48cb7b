/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IP and UDP headers from a packet socket. The first byte says the family and whether checksums count. */
#include <netinet/in.h>
#include <string.h>

#include "io/datagram.h"
#include "tests/fuzz/fuzz.h"

static void try_packet(const uint8_t *buf, size_t size, uint8_t family, bool sealed)
{
	uint8_t again[DATAGRAM_HEADERS + 65536];
	struct datagram got, twice;
	size_t built;

	if (!datagram_parse(&got, buf, size, family, sealed))
		return;
	promise(got.payload >= buf + (family == AF_INET ? 28 : 48));
	promise(got.payload + got.size <= buf + size);
	promise(got.source.family == family && got.destination.family == family);
	/* The same, put together by ourselves, is understood the same. */
	built = datagram_build(again, &got.source, &got.destination, got.source_port, got.port, got.payload,
			       got.size);
	if (family == AF_INET)
		datagram_seal_ipv4(again);
	promise(datagram_parse(&twice, again, built, family, true));
	promise(addr_equal(&twice.source, &got.source) && addr_equal(&twice.destination, &got.destination));
	promise(twice.source_port == got.source_port && twice.port == got.port && twice.size == got.size);
	promise(!memcmp(twice.payload, got.payload, got.size));
}

/* Few inputs have right checksums: where they are wanted, the others get them. */
static void seal(uint8_t *buf, size_t size, uint8_t family)
{
	if (family == AF_INET && size >= 20 && buf[0] == 0x45)
		datagram_seal_ipv4(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy, family;

	if (size < 1 || size > 4096)
		return 0;
	copy = malloc(size > 1 ? size - 1 : 1); /* of just that size: reading beyond it is seen */
	if (!copy)
		abort();
	family = data[0] & 1 ? AF_INET6 : AF_INET;
	memcpy(copy, data + 1, size - 1);
	try_packet(copy, size - 1, family, data[0] & 2);
	seal(copy, size - 1, family);
	try_packet(copy, size - 1, family, data[0] & 2);
	free(copy);
	return 0;
}
