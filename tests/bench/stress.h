/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of `stress` share. The program under test lives in the near namespace; `stress` is the other
 * end of its sessions (far), watches the near end's interface (capture), and watches whether the processors
 * run at all (still). All times are nanoseconds of CLOCK_REALTIME, as the kernel stamped them.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MS 1000000ll
#define INTERVAL (10 * MS)
#define MULTIPLIER 3
#define DETECTION (MULTIPLIER * INTERVAL)
#define BFD_PORT 3784
#define FLOOD_SOURCE 40000 /* the port that tells the flood from sessions, whose ports begin at 49152 */
#define FAR_SOURCE 50000
#define SESSIONS_MAX 250

enum { STATE_ADMIN_DOWN, STATE_DOWN, STATE_INIT, STATE_UP };
enum { DIAG_EXPIRED = 1, DIAG_NEIGHBOR = 3 };

/* A packet at the near end's interface. */
struct record {
	int64_t at;
	uint16_t session;
	bool incoming; /* to the program under test */
	uint8_t state, diag;
};

/* A time in which a processor did not run. */
struct standstill {
	int64_t from, to;
	int cpu;
};

struct capture {
	struct record *records;
	size_t count, room;
	uint64_t lost; /* packets that the kernel had no place for; anything but 0 makes the result void */
	int fd;
};

struct still {
	struct standstill *list; /* from still_judge() */
	size_t count;
	int64_t late; /* of a thread under SCHED_FIFO 99, at most */
	int ncpus;
	struct still_cpu *cpus;
};

struct far_stats {
	int up;		 /* sessions at this moment */
	int64_t late;	 /* the largest delay of a tick of its own */
	bool deadline;	 /* SCHED_DEADLINE was had */
	uint64_t errors; /* of sendmmsg */
};

int64_t now_ns(void);
struct msghdr;
/* When the kernel received it; now, if it does not say. */
int64_t stamp(struct msghdr *message);
void die(const char *what) __attribute__((noreturn));
/* Puts the calling thread into the network namespace. */
void enter(const char *netns);
uint32_t near_address(unsigned session); /* network byte order */
uint32_t far_address(unsigned session);
/* 0 or -1: SCHED_DEADLINE with what the others leave of the processor. */
int take_deadline(int64_t runtime, int64_t period);

/* stress_far.c: a thread of its own, which ends with the process */
void far_start(const char *netns, unsigned nsessions);
void far_stats(struct far_stats *stats);

/* stress_capture.c; ROOM: records */
void capture_open(struct capture *capture, const char *netns, const char *interface, size_t room);
void capture_drain(struct capture *capture);

/* stress_still.c */
void still_open(struct still *still);
void still_drain(struct still *still); /* now and then */
/* What happened since SINCE. */
void still_judge(struct still *still, int64_t since);

/* stress_judge.c: the verdict as a JSON object; returns how many Downs are the program's own. */
struct judgement {
	const struct capture *capture;
	const struct still *still;
	unsigned nsessions;
	int64_t from, to;
	struct far_stats far;
};
unsigned judge(const struct judgement *judgement, FILE *out);

/* stress_flood.c: until SIGTERM; then says how many packets a second it sent. */
int flood_main(const char *nsessions);

#endif
