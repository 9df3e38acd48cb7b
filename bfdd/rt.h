/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real-time scheduling and locked memory, asked for and told about, never insisted on. */
#ifndef RT_H
#define RT_H

#include <stdatomic.h>
#include <stdbool.h>

enum rt_class { RT_UNKNOWN, RT_DEADLINE, RT_FIFO, RT_ORDINARY };

struct rt_thread {
	char name[16];
	bool wanted;
	int priority;	     /* SCHED_FIFO's */
	bool deadline;	     /* SCHED_DEADLINE first */
	unsigned runtime_us; /* its budget in each millisecond */
	atomic_int got;	     /* enum rt_class, once the thread runs */
};

/*
 * Call in the new thread with its struct rt_thread: names it, keeps signals for the main thread, and takes
 * SCHED_FIFO, else goes on as it is. SCHED_DEADLINE is for who asks: a real-time hog below our priority
 * strikes the whole FIFO class for 50 ms each second, but not the deadline class. That one is struck where a
 * hypervisor steals time: the thread pays for what was stolen while it ran out of its budget, several times
 * over at a small budget.
 */
void rt_thread_start(void *thread);
/* 0, or -errno: nothing is locked then. Pages are locked as they are touched. */
int rt_lock_memory(void);
const char *rt_class_name(enum rt_class class);

#endif
