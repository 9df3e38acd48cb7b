/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steering thread: carries the policy's actions out in the kernel, because a netlink request runs in its
 * caller and may wait for the kernel's routing lock. Orders come from the engine's thread, reports go to the
 * main thread.
 */
#ifndef NETLINK_STEER_H
#define NETLINK_STEER_H

#include "core/usec.h"
#include "netlink/mark.h"
#include "netlink/objects.h"

struct steer;

/* What the indices in orders mean. Built by the main thread; read by the steering thread only, from its
 * STEER_MAP order until the report of STEER_RETIRE that hands it back. */
struct steer_group {
	uint32_t id;
	unsigned nmembers;
	struct object_nexthop members[OBJECTS_MEMBERS]; /* ifindex 0: not resolved, never to be attached */
};

struct steer_map {
	unsigned ngroups, nrules;
	struct steer_group *groups;
	struct object_rule *rules;
};

/*
 * STEER_DETACH    takes GROUP's MEMBER out of the kernel, and so out of its group.
 * STEER_GROUP     makes GROUP consist of the members in MASK; those without an interface, and those that the
 *                 kernel refuses, are left out (see the report's attached).
 * STEER_RULE_DEL, STEER_RULE_ADD   RULE.
 * STEER_LOWER     the deletions before it are done: MASK's bits of the mark are lowered. Not reported.
 * STEER_MAP       MAP is in force from here on; nothing is made or removed.
 * STEER_RETIRE    what only the map before had is removed. Given behind the orders that build the new, so
 * that traffic always has where to go.
 */
enum steer_kind {
	STEER_DETACH,
	STEER_GROUP,
	STEER_RULE_DEL,
	STEER_RULE_ADD,
	STEER_LOWER,
	STEER_MAP,
	STEER_RETIRE
};

struct steer_order {
	uint8_t kind; /* enum steer_kind; the first four are enum policy_action_kind's */
	uint8_t member;
	uint16_t group, rule, way;
	uint64_t mask;
	usec_t detected; /* when the engine knew: passed on to the report */
	struct steer_map *map;
};

struct steer_report {
	/* Of STEER_RETIRE: with the earlier map (NULL at first), the receiver's to free. */
	struct steer_order order;
	int error;	   /* 0 or -errno; what is gone already was not an error to delete */
	uint64_t attached; /* STEER_GROUP: the members that the kernel's group has now */
	usec_t held;	   /* when the kernel had it, or traffic had left by the mark already */
};

struct steer_config {
	struct object_range range;
	struct mark *mark;		     /* the caller's; NULL: plain failover only */
	void (*thread_start)(void *context); /* called first in the thread; may be NULL */
	void *thread_context;
};

struct steer *steer_create(const struct steer_config *config, char *error, size_t size);
int steer_start(struct steer *steer); /* 0 or -errno */
/* After the engine has stopped. Orders queued are carried out first; their reports wait to be polled. Returns
 * the map in force, now the caller's, as is one that was never retired. */
struct steer_map *steer_stop(struct steer *steer);
void steer_free(struct steer *steer);

/* Engine's thread. Copies ORDER; false when the ring is full: some places are kept for STEER_MAP and
 * STEER_RETIRE. */
bool steer_order(struct steer *steer, const struct steer_order *order);
void steer_flush(struct steer *steer);	      /* wakes the thread */
bool steer_adding(const struct steer *steer); /* some STEER_RULE_ADD is not carried out yet */

/* Main thread, when the fd is readable. Returns how many reports found the ring full since the last call
 * (never one of STEER_MAP or STEER_RETIRE): not 0, check all of ours. */
int steer_report_fd(const struct steer *steer);
unsigned steer_poll_reports(struct steer *steer, void (*fn)(void *context, const struct steer_report *report),
			    void *context);

/* Before the threads start, or after they ended; main thread. What of RANGE and our protocol is in the
 * kernel: malloc'ed arrays in SET, empty on error. 0 or -errno with a message in ERROR, as for the others. */
int steer_find(const struct object_range *range, struct object_set *set, char *error, size_t size);
/* The same without routes, of which there may be many: quick, also while the threads run. */
int steer_find_switches(const struct object_range *range, struct object_set *set, char *error, size_t size);
/* Makes the kernel's objects of RANGE the wanted ones, by plan_make(). Blocking: for start and stop. Building
 * ends at the first error, clearing away goes on. */
int steer_settle(const struct object_range *range, struct object_set *found, struct object_set *wanted,
		 char *error, size_t size);
/* Takes away everything of ours. */
int steer_remove(const struct object_range *range, char *error, size_t size);

#endif
