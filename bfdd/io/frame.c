// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet socket of protocol 0: it receives nothing, and so costs the host's traffic nothing. A VLAN device
 * adds its tag itself, so frames are untagged for it as for any other.
 */
#include "io/frame.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/packet.h"
#include "io/datagram.h"

#define BATCH 256
#define BUFFER (ETH_HLEN + DATAGRAM_HEADERS + PACKET_SIZE_MAX)

_Static_assert(FRAME_ADDRESS == ETH_ALEN, "Ethernet");

struct frame {
	int fd;
	unsigned count;
	uint64_t errors;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH][2]; /* the second one: padding */
	uint8_t *refused[BATCH];
	struct sockaddr_ll names[BATCH];
	uint8_t data[BATCH][BUFFER];
};

static void prepare(struct frame *frame)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *m = &frame->messages[i].msg_hdr;

		frame->vectors[i][0].iov_base = frame->data[i];
		frame->vectors[i][1].iov_base = datagram_zeros;
		frame->names[i].sll_family = AF_PACKET;
		m->msg_iov = frame->vectors[i];
		m->msg_iovlen = 1;
		m->msg_name = &frame->names[i];
		m->msg_namelen = sizeof(frame->names[i]);
	}
}

struct frame *frame_open(char *error, size_t size)
{
	struct frame *frame = calloc(1, sizeof(*frame));

	if (!frame) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	frame->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (frame->fd < 0) {
		snprintf(error, size, "packet socket: %s", strerror(errno));
		free(frame);
		return NULL;
	}
	raw_tune(frame->fd);
	prepare(frame);
	return frame;
}

void frame_close(struct frame *frame)
{
	if (frame)
		close(frame->fd);
	free(frame);
}

uint64_t frame_errors(const struct frame *frame)
{
	return frame->errors;
}

void frame_flush(struct frame *frame)
{
	unsigned done = 0;
	int n;

	while (done < frame->count) {
		n = sendmmsg(frame->fd, frame->messages + done, frame->count - done, MSG_DONTWAIT);
		/* An error is the first message's own: those before it have been reported as sent. */
		if (n <= 0) {
			if (frame->refused[done])
				*frame->refused[done] = raw_fate(errno);
			frame->errors++;
			n = 1;
		}
		done += n;
	}
	frame->count = 0;
}

void frame_send(struct frame *frame, const uint8_t destination[FRAME_ADDRESS],
		const uint8_t source[FRAME_ADDRESS], const struct raw_path *path, const uint8_t *payload,
		size_t size)
{
	unsigned i = frame->count;
	uint8_t *data = frame->data[i], *ip = data + ETH_HLEN;
	bool padded = path->padded > size;
	uint16_t protocol = htons(path->peer.family == AF_INET ? ETH_P_IP : ETH_P_IPV6);

	memcpy(data, destination, ETH_ALEN);
	memcpy(data + ETH_ALEN, source, ETH_ALEN);
	memcpy(data + 2 * ETH_ALEN, &protocol, sizeof(protocol));
	frame->vectors[i][0].iov_len = ETH_HLEN + datagram_build(ip, &path->local, &path->peer,
								 path->source_port, path->port, payload,
								 size);
	frame->messages[i].msg_hdr.msg_iovlen = padded ? 2 : 1;
	if (padded) {
		frame->vectors[i][1].iov_len = path->padded - size;
		datagram_pad(ip, path->padded - size);
	}
	frame->refused[i] = path->refused;
	datagram_mark(ip, path->dscp);
	if (path->ttl)
		ip[path->peer.family == AF_INET ? 8 : 7] = path->ttl;
	if (path->peer.family == AF_INET)
		datagram_seal_ipv4(ip);
	frame->names[i].sll_protocol = protocol;
	frame->names[i].sll_ifindex = (int)path->ifindex;
	if (++frame->count == BATCH)
		frame_flush(frame);
}
