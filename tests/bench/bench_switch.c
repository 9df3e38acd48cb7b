/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch alone, very often: the two threads of the daemon, and this one in the engine's place. A rule is
 * added, and a decision takes it away again: the time from that decision to when traffic had moved, as the
 * daemon reports it. In a network namespace that is the caller's.
 *
 *   bench_switch plain|fast ROUNDS PAUSE-US      prints one JSON object
 *   bench_switch cost                            what the tables at rest cost a packet: prints one JSON
 * object
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "netlink/mark.h"
#include "netlink/steer.h"

#define BIT 0x01000000
#define BURST 200   /* packets between two looks at the clock */
#define BURSTS 3000 /* of each kind */

static struct steer_report last;

static usec_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_switch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void be_realtime(void *context)
{
	struct sched_param param = {.sched_priority = 90};

	(void)context;
	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &param))
		fprintf(stderr, "bench_switch: no real-time scheduling\n");
}

static int compare(const void *a, const void *b)
{
	long long x = *(const usec_t *)a, y = *(const usec_t *)b;

	return (x > y) - (x < y);
}

static void take_report(void *context, const struct steer_report *report)
{
	unsigned *waiting = context;

	last = *report;
	(*waiting)--;
	if (report->error && report->order.kind != STEER_RETIRE) {
		errno = -report->error;
		die("the kernel refused");
	}
}

static void carry_out(struct steer *steer, unsigned orders)
{
	struct pollfd fds = {.fd = steer_report_fd(steer), .events = POLLIN};

	steer_flush(steer);
	while (orders && poll(&fds, 1, -1) >= 0)
		steer_poll_reports(steer, take_report, &orders);
}

static usec_t one_switch(struct steer *steer, struct mark *mark, useconds_t pause)
{
	usec_t decided;

	steer_order(steer, &(struct steer_order){.kind = STEER_RULE_ADD, .detected = now_us()});
	carry_out(steer, 1);
	usleep(pause);
	decided = now_us();
	steer_order(steer, &(struct steer_order){.kind = STEER_RULE_DEL, .detected = decided});
	if (mark) {
		mark_raise(mark, BIT);
		steer_order(steer, &(struct steer_order){.kind = STEER_LOWER, .mask = BIT});
		steer_flush(steer);
		mark_flush(mark);
	}
	carry_out(steer, 1);
	return last.held - decided;
}

static struct mark *open_mark(void)
{
	struct mark_config config = {.rule_priority = 1000, .thread_start = be_realtime};
	struct mark *mark = mark_create(&config);
	uint32_t interface = if_nametoindex("lo");
	char why[96];

	mark_start(mark);
	if (mark_why_not(mark, why, sizeof(why))) {
		fprintf(stderr, "bench_switch: %s\n", why);
		exit(1);
	}
	mark_interfaces(mark, BIT, &interface, 1);
	return mark;
}

static void measure(struct mark *mark, unsigned rounds, useconds_t pause)
{
	struct object_rule rule = {.family = AF_INET, .priority = 1000, .table = 58800, .without = BIT};
	struct steer_map map = {.nrules = 1, .rules = &rule};
	struct steer_config config = {.range = {.protocol = 158}, .mark = mark, .thread_start = be_realtime};
	usec_t *took = calloc(rounds, sizeof(*took));
	char error[128];
	struct steer *steer = steer_create(&config, error, sizeof(error));

	if (!took || !steer || steer_start(steer))
		die("steering");
	steer_order(steer, &(struct steer_order){.kind = STEER_MAP, .map = &map});
	carry_out(steer, 1);
	for (unsigned i = 0; i < rounds; i++) {
		usleep(pause);
		took[i] = one_switch(steer, mark, pause);
	}
	steer_stop(steer);
	steer_free(steer);
	qsort(took, rounds, sizeof(*took), compare);
	printf("{\"rounds\": %u, \"min\": %lld, \"median\": %lld, \"p99\": %lld, \"max\": %lld}\n", rounds,
	       (long long)took[0], (long long)took[rounds / 2], (long long)took[rounds * 99 / 100],
	       (long long)took[rounds - 1]);
	free(took);
}

/* Packets of the host's own over the loopback: output and prerouting. The best of many
 * bursts, in turn with and without the table, so that a busy machine hurts both alike. */
static double burst(int fd)
{
	char packet[172] = {0};
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (unsigned i = 0; i < BURST; i++)
		if (send(fd, packet, sizeof(packet), 0) < 0 && errno != ECONNREFUSED)
			die("send");
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / BURST;
}

static void measure_cost(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), sink = socket(AF_INET, SOCK_DGRAM, 0), tiny = 1;
	double without = 1e9, with = 1e9;

	setsockopt(sink, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny));
	if (bind(sink, (struct sockaddr *)&to, sizeof(to)) || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("sockets");
	for (unsigned turn = 0; turn < 10; turn++) {
		struct mark *mark = turn % 2 ? open_mark() : NULL;

		for (unsigned i = 0; i < BURSTS / 5; i++) {
			double ns = burst(fd);

			if (mark)
				with = ns < with ? ns : with;
			else
				without = ns < without ? ns : without;
		}
		mark_stop(mark);
		mark_free(mark);
	}
	printf("{\"without\": %.1f, \"with\": %.1f, \"hooks\": 2}\n", without, with);
}

int main(int argc, char **argv)
{
	bool fast = argc == 4 && !strcmp(argv[1], "fast");
	struct mark *mark = NULL;

	if (argc == 2 && !strcmp(argv[1], "cost")) {
		measure_cost();
		return 0;
	}
	if (argc != 4 || (!fast && strcmp(argv[1], "plain")) || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: bench_switch plain|fast ROUNDS PAUSE-US | cost\n");
		return 2;
	}
	be_realtime(NULL);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	if (fast)
		mark = open_mark();
	measure(mark, (unsigned)atoi(argv[2]), (useconds_t)atoi(argv[3]));
	mark_stop(mark);
	mark_free(mark);
	return 0;
}
