/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real-time scheduling and locked memory, asked for and told about, never insisted on. */
#ifndef RT_H
#define RT_H

#include <stdatomic.h>
#include <stdbool.h>

#define RT_PERIOD_US 4000 /* of SCHED_DEADLINE */

enum rt_class { RT_UNKNOWN, RT_DEADLINE, RT_FIFO, RT_ORDINARY };

struct rt_thread {
	char name[16];
	bool wanted;
	int priority;	     /* SCHED_FIFO's */
	bool deadline;	     /* SCHED_DEADLINE first */
	unsigned runtime_us; /* its budget in each RT_PERIOD_US */
	atomic_int got;	     /* enum rt_class, once the thread runs */
};

/*
 * Call in the new thread with its struct rt_thread: names it, keeps signals for the main thread, and takes
 * SCHED_DEADLINE or SCHED_FIFO as it is granted, else goes on as it is.
 *
 * A real-time hog, even below our priority, strikes the whole FIFO class for 50 ms each second, but not the
 * deadline class. What strikes that one is its budget: the kernel ends a turn that takes too long at its
 * clock tick only (4 ms), or not at all inside the kernel, and the excess is paid back by waiting, 10 ms for
 * 3 ms at a budget of 0.3 ms in 1 ms. So the period is longer than our turns and the budget half of it, and
 * what other deadline threads do not use is reclaimed (SCHED_FLAG_RECLAIM): excess then costs little more
 * than itself.
 */
void rt_thread_start(void *thread);
/* Before anything large is allocated: each such piece is mapped by itself, and goes back to the system when
 * it is freed. Left alone malloc() learns from the first ones, which a configuration file takes while it is
 * read, to put them all into the heap, where later and smaller ones hold on to them. */
void rt_return_memory(void);
/* 0, or -errno: nothing is locked then. Pages are locked as they are touched. */
int rt_lock_memory(void);
const char *rt_class_name(enum rt_class class);

#endif
