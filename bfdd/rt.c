/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rt.h"

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif
#define FLAG_RESET_ON_FORK 1
#define FLAG_RECLAIM 2
#define MALLOC_LARGE (128 << 10) /* bytes */

/* linux/sched/types.h collides with glibc's sched.h. */
struct deadline_attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period; /* ns */
};

/* Others may have been promised most of the processors: then half as much, or half of that. */
static bool take_deadline(unsigned runtime_us)
{
	struct deadline_attr attr = {
		.size = sizeof(attr),
		.policy = SCHED_DEADLINE,
		.flags = FLAG_RESET_ON_FORK | FLAG_RECLAIM,
		.deadline = RT_PERIOD_US * 1000ull,
		.period = RT_PERIOD_US * 1000ull,
	};

	for (unsigned part = 1; part <= 4; part *= 2) {
		attr.runtime = runtime_us * 1000ull / part;
		if (!syscall(SYS_sched_setattr, 0, &attr, 0))
			return true;
		if (errno != EBUSY)
			break;
	}
	return false;
}

void rt_thread_start(void *context)
{
	struct rt_thread *thread = context;
	struct sched_param param = {.sched_priority = thread->priority};
	enum rt_class got = RT_ORDINARY;
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	pthread_setname_np(pthread_self(), thread->name);
	if (thread->wanted && thread->deadline && take_deadline(thread->runtime_us))
		got = RT_DEADLINE;
	else if (thread->wanted && !sched_setscheduler(0, SCHED_FIFO, &param))
		got = RT_FIFO;
	atomic_store(&thread->got, got);
}

void rt_return_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, MALLOC_LARGE);
	mallopt(M_TRIM_THRESHOLD, MALLOC_LARGE);
}

int rt_lock_memory(void)
{
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ? -errno : 0;
}

const char *rt_class_name(enum rt_class class)
{
	switch (class) {
	case RT_DEADLINE:
		return "deadline";
	case RT_FIFO:
		return "fifo";
	case RT_ORDINARY:
		return "ordinary";
	case RT_UNKNOWN:
		break;
	}
	return "unknown";
}
