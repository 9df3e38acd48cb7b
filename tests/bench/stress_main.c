/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stress NEAR-NETNS FAR-NETNS INTERFACE SESSIONS SECONDS
 *
 * Speaks BFD from FAR-NETNS (10.0.128.N) with a program in NEAR-NETNS (10.0.0.N) and captures at INTERFACE
 * there. Says "ready" when all sessions are Up and have negotiated; from then on everything counts, until
 * SIGTERM, or SECONDS and some more (by which the memory is measured). Then a JSON object on standard output.
 * Exit status: 0; 3: Downs that are the program's own; 4: the sessions did not come Up; 1: it could not
 * measure.
 *
 * stress flood SESSIONS      bad packets, as fast as they go, from the namespace that it is started in
 * stress hog PRIORITY SECONDS   a loop under SCHED_FIFO; ends by itself, should nobody get through to end it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/stress.h"

#define UP_WITHIN (30 * 1000 * MS)
#define SETTLE (2 * 1000 * MS)
#define DRAIN (20 * MS)
#define RECORDS_A_SECOND 500  /* of a session, both directions; twice what is usual */
#define COLLECTOR_PRIORITY 51 /* above the hogs, below the program */
#define SCHED_DEADLINE_POLICY 6

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000 * MS + ts.tv_nsec;
}

void die(const char *what)
{
	fprintf(stderr, "stress: %s: %s\n", what, strerror(errno));
	exit(1);
}

void enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

uint32_t near_address(unsigned session)
{
	return htonl(0x0a000001 + session);
}

uint32_t far_address(unsigned session)
{
	return htonl(0x0a008001 + session);
}

int take_deadline(int64_t runtime, int64_t period)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {
		.size = sizeof(attr),
		.policy = SCHED_DEADLINE_POLICY,
		.flags = 2, /* SCHED_FLAG_RECLAIM */
		.runtime = (uint64_t)runtime,
		.deadline = (uint64_t)period,
		.period = (uint64_t)period,
	};

	return (int)syscall(SYS_sched_setattr, 0, &attr, 0);
}

static void collect(struct capture *capture, struct still *still, const sigset_t *end, int64_t until)
{
	const struct timespec pause = {.tv_nsec = DRAIN};

	while (sigtimedwait(end, NULL, &pause) < 0 && now_ns() < until) {
		capture_drain(capture);
		still_drain(still);
	}
}

/* All Up at once for SETTLE. */
static bool come_up(struct capture *capture, struct still *still, unsigned nsessions)
{
	const struct timespec pause = {.tv_nsec = DRAIN};
	int64_t begin = now_ns(), since = begin, now = begin;
	struct far_stats far;

	while (now - since < SETTLE && now - begin < UP_WITHIN) {
		nanosleep(&pause, NULL);
		capture_drain(capture);
		still_drain(still);
		now = now_ns();
		far_stats(&far);
		if (far.up != (int)nsessions)
			since = now;
	}
	return now - since >= SETTLE;
}

static int hog(int priority, unsigned seconds)
{
	struct sched_param param = {.sched_priority = priority};

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(seconds);
	for (volatile unsigned turns = 0;; turns++)
		;
}

int main(int argc, char **argv)
{
	struct sched_param param = {.sched_priority = COLLECTOR_PRIORITY};
	struct judgement judgement = {0};
	struct capture capture = {0};
	struct still still = {0};
	unsigned nsessions, seconds;
	sigset_t end;

	if (argc == 3 && !strcmp(argv[1], "flood"))
		return flood_main(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "hog"))
		return hog(atoi(argv[2]), (unsigned)atoi(argv[3]));
	if (argc != 6)
		return 2;
	nsessions = (unsigned)atoi(argv[4]);
	seconds = (unsigned)atoi(argv[5]);
	if (!nsessions || nsessions > SESSIONS_MAX || !seconds)
		return 2;
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);

	still_open(&still);
	capture_open(&capture, argv[1], argv[3], (size_t)nsessions * (seconds + 60) * RECORDS_A_SECOND);
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		die("mlockall");
	far_start(argv[2], nsessions);
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO");
	if (!come_up(&capture, &still, nsessions)) {
		far_stats(&judgement.far);
		fprintf(stderr, "stress: %d of %u sessions came Up\n", judgement.far.up, nsessions);
		return 4;
	}
	capture.count = 0;
	far_stats(&judgement.far); /* and forgets what was the latest */
	judgement.from = now_ns();
	fprintf(stderr, "ready\n");
	collect(&capture, &still, &end, judgement.from + (seconds + 50) * 1000 * MS);
	judgement.to = now_ns();
	capture_drain(&capture);
	still_drain(&still);
	still_judge(&still, judgement.from);
	if (capture.lost) {
		fprintf(stderr, "stress: the capture lost %llu packets\n", (unsigned long long)capture.lost);
		return 1;
	}
	far_stats(&judgement.far);
	judgement.capture = &capture;
	judgement.still = &still;
	judgement.nsessions = nsessions;
	return judge(&judgement, stdout) ? 3 : 0;
}
