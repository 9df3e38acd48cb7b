// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The socket begins with protocol 0, which receives nothing, and is bound when its filter is in place:
 * nothing unfiltered is ever in its queue. "Cooked" (SOCK_DGRAM): what is read begins with the IP header,
 * whatever kind of interface it is.
 */
#include "io/tap.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "io/datagram.h"

#define FILTER_MAX 16
#define PKTTYPE (SKF_AD_OFF + SKF_AD_PKTTYPE)
#define FAIL 0 /* a jump that ends in "drop"; see finish() */

/* Puts together what jumps to the end, "drop", wherever a test fails. */
struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short n;
};

static void load(struct filter *filter, uint16_t what, uint32_t k)
{
	filter->code[filter->n++] = (struct sock_filter)BPF_STMT(what, k);
}

static void want(struct filter *filter, uint32_t value)
{
	filter->code[filter->n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, FAIL);
}

static void finish(struct filter *filter)
{
	unsigned short drop = filter->n + 1;

	load(filter, BPF_RET | BPF_K, UINT32_MAX);
	load(filter, BPF_RET | BPF_K, 0);
	for (unsigned short i = 0; i < drop - 1; i++) {
		struct sock_filter *at = &filter->code[i];

		if (BPF_CLASS(at->code) == BPF_JMP && BPF_OP(at->code) == BPF_JEQ)
			at->jf = (uint8_t)(drop - i - 1);
	}
}

static void build(struct filter *filter, const struct udp_door *door)
{
	/* RFC 7130 2.3: to a multicast address of its own; all else is unicast. PACKET_HOST is 0. */
	load(filter, BPF_LD | BPF_B | BPF_ABS, PKTTYPE);
	if (door->type == SESSION_MICRO)
		load(filter, BPF_ALU | BPF_AND | BPF_K, (uint32_t)~PACKET_MULTICAST);
	want(filter, PACKET_HOST);
	load(filter, BPF_LD | BPF_B | BPF_ABS, 0);
	load(filter, BPF_ALU | BPF_AND | BPF_K, 0xf0);
	want(filter, door->family == AF_INET ? 0x40 : 0x60);
	load(filter, BPF_LD | BPF_B | BPF_ABS, door->family == AF_INET ? 9 : 6);
	want(filter, IPPROTO_UDP);
	if (door->family == AF_INET) {
		load(filter, BPF_LD | BPF_H | BPF_ABS, 6);
		load(filter, BPF_ALU | BPF_AND | BPF_K, 0x3fff); /* no fragments */
		want(filter, 0);
		load(filter, BPF_LDX | BPF_B | BPF_MSH, 0);
		load(filter, BPF_LD | BPF_H | BPF_IND, 2);
	} else {
		load(filter, BPF_LD | BPF_H | BPF_ABS, 42);
	}
	want(filter, door->port);
	finish(filter);
}

static int set_options(const struct udp_door *door)
{
	struct filter filter = {.n = 0};
	struct sock_fprog program;
	int one = 1, bad = 0;

	build(&filter, door);
	program = (struct sock_fprog){filter.n, filter.code};
	bad |= setsockopt(door->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
	bad |= setsockopt(door->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one));
	return bad | udp_tune(door->fd);
}

static int bind_interface(const struct udp_door *door)
{
	struct sockaddr_ll name = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(door->family == AF_INET ? ETH_P_IP : ETH_P_IPV6),
		.sll_ifindex = (int)door->ifindex,
	};

	return bind(door->fd, (struct sockaddr *)&name, sizeof(name));
}

int tap_open(struct udp_door *door, char *error, size_t size)
{
	door->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (door->fd >= 0 && !set_options(door) && !bind_interface(door))
		return 0;
	snprintf(error, size, "packet socket for UDP port %u: %s", door->port, strerror(errno));
	return -1;
}

/* What else the kernel told. False: the UDP checksum was never filled in, see datagram_parse(). */
static bool read_control(struct msghdr *message, usec_t *stamp)
{
	struct tpacket_auxdata aux;
	struct timespec ts;
	bool sealed = true;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS &&
		    c->cmsg_len >= CMSG_LEN(sizeof(ts))) {
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			*stamp = ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
		} else if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA &&
			   c->cmsg_len >= CMSG_LEN(sizeof(aux))) {
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			sealed = !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
		}
	}
	return sealed;
}

bool tap_read(const struct udp_door *door, struct msghdr *message, const uint8_t *data, size_t size,
	      struct table_origin *origin, usec_t *stamp, const uint8_t **payload, size_t *payload_size)
{
	const struct sockaddr_ll *name = message->msg_name;
	struct datagram datagram;
	bool sealed = read_control(message, stamp);

	/* Bound to an interface, the socket also gets what belongs to VLANs on it. */
	if (name->sll_ifindex != (int)door->ifindex &&
	    (!door->seen_as || name->sll_ifindex != (int)door->seen_as))
		return false;
	if (!datagram_parse(&datagram, data, size, door->family, sealed) || datagram.port != door->port)
		return false;
	origin->peer = datagram.source;
	origin->local = datagram.destination;
	origin->ifindex = door->ifindex;
	origin->ttl = datagram.ttl;
	origin->port = datagram.source_port;
	*payload = datagram.payload;
	*payload_size = datagram.size;
	return true;
}
