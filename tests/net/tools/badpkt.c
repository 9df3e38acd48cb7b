/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends a UDP datagram with any content, once or COUNT times as fast as it can, or RATE a second:
 *
 *   badpkt [-t] [-i INTERFACE] [-p SOURCE-PORT] [-n COUNT [-r RATE]] SOURCE DESTINATION PORT TTL HEX
 *   badpkt -a [-p SOURCE-PORT] [-n COUNT [-r RATE]] SOURCE DESTINATION PORT TTL HEX
 *
 * SOURCE is an address of this host, or with -t any; with -a any IPv4 address, each datagram is from the next
 * one, and TTL is 255. An empty HEX is an empty datagram.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/datagram.h"

static void die(const char *what)
{
	fprintf(stderr, "badpkt: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t parse(struct sockaddr_storage *to, const char *text, unsigned port, unsigned ifindex)
{
	struct sockaddr_in *in = (struct sockaddr_in *)to;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		return sizeof(*in);
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) != 1) {
		errno = EINVAL;
		die(text);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
		in6->sin6_scope_id = ifindex;
	return sizeof(*in6);
}

static size_t unhex(uint8_t *buf, size_t size, const char *hex)
{
	size_t n = 0;
	unsigned byte;

	for (; n < size && sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		buf[n++] = (uint8_t)byte;
		if (!hex[1])
			break;
	}
	return n;
}

/* After the Nth packet since NEXT began: waits for the next hundredth of a second when it has its share. */
static void pace(struct timespec *next, unsigned n, unsigned rate)
{
	if (!rate || n % (rate / 100 + 1))
		return;
	next->tv_nsec += 10000000;
	next->tv_sec += next->tv_nsec / 1000000000;
	next->tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

/* From the Nth address behind FROM. Its headers are our own, so it may be anybody's. */
static void send_forged(int fd, const struct sockaddr_in *from, const struct sockaddr_in *to, unsigned n,
			const uint8_t *payload, size_t size)
{
	struct addr local = {.family = AF_INET}, peer = {.family = AF_INET};
	uint32_t source = htonl(ntohl(from->sin_addr.s_addr) + n);
	uint8_t datagram[DATAGRAM_HEADERS + 2048];

	memcpy(local.bytes, &source, 4);
	memcpy(peer.bytes, &to->sin_addr, 4);
	size = datagram_build(datagram, &local, &peer, ntohs(from->sin_port), ntohs(to->sin_port), payload,
			      size);
	if (sendto(fd, datagram, size, 0, (const struct sockaddr *)to, sizeof(*to)) != (ssize_t)size)
		die("raw socket");
}

int main(int argc, char **argv)
{
	struct sockaddr_storage from, to;
	socklen_t from_size, to_size;
	const char *interface = NULL;
	unsigned ifindex = 0, port = 0, count = 1, rate = 0;
	bool any = false;
	struct timespec begun;
	uint8_t buf[2048];
	int c, fd, ttl, transparent = 0;
	size_t size;

	while ((c = getopt(argc, argv, "ati:p:n:r:")) != -1) {
		if (c == 'a') {
			any = true;
		} else if (c == 'p') {
			port = (unsigned)atoi(optarg);
		} else if (c == 'n') {
			count = (unsigned)atoi(optarg);
		} else if (c == 'r') {
			rate = (unsigned)atoi(optarg);
		} else if (c == 't') {
			transparent = 1;
		} else if (c == 'i') {
			interface = optarg;
			ifindex = if_nametoindex(interface);
		} else {
			return 2;
		}
	}
	if (argc - optind != 5)
		return 2;
	argv += optind;
	from_size = parse(&from, argv[0], port, ifindex);
	to_size = parse(&to, argv[1], (unsigned)atoi(argv[2]), ifindex);
	ttl = atoi(argv[3]);
	size = unhex(buf, sizeof(buf), argv[4]);

	fd = any ? socket(AF_INET, SOCK_RAW, IPPROTO_RAW) : socket(to.ss_family, SOCK_DGRAM, 0);
	if (fd < 0)
		die("socket");
	if (interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)))
		die(interface);
	if (to.ss_family == AF_INET ? setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl))
				    : setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl)))
		die("TTL");
	if (transparent &&
	    (to.ss_family == AF_INET
		     ? setsockopt(fd, IPPROTO_IP, IP_TRANSPARENT, &transparent, sizeof(int))
		     : setsockopt(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, &transparent, sizeof(int))))
		die("any source");
	if (!any && bind(fd, (struct sockaddr *)&from, from_size))
		die(argv[0]);
	clock_gettime(CLOCK_MONOTONIC, &begun);
	while (count--) {
		if (any)
			send_forged(fd, (struct sockaddr_in *)&from, (struct sockaddr_in *)&to, count, buf,
				    size);
		else if (sendto(fd, buf, size, 0, (struct sockaddr *)&to, to_size) != (ssize_t)size)
			die(argv[1]);
		pace(&begun, count, rate);
	}
	return 0;
}
