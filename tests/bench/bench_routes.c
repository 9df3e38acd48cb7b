/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_routes 4|6: counts what the kernel tells of routes set in the main table, by the device they leave
 * by, until SIGTERM. Whenever it has been quiet for 100 ms, and at the end, prints a line: { "overruns": how
 * often some were lost, "DEVICE": { "set": how many, "last-us": Unix time of the last }, ... }
 *
 * It looks once a millisecond, which is what its times are good for, and does next to nothing for each
 * message: on a machine with few processors a reader that wakes up for each route slows down the daemon that
 * sets them.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEVICES 256
#define BATCH 64
#define QUIET_MS 100
#define BUSY_US 500000

static struct device {
	uint64_t set;
	int64_t last, lost; /* us */
} devices[DEVICES];
static uint64_t overruns;

static void die(const char *what)
{
	fprintf(stderr, "bench_routes: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int routes_open(bool six)
{
	struct sockaddr_nl us = {.nl_family = AF_NETLINK,
				 .nl_groups = RTMGRP_LINK | (six ? RTMGRP_IPV6_ROUTE : RTMGRP_IPV4_ROUTE)};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), room = 256 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&us, sizeof(us)))
		die("netlink socket");
	return fd;
}

/* Of a path: a lone one in the message itself; of several only the first counts. */
static unsigned device_of(struct rtattr *attribute, int left)
{
	unsigned device = 0;

	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		if (attribute->rta_type == RTA_OIF && RTA_PAYLOAD(attribute) == sizeof(device))
			memcpy(&device, RTA_DATA(attribute), sizeof(device));
		else if (attribute->rta_type == RTA_MULTIPATH &&
			 RTA_PAYLOAD(attribute) >= sizeof(struct rtnexthop))
			return (unsigned)((struct rtnexthop *)RTA_DATA(attribute))->rtnh_ifindex;
	return device;
}

static void take_link(struct nlmsghdr *message, int64_t at)
{
	struct ifinfomsg *link = NLMSG_DATA(message);

	if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*link)) || link->ifi_index <= 0 ||
	    link->ifi_index >= DEVICES)
		return;
	if (!(link->ifi_flags & IFF_RUNNING) && !devices[link->ifi_index].lost)
		devices[link->ifi_index].lost = at;
}

static void take(struct nlmsghdr *message, int64_t at)
{
	struct rtmsg *route = NLMSG_DATA(message);
	unsigned device;

	if (message->nlmsg_type == RTM_NEWLINK)
		take_link(message, at);
	if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof(*route)) ||
	    route->rtm_table != RT_TABLE_MAIN)
		return;
	device = device_of(RTM_RTA(route), (int)RTM_PAYLOAD(message));
	if (device >= DEVICES)
		return;
	devices[device].set++;
	devices[device].last = at;
}

/* Whether there was any. */
static bool read_dry(int fd)
{
	static _Alignas(struct nlmsghdr) char data[BATCH][4096];
	struct iovec parts[BATCH];
	struct mmsghdr messages[BATCH];
	bool any = false;

	for (;;) {
		int64_t at = now_us();
		int got;

		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){data[i], sizeof(data[i])};
			messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
		}
		got = recvmmsg(fd, messages, BATCH, 0, NULL);
		if (got < 0 && errno == EAGAIN)
			return any;
		if (got < 0 && errno == ENOBUFS)
			overruns++;
		else if (got < 0)
			die("netlink");
		for (int i = 0; i < got; i++) {
			unsigned left = messages[i].msg_len;

			for (struct nlmsghdr *m = (struct nlmsghdr *)data[i]; NLMSG_OK(m, left);
			     m = NLMSG_NEXT(m, left))
				take(m, at);
		}
		any = true;
	}
}

static void tell(void)
{
	char name[IF_NAMESIZE];

	printf("{\"overruns\": %" PRIu64, overruns);
	for (unsigned i = 1; i < DEVICES; i++)
		if ((devices[i].set || devices[i].lost) && if_indextoname(i, name))
			printf(", \"%s\": {\"set\": %" PRIu64 ", \"last-us\": %" PRId64
			       ", \"carrier-lost-us\": %" PRId64 "}",
			       name, devices[i].set, devices[i].last, devices[i].lost);
	printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct timespec nap = {.tv_nsec = 1000000};
	struct pollfd fds[2] = {{.events = POLLIN}, {.events = POLLIN}};
	int64_t told = 0;
	bool untold = false;
	sigset_t set;

	if (argc != 2 || (strcmp(argv[1], "4") && strcmp(argv[1], "6"))) {
		fputs("usage: bench_routes 4|6\n", stderr);
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fds[0].fd = signalfd(-1, &set, SFD_NONBLOCK);
	fds[1].fd = routes_open(argv[1][0] == '6');
	do {
		int ready = poll(fds, 2, untold ? QUIET_MS : -1);

		if (ready < 0)
			die("poll");
		untold |= read_dry(fds[1].fd);
		if (untold && (!ready || now_us() - told >= BUSY_US)) {
			tell();
			told = now_us();
			untold = false;
		}
		nanosleep(&nap, NULL);
	} while (!fds[0].revents);
	tell();
	return 0;
}
