/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bad packets from the far end's addresses, by turns: unknown discriminator, wrong TTL, authentication where
 * none is agreed, garbage. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/bench/stress.h"

#define BATCH 64
#define KINDS 4

static volatile sig_atomic_t ended;

static void end(int signal)
{
	ended = 1;
}

struct packet {
	uint8_t data[64];
	struct iovec iov;
	struct sockaddr_in to;
	uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))]
		__attribute__((aligned(8)));
};

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

static size_t fill(uint8_t *data, unsigned kind)
{
	size_t size = kind == 2 ? 24 + 28 : 24;

	data[0] = 0x20;			   /* version 1, no diagnostic */
	data[1] = kind == 2 ? 0xc4 : 0xc0; /* Up, and with authentication */
	data[2] = MULTIPLIER;
	data[3] = (uint8_t)size;
	put32(data + 4, (uint32_t)random() | 1);
	put32(data + 8, (uint32_t)random() | 1);
	put32(data + 12, 10000);
	put32(data + 16, 10000);
	if (kind == 2) { /* SHA1, key 1, a digest of nothing */
		data[24] = 4;
		data[25] = 28;
		data[26] = 1;
		put32(data + 28, (uint32_t)random());
	}
	if (kind == 3)
		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t)random();
	return size;
}

static void prepare(struct mmsghdr *message, struct packet *packet, unsigned i, unsigned nsessions)
{
	unsigned kind = i % KINDS, session = (unsigned)random() % nsessions;
	struct in_pktinfo from = {0};
	struct cmsghdr *c;
	int ttl = kind == 1 ? 254 : 255;

	memset(packet, 0, sizeof(*packet));
	packet->iov = (struct iovec){.iov_base = packet->data, .iov_len = fill(packet->data, kind)};
	packet->to = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(BFD_PORT), .sin_addr.s_addr = near_address(session)};
	from.ipi_spec_dst.s_addr = far_address(session);
	message->msg_hdr = (struct msghdr){.msg_name = &packet->to,
					   .msg_namelen = sizeof(packet->to),
					   .msg_iov = &packet->iov,
					   .msg_iovlen = 1,
					   .msg_control = packet->control,
					   .msg_controllen = sizeof(packet->control)};
	c = CMSG_FIRSTHDR(&message->msg_hdr);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(from));
	memcpy(CMSG_DATA(c), &from, sizeof(from));
	c = CMSG_NXTHDR(&message->msg_hdr, c);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_TTL;
	c->cmsg_len = CMSG_LEN(sizeof(ttl));
	memcpy(CMSG_DATA(c), &ttl, sizeof(ttl));
}

int flood_main(const char *nsessions)
{
	static struct packet packets[BATCH];
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(FLOOD_SOURCE)};
	struct mmsghdr messages[BATCH];
	int fd = socket(AF_INET, SOCK_DGRAM, 0), n, count = atoi(nsessions);
	int64_t begin = now_ns();
	uint64_t sent = 0;

	if (count < 1 || count > SESSIONS_MAX)
		return 2;
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)))
		die("flood");
	for (unsigned i = 0; i < BATCH; i++)
		prepare(&messages[i], &packets[i], i, (unsigned)count);
	signal(SIGTERM, end);
	while (!ended) {
		n = sendmmsg(fd, messages, BATCH, 0);
		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			die("flood");
		sent += n > 0 ? (uint64_t)n : 0;
	}
	printf("%.0f\n", (double)sent * 1e9 / (double)(now_ns() - begin));
	return 0;
}
