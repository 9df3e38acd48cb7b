/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The far end: as little of RFC 5880 as a good peer needs, single hop, in one thread that no load on the
 * ladder outranks. Time is given to it by SCHED_DEADLINE, since the kernel strikes all of SCHED_FIFO when
 * there are real-time hogs. It reads its socket dry and goes by the kernel's time stamps before it declares a
 * Down, and does not trust a silence right after a late tick of its own. Should it fail all the same, the
 * capture shows that its packets did not come.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/stress.h"

#define BUDGET (1 * MS)
#define PERIOD (3 * MS)
#define PRIORITY 98 /* where there is no SCHED_DEADLINE */
#define TICK_MIN (1 * MS)
#define TICK_MAX (5 * MS)
#define LATE (3 * MS)
#define SLOW 1000000u /* us: transmission while not Up */
#define FAST 10000u
#define BATCH 64
#define SIZE 24
enum { FLAG_FINAL = 0x10, FLAG_POLL = 0x20 };

struct peer {
	uint8_t state, diag, remote_state, remote_multiplier;
	uint32_t discr, remote_discr;
	uint32_t remote_tx, remote_rx; /* us */
	int64_t heard, next;
	bool poll, final; /* to be sent */
};

struct outgoing {
	uint8_t data[SIZE];
	struct iovec iov;
	struct sockaddr_in to;
	uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))] __attribute__((aligned(8)));
};

static struct {
	unsigned nsessions, noutgoing;
	int in, out;
	struct peer peers[SESSIONS_MAX];
	struct outgoing outgoing[BATCH];
	struct mmsghdr messages[BATCH];
	int64_t grace; /* silences that end before are not believed */
	unsigned random;
	atomic_int up;
	atomic_llong late;
	atomic_bool deadline;
	atomic_ullong errors;
} far;

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return ntohl(value);
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

static void flush(void)
{
	unsigned sent = 0;
	int n;

	while (sent < far.noutgoing) {
		n = sendmmsg(far.out, far.messages + sent, far.noutgoing - sent, 0);
		if (n < 1) {
			atomic_fetch_add(&far.errors, 1);
			n = 1;
		}
		sent += (unsigned)n;
	}
	far.noutgoing = 0;
}

static void put(unsigned session, uint8_t flags)
{
	const struct peer *peer = &far.peers[session];
	struct outgoing *out = &far.outgoing[far.noutgoing];
	struct in_pktinfo from = {.ipi_spec_dst.s_addr = far_address(session)};
	struct cmsghdr *c;

	out->data[0] = (uint8_t)(0x20 | peer->diag);
	out->data[1] = (uint8_t)(peer->state << 6 | flags);
	out->data[2] = MULTIPLIER;
	out->data[3] = SIZE;
	put32(out->data + 4, peer->discr);
	put32(out->data + 8, peer->remote_discr);
	put32(out->data + 12, peer->state == STATE_UP ? FAST : SLOW);
	put32(out->data + 16, FAST);
	put32(out->data + 20, 0);
	out->iov = (struct iovec){.iov_base = out->data, .iov_len = SIZE};
	out->to = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(BFD_PORT), .sin_addr.s_addr = near_address(session)};
	far.messages[far.noutgoing].msg_hdr = (struct msghdr){.msg_name = &out->to,
							      .msg_namelen = sizeof(out->to),
							      .msg_iov = &out->iov,
							      .msg_iovlen = 1,
							      .msg_control = out->control,
							      .msg_controllen = sizeof(out->control)};
	c = CMSG_FIRSTHDR(&far.messages[far.noutgoing].msg_hdr);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(from));
	memcpy(CMSG_DATA(c), &from, sizeof(from));
	if (++far.noutgoing == BATCH)
		flush();
}

static void change(struct peer *peer, uint8_t state, uint8_t diag)
{
	if (peer->state == state)
		return;
	atomic_fetch_add(&far.up, (state == STATE_UP) - (peer->state == STATE_UP));
	peer->state = state;
	peer->diag = diag;
	peer->poll = state == STATE_UP; /* the interval changes with it */
	peer->next = 0;
}

/* RFC 5880 6.8.6, from the discriminators on. */
static void hear(struct peer *peer, const uint8_t *data, int64_t at)
{
	uint8_t state = data[1] >> 6;

	peer->remote_discr = get32(data + 4);
	peer->remote_multiplier = data[2];
	peer->remote_tx = get32(data + 12);
	peer->remote_rx = get32(data + 16);
	peer->heard = at;
	if (data[1] & FLAG_FINAL)
		peer->poll = false;
	if (data[1] & FLAG_POLL)
		peer->final = true;
	if (state == STATE_ADMIN_DOWN)
		change(peer, STATE_DOWN, DIAG_NEIGHBOR);
	else if (peer->state == STATE_DOWN && state == STATE_DOWN)
		change(peer, STATE_INIT, 0);
	else if (peer->state == STATE_DOWN && state == STATE_INIT)
		change(peer, STATE_UP, 0);
	else if (peer->state == STATE_INIT && state >= STATE_INIT)
		change(peer, STATE_UP, 0);
	else if (peer->state == STATE_UP && state == STATE_DOWN)
		change(peer, STATE_DOWN, DIAG_NEIGHBOR);
}

static void receive(void)
{
	static uint8_t data[BATCH][64], controls[BATCH][64];
	static struct sockaddr_in from[BATCH];
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	unsigned session;
	int n;

	do {
		for (int i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){.iov_base = data[i], .iov_len = sizeof(data[i])};
			messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
							      .msg_namelen = sizeof(from[i]),
							      .msg_iov = &iov[i],
							      .msg_iovlen = 1,
							      .msg_control = controls[i],
							      .msg_controllen = sizeof(controls[i])};
		}
		n = recvmmsg(far.in, messages, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			session = ntohl(from[i].sin_addr.s_addr) - ntohl(near_address(0));
			if (session < far.nsessions && messages[i].msg_len >= SIZE && get32(data[i] + 4))
				hear(&far.peers[session], data[i], stamp(&messages[i].msg_hdr));
		}
	} while (n == BATCH);
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* 75 to 100 per cent of the interval (RFC 5880 6.8.7). */
static int64_t jittered(int64_t interval)
{
	return interval * 3 / 4 + interval / 4 * rand_r(&far.random) / RAND_MAX;
}

static void run(unsigned session, int64_t now)
{
	struct peer *peer = &far.peers[session];
	int64_t detection = (int64_t)peer->remote_multiplier * larger(FAST, peer->remote_tx) * 1000;
	uint8_t flags = peer->poll ? FLAG_POLL : 0;

	if (peer->state >= STATE_INIT && now > far.grace && now - peer->heard > detection) {
		change(peer, STATE_DOWN, DIAG_EXPIRED);
		peer->remote_discr = 0;
	}
	if (peer->final) {
		put(session, FLAG_FINAL);
		peer->final = false;
	}
	if (peer->next > now)
		return;
	put(session, flags);
	peer->next = now +
		     jittered((int64_t)larger(peer->state == STATE_UP ? FAST : SLOW, peer->remote_rx) * 1000);
}

static void sleep_until(int64_t due)
{
	struct timespec ts = {.tv_sec = due / (1000 * MS), .tv_nsec = due % (1000 * MS)};

	while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static void *far_thread(void *arg)
{
	struct sched_param param = {.sched_priority = PRIORITY};
	int64_t due = now_ns(), now, late;

	prctl(PR_SET_NAME, "stress-far");
	atomic_store(&far.deadline, !take_deadline(BUDGET, PERIOD));
	if (!atomic_load(&far.deadline) && sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO");
	for (;;) {
		now = now_ns();
		late = now - due;
		if (late > atomic_load(&far.late))
			atomic_store(&far.late, late);
		if (late > LATE)
			far.grace = now + 2 * TICK_MIN;
		receive();
		for (unsigned i = 0; i < far.nsessions; i++)
			run(i, now);
		flush();
		due = now + TICK_MAX;
		for (unsigned i = 0; i < far.nsessions; i++)
			if (far.peers[i].next < due)
				due = far.peers[i].next;
		if (due < now + TICK_MIN)
			due = now + TICK_MIN;
		sleep_until(due);
	}
	return NULL;
}

static int udp(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ttl = 255, tos = 0xc0, on = 1, size = 8 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)) ||
	    setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		die("far socket");
	return fd;
}

void far_start(const char *netns, unsigned nsessions)
{
	pthread_t thread;

	enter(netns);
	far.nsessions = nsessions;
	far.random = (unsigned)getpid();
	for (unsigned i = 0; i < nsessions; i++)
		far.peers[i] = (struct peer){
			.state = STATE_DOWN, .discr = 0x1000 + i, .remote_multiplier = 3};
	far.in = udp(BFD_PORT);
	far.out = udp(FAR_SOURCE);
	if (pthread_create(&thread, NULL, far_thread, NULL))
		die("far thread");
}

void far_stats(struct far_stats *stats)
{
	stats->up = atomic_load(&far.up);
	stats->late = atomic_exchange(&far.late, 0);
	stats->deadline = atomic_load(&far.deadline);
	stats->errors = atomic_exchange(&far.errors, 0);
}
