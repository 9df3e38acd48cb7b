/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/steer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/ring.h"
#include "netlink/apply.h"

#define ORDERS 16384 /* all rules at once, twice */
#define REPORTS 4096
/* Only the main thread makes maps, and it reads the reports: there are never this many on the way. */
#define KEPT_FOR_MAPS 64

struct steer {
	struct steer_config config;
	struct netlink *nl;
	pthread_t thread;
	atomic_bool stopping;
	atomic_uint lost;   /* reports */
	atomic_uint adding; /* STEER_RULE_ADDs queued and not carried out */
	int wake_fd, report_fd;

	/* the thread's own */
	struct steer_map *map, *old; /* in force; to be retired */

	struct ring orders, reports;
	struct steer_order order_items[ORDERS];
	struct steer_report report_items[REPORTS];
};

static usec_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

static void wake(int fd)
{
	uint64_t one = 1;

	/* Can only fail when 2^64 wake-ups wait already. */
	(void)!write(fd, &one, sizeof(one));
}

static int carry_detach(struct steer *steer, const struct steer_order *order)
{
	const struct steer_group *group = &steer->map->groups[order->group];

	if (order->member >= group->nmembers)
		return -EINVAL;
	return apply_nexthop_del(steer->nl, group->members[order->member].id);
}

static void member_insert(struct object_group *group, uint32_t id)
{
	unsigned i = group->nmembers++;

	for (; i && group->members[i - 1] > id; i--)
		group->members[i] = group->members[i - 1];
	group->members[i] = id;
}

static int make_group(struct steer *steer, const struct steer_group *group, uint64_t mask, uint64_t *attached)
{
	struct object_group wanted = {.id = group->id};
	uint8_t protocol = steer->config.range.protocol;
	int first = 0, err;

	*attached = 0;
	for (unsigned i = 0; i < group->nmembers; i++) {
		if (!(mask >> i & 1) || !group->members[i].ifindex)
			continue;
		err = apply_nexthop_set(steer->nl, protocol, &group->members[i]);
		if (!err) {
			member_insert(&wanted, group->members[i].id);
			*attached |= UINT64_C(1) << i;
		} else if (!first) {
			first = err;
		}
	}
	err = wanted.nmembers ? apply_group_set(steer->nl, protocol, &wanted) : -ENODEV;
	if (err)
		*attached = 0;
	return first ? first : err;
}

static int carry_group(struct steer *steer, const struct steer_order *order, uint64_t *attached)
{
	const struct steer_group *group = &steer->map->groups[order->group];
	int err = make_group(steer, group, order->mask, attached);

	/* A member went with its carrier between the two requests: once more, without it. */
	if (err == -EINVAL && !*attached)
		err = make_group(steer, group, order->mask, attached);
	return err;
}

/* The three below look at the same place first: a reload seldom changes the order of things. */
static bool has_rule(const struct steer_map *map, const struct object_rule *rule, unsigned place)
{
	if (place < map->nrules && !object_rule_compare(&map->rules[place], rule))
		return true;
	for (unsigned i = 0; i < map->nrules; i++)
		if (!object_rule_compare(&map->rules[i], rule))
			return true;
	return false;
}

static bool has_group(const struct steer_map *map, uint32_t id, unsigned place)
{
	if (place < map->ngroups && map->groups[place].id == id)
		return true;
	for (unsigned i = 0; i < map->ngroups; i++)
		if (map->groups[i].id == id)
			return true;
	return false;
}

/* Another gateway or interface is a replacement, which traffic survives; another family is none. */
static bool replaces(const struct object_nexthop *nexthop, const struct object_nexthop *old)
{
	return nexthop->id == old->id && nexthop->ifindex && nexthop->gateway.family == old->gateway.family;
}

static bool has_member(const struct steer_map *map, const struct object_nexthop *old, unsigned place,
		       unsigned member)
{
	if (place < map->ngroups && member < map->groups[place].nmembers &&
	    replaces(&map->groups[place].members[member], old))
		return true;
	for (unsigned i = 0; i < map->ngroups; i++)
		for (unsigned m = 0; m < map->groups[i].nmembers; m++)
			if (replaces(&map->groups[i].members[m], old))
				return true;
	return false;
}

/* OLD may never have been told to stand. A request without a mark would then hit the one that stands in its
 * place, for as long as it takes to put that back. */
static int clear_rule(struct steer *steer, const struct steer_map *map, const struct object_rule *old)
{
	uint8_t protocol = steer->config.range.protocol;
	bool taken = false;

	for (unsigned i = 0; i < map->nrules && !old->without && !taken; i++)
		taken = object_rule_same_place(&map->rules[i], old);
	if (taken) {
		int found = apply_rule_find(steer->nl, protocol, old);

		if (found <= 0)
			return found;
	}
	return apply_rule_del(steer->nl, protocol, old);
}

/* Removes what MAP lacks of OLD. */
static int clear(struct steer *steer, const struct steer_map *old, const struct steer_map *map)
{
	int first = 0, err;

	for (unsigned i = 0; i < old->nrules; i++) {
		err = has_rule(map, &old->rules[i], i) ? 0 : clear_rule(steer, map, &old->rules[i]);
		first = first ? first : err;
	}
	for (unsigned i = 0; i < old->ngroups; i++) {
		err = has_group(map, old->groups[i].id, i) ? 0
							   : apply_nexthop_del(steer->nl, old->groups[i].id);
		first = first ? first : err;
	}
	for (unsigned i = 0; i < old->ngroups; i++) {
		for (unsigned m = 0; m < old->groups[i].nmembers; m++) {
			const struct object_nexthop *member = &old->groups[i].members[m];

			err = has_member(map, member, i, m) ? 0 : apply_nexthop_del(steer->nl, member->id);
			first = first ? first : err;
		}
	}
	return first;
}

static int carry_map(struct steer *steer, const struct steer_order *order)
{
	steer->old = steer->map;
	steer->map = order->map;
	return 0;
}

static int carry_retire(struct steer *steer, struct steer_order *order)
{
	order->map = steer->old;
	steer->old = NULL;
	return order->map ? clear(steer, order->map, steer->map) : 0;
}

static int carry_out(struct steer *steer, struct steer_order *order, uint64_t *attached)
{
	const struct steer_map *map = steer->map;
	uint8_t protocol = steer->config.range.protocol;

	if (order->kind == STEER_LOWER) {
		mark_lower(steer->config.mark, (uint32_t)order->mask);
		return 0;
	}
	if (order->kind == STEER_MAP)
		return carry_map(steer, order);
	if (order->kind == STEER_RETIRE)
		return carry_retire(steer, order);
	if (order->kind == STEER_DETACH && map && order->group < map->ngroups)
		return carry_detach(steer, order);
	if (order->kind == STEER_GROUP && map && order->group < map->ngroups)
		return carry_group(steer, order, attached);
	if (order->kind == STEER_RULE_DEL && map && order->rule < map->nrules)
		return apply_rule_del(steer->nl, protocol, &map->rules[order->rule]);
	if (order->kind == STEER_RULE_ADD && map && order->rule < map->nrules)
		return apply_rule_add(steer->nl, protocol, &map->rules[order->rule]);
	return -EINVAL;
}

/* The mark may have been quicker; it may also have stood since an earlier decision. */
static usec_t moved(const struct steer *steer, const struct steer_order *order, usec_t held)
{
	usec_t at = mark_moved(steer->config.mark, steer->map->rules[order->rule].without, held);

	return at < order->detected ? order->detected : at;
}

/* A main thread that does not read must not hold up a switch: its reports are then dropped and counted. */
static void report(struct steer *steer, struct steer_report *report)
{
	const struct steer_order *order = &report->order;
	size_t reserve = order->kind >= STEER_MAP ? 0 : KEPT_FOR_MAPS;

	if (order->kind == STEER_LOWER)
		return;
	if (order->kind == STEER_RULE_DEL && !report->error)
		report->held = moved(steer, order, report->held);
	if (ring_space(&steer->reports) <= reserve || !ring_push(&steer->reports, report))
		atomic_fetch_add(&steer->lost, 1);
}

static void *run(void *arg)
{
	struct steer *steer = arg;
	bool stopping = false;

	if (steer->config.thread_start)
		steer->config.thread_start(steer->config.thread_context);
	while (!stopping) {
		struct steer_report done = {0};
		uint64_t count;

		if (read(steer->wake_fd, &count, sizeof(count)) < 0 && errno != EINTR)
			break;
		stopping = atomic_load(&steer->stopping);
		while (ring_pop(&steer->orders, &done.order)) {
			done.attached = 0;
			done.error = carry_out(steer, &done.order, &done.attached);
			done.held = now();
			if (done.order.kind == STEER_RULE_ADD)
				atomic_fetch_sub(&steer->adding, 1);
			report(steer, &done);
		}
		wake(steer->report_fd);
	}
	return NULL;
}

struct steer *steer_create(const struct steer_config *config, char *error, size_t size)
{
	struct steer *steer = aligned_alloc(64, (sizeof(*steer) + 63) & ~(size_t)63);

	if (!steer) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	*steer = (struct steer){.config = *config};
	ring_init(&steer->orders, steer->order_items, sizeof(steer->order_items[0]), ORDERS);
	ring_init(&steer->reports, steer->report_items, sizeof(steer->report_items[0]), REPORTS);
	steer->wake_fd = eventfd(0, EFD_CLOEXEC);
	steer->report_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	steer->nl = netlink_open(error, size);
	if (steer->nl && (steer->wake_fd < 0 || steer->report_fd < 0))
		snprintf(error, size, "eventfd: %m");
	if (!steer->nl || steer->wake_fd < 0 || steer->report_fd < 0) {
		steer_free(steer);
		return NULL;
	}
	return steer;
}

int steer_start(struct steer *steer)
{
	return -pthread_create(&steer->thread, NULL, run, steer);
}

struct steer_map *steer_stop(struct steer *steer)
{
	atomic_store(&steer->stopping, true);
	wake(steer->wake_fd);
	pthread_join(steer->thread, NULL);
	return steer->map;
}

void steer_free(struct steer *steer)
{
	if (!steer)
		return;
	if (steer->wake_fd >= 0)
		close(steer->wake_fd);
	if (steer->report_fd >= 0)
		close(steer->report_fd);
	netlink_close(steer->nl);
	free(steer);
}

bool steer_order(struct steer *steer, const struct steer_order *order)
{
	size_t reserve = order->kind >= STEER_MAP ? 0 : KEPT_FOR_MAPS;

	if (ring_space(&steer->orders) <= reserve)
		return false;
	if (order->kind == STEER_RULE_ADD)
		atomic_fetch_add(&steer->adding, 1);
	return ring_push(&steer->orders, order); /* there is space, and no other producer */
}

bool steer_adding(const struct steer *steer)
{
	return atomic_load(&steer->adding);
}

void steer_flush(struct steer *steer)
{
	wake(steer->wake_fd);
}

int steer_report_fd(const struct steer *steer)
{
	return steer->report_fd;
}

unsigned steer_poll_reports(struct steer *steer, void (*fn)(void *context, const struct steer_report *report),
			    void *context)
{
	struct steer_report report;
	uint64_t count;

	(void)!read(steer->report_fd, &count, sizeof(count));
	while (ring_pop(&steer->reports, &report))
		fn(context, &report);
	return atomic_exchange(&steer->lost, 0);
}
