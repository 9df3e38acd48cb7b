/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a raw ICMP socket may hand us: the first byte says of which family. */
#include <string.h>
#include <sys/socket.h>

#include "io/icmp.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct icmp_too_big told;
	int family;

	if (!size)
		return 0;
	family = data[0] & 1 ? AF_INET6 : AF_INET;
	memset(&told, 0x55, sizeof(told));
	if (!icmp_parse(family, data + 1, size - 1, &told))
		return 0;
	promise(told.local.family == family && told.peer.family == family);
	promise(family == AF_INET6 || told.router.family == family);
	promise(family == AF_INET6 || told.mtu <= UINT16_MAX);
	return 0;
}
