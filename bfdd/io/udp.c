// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sockets are bound without SO_REUSEADDR: two BFD speakers on one host take each other's packets at
 * random, so the second one is to be refused, whichever it is, and named.
 *
 * recvmmsg() fills fewer messages than it was given only when the queue is empty, so a short count needs no
 * further call. A queue holds at most QUEUE_BYTES, doubled by the kernel, in packets that it charges with
 * more than 512 bytes each: after DRAIN_MAX packets all that was there at the beginning has been read even
 * while more pours in.
 */
#include "io/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "io/port.h"
#include "io/tap.h"
#include "ops/log.h"

#define BATCH 64
#define BUFFER 384 /* one more than PACKET_SIZE_MAX, and headers (tap.h) */
#define TAP_BATCH 8
#define TAP_BUFFER 9216 /* whole, as its checksum wants it: padded packets (RFC 9764), up to jumbo frames */
#define CONTROL 192
#define QUEUE_BYTES (4 << 20)
#define REFLECTOR_BYTES (128 << 10)
#define DRAIN_MAX (2 * QUEUE_BYTES / 512)

struct udp {
	struct udp_door doors[UDP_DOORS];
	uint32_t door_drops[UDP_DOORS]; /* the kernel's counts, which wrap */
	unsigned ndoors;
	int epoll;
	const struct udp_member *members;
	unsigned nmembers;
	uint64_t drops, malformed;
	struct mmsghdr messages[BATCH];
	struct iovec vectors[BATCH];
	struct sockaddr_storage names[BATCH];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CONTROL];
	uint8_t data[BATCH][BUFFER];
	uint8_t tapped[TAP_BATCH][TAP_BUFFER];
};

static int fail(char *error, size_t size, const struct udp_door *s, const char *what)
{
	snprintf(error, size, "UDP port %u (IPv%c): %s: %s", s->port, s->family == AF_INET ? '4' : '6', what,
		 strerror(errno));
	return -1;
}

int udp_tune(int fd)
{
	int one = 1, bytes = QUEUE_BYTES, bad;

	bad = setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes))) /* CAP_NET_ADMIN */
		bad |= setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return bad;
}

static int set_options(const struct udp_door *s)
{
	int one = 1, bad = udp_tune(s->fd), few = REFLECTOR_BYTES;

	/* The gate does not stand there, and what floods it is not to hold up sessions. */
	if (s->port == BFD_PORT_SBFD)
		bad |= setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof(few));
	if (s->family == AF_INET) {
		bad |= setsockopt(s->fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one));
		bad |= setsockopt(s->fd, IPPROTO_IP, IP_RECVTTL, &one, sizeof(one));
	} else {
		bad |= setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		bad |= setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
		bad |= setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one));
	}
	if (s->vrf)
		bad |= setsockopt(s->fd, SOL_SOCKET, SO_BINDTOIFINDEX, &s->vrf, sizeof(s->vrf));
	return bad;
}

static void share(int fd, bool on)
{
	int value = on;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, sizeof(value));
}

static int bind_address(const struct udp_door *s)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(s->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(s->port)};

	if (s->family == AF_INET)
		return bind(s->fd, (struct sockaddr *)&v4, sizeof(v4));
	return bind(s->fd, (struct sockaddr *)&v6, sizeof(v6));
}

/* To bind(), a socket of no VRF has the port in all of them: see udp_share(). */
static int bind_any(const struct udp_door *s)
{
	int result, error;

	share(s->fd, s->vrf);
	result = bind_address(s);
	error = errno;
	share(s->fd, false);
	errno = error;
	return result;
}

void udp_share(const struct udp *udp, bool on)
{
	for (unsigned i = 0; i < UDP_SOCKETS; i++)
		if (udp->doors[i].fd >= 0)
			share(udp->doors[i].fd, on);
}

void udp_share_door(const struct udp_door *door, bool on)
{
	if (door->fd >= 0)
		share(door->fd, on);
}

int udp_open_door(struct udp_door *door, char *error, size_t size)
{
	struct udp_door *s = door;
	char holder[PORT_HOLDER];

	if (s->ifindex)
		return tap_open(door, error, size);
	s->fd = socket(s->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0 && s->family == AF_INET6 && errno == EAFNOSUPPORT) {
		log_notice("this host has no IPv6: no BFD on UDP port %u over it", s->port);
		return 0;
	}
	if (s->fd < 0)
		return fail(error, size, s, "socket");
	if (set_options(s))
		return fail(error, size, s, "setsockopt");
	if (!bind_any(s))
		return 0;
	if (errno != EADDRINUSE)
		return fail(error, size, s, "bind");
	snprintf(error, size,
		 "UDP port %u%s is held by %s: stop its BFD (BIRD: protocol bfd; FRR: bfdd) or that program, "
		 "then start again",
		 s->port, s->vrf ? " in the VRF" : "", port_holder(s->family, s->port, holder));
	return -1;
}

static void prepare(struct udp *udp)
{
	for (unsigned i = 0; i < BATCH; i++) {
		struct msghdr *m = &udp->messages[i].msg_hdr;

		udp->vectors[i] = (struct iovec){udp->data[i], BUFFER};
		m->msg_iov = &udp->vectors[i];
		m->msg_iovlen = 1;
		m->msg_name = &udp->names[i];
		m->msg_control = udp->control[i];
	}
}

struct udp *udp_open(char *error, size_t size)
{
	static const struct udp_door wanted[UDP_SOCKETS] = {
		{.fd = -1, BFD_PORT_SINGLE_HOP, AF_INET, SESSION_SINGLE_HOP},
		{.fd = -1, BFD_PORT_SINGLE_HOP, AF_INET6, SESSION_SINGLE_HOP},
		{.fd = -1, BFD_PORT_MULTIHOP, AF_INET, SESSION_MULTIHOP},
		{.fd = -1, BFD_PORT_MULTIHOP, AF_INET6, SESSION_MULTIHOP},
	};
	struct udp *udp = calloc(1, sizeof(*udp));

	if (!udp) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	prepare(udp);
	udp->epoll = epoll_create1(EPOLL_CLOEXEC);
	snprintf(error, size, "epoll: %s", strerror(errno));
	for (unsigned i = 0; udp->epoll >= 0 && i < UDP_SOCKETS; i++) {
		struct udp_door door = wanted[i];

		if (udp_open_door(&door, error, size) || !udp_adopt(udp, &door))
			break;
	}
	if (udp->ndoors == UDP_SOCKETS)
		return udp;
	udp_close(udp);
	return NULL;
}

void udp_close(struct udp *udp)
{
	for (unsigned i = 0; udp && i < udp->ndoors; i++)
		if (udp->doors[i].fd >= 0)
			close(udp->doors[i].fd);
	if (udp && udp->epoll >= 0)
		close(udp->epoll);
	free(udp);
}

int udp_fd(const struct udp *udp, unsigned i)
{
	return udp->doors[i].fd;
}

int udp_wait_fd(const struct udp *udp)
{
	return udp->epoll;
}

bool udp_adopt(struct udp *udp, const struct udp_door *door)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (udp->ndoors == UDP_DOORS ||
	    (door->fd >= 0 && epoll_ctl(udp->epoll, EPOLL_CTL_ADD, door->fd, &event)))
		return false;
	udp->door_drops[udp->ndoors] = 0;
	udp->doors[udp->ndoors++] = *door;
	return true;
}

void udp_release(struct udp *udp, int fd)
{
	for (unsigned i = UDP_SOCKETS; i < udp->ndoors; i++) {
		if (udp->doors[i].fd != fd)
			continue;
		epoll_ctl(udp->epoll, EPOLL_CTL_DEL, fd, NULL);
		udp->doors[i] = udp->doors[--udp->ndoors];
		udp->door_drops[i] = udp->door_drops[udp->ndoors];
		return;
	}
}

void udp_members(struct udp *udp, const struct udp_member *members, unsigned n)
{
	udp->members = members;
	udp->nmembers = n;
}

static uint32_t vrf_of(const struct udp *udp, uint32_t ifindex)
{
	unsigned low = 0, high = udp->nmembers;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (udp->members[middle].ifindex < ifindex)
			low = middle + 1;
		else
			high = middle;
	}
	return low < udp->nmembers && udp->members[low].ifindex == ifindex ? udp->members[low].vrf : 0;
}

uint64_t udp_drops(struct udp *udp)
{
	uint32_t memory[SK_MEMINFO_VARS];

	for (unsigned i = 0; udp && i < udp->ndoors; i++) {
		const struct udp_door *s = &udp->doors[i];
		socklen_t size = sizeof(memory);

		if (s->fd < 0 || getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, memory, &size))
			continue;
		udp->drops += (uint32_t)(memory[SK_MEMINFO_DROPS] - udp->door_drops[i]);
		udp->door_drops[i] = memory[SK_MEMINFO_DROPS];
	}
	return udp ? udp->drops : 0;
}

static void read_ipv4(const struct cmsghdr *c, struct table_origin *origin)
{
	struct in_pktinfo info;
	int ttl;

	if (c->cmsg_type == IP_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(info))) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memcpy(origin->local.bytes, &info.ipi_addr, 4);
		origin->ifindex = info.ipi_ifindex;
		origin->cast = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
	} else if (c->cmsg_type == IP_TTL && c->cmsg_len >= CMSG_LEN(sizeof(ttl))) {
		memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
		origin->ttl = ttl;
	}
}

static void read_ipv6(const struct cmsghdr *c, struct table_origin *origin)
{
	struct in6_pktinfo info;
	int hops;

	if (c->cmsg_type == IPV6_PKTINFO && c->cmsg_len >= CMSG_LEN(sizeof(info))) {
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		memcpy(origin->local.bytes, &info.ipi6_addr, 16);
		origin->ifindex = info.ipi6_ifindex;
	} else if (c->cmsg_type == IPV6_HOPLIMIT && c->cmsg_len >= CMSG_LEN(sizeof(hops))) {
		memcpy(&hops, CMSG_DATA(c), sizeof(hops));
		origin->ttl = hops;
	}
}

static usec_t read_stamp(const struct cmsghdr *c)
{
	struct timespec ts;

	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

static void read_control(struct msghdr *m, struct table_origin *origin, usec_t *stamp)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP) {
			read_ipv4(c, origin);
		} else if (c->cmsg_level == IPPROTO_IPV6) {
			read_ipv6(c, origin);
		} else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			*stamp = read_stamp(c);
		}
	}
}

uint64_t udp_malformed(const struct udp *udp)
{
	return udp->malformed;
}

static void hand_over_tapped(struct udp *udp, const struct udp_door *s, unsigned i, udp_packet_fn *fn,
			     void *context)
{
	struct table_origin origin = {.type = s->type, .vrf = s->vrf};
	const uint8_t *payload;
	usec_t stamp = 0;
	size_t size;

	if (!tap_read(s, &udp->messages[i].msg_hdr, udp->tapped[i], udp->messages[i].msg_len, &origin, &stamp,
		      &payload, &size)) {
		udp->malformed++;
		return;
	}
	origin.size = size;
	fn(context, payload, size < BUFFER ? size : BUFFER, &origin, stamp);
}

/* The first messages are for a tap, or as the others again. */
static void use_tap_buffers(struct udp *udp, bool tap)
{
	for (unsigned i = 0; i < TAP_BATCH; i++)
		udp->vectors[i] = tap ? (struct iovec){udp->tapped[i], TAP_BUFFER}
				      : (struct iovec){udp->data[i], BUFFER};
}

static void hand_over(struct udp *udp, const struct udp_door *s, unsigned i, udp_packet_fn *fn, void *context)
{
	struct table_origin origin = {
		.peer.family = s->family,
		.local.family = s->family,
		.type = s->type,
		.vrf = s->vrf,
	};
	usec_t stamp = 0;
	size_t size;

	origin.port = ntohs(((struct sockaddr_in *)&udp->names[i])->sin_port); /* in the same place of both */
	if (s->family == AF_INET)
		memcpy(origin.peer.bytes, &((struct sockaddr_in *)&udp->names[i])->sin_addr, 4);
	else
		memcpy(origin.peer.bytes, &((struct sockaddr_in6 *)&udp->names[i])->sin6_addr, 16);
	read_control(&udp->messages[i].msg_hdr, &origin, &stamp);
	if (udp->nmembers && !origin.vrf)
		origin.vrf = vrf_of(udp, origin.ifindex);
	size = udp->messages[i].msg_len;
	origin.size = size;
	/* More than a packet can be is padding (RFC 9764 3). */
	fn(context, udp->data[i], size < BUFFER ? size : BUFFER, &origin, stamp);
}

static unsigned drain(struct udp *udp, const struct udp_door *s, udp_packet_fn *fn, void *context)
{
	int flags = MSG_DONTWAIT | (s->ifindex ? 0 : MSG_TRUNC), n;
	unsigned total = 0, batch = s->ifindex ? TAP_BATCH : BATCH;

	if (s->ifindex)
		use_tap_buffers(udp, true);
	do {
		for (unsigned i = 0; i < batch; i++) {
			udp->messages[i].msg_hdr.msg_namelen = sizeof(udp->names[i]);
			udp->messages[i].msg_hdr.msg_controllen = CONTROL;
		}
		n = recvmmsg(s->fd, udp->messages, batch, flags, NULL);
		for (int i = 0; i < n; i++)
			(s->ifindex ? hand_over_tapped : hand_over)(udp, s, i, fn, context);
		total += n > 0 ? n : 0;
	} while (n == (int)batch && total < DRAIN_MAX);
	if (s->ifindex)
		use_tap_buffers(udp, false);
	return total;
}

unsigned udp_receive(struct udp *udp, udp_packet_fn *fn, void *context)
{
	unsigned total = 0;

	for (unsigned i = 0; i < udp->ndoors; i++)
		if (udp->doors[i].fd >= 0)
			total += drain(udp, &udp->doors[i], fn, context);
	return total;
}
