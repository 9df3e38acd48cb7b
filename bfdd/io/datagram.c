// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/datagram.h"
#include "core/wire.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
#define DONT_FRAGMENT 0x4000
#define FRAGMENT 0x3fff /* more of them, or an offset */

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
	return IPV6_HEADER;
}

/* The pseudo header (RFC 768, RFC 8200 8.1): addresses, protocol, length; and the datagram. */
static uint16_t udp_sum(const struct addr *from, const struct addr *to, const uint8_t *udp, size_t size)
{
	uint16_t sum = datagram_sum(IPPROTO_UDP + size, from->bytes, addr_size(from->family));

	return datagram_sum(datagram_sum(sum, to->bytes, addr_size(to->family)), udp, size);
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
	checksum = ~udp_sum(local, peer, udp, udp_size);
	put16(udp + 6, checksum ? checksum : 0xffff); /* zero says: no checksum */
	return header + udp_size;
}

uint8_t datagram_zeros[DATAGRAM_PAYLOAD_MAX];

void datagram_pad(uint8_t *ip, size_t extra)
{
	bool v4 = ip[0] >> 4 == 4;
	uint8_t *udp = ip + (v4 ? IPV4_HEADER : IPV6_HEADER), *length = ip + (v4 ? 2 : 4);
	uint16_t sum = ~get16(udp + 6);
	uint8_t added[2];

	put16(length, get16(length) + extra);
	put16(udp + 4, get16(udp + 4) + extra);
	put16(added, extra); /* in the UDP header's length, and in the pseudo header's */
	sum = datagram_sum(sum, added, sizeof(added));
	sum = ~datagram_sum(sum, added, sizeof(added));
	put16(udp + 6, sum ? sum : 0xffff);
}

void datagram_mark(uint8_t *ip, uint8_t dscp)
{
	if (ip[0] >> 4 == 4) {
		ip[1] = (uint8_t)(dscp << 2);
		return;
	}
	ip[0] = (uint8_t)(6 << 4 | dscp >> 2);
	ip[1] = (uint8_t)((dscp << 6 & 0xc0) | (ip[1] & 0x0f));
}

void datagram_seal_ipv4(uint8_t *ip)
{
	put16(ip + 10, 0);
	put16(ip + 10, ~datagram_sum(0, ip, IPV4_HEADER));
}

/* The length of the header with *END, where the packet ends; 0: wrong. */
static size_t read_ipv4(struct datagram *datagram, const uint8_t *ip, size_t size, size_t *end)
{
	size_t header;

	if (size < IPV4_HEADER || ip[0] >> 4 != 4)
		return 0;
	header = (size_t)(ip[0] & 0xf) * 4;
	*end = get16(ip + 2);
	if (header < IPV4_HEADER || *end < header || *end > size || ip[9] != IPPROTO_UDP ||
	    get16(ip + 6) & FRAGMENT || datagram_sum(0, ip, header) != 0xffff)
		return 0;
	datagram->ttl = ip[8];
	memcpy(datagram->source.bytes, ip + 12, 4);
	memcpy(datagram->destination.bytes, ip + 16, 4);
	return header;
}

static size_t read_ipv6(struct datagram *datagram, const uint8_t *ip, size_t size, size_t *end)
{
	if (size < IPV6_HEADER || ip[0] >> 4 != 6 || ip[6] != IPPROTO_UDP)
		return 0;
	*end = IPV6_HEADER + (size_t)get16(ip + 4);
	if (*end > size)
		return 0;
	datagram->ttl = ip[7];
	memcpy(datagram->source.bytes, ip + 8, 16);
	memcpy(datagram->destination.bytes, ip + 24, 16);
	return IPV6_HEADER;
}

bool datagram_parse(struct datagram *datagram, const uint8_t *buf, size_t size, uint8_t family, bool sealed)
{
	size_t end, length, header;
	const uint8_t *udp;
	uint16_t sum;

	memset(datagram, 0, sizeof(*datagram));
	datagram->source.family = datagram->destination.family = family;
	header = family == AF_INET ? read_ipv4(datagram, buf, size, &end)
				   : read_ipv6(datagram, buf, size, &end);
	if (!header || end - header < UDP_HEADER)
		return false;
	udp = buf + header;
	length = get16(udp + 4);
	if (length < UDP_HEADER || length > end - header)
		return false;
	sum = get16(udp + 6);
	if (!sum && family != AF_INET) /* RFC 8200 8.1; IPv4's may do without */
		return false;
	if (sealed && sum && udp_sum(&datagram->source, &datagram->destination, udp, length) != 0xffff)
		return false;
	datagram->source_port = get16(udp);
	datagram->port = get16(udp + 2);
	datagram->payload = udp + UDP_HEADER;
	datagram->size = length - UDP_HEADER;
	return true;
}
