/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches the near end's interface through a packet socket: what the program sends is stamped in its own
 * sendmsg(), what comes to it when the kernel takes it from the wire. Not when this process finds the time to
 * read it, so its own scheduling does not matter as long as the socket's queue is long enough.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/stress.h"

#define QUEUE (256 << 20)
#define BATCH 64
#define HEADERS (14 + 20 + 8)
#define ENOUGH (HEADERS + 24)

/* IPv4 without options, UDP to 3784, not of the flood. */
static void filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 9),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 14),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x45, 0, 7),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 5),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 36),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BFD_PORT, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 34),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FLOOD_SOURCE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, ENOUGH),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		die("capture filter");
}

void capture_open(struct capture *capture, const char *netns, const char *interface, size_t room)
{
	struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int on = 1, size = QUEUE;

	enter(netns);
	/* Protocol 0: deaf until it is bound. */
	capture->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (capture->fd < 0)
		die("packet socket");
	filter(capture->fd);
	address.sll_ifindex = (int)if_nametoindex(interface);
	if (!address.sll_ifindex)
		die(interface);
	if (setsockopt(capture->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(capture->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    bind(capture->fd, (struct sockaddr *)&address, sizeof(address)))
		die("packet socket");
	capture->room = room;
	capture->records = mmap(NULL, room * sizeof(struct record), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (capture->records == MAP_FAILED)
		die("memory for the capture");
}

int64_t stamp(struct msghdr *message)
{
	struct timespec ts;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			return ts.tv_sec * 1000 * MS + ts.tv_nsec;
		}
	return now_ns();
}

static void add(struct capture *capture, const uint8_t *frame, size_t size, bool incoming, int64_t at)
{
	uint32_t address;
	unsigned session;

	if (size < HEADERS + 24)
		return;
	/* The far end's address, in the headers of either direction. */
	memcpy(&address, frame + (incoming ? 26 : 30), sizeof(address));
	session = ntohl(address) - ntohl(far_address(0));
	if (session >= SESSIONS_MAX)
		return;
	if (capture->count == capture->room) {
		capture->lost++;
		return;
	}
	capture->records[capture->count++] = (struct record){
		.at = at,
		.session = (uint16_t)session,
		.incoming = incoming,
		.state = frame[HEADERS + 1] >> 6,
		.diag = frame[HEADERS] & 31,
	};
}

void capture_drain(struct capture *capture)
{
	static uint8_t frames[BATCH][ENOUGH], controls[BATCH][64];
	static struct sockaddr_ll from[BATCH];
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	int n;

	do {
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){.iov_base = frames[i], .iov_len = ENOUGH};
			messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
							      .msg_namelen = sizeof(from[i]),
							      .msg_iov = &iov[i],
							      .msg_iovlen = 1,
							      .msg_control = controls[i],
							      .msg_controllen = sizeof(controls[i])};
		}
		n = recvmmsg(capture->fd, messages, BATCH, 0, NULL);
		for (int i = 0; i < n; i++)
			add(capture, frames[i], messages[i].msg_len, from[i].sll_pkttype != PACKET_OUTGOING,
			    stamp(&messages[i].msg_hdr));
	} while (n == BATCH);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		die("capture");
	if (!getsockopt(capture->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size))
		capture->lost += stats.tp_drops;
}
