/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_transmit [SECONDS]    what a packet costs the sender, routed and as a frame, in paced batches of 11
 * and 44 (a millisecond of 550 sessions at 50 ms, and of 440 at 10 ms), over a veth pair in a network
 * namespace of its own. CPU time of the thread, the kernel's work for it included. The two ways take turns,
 * so that what else the machine does strikes both. Needs root and ip(8).
 */
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/packet.h"
#include "core/usec.h"
#include "io/frame.h"

#define BATCH_MOST 44
#define GAP 1000000 /* ns between batches */

static const char world[] =
	"ip link set lo up && ip link add x1 address 02:00:00:00:00:01 type veth peer name x2 && "
	"ip link set x2 address 02:00:00:00:00:02 up && ip link set x1 up && "
	"ip addr add 10.0.0.1/24 dev x1 && ip addr add 2001:db8::1/64 dev x1 nodad && "
	"ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev x1 && "
	"ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev x1";
static const uint8_t theirs[6] = {2, 0, 0, 0, 0, 2}, ours[6] = {2, 0, 0, 0, 0, 1};

static struct raw *raw;
static struct frame *frame;

static int64_t cpu(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* ns of CPU for one batch. */
static int64_t batch(const struct raw_path *path, unsigned count, bool framed)
{
	uint8_t payload[PACKET_SIZE] = {0x20, 0xc0, 3, PACKET_SIZE};
	int64_t begin = cpu();

	for (unsigned i = 0; i < count; i++) {
		if (framed)
			frame_send(frame, theirs, ours, path, payload, sizeof(payload));
		else
			raw_send(raw, path, payload, sizeof(payload));
	}
	if (framed)
		frame_flush(frame);
	else
		raw_flush(raw);
	return cpu() - begin;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void measure(const char *family, const struct raw_path *path, unsigned count, unsigned batches)
{
	int64_t *spent[2] = {calloc(batches, sizeof(int64_t)), calloc(batches, sizeof(int64_t))};
	double median[2];

	if (!spent[0] || !spent[1])
		exit(1);
	for (unsigned i = 0; i < batches; i++) {
		for (unsigned framed = 0; framed < 2; framed++) {
			spent[framed][i] = batch(path, count, framed);
			nanosleep(&(struct timespec){.tv_nsec = GAP}, NULL);
		}
	}
	for (unsigned framed = 0; framed < 2; framed++) {
		qsort(spent[framed], batches, sizeof(int64_t), compare);
		median[framed] = spent[framed][batches / 2] / 1000. / count;
		free(spent[framed]);
	}
	printf("%s, batches of %2u: routed %.2f us a packet, frames %.2f (%.0f %%)\n", family, count,
	       median[0], median[1], 100 * median[1] / median[0]);
}

int main(int argc, char **argv)
{
	struct raw_path v4 = {.source_port = 49152, .port = BFD_PORT_SINGLE_HOP}, v6;
	unsigned batches = (argc > 1 ? (unsigned)atoi(argv[1]) : 2) * 1000 / 8;
	char error[200];

	if (unshare(CLONE_NEWNET) || system(world) != 0) {
		fprintf(stderr, "bench_transmit: no network namespace: is this root?\n");
		return 77;
	}
	raw = raw_open(error, sizeof(error));
	frame = raw ? frame_open(error, sizeof(error)) : NULL;
	if (!frame) {
		fprintf(stderr, "bench_transmit: %s\n", error);
		return 1;
	}
	v6 = v4;
	v4.ifindex = v6.ifindex = if_nametoindex("x1");
	addr_parse(&v4.local, "10.0.0.1");
	addr_parse(&v4.peer, "10.0.0.2");
	addr_parse(&v6.local, "2001:db8::1");
	addr_parse(&v6.peer, "2001:db8::2");
	for (unsigned count = 11; count <= BATCH_MOST; count *= 4) {
		measure("IPv4", &v4, count, batches);
		measure("IPv6", &v6, count, batches);
	}
	if (raw_errors(raw) + frame_errors(frame)) {
		fprintf(stderr, "bench_transmit: the kernel refused packets\n");
		return 1;
	}
	frame_close(frame);
	raw_close(raw);
	return 0;
}
