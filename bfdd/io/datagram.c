// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/datagram.h"
#include "core/wire.h"

#include <netinet/in.h>
#include <string.h>

#define IPV4_HEADER 20
#define UDP_HEADER 8
#define DONT_FRAGMENT 0x4000

uint16_t datagram_sum(uint32_t sum, const uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (i < size)
		sum += (uint32_t)data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static size_t put_ipv4(uint8_t *ip, const struct addr *local, const struct addr *peer, size_t udp_size)
{
	memset(ip, 0, IPV4_HEADER);
	ip[0] = 4 << 4 | 5;
	ip[1] = DATAGRAM_TOS;
	put16(ip + 2, IPV4_HEADER + udp_size);
	put16(ip + 6, DONT_FRAGMENT);
	ip[8] = DATAGRAM_TTL;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, local->bytes, 4);
	memcpy(ip + 16, peer->bytes, 4);
	return IPV4_HEADER;
}

static size_t put_ipv6(uint8_t *ip, const struct addr *local, const struct addr *peer, size_t udp_size)
{
	memset(ip, 0, 8);
	ip[0] = 6 << 4 | DATAGRAM_TOS >> 4;
	ip[1] = (DATAGRAM_TOS << 4) & 0xff;
	put16(ip + 4, udp_size);
	ip[6] = IPPROTO_UDP;
	ip[7] = DATAGRAM_TTL;
	memcpy(ip + 8, local->bytes, 16);
	memcpy(ip + 24, peer->bytes, 16);
	return 40;
}

size_t datagram_build(uint8_t *buf, const struct addr *local, const struct addr *peer, uint16_t source_port,
		      uint16_t port, const uint8_t *payload, size_t size)
{
	size_t udp_size = UDP_HEADER + size, header;
	uint16_t checksum;
	uint8_t *udp;

	if (peer->family == AF_INET)
		header = put_ipv4(buf, local, peer, udp_size);
	else
		header = put_ipv6(buf, local, peer, udp_size);
	udp = buf + header;
	put16(udp, source_port);
	put16(udp + 2, port);
	put16(udp + 4, udp_size);
	put16(udp + 6, 0);
	memcpy(udp + UDP_HEADER, payload, size);

	/* The pseudo header (RFC 768, RFC 8200 8.1): addresses, protocol, length. */
	checksum = datagram_sum(IPPROTO_UDP + udp_size, local->bytes, addr_size(local->family));
	checksum = datagram_sum(checksum, peer->bytes, addr_size(peer->family));
	checksum = ~datagram_sum(checksum, udp, udp_size);
	put16(udp + 6, checksum ? checksum : 0xffff); /* zero says: no checksum */
	return header + udp_size;
}

void datagram_seal_ipv4(uint8_t *ip)
{
	put16(ip + 10, 0);
	put16(ip + 10, ~datagram_sum(0, ip, IPV4_HEADER));
}
