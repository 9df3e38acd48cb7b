/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_tap INTERFACE: notes single-hop BFD packets on an interface, IPv4 and IPv6, by the kernel's time
 * stamps, until SIGTERM; then prints a JSON array of { "at-us": Unix time, "out": whether the interface sent
 * it, "state", "diag" }. What an ingress hook of the same interface drops is seen all the same.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/packet.h"

#define SNAP 128
#define HEADERS4 (20 + 8)
#define HEADERS6 (40 + 8)

static void die(const char *what)
{
	fprintf(stderr, "bench_tap: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* From the IP header on: IPv4 without options or IPv6 without extensions, UDP to 3784. */
static void filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x40, 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 8),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, HEADERS4 - 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BFD_PORT_SINGLE_HOP, 5, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x60, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, HEADERS6 - 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BFD_PORT_SINGLE_HOP, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SNAP),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		die("filter");
}

static int tap_open(const char *interface)
{
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), room = 4 << 20, on = 1;

	if (fd < 0)
		die("packet socket");
	filter(fd);
	link.sll_ifindex = (int)if_nametoindex(interface);
	if (!link.sll_ifindex)
		die(interface);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&link, sizeof(link)))
		die("packet socket");
	return fd;
}

static void tell(const uint8_t *data, size_t size, bool out, const struct timespec *at)
{
	static bool more;
	size_t headers = size && data[0] >> 4 == 6 ? HEADERS6 : HEADERS4;

	if (size < headers + PACKET_SIZE)
		return;
	printf("%s{\"at-us\": %" PRId64 ", \"out\": %s, \"state\": \"%s\", \"diag\": \"%s\"}",
	       more ? ",\n" : "", (int64_t)at->tv_sec * 1000000 + at->tv_nsec / 1000, out ? "true" : "false",
	       bfd_state_name(data[headers + 1] >> 6), bfd_diag_name(data[headers] & 31));
	more = true;
}

static void read_dry(int fd)
{
	for (;;) {
		_Alignas(struct cmsghdr) char control[64];
		struct sockaddr_ll from;
		uint8_t data[SNAP];
		struct iovec iov = {data, sizeof(data)};
		struct msghdr msg = {.msg_name = &from,
				     .msg_namelen = sizeof(from),
				     .msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control)};
		struct timespec at = {0};
		ssize_t size = recvmsg(fd, &msg, 0);

		if (size < 0 && errno == EAGAIN)
			return;
		if (size < 0)
			continue; /* ENETDOWN: the link is down, which is what is looked at */
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
				memcpy(&at, CMSG_DATA(c), sizeof(at));
		tell(data, (size_t)size, from.sll_pkttype == PACKET_OUTGOING, &at);
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	sigset_t set;

	if (argc != 2) {
		fputs("usage: bench_tap INTERFACE\n", stderr);
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fds[0].fd = signalfd(-1, &set, SFD_NONBLOCK);
	fds[1].fd = tap_open(argv[1]);
	printf("[");
	do {
		if (poll(fds, 2, -1) < 0)
			die("poll");
		read_dry(fds[1].fd);
	} while (!fds[0].revents);
	printf("]\n");
	return 0;
}
