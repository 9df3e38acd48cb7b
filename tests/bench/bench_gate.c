/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_gate [PACKETS]    what the gate's program costs for a packet, in nanoseconds, as the kernel measures
 * it (the measuring included), and what a packet costs in all that is sent over loopback and
 *                         maybe read: this process's CPU time
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/table.h"
#include "io/gate.h"
#include "io/udp.h"

#define BATCH 64

static struct udp *udp;
static struct gate *gate;
static unsigned long count = 200000, heard;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (ioctl(fd, SIOCSIFFLAGS, &request))
		die("loopback");
	close(fd);
}

static void on_packet(void *context, const uint8_t *data, size_t size, const struct table_origin *origin,
		      usec_t stamp)
{
	heard++;
}

static struct bpf_prog_info program_info(void)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (gate && bpf_obj_get_info_by_fd(gate_program(gate), &info, &size))
		die("bpf_obj_get_info_by_fd");
	return info;
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void measure(const char *what, int fd, const uint8_t data[PACKET_SIZE])
{
	struct bpf_prog_info before = program_info(), after;
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(3784), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	double begin = cpu_ns(), end;

	heard = 0;
	for (unsigned long i = 0; i < count; i++) {
		if (sendto(fd, data, PACKET_SIZE, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			die("sendto");
		if (i % BATCH == 0)
			udp_receive(udp, on_packet, NULL);
	}
	udp_receive(udp, on_packet, NULL);
	end = cpu_ns();
	after = program_info();
	printf("%-28s", what);
	if (after.run_cnt > before.run_cnt)
		printf("%6.0f ns in the program", (double)(after.run_time_ns - before.run_time_ns) /
							  (double)(after.run_cnt - before.run_cnt));
	else
		printf("%24s", "");
	printf("%8.0f ns in all, %lu of %lu read\n", (end - begin) / (double)count, heard, count);
}

static struct session session_here(void)
{
	struct session session = {.local_discr = table_discr(1, 0x12340000), .slot = 1};

	addr_parse(&session.key.peer, "127.0.0.1");
	addr_parse(&session.key.local, "127.0.0.1");
	session.key.ifindex = if_nametoindex("lo");
	return session;
}

int main(int argc, char **argv)
{
	struct packet packet = {.state = BFD_UP, .detect_mult = 3, .my_discr = 7};
	uint8_t steady[PACKET_SIZE], garbage[PACKET_SIZE];
	int fd, ttl = 255, stats;
	struct session session;
	char error[256];

	if (argc > 1)
		count = strtoul(argv[1], NULL, 10);
	if (unshare(CLONE_NEWNET))
		die("unshare");
	loopback_up();
	udp = udp_open(error, sizeof(error));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	session = session_here();
	packet.your_discr = session.local_discr;
	packet_encode(&packet, steady);
	packet.your_discr ^= 0x10000;
	packet_encode(&packet, garbage);
	if (!udp)
		die(error);

	measure("no gate", fd, steady);
	gate = gate_open(error, sizeof(error));
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (!gate || gate_attach(gate, udp_fd(udp, 0)) || stats < 0)
		die(gate ? "gate" : error);
	gate_session(gate, &session);
	gate_arm(gate, session.slot, steady);
	measure("steady", fd, steady);
	measure("unknown discriminator", fd, garbage);
	close(stats);
	gate_close(gate);
	udp_close(udp);
	return 0;
}
