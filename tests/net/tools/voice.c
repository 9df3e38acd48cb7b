/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a caller hears: streams of UDP packets at a fixed pace, and at the far end the largest gap between
 * arrivals by the kernel's receive timestamps.
 *
 *   voice send [-f PRIORITY] [-t SECONDS] NAME,ADDRESS,INTERVAL-US...
 *   voice recv [-f PRIORITY]
 *
 * Both run until SIGTERM or SIGINT (or -t) and then print one JSON array with an object per stream. -f asks
 * for SCHED_FIFO, so that other load is not mistaken for the network's doing. Times "...-us" are Unix times
 * in microseconds. The largest gap that the sender itself made is in its "send-gap-ms". "ways" tells by which
 * of the receiver's interfaces a stream came, from which packet to which, and by how much the first of them
 * was sent late.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PORT 7078
#define MAGIC 0x766f6963 /* "voic" */
#define SIZE 172	 /* an RTP header and 20 ms of G.711 */
#define STREAMS 16
#define NAME 16
#define GAPS 64
#define WAYS 16

/* Payload: magic u32, interval u32, sequence u64, name[NAME], time of sending i64; the rest is zero. */
struct stream {
	char name[NAME];
	uint32_t interval; /* us */
	/* sender */
	struct sockaddr_storage to;
	socklen_t to_size;
	int fd;
	int64_t next, last_sent, send_gap; /* us, monotonic */
	uint64_t sequence, errors;
	/* receiver; Unix time in us */
	uint64_t received, first_sequence, last_sequence, reordered;
	int64_t first, last, last_sent_at, largest, largest_from;
	uint64_t largest_lost;
	unsigned ngaps;
	struct gap {
		int64_t from, length;
		uint64_t lost;
	} gaps[GAPS];
	unsigned nways;
	struct way {
		unsigned interface;
		int64_t from, to, late;
	} ways[WAYS];
};

static struct stream streams[STREAMS];
static unsigned nstreams;

static void die(const char *what)
{
	fprintf(stderr, "voice: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void be_realtime(int priority)
{
	struct sched_param param = {.sched_priority = priority};

	if (sched_setscheduler(0, SCHED_FIFO, &param) || mlockall(MCL_CURRENT | MCL_FUTURE))
		fprintf(stderr, "voice: no real-time scheduling: %s\n", strerror(errno));
}

static int stop_fd(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	if (fd < 0)
		die("signalfd");
	return fd;
}

static void add_stream(char *text)
{
	struct stream *stream = &streams[nstreams];
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&stream->to;
	struct sockaddr_in *in = (struct sockaddr_in *)&stream->to;
	char *name = strtok(text, ","), *address = strtok(NULL, ","), *interval = strtok(NULL, ",");

	if (nstreams == STREAMS || !interval || strlen(name) >= NAME || atoi(interval) < 100) {
		fprintf(stderr, "voice: not a stream: NAME,ADDRESS,INTERVAL-US\n");
		exit(2);
	}
	strcpy(stream->name, name);
	stream->interval = (uint32_t)atoi(interval);
	if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(PORT);
		stream->to_size = sizeof(*in);
	} else if (inet_pton(AF_INET6, address, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(PORT);
		stream->to_size = sizeof(*in6);
	} else {
		fprintf(stderr, "voice: not an address: %s\n", address);
		exit(2);
	}
	stream->fd = socket(stream->to.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (stream->fd < 0)
		die("socket");
	nstreams++;
}

static void send_one(struct stream *stream, int64_t now)
{
	int64_t sent_at = now_us(CLOCK_REALTIME);
	uint8_t buf[SIZE] = {0};
	uint32_t word = htonl(MAGIC);

	memcpy(buf, &word, 4);
	word = htonl(stream->interval);
	memcpy(buf + 4, &word, 4);
	memcpy(buf + 8, &stream->sequence, 8);
	memcpy(buf + 16, stream->name, NAME);
	memcpy(buf + 16 + NAME, &sent_at, 8);
	stream->sequence++;
	/* A refused packet (no route) is a lost one: the sequence went on. */
	if (sendto(stream->fd, buf, sizeof(buf), 0, (struct sockaddr *)&stream->to, stream->to_size) < 0)
		stream->errors++;
	if (stream->last_sent && now - stream->last_sent > stream->send_gap)
		stream->send_gap = now - stream->last_sent;
	stream->last_sent = now;
	stream->next += stream->interval;
}

static void sleep_until(int timer, int64_t at)
{
	struct itimerspec spec = {.it_value = {.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000}};

	if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL))
		die("timerfd_settime");
}

static void send_until(int64_t end)
{
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct pollfd fds[2] = {{.fd = stop_fd(), .events = POLLIN}, {.fd = timer, .events = POLLIN}};
	int64_t start = now_us(CLOCK_MONOTONIC) + 1000;

	for (unsigned i = 0; i < nstreams; i++)
		streams[i].next = start;
	for (;;) {
		int64_t next = end, now;

		for (unsigned i = 0; i < nstreams; i++)
			next = streams[i].next < next ? streams[i].next : next;
		sleep_until(timer, next);
		if (poll(fds, 2, -1) < 0)
			die("poll");
		now = now_us(CLOCK_MONOTONIC);
		if (fds[0].revents || now >= end)
			break;
		for (unsigned i = 0; i < nstreams; i++)
			while (streams[i].next <= now)
				send_one(&streams[i], now);
	}
	for (unsigned i = 0; i < nstreams; i++)
		printf("%s{\"name\": \"%s\", \"sent\": %" PRIu64 ", \"errors\": %" PRIu64
		       ", \"send-gap-ms\": %.3f}",
		       i ? ",\n " : "[", streams[i].name, streams[i].sequence, streams[i].errors,
		       (double)streams[i].send_gap / 1000);
	printf("]\n");
}

static struct stream *find_stream(const uint8_t *buf)
{
	struct stream *stream;
	uint32_t interval;

	for (unsigned i = 0; i < nstreams; i++)
		if (!memcmp(streams[i].name, buf + 16, NAME))
			return &streams[i];
	if (nstreams == STREAMS || buf[16 + NAME - 1])
		return NULL;
	stream = &streams[nstreams++];
	memcpy(stream->name, buf + 16, NAME);
	memcpy(&interval, buf + 4, 4);
	stream->interval = ntohl(interval);
	return stream;
}

/* Returns by how much too late the packet was sent, us: that is not the network's doing. */
static int64_t note_gap(struct stream *stream, int64_t at, uint64_t lost, int64_t sent_at)
{
	int64_t length = at - stream->last;
	int64_t late = sent_at - stream->last_sent_at - (int64_t)(lost + 1) * stream->interval;

	if (late < 0)
		late = 0;
	length -= late;
	if (length > stream->largest) {
		stream->largest = length;
		stream->largest_from = stream->last;
		stream->largest_lost = lost;
	}
	if (lost && stream->ngaps < GAPS)
		stream->gaps[stream->ngaps++] = (struct gap){stream->last, length, lost};
	return late;
}

static void note_way(struct stream *stream, int64_t at, unsigned interface, int64_t late)
{
	if (!stream->nways || stream->ways[stream->nways - 1].interface != interface) {
		if (stream->nways == WAYS)
			return;
		stream->ways[stream->nways++] = (struct way){
			.interface = interface, .from = at, .late = late};
	}
	stream->ways[stream->nways - 1].to = at;
}

static void take_packet(const uint8_t *buf, ssize_t size, int64_t at, unsigned interface)
{
	struct stream *stream;
	uint32_t magic;
	uint64_t sequence;
	int64_t sent_at, late = 0;

	if (size != SIZE)
		return;
	memcpy(&magic, buf, 4);
	if (magic != htonl(MAGIC) || !(stream = find_stream(buf)))
		return;
	memcpy(&sequence, buf + 8, 8);
	memcpy(&sent_at, buf + 16 + NAME, 8);
	if (!stream->received++) {
		stream->first = at;
		stream->first_sequence = sequence;
	} else if (sequence <= stream->last_sequence) {
		stream->reordered++;
		return;
	} else {
		late = note_gap(stream, at, sequence - stream->last_sequence - 1, sent_at);
	}
	note_way(stream, at, interface, late);
	stream->last = at;
	stream->last_sent_at = sent_at;
	stream->last_sequence = sequence;
}

static void read_dry(int fd)
{
	for (;;) {
		uint8_t buf[SIZE + 1];
		_Alignas(struct cmsghdr) char control[128];
		struct iovec iov = {buf, sizeof(buf)};
		struct msghdr msg = {.msg_iov = &iov,
				     .msg_iovlen = 1,
				     .msg_control = control,
				     .msg_controllen = sizeof(control)};
		ssize_t size = recvmsg(fd, &msg, 0);
		struct in6_pktinfo info = {0};
		struct timespec ts = {0};

		if (size < 0)
			return;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
			if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
				memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO)
				memcpy(&info, CMSG_DATA(c), sizeof(info));
		}
		take_packet(buf, size, (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000, info.ipi6_ifindex);
	}
}

static void print_received(int64_t end)
{
	printf("[");
	for (unsigned i = 0; i < nstreams; i++) {
		const struct stream *s = &streams[i];

		printf("%s{\"name\": \"%s\", \"interval-us\": %u, \"received\": %" PRIu64
		       ", \"lost\": %" PRIu64 ", \"reordered\": %" PRIu64 ",\n  \"first-us\": %" PRId64
		       ", \"last-us\": %" PRId64
		       ", \"silent-at-end-ms\": %.3f,\n  \"largest-gap-ms\": %.3f, \"gap-from-us\": %" PRId64
		       ", \"gap-lost\": %" PRIu64 ",\n  \"gaps\": [",
		       i ? ",\n " : "", s->name, s->interval, s->received,
		       s->last_sequence - s->first_sequence + 1 - s->received + s->reordered, s->reordered,
		       s->first, s->last, (double)(end - s->last) / 1000, (double)s->largest / 1000,
		       s->largest_from, s->largest_lost);
		for (unsigned g = 0; g < s->ngaps; g++)
			printf("%s{\"from-us\": %" PRId64 ", \"ms\": %.3f, \"lost\": %" PRIu64 "}",
			       g ? ", " : "", s->gaps[g].from, (double)s->gaps[g].length / 1000,
			       s->gaps[g].lost);
		printf("],\n  \"ways\": [");
		for (unsigned w = 0; w < s->nways; w++) {
			char interface[IF_NAMESIZE] = "";

			if_indextoname(s->ways[w].interface, interface);
			printf("%s{\"interface\": \"%s\", \"late-ms\": %.3f, \"from-us\": %" PRId64
			       ", \"to-us\": %" PRId64 "}",
			       w ? ", " : "", interface, (double)s->ways[w].late / 1000, s->ways[w].from,
			       s->ways[w].to);
		}
		printf("]}");
	}
	printf("]\n");
}

static void receive(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), one = 1, zero = 0, room = 4 << 20;
	struct pollfd fds[2] = {{.fd = stop_fd(), .events = POLLIN}, {.fd = fd, .events = POLLIN}};

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)))
		die("receiving socket");
	do {
		if (poll(fds, 2, -1) < 0)
			die("poll");
		read_dry(fd);
	} while (!fds[0].revents);
	print_received(now_us(CLOCK_REALTIME));
}

int main(int argc, char **argv)
{
	int64_t end = INT64_MAX;
	bool sending = argc > 1 && !strcmp(argv[1], "send");
	int c;

	if (!sending && (argc < 2 || strcmp(argv[1], "recv"))) {
		fprintf(stderr,
			"usage: voice send|recv [-f PRIORITY] [-t SECONDS] [NAME,ADDRESS,INTERVAL-US...]\n");
		return 2;
	}
	optind = 2;
	while ((c = getopt(argc, argv, "f:t:")) != -1) {
		if (c == 'f')
			be_realtime(atoi(optarg));
		else if (c == 't')
			end = now_us(CLOCK_MONOTONIC) + (int64_t)(atof(optarg) * 1e6);
		else
			return 2;
	}
	if (!sending) {
		receive();
		return 0;
	}
	for (int i = optind; i < argc; i++)
		add_stream(argv[i]);
	send_until(end);
	return 0;
}
