/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/peer.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BFD_PORT 3784
#define SOURCE_PORT 49200
#define BFD_LENGTH 24
#define BATCH 64
#define SNAP 128

static void die(const char *what)
{
	fputs("bench_peer: ", stderr);
	perror(what);
	exit(1);
}

int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static in_addr_t address(unsigned session, unsigned side)
{
	return htonl(10u << 24 | (session / 250 + 128 * side) << 8 | (session % 250 + 1));
}

/* The session whose far (ours) or near address it is; SESSIONS_MAX when it is of neither. */
static unsigned session_of(in_addr_t addr, unsigned side)
{
	uint32_t host = ntohl(addr);
	unsigned high = (host >> 8 & 0xff) - 128 * side, low = (host & 0xff) - 1;

	if (host >> 16 != 10u << 8 || high > 127 || low > 249)
		return SESSIONS_MAX;
	return high * 250 + low;
}

static int udp_socket(uint16_t port)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = 1, .filter = &nothing};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)))
		die("UDP socket");
	return fd;
}

void wire_open(struct wire *wire, const char *interface, unsigned sessions)
{
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int ttl = 255, room = 16 << 20, on = 1;

	wire->sessions = sessions;
	wire->closed = udp_socket(BFD_PORT);
	wire->udp = udp_socket(SOURCE_PORT);
	if (setsockopt(wire->udp, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)))
		die("IP_TTL");
	link.sll_ifindex = (int)if_nametoindex(interface);
	if (!link.sll_ifindex)
		die(interface);
	wire->capture = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (wire->capture < 0 || setsockopt(wire->capture, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(wire->capture, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    bind(wire->capture, (struct sockaddr *)&link, sizeof(link)))
		die("packet socket");
}

static void put32(uint8_t *to, uint32_t value)
{
	value = htonl(value);
	memcpy(to, &value, 4);
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, 4);
	return ntohl(value);
}

void wire_send(struct wire *wire, const struct packet *packet)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(BFD_PORT)};
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = address(packet->session, 1)};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(info))];
	} control = {.head = {CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO}};
	uint8_t bfd[BFD_LENGTH] = {1 << 5 | packet->diag, 0, MULTIPLIER, BFD_LENGTH};
	struct iovec part = {bfd, sizeof(bfd)};
	struct msghdr message = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	to.sin_addr.s_addr = address(packet->session, 0);
	bfd[1] = (uint8_t)(packet->state << 6 | packet->poll << 5 | packet->final << 4);
	put32(bfd + 4, packet->my_discr);
	put32(bfd + 8, packet->your_discr);
	put32(bfd + 12, packet->min_tx);
	put32(bfd + 16, packet->min_rx);
	memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
	if (sendmsg(wire->udp, &message, 0) != sizeof(bfd))
		die("sendmsg");
}

/* From the IP header on. */
static bool decode(struct packet *packet, const uint8_t *data, size_t length, unsigned sessions)
{
	in_addr_t source, destination;
	const uint8_t *bfd;
	size_t header;

	if (length < 20 || data[0] >> 4 != 4 || data[9] != IPPROTO_UDP)
		return false;
	header = (size_t)(data[0] & 15) * 4;
	if (length < header + 8 + BFD_LENGTH || get32(data + header) % 65536 != BFD_PORT)
		return false;
	memcpy(&source, data + 12, 4);
	memcpy(&destination, data + 16, 4);
	packet->session = session_of(packet->ours ? source : destination, 1);
	if (packet->session >= sessions ||
	    session_of(packet->ours ? destination : source, 0) != packet->session)
		return false;
	bfd = data + header + 8;
	packet->diag = bfd[0] & 31;
	packet->state = bfd[1] >> 6;
	packet->poll = bfd[1] >> 5 & 1;
	packet->final = bfd[1] >> 4 & 1;
	packet->my_discr = get32(bfd + 4);
	packet->your_discr = get32(bfd + 8);
	packet->min_tx = get32(bfd + 12);
	packet->min_rx = get32(bfd + 16);
	return true;
}

static int64_t stamp(struct msghdr *message)
{
	struct timespec at;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&at, CMSG_DATA(c), sizeof(at));
			return at.tv_sec * SECOND + at.tv_nsec;
		}
	fputs("bench_peer: a packet without a timestamp\n", stderr);
	exit(1);
}

bool wire_read(struct wire *wire, struct packet *packets, size_t room, size_t *count)
{
	static uint8_t data[BATCH][SNAP];
	static _Alignas(struct cmsghdr) char control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
	static struct sockaddr_ll from[BATCH];
	static struct iovec parts[BATCH];
	static struct mmsghdr messages[BATCH];
	int got;

	if (room > BATCH)
		room = BATCH;
	for (size_t i = 0; i < room; i++) {
		parts[i] = (struct iovec){data[i], SNAP};
		messages[i].msg_hdr = (struct msghdr){&from[i],	  sizeof(from[i]),    &parts[i], 1,
						      control[i], sizeof(control[i]), 0};
	}
	*count = 0;
	got = recvmmsg(wire->capture, messages, (unsigned)room, 0, NULL);
	for (int i = 0; i < got; i++) {
		struct packet *packet = &packets[*count];

		packet->ours = from[i].sll_pkttype == PACKET_OUTGOING;
		packet->at = stamp(&messages[i].msg_hdr);
		*count += decode(packet, data[i], messages[i].msg_len, wire->sessions);
	}
	return got == (int)room;
}

unsigned wire_lost(struct wire *wire)
{
	struct tpacket_stats stats;
	socklen_t length = sizeof(stats);

	if (getsockopt(wire->capture, SOL_PACKET, PACKET_STATISTICS, &stats, &length))
		die("PACKET_STATISTICS");
	return stats.tp_drops;
}
