// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/icmp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire.h"
#include "io/datagram.h"

#define ICMP_HEADER 8
#define IPV4_LEAST 20
#define IPV6_HEADER 40
#define UDP_PORTS 4
#define BUFFER 1536 /* routers quote up to 576 bytes (RFC 1812 4.3.2.3), or 1280 (RFC 4443 2.4) */

/* A raw socket gets ICMP before anybody has looked at the checksum. */
static bool sum_is_right(const uint8_t *data, size_t size)
{
	return datagram_sum(0, data, size) == 0xffff;
}

static size_t ipv4_header(const uint8_t *ip, size_t size)
{
	size_t header = size >= IPV4_LEAST && ip[0] >> 4 == 4 ? (size_t)(ip[0] & 0xf) * 4 : 0;

	return header >= IPV4_LEAST && header <= size ? header : 0;
}

static void take_ports(struct icmp_too_big *told, const uint8_t *udp)
{
	told->source_port = get16(udp);
	told->port = get16(udp + 2);
}

static void take_addr(struct addr *addr, int family, const uint8_t *bytes)
{
	addr->family = family;
	memcpy(addr->bytes, bytes, addr_size(family));
}

/* The first fragment, or the whole, of a UDP packet, as the router got it. */
static bool parse_inner_ipv4(const uint8_t *ip, size_t size, struct icmp_too_big *told)
{
	size_t header = ipv4_header(ip, size);

	if (!header || size < header + UDP_PORTS || ip[9] != IPPROTO_UDP || get16(ip + 6) & 0x1fff)
		return false;
	take_addr(&told->local, AF_INET, ip + 12);
	take_addr(&told->peer, AF_INET, ip + 16);
	take_ports(told, ip + header);
	return true;
}

static bool parse_ipv4(const uint8_t *ip, size_t size, struct icmp_too_big *told)
{
	size_t header = ipv4_header(ip, size);
	const uint8_t *icmp = ip + header;

	if (!header || ip[9] != IPPROTO_ICMP || size < header + ICMP_HEADER ||
	    !sum_is_right(icmp, size - header))
		return false;
	if (icmp[0] != ICMP_DEST_UNREACH || icmp[1] != ICMP_FRAG_NEEDED)
		return false;
	take_addr(&told->router, AF_INET, ip + 12);
	told->mtu = get16(icmp + 6);
	return parse_inner_ipv4(icmp + ICMP_HEADER, size - header - ICMP_HEADER, told);
}

static bool parse_ipv6(const uint8_t *icmp, size_t size, struct icmp_too_big *told)
{
	const uint8_t *ip = icmp + ICMP_HEADER;

	if (size < ICMP_HEADER + IPV6_HEADER + UDP_PORTS || icmp[0] != ICMP6_PACKET_TOO_BIG ||
	    ip[0] >> 4 != 6 || ip[6] != IPPROTO_UDP)
		return false;
	told->mtu = get32(icmp + 4);
	take_addr(&told->local, AF_INET6, ip + 8);
	take_addr(&told->peer, AF_INET6, ip + 24);
	take_ports(told, ip + IPV6_HEADER);
	return true;
}

bool icmp_parse(int family, const uint8_t *data, size_t size, struct icmp_too_big *told)
{
	memset(told, 0, sizeof(*told));
	return family == AF_INET ? parse_ipv4(data, size, told) : parse_ipv6(data, size, told);
}

/* So that pings and the like do not wake us. */
static int set_filter(int fd, int family)
{
	struct sock_filter needed[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* the IP header's length */
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_DEST_UNREACH << 8 | ICMP_FRAG_NEEDED, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {sizeof(needed) / sizeof(needed[0]), needed};
	struct icmp6_filter wanted;

	if (family == AF_INET)
		return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	ICMP6_FILTER_SETBLOCKALL(&wanted);
	ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &wanted);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &wanted, sizeof(wanted));
}

int icmp_open(int family)
{
	int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	if (fd < 0 || !set_filter(fd, family))
		return fd;
	close(fd);
	return -1;
}

bool icmp_read(int fd, int family, struct icmp_too_big *told, bool *more)
{
	struct sockaddr_in6 from = {0}; /* or a struct sockaddr_in, whose address is in the packet too */
	socklen_t length = sizeof(from);
	uint8_t data[BUFFER];
	ssize_t n = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from, &length);

	*more = n >= 0;
	if (n <= 0 || !icmp_parse(family, data, (size_t)n, told))
		return false;
	if (family == AF_INET6)
		take_addr(&told->router, AF_INET6, from.sin6_addr.s6_addr);
	return true;
}
