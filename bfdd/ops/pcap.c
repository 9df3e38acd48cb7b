// SPDX-License-Identifier: GPL-2.0-or-later
#include "ops/pcap.h"
#include "core/wire.h"

#include <netinet/in.h>
#include <string.h>

#define MAGIC_NANOSECONDS 0xa1b23c4d
#define LINKTYPE_RAW 101
#define SNAPLEN 65535
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
#define DONT_FRAGMENT 0x4000

/* The file's own numbers are little-endian here, which the magic number tells. */
static void put_file32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* RFC 1071; pieces of even length. */
static uint32_t sum(uint32_t sum, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += (uint32_t)data[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

size_t pcap_begin(uint8_t *buf)
{
	memset(buf, 0, PCAP_HEADER);
	put_file32(buf, MAGIC_NANOSECONDS);
	buf[4] = 2; /* version 2.4 */
	buf[6] = 4;
	put_file32(buf + 16, SNAPLEN);
	put_file32(buf + 20, LINKTYPE_RAW);
	return PCAP_HEADER;
}

static size_t put_ipv4(uint8_t *ip, const struct pcap_packet *packet)
{
	memset(ip, 0, IPV4_HEADER);
	ip[0] = 4 << 4 | 5;
	ip[1] = packet->tos;
	put16(ip + 2, IPV4_HEADER + UDP_HEADER + packet->size);
	put16(ip + 6, DONT_FRAGMENT);
	ip[8] = packet->ttl;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, packet->from.bytes, 4);
	memcpy(ip + 16, packet->to.bytes, 4);
	put16(ip + 10, (uint16_t)~sum(0, ip, IPV4_HEADER));
	return IPV4_HEADER;
}

static size_t put_ipv6(uint8_t *ip, const struct pcap_packet *packet)
{
	memset(ip, 0, IPV6_HEADER);
	ip[0] = (uint8_t)(6 << 4 | packet->tos >> 4);
	ip[1] = (uint8_t)(packet->tos << 4);
	put16(ip + 4, UDP_HEADER + packet->size);
	ip[6] = IPPROTO_UDP;
	ip[7] = packet->ttl;
	memcpy(ip + 8, packet->from.bytes, 16);
	memcpy(ip + 24, packet->to.bytes, 16);
	return IPV6_HEADER;
}

static void put_udp(uint8_t *udp, const struct pcap_packet *packet)
{
	size_t size = UDP_HEADER + packet->size, address = addr_size(packet->from.family);
	uint32_t checksum;

	put16(udp, packet->from_port);
	put16(udp + 2, packet->to_port);
	put16(udp + 4, size);
	put16(udp + 6, 0);
	memcpy(udp + UDP_HEADER, packet->bytes, packet->kept);
	if (packet->kept < packet->size)
		return;
	checksum = sum((uint32_t)(IPPROTO_UDP + size), packet->from.bytes, address);
	checksum = sum(checksum, packet->to.bytes, address);
	checksum = (uint16_t)~sum(checksum, udp, size);
	put16(udp + 6, checksum ? checksum : 0xffff);
}

size_t pcap_put(uint8_t *buf, const struct pcap_packet *packet)
{
	uint8_t *ip = buf + 16;
	size_t header;

	if (packet->from.family == AF_INET)
		header = put_ipv4(ip, packet);
	else
		header = put_ipv6(ip, packet);
	put_udp(ip + header, packet);
	header += UDP_HEADER;
	put_file32(buf, (uint32_t)(packet->wall / USEC_S));
	put_file32(buf + 4, (uint32_t)(packet->wall % USEC_S * 1000));
	put_file32(buf + 8, (uint32_t)(header + packet->kept));
	put_file32(buf + 12, (uint32_t)(header + packet->size));
	return 16 + header + packet->kept;
}
