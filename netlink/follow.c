/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/follow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "netlink/follow_hops.h"
#include "netlink/follow_message.h"
#include "netlink/message.h"

#define BUFFER_FIRST (16 << 20) /* a notification takes about 1 KiB of it */
#define BUFFER_MOST (64 << 20)
#define SLICE 1500	     /* us */
#define READ_MOST 256	     /* datagrams in one follow_read() */
#define BEHIND 131072	     /* more than the buffer can hold */
#define SOON (200 * USEC_MS) /* changes come in crowds */
#define PAUSE (1 * USEC_S)   /* between listings; ... */
#define SHARE 3		     /* ... and this many times what the last one took */
#define CHECK (1 * USEC_S)   /* while prefixes wait to leave */
#define TRIES 3		     /* a table that changes under the listing is read as often */

enum stage { IDLE, NEXTHOPS, IPV4, IPV6 };

struct follow {
	struct follow_callbacks callbacks;
	uint8_t own;
	struct netlink *nl;
	int buffer;
	struct follow_set set;
	struct follow_hops hops;
	/* Listing */
	const char *why;   /* one is wanted; NULL: none */
	const char *doing; /* why one is under way */
	usec_t not_before;
	struct netlink *dump;
	enum stage stage;
	bool restless; /* the table changed so that the dump may have missed some */
	unsigned tries;
	usec_t began;
	unsigned unfit;
	uint64_t refused_before;
	bool failed; /* told */
	/* After an overflow: so many notifications may be from before it. No listing can begin. */
	unsigned behind;
	usec_t check_at;
	struct follow_stats stats;
};

static usec_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

static bool is_bgp(uint8_t protocol)
{
	return protocol == RTPROT_BIRD || protocol == RTPROT_BGP;
}

static bool counts(const struct follow_route *route)
{
	return is_bgp(route->protocol) && route->unicast && route->prefix.length;
}

static uint16_t services_of(struct follow *follow, const struct follow_route *route)
{
	uint16_t services = counts(route) ? follow_hops_route(&follow->hops, route) : 0;

	if (!services || !follow_hops_guarded(&follow->hops, &route->prefix))
		return services;
	follow->unfit++;
	return 0;
}

static void list(struct follow *follow, const char *why, usec_t wait)
{
	usec_t at = now() + wait;

	if (!follow->why && follow->not_before < at)
		follow->not_before = at;
	if (!follow->why)
		follow->why = why;
}

void follow_list(struct follow *follow, const char *why)
{
	list(follow, why, SOON);
}

static void heard(void *context, const struct netlink_message *message)
{
	struct follow *follow = context;
	struct follow_nexthop nexthop;
	struct follow_route route;

	follow->stats.heard++;
	if (follow_nexthop_read(message, &nexthop)) {
		if (nexthop.protocol != follow->own && follow_hops_set(&follow->hops, &nexthop))
			list(follow, "a nexthop object changed", SOON);
		return;
	}
	if (!follow_route_read(message, &route) || route.table != RT_TABLE_MAIN)
		return;
	if (!route.gone) {
		follow_set_heard(&follow->set, &route.prefix, route.metric, services_of(follow, &route),
				 route.total, now());
	} else if (counts(&route)) {
		follow->restless |= follow->stage == IPV6;
		follow_set_gone(&follow->set, &route.prefix, route.metric, route.total, now());
	}
}

static void listed(void *context, const struct netlink_message *message)
{
	struct follow *follow = context;
	struct follow_nexthop nexthop;
	struct follow_route route;
	uint16_t services;

	if (follow_nexthop_read(message, &nexthop)) {
		if (nexthop.protocol != follow->own)
			follow_hops_set(&follow->hops, &nexthop);
	} else if (follow_route_read(message, &route) && route.table == RT_TABLE_MAIN) {
		services = services_of(follow, &route);
		if (services)
			follow_set_listed(&follow->set, &route.prefix, route.metric, services, route.total,
					  now());
	}
}

/* Listing */

static uint64_t refused(const struct follow *follow)
{
	return follow->set.families[0].refused + follow->set.families[1].refused;
}

static void list_close(struct follow *follow)
{
	usec_t at = now(), took = at - follow->began;

	netlink_close(follow->dump);
	follow->dump = NULL;
	follow->stage = IDLE;
	follow->not_before = at + (SHARE * took > PAUSE ? SHARE * took : PAUSE);
}

static void list_abort(struct follow *follow)
{
	if (follow->stage == IDLE)
		return;
	follow_set_list_abort(&follow->set);
	follow->why = follow->doing;
	list_close(follow);
}

static void list_failed(struct follow *follow, const char *why)
{
	if (!follow->failed)
		follow->callbacks.failed(follow->callbacks.context, why);
	follow->failed = true;
	list_abort(follow); /* WHY may be the socket's */
}

static bool stage_begin(struct follow *follow, enum stage stage)
{
	int err;

	if (stage != follow->stage)
		follow->tries = 0;
	follow->tries++;
	follow->stage = stage;
	follow->restless = false;
	if (stage == NEXTHOPS)
		message_nexthop_dump(follow->dump);
	else
		follow_route_dump(follow->dump, stage == IPV4 ? AF_INET : AF_INET6);
	err = netlink_dump_begin(follow->dump);
	if (err)
		list_failed(follow, netlink_words(follow->dump));
	return !err;
}

static void list_begin(struct follow *follow)
{
	char error[128];

	follow->began = now();
	follow->doing = follow->why;
	follow->unfit = 0;
	follow->refused_before = refused(follow);
	follow->dump = netlink_open(error, sizeof(error));
	if (!follow->dump) {
		list_failed(follow, error);
		list_close(follow);
		return;
	}
	follow->why = NULL;
	follow_set_list_begin(&follow->set);
	follow_hops_list_begin(&follow->hops);
	stage_begin(follow, NEXTHOPS);
}

static void list_end(struct follow *follow)
{
	struct follow_listing listing = {.why = follow->doing, .unfit = follow->unfit};
	usec_t at = now();

	follow_set_list_end(&follow->set, at);
	follow_set_expire(&follow->set, at);
	list_close(follow);
	listing.took = at - follow->began;
	listing.prefixes = follow->set.families[0].prefixes.live + follow->set.families[1].prefixes.live;
	listing.refused = (unsigned)(refused(follow) - follow->refused_before);
	follow->stats.listings++;
	follow->failed = false;
	follow->callbacks.listed(follow->callbacks.context, &listing);
}

static void stage_end(struct follow *follow, int err)
{
	/* There is no such table: no IPv6. */
	if (err && err != NETLINK_RESTART && err != -ENOENT) {
		list_failed(follow, netlink_words(follow->dump));
		return;
	}
	follow->restless |= err == NETLINK_RESTART;
	if (follow->restless && follow->tries < TRIES) {
		stage_begin(follow, follow->stage);
		return;
	}
	if (follow->stage == NEXTHOPS)
		follow_hops_list_end(&follow->hops);
	if (follow->stage == IPV6)
		list_end(follow);
	else
		stage_begin(follow, follow->stage + 1);
}

static bool list_due(const struct follow *follow)
{
	return follow->stage == IDLE && follow->why && !follow->behind && follow->not_before <= now();
}

/* When to look at what waits: at once, if that was never done. */
static usec_t check_next(const struct follow *follow)
{
	const struct follow_family *families = follow->set.families;

	if (families[0].waiting || families[1].waiting || families[0].partial || families[1].partial)
		return follow->check_at;
	return USEC_NEVER;
}

bool follow_pending(const struct follow *follow)
{
	return follow->stage != IDLE || follow->behind || list_due(follow) || check_next(follow) <= now();
}

static void check(struct follow *follow)
{
	const struct follow_family *families = follow->set.families;
	usec_t at = now(), next;

	if (check_next(follow) > at)
		return;
	next = follow_set_expire(&follow->set, at);
	if (families[0].partial || families[1].partial)
		list(follow, "some next hops of a route were removed", 0);
	follow->check_at = next < at + CHECK ? next + USEC_MS : at + CHECK;
}

void follow_work(struct follow *follow)
{
	usec_t start = now();

	check(follow);
	if (follow->behind) /* the socket may have been read dry, unnoticed */
		follow_read(follow);
	if (list_due(follow))
		list_begin(follow);
	while (follow->stage != IDLE && now() - start < SLICE) {
		int err = netlink_dump_step(follow->dump, listed, follow);

		if (err != 1)
			stage_end(follow, err);
	}
}

usec_t follow_next(const struct follow *follow)
{
	usec_t next = check_next(follow);

	if (follow->stage != IDLE || follow->behind)
		return 0;
	if (follow->why && follow->not_before < next)
		next = follow->not_before;
	return next;
}

/* Notifications */

static void overflowed(struct follow *follow)
{
	follow->stats.overflows++;
	follow->behind = BEHIND;
	follow_set_doubt(&follow->set);
	list_abort(follow);
	follow->why = "more changes than the socket could hold";
	/* The kernel doubles what it is given. */
	if (follow->buffer < BUFFER_MOST)
		follow->buffer = netlink_set_receive_buffer(follow->nl, follow->buffer);
}

void follow_read(struct follow *follow)
{
	usec_t start = now();

	for (unsigned i = 0; i < READ_MOST && now() - start < SLICE; i++) {
		int err = netlink_receive(follow->nl, heard, follow);

		if (err == -ENOBUFS)
			overflowed(follow);
		else if (err)
			follow->behind = 0;
		else if (follow->behind)
			follow->behind--;
		if (err && err != -ENOBUFS)
			break;
	}
}

/* Of routes only those in the main table of the daemons followed, or that may have taken such a one's place;
 * and nexthop objects that are not ours. */
static int attach_filter(struct netlink *nl, uint8_t own)
{
	/* The filter reads big-endian numbers, the header's are the host's. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 2, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct nhmsg, nh_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own, 8, 7),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_table)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RT_TABLE_MAIN, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTPROT_BIRD, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTPROT_BGP, 2, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_flags)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, htons(NLM_F_REPLACE), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (setsockopt(netlink_fd(nl), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}

static int subscribe(struct follow *follow)
{
	static const unsigned groups[] = {RTNLGRP_NEXTHOP, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
	int err = attach_filter(follow->nl, follow->own);

	follow->buffer = netlink_set_receive_buffer(follow->nl, BUFFER_FIRST);
	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]) && !err; i++)
		err = netlink_subscribe(follow->nl, groups[i]);
	return err;
}

struct follow *follow_create(uint8_t own, const struct follow_callbacks *callbacks, char *error, size_t size)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	uint64_t secret[2] = {(uint64_t)now()};
	int err;

	if (!follow) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	if (getrandom(secret, sizeof(secret), 0) < 0)
		secret[1] = secret[0];
	follow->callbacks = *callbacks;
	follow->own = own;
	follow_set_init(&follow->set, secret, callbacks->changed, callbacks->context);
	follow->nl = netlink_open(error, size);
	err = follow->nl ? subscribe(follow) : 0;
	if (err)
		snprintf(error, size, "subscribing to the kernel's routes: %s", strerror(-err));
	if (!follow->nl || err) {
		follow_free(follow);
		return NULL;
	}
	list(follow, "the start", 0);
	return follow;
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	netlink_close(follow->dump);
	netlink_close(follow->nl);
	follow_set_free(&follow->set);
	follow_hops_free(&follow->hops);
	free(follow);
}

bool follow_peers(struct follow *follow, const struct follow_peer *peers, unsigned npeers,
		  const struct addr *guarded, unsigned nguarded)
{
	int changed = follow_hops_peers(&follow->hops, peers, npeers, guarded, nguarded);

	/* What is known of routes is by the peers of before. */
	if (changed > 0) {
		follow_set_doubt(&follow->set);
		list_abort(follow);
		list(follow, "the peers, or addresses of this host, are others", 0);
	}
	return changed >= 0;
}

struct follow_set *follow_set(struct follow *follow)
{
	return &follow->set;
}

int follow_fd(const struct follow *follow)
{
	return netlink_fd(follow->nl);
}

struct follow_stats follow_stats(const struct follow *follow)
{
	struct follow_stats stats = follow->stats;

	stats.sure = follow->set.sure;
	return stats;
}
