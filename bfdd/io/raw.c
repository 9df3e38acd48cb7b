// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Raw sockets with headers of our own: one socket sends from any source address and port, where UDP sockets
 * would have to be one for each session. The interface is pinned by IP_PKTINFO or IPV6_PKTINFO; for
 * link-local addresses the kernel looks at the destination's scope id first.
 */
#include "io/raw.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/packet.h"
#include "io/datagram.h"

#define BATCH 256
#define BUFFER (DATAGRAM_HEADERS + PACKET_SIZE_MAX)
#define SEND_BYTES (4 << 20)
#define PRIORITY_INTERACTIVE 6 /* TC_PRIO_INTERACTIVE: the best band that needs no privilege */

struct raw_batch {
	int fd;
	unsigned count;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH][2]; /* the second one: padding */
	uint8_t *refused[BATCH];
	struct sockaddr_in6 names[BATCH]; /* or a struct sockaddr_in */
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(struct in6_pktinfo))];
	uint8_t data[BATCH][BUFFER];
};

struct raw {
	struct raw_batch v4, v6;
	uint64_t errors;
};

static void prepare(struct raw_batch *batch, socklen_t name_size, int level, int type, size_t info_size)
{
	batch->fd = -1;
	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *m = &batch->messages[i].msg_hdr;
		struct cmsghdr *c;

		batch->vectors[i][0].iov_base = batch->data[i];
		batch->vectors[i][1].iov_base = datagram_zeros;
		m->msg_iov = batch->vectors[i];
		m->msg_iovlen = 1;
		m->msg_name = &batch->names[i];
		m->msg_namelen = name_size;
		m->msg_control = batch->control[i];
		m->msg_controllen = CMSG_SPACE(info_size);
		c = CMSG_FIRSTHDR(m);
		c->cmsg_level = level;
		c->cmsg_type = type;
		c->cmsg_len = CMSG_LEN(info_size);
	}
}

void raw_tune(int fd)
{
	int bytes = SEND_BYTES, priority = PRIORITY_INTERACTIVE;

	setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/* Whether the path carries large packets (RFC 9764) is to be found out by sending them, and not to be told by
 * what the kernel remembers of it for ten minutes. */
static void ignore_path_mtu(int fd, int family)
{
	int v4 = IP_PMTUDISC_PROBE, v6 = IPV6_PMTUDISC_PROBE;

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof(v4));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof(v6));
}

/* -1 with errno. IPPROTO_RAW implies that the headers are ours, in both families. */
static int open_socket(int family)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog drop_all = {1, &none};
	int fd;

	fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return -1;
	/* Only packets of protocol 255 would ever arrive, but they could fill a queue that nobody reads. */
	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &drop_all, sizeof(drop_all));
	raw_tune(fd);
	ignore_path_mtu(fd, family);
	return fd;
}

static void explain(char *error, size_t size)
{
	if (errno == EPERM || errno == EACCES)
		snprintf(
			error, size,
			"raw sockets are not permitted: CAP_NET_RAW is missing; run as root, or give it with "
			"AmbientCapabilities=CAP_NET_RAW in the unit or setcap cap_net_raw+ep on the "
			"program");
	else
		snprintf(error, size, "raw socket: %s", strerror(errno));
}

struct raw *raw_open(char *error, size_t size)
{
	struct raw *raw = calloc(1, sizeof(*raw));

	if (!raw) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	prepare(&raw->v4, sizeof(struct sockaddr_in), IPPROTO_IP, IP_PKTINFO, sizeof(struct in_pktinfo));
	prepare(&raw->v6, sizeof(struct sockaddr_in6), IPPROTO_IPV6, IPV6_PKTINFO,
		sizeof(struct in6_pktinfo));
	raw->v4.fd = open_socket(AF_INET);
	if (raw->v4.fd >= 0)
		raw->v6.fd = open_socket(AF_INET6);
	if (raw->v4.fd < 0 || (raw->v6.fd < 0 && errno != EAFNOSUPPORT)) {
		explain(error, size);
		raw_close(raw);
		return NULL;
	}
	return raw;
}

void raw_close(struct raw *raw)
{
	if (raw && raw->v4.fd >= 0)
		close(raw->v4.fd);
	if (raw && raw->v6.fd >= 0)
		close(raw->v6.fd);
	free(raw);
}

uint64_t raw_errors(const struct raw *raw)
{
	return raw->errors;
}

static void tell(struct raw_batch *batch, unsigned first, int count, enum raw_fate fate)
{
	for (int i = 0; i < count; i++)
		if (batch->refused[first + i])
			*batch->refused[first + i] = fate;
}

enum raw_fate raw_fate(int error)
{
	return error == EMSGSIZE ? RAW_TOO_BIG : RAW_REFUSED;
}

static void flush(struct raw *raw, struct raw_batch *batch)
{
	unsigned done = 0;
	int n;

	while (done < batch->count) {
		n = sendmmsg(batch->fd, batch->messages + done, batch->count - done, MSG_DONTWAIT);
		/* An error is the first message's own: those before it have been reported as sent. */
		tell(batch, done, n > 0 ? n : 1, n > 0 ? RAW_SENT : raw_fate(errno));
		if (n <= 0) {
			raw->errors++;
			n = 1;
		}
		done += n;
	}
	batch->count = 0;
}

static void address_v4(struct raw_batch *batch, unsigned i, const struct raw_path *path)
{
	struct sockaddr_in *name = (struct sockaddr_in *)&batch->names[i];
	struct in_pktinfo info = {.ipi_ifindex = path->ifindex};

	memcpy(&info.ipi_spec_dst, path->local.bytes, 4);
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&batch->messages[i].msg_hdr)), &info, sizeof(info));
	name->sin_family = AF_INET;
	memcpy(&name->sin_addr, path->peer.bytes, 4);
}

static void address_v6(struct raw_batch *batch, unsigned i, const struct raw_path *path)
{
	struct sockaddr_in6 *name = &batch->names[i];
	struct in6_pktinfo info = {.ipi6_ifindex = path->ifindex};

	memcpy(&info.ipi6_addr, path->local.bytes, 16);
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&batch->messages[i].msg_hdr)), &info, sizeof(info));
	name->sin6_family = AF_INET6;
	name->sin6_scope_id = addr_is_link_local(&path->peer) ? path->ifindex : 0;
	memcpy(&name->sin6_addr, path->peer.bytes, 16);
}

void raw_send(struct raw *raw, const struct raw_path *path, const uint8_t *payload, size_t size)
{
	struct raw_batch *batch = path->peer.family == AF_INET ? &raw->v4 : &raw->v6;
	unsigned i = batch->count;
	bool padded = path->padded > size;

	if (batch->fd < 0) {
		raw->errors++;
		return;
	}
	batch->vectors[i][0].iov_len = datagram_build(batch->data[i], &path->local, &path->peer,
						      path->source_port, path->port, payload, size);
	batch->messages[i].msg_hdr.msg_iovlen = padded ? 2 : 1;
	if (padded) {
		batch->vectors[i][1].iov_len = path->padded - size;
		datagram_pad(batch->data[i], path->padded - size);
	}
	datagram_mark(batch->data[i], path->dscp);
	batch->refused[i] = path->refused;
	if (path->peer.family == AF_INET)
		address_v4(batch, i, path);
	else
		address_v6(batch, i, path);
	if (++batch->count == BATCH)
		flush(raw, batch);
}

void raw_flush(struct raw *raw)
{
	flush(raw, &raw->v4);
	flush(raw, &raw->v6);
}
