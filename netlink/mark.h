/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fast failover: threads that take traffic off dead sites without the kernel's routing lock. Each group
 * (a site's nexthops of one family) may have a bit of the packet mark; our rules to it match only packets
 * without that bit. While a bit is raised, nf_tables gives it to packets (mark_message.h), so that they pass
 * over those rules as if they had been deleted. The deletion itself is on its way in the steering thread
 * meanwhile and may wait for the lock; then the bit is lowered again. So the kernel's state always becomes
 * that of the plain failover, and whatever goes wrong here costs time only.
 */
#ifndef NETLINK_MARK_H
#define NETLINK_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/usec.h"

#define MARK_BITS 32
#define MARK_BIT_INTERFACES 16 /* more of one bit are not told apart */

struct mark;

struct mark_config {
	uint32_t rule_priority; /* the first of our rules: names the table, so that two daemons have two */
	void (*thread_start)(void *context); /* called first in the thread; may be NULL */
	void *thread_context;
	/* The same for each thread that stands by for it, bound to a processor; NULL: there are none. */
	void (*standby_start)(void *context);
	void *standby_context;
};

/* NULL only without memory. A kernel without nf_tables shows in mark_why_not(). */
struct mark *mark_create(const struct mark_config *config);
/* A thread that cannot be started shows there, too: then all below does nothing. */
void mark_start(struct mark *mark); /* NULL is fine, as for all below */
/* Ends the thread, if it was started, and takes the table away. After the steering thread has ended. */
void mark_stop(struct mark *mark);
void mark_free(struct mark *mark);

/* Main thread. The interfaces by which traffic goes to the group with BIT (one bit): N of them, any order,
 * 0 is left out. */
void mark_interfaces(struct mark *mark, uint32_t bit, const uint32_t *interfaces, unsigned n);

/* Engine's thread: these bits' groups are dead. Each call is undone by one call of mark_lower(), which any
 * thread may make; both only count, and the second wakes. */
void mark_raise(struct mark *mark, uint32_t bits);
/* Engine's thread, after mark_raise(): wakes the threads. Behind the steering thread, which is quicker while
 * the lock is free. */
void mark_flush(struct mark *mark);
void mark_lower(struct mark *mark, uint32_t bits);
/* Since when packets carry all of BITS (one or more), or NOW if that is earlier or they do not. */
usec_t mark_moved(const struct mark *mark, uint32_t bits, usec_t now);

/* Main thread. NULL: it is in place; else why not, in BUF. */
const char *mark_why_not(const struct mark *mark, char *buf, size_t size);

/* By which nf_tables' notifications tell our changes from others' (firewall.h); 0: there are none of ours. */
uint32_t mark_port(const struct mark *mark);

/* Takes away the table of a daemon whose rules began at RULE_PRIORITY, if there is one. */
void mark_remove(uint32_t rule_priority);

#endif
