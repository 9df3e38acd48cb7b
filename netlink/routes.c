/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "netlink/message.h"
#include "netlink/prefix_map.h"

#define BATCH 64   /* about 0.5 ms of the kernel's time */
#define SLICE 1500 /* us: routes_work() begins no batch after that */
#define RETRY (1 * USEC_S)

/* What a prefix's one byte says: the two columns of a comparison, wanted against kernel. */
enum {
	WANTED = 1,
	KERNEL = 2, /* there is a route of ours */
	RIGHT = 4,  /* ... on the wanted group */
	FAILED = 8, /* refused: let alone until the retry */
	TOLD = 16,  /* ... and the owner knows */
};

/* The routes of one table and family. */
struct set {
	uint32_t table, group;
	uint8_t family;
	bool there; /* the group */
	bool ready; /* as last told */
	bool stuck; /* a whole batch failed: wait for the retry */
	bool following;
	/* Its order scatters neighbours. Written in order, the kernel's prefix tree splits thousands of
	 * filled nodes when its root doubles and holds the routing lock meanwhile: 250 ms at 65,536 routes,
	 * against 30 ms when they come from all over. */
	struct prefix_map map;
	unsigned cursor;
	unsigned nset, ndelete; /* to be written and to be deleted, failed ones not counted */
	unsigned nwanted, nright;
	usec_t retry_at;
};

struct routes {
	struct routes_callbacks callbacks;
	uint8_t protocol;
	struct netlink *nl;
	struct set *sets;
	unsigned nsets, turn;
	uint32_t *groups; /* in the kernel */
	unsigned ngroups;
	uint64_t secret[2];
	uint8_t *batch[BATCH]; /* entries of the set being written */
	int errors[BATCH];
	unsigned nbatch;
};

static usec_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

static bool wants_write(uint8_t flags)
{
	return (flags & (WANTED | RIGHT | FAILED)) == WANTED;
}

static bool wants_delete(uint8_t flags)
{
	return (flags & (WANTED | KERNEL | FAILED)) == KERNEL;
}

static bool set_has_work(const struct set *set)
{
	return !set->stuck && (set->ndelete || (set->there && set->nset));
}

static void set_count(struct set *set, uint8_t flags, int sign)
{
	bool wanted = flags & WANTED;

	set->nset += (unsigned)(sign * wants_write(flags));
	set->ndelete += (unsigned)(sign * wants_delete(flags));
	set->nwanted += (unsigned)(sign * wanted);
	set->nright += (unsigned)(sign * (wanted && flags & RIGHT));
}

static void entry_change(struct set *set, uint8_t *entry, uint8_t flags)
{
	set_count(set, *entry, -1);
	*entry = flags;
	set_count(set, flags, 1);
	if (!(flags & (WANTED | KERNEL)))
		prefix_map_remove(&set->map, entry);
}

/* Tells if the table became ready or ceased to be. What is only being rewritten is missed for milliseconds,
 * in which packets fall through to the next table: no reason to send the service elsewhere. */
static void set_tell(struct routes *routes, struct set *set)
{
	bool ready = set->nright ? set->ready || set->nright == set->nwanted
				 : set->ready && set->there && set->nwanted && !set->stuck;

	if (ready == set->ready)
		return;
	set->ready = ready;
	if (routes->callbacks.ready)
		routes->callbacks.ready(routes->callbacks.context, set->table, set->family, ready);
}

/* After a change to many entries. */
static void set_changed(struct routes *routes, struct set *set)
{
	set->nset = set->ndelete = set->nwanted = set->nright = 0;
	for (unsigned i = 0; i < set->map.nslots; i++) {
		const uint8_t *entry = prefix_map_at(&set->map, i);

		if (entry)
			set_count(set, *entry, 1);
	}
	set_tell(routes, set);
}

/* Takes flags off all entries. */
static void set_clear(struct set *set, uint8_t flags)
{
	for (unsigned i = 0; i < set->map.nslots; i++) {
		uint8_t *entry = prefix_map_at(&set->map, i);

		if (!entry)
			continue;
		*entry &= (uint8_t)~flags;
		if (!(*entry & (WANTED | KERNEL)))
			prefix_map_remove(&set->map, entry);
	}
}

static void set_retry(struct set *set)
{
	set->stuck = false;
	set->retry_at = USEC_NEVER;
	set_clear(set, FAILED);
}

static bool group_there(const struct routes *routes, uint32_t group)
{
	for (unsigned i = 0; i < routes->ngroups; i++)
		if (routes->groups[i] == group)
			return true;
	return false;
}

static struct set *set_find(const struct routes *routes, uint32_t table, uint8_t family)
{
	for (unsigned i = 0; i < routes->nsets; i++)
		if (routes->sets[i].table == table && routes->sets[i].family == family)
			return &routes->sets[i];
	return NULL;
}

static struct set *set_get(struct routes *routes, uint32_t table, uint8_t family)
{
	struct set *sets = set_find(routes, table, family);

	if (sets)
		return sets;
	sets = reallocarray(routes->sets, routes->nsets + 1, sizeof(*sets));
	if (!sets)
		return NULL;
	routes->sets = sets;
	sets += routes->nsets++;
	*sets = (struct set){.table = table, .family = family, .retry_at = USEC_NEVER};
	prefix_map_init(&sets->map, family, sizeof(uint8_t), routes->secret);
	return sets;
}

static uint8_t *entry_get(struct set *set, const struct prefix *prefix)
{
	uint8_t *entry = prefix_map_find(&set->map, prefix, NULL);

	return entry ? entry : prefix_map_add(&set->map, prefix);
}

static void set_group(struct routes *routes, struct set *set, uint32_t group)
{
	set->there = set->group == group && group_there(routes, group);
	set_retry(set);
	set_changed(routes, set);
	if (set->group == group)
		return;
	/* On another group it is not ready before all is written. */
	set->group = group;
	set->there = group_there(routes, group);
	set_changed(routes, set);
}

bool routes_want(struct routes *routes, uint32_t table, uint8_t family, uint32_t group,
		 const struct prefix *prefixes, unsigned n)
{
	struct set *set = set_get(routes, table, family);

	if (!set || !prefix_map_reserve(&set->map, n))
		return false;
	set->following = false;
	set_clear(set, set->group == group ? WANTED | TOLD : WANTED | TOLD | RIGHT);
	for (unsigned i = 0; i < n; i++)
		*entry_get(set, &prefixes[i]) |= WANTED; /* has room */
	set_group(routes, set, group);
	return true;
}

bool routes_follow(struct routes *routes, uint32_t table, uint8_t family, uint32_t group,
		   void (*adopt)(void *context, const struct prefix *prefix), void *context)
{
	struct set *set = set_get(routes, table, family);

	if (!set)
		return false;
	set_clear(set, set->group == group ? TOLD : TOLD | RIGHT);
	for (unsigned i = 0; i < set->map.nslots && !set->following; i++) {
		uint8_t *entry = prefix_map_at(&set->map, i);
		struct prefix prefix;

		if (!entry)
			continue;
		*entry |= WANTED;
		prefix = prefix_map_prefix(&set->map, entry);
		adopt(context, &prefix);
	}
	set->following = true;
	set_group(routes, set, group);
	return true;
}

bool routes_add(struct routes *routes, uint32_t table, const struct prefix *prefix)
{
	struct set *set = set_find(routes, table, prefix->addr.family);
	uint8_t *entry = set && set->following ? entry_get(set, prefix) : NULL;

	if (entry && !(*entry & WANTED)) {
		entry_change(set, entry, *entry | WANTED);
		set_tell(routes, set);
	}
	return entry;
}

void routes_remove(struct routes *routes, uint32_t table, const struct prefix *prefix)
{
	struct set *set = set_find(routes, table, prefix->addr.family);
	uint8_t *entry = set && set->following ? prefix_map_find(&set->map, prefix, NULL) : NULL;

	if (!entry || !(*entry & WANTED))
		return;
	entry_change(set, entry, *entry & (KERNEL | RIGHT));
	set_tell(routes, set);
}

bool routes_inherit(struct routes *routes, const struct object_route *found, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct set *set = set_get(routes, found[i].table, found[i].prefix.addr.family);
		uint8_t *entry = set ? entry_get(set, &found[i].prefix) : NULL;

		if (!entry)
			return false;
		if (!set->group)
			set->group = found[i].group;
		*entry = KERNEL | (found[i].group == set->group ? RIGHT : 0);
	}
	for (unsigned i = 0; i < routes->nsets; i++)
		set_changed(routes, &routes->sets[i]);
	return true;
}

static void note_group(struct routes *routes, uint32_t group, bool there)
{
	unsigned i = 0;
	uint32_t *groups;

	while (i < routes->ngroups && routes->groups[i] != group)
		i++;
	if (!there && i < routes->ngroups)
		routes->groups[i] = routes->groups[--routes->ngroups];
	if (!there || i < routes->ngroups)
		return;
	groups = reallocarray(routes->groups, routes->ngroups + 1, sizeof(*groups));
	if (!groups)
		return; /* sets that come later wait until the group is told of again */
	routes->groups = groups;
	groups[routes->ngroups++] = group;
}

void routes_group(struct routes *routes, uint32_t group, bool there)
{
	note_group(routes, group, there);
	for (unsigned i = 0; i < routes->nsets; i++) {
		struct set *set = &routes->sets[i];

		if (set->group != group)
			continue;
		set->there = there;
		for (unsigned j = 0; j < set->map.nslots && !there; j++) {
			uint8_t *entry = prefix_map_at(&set->map, j);

			if (entry && *entry & RIGHT)
				*entry &= (uint8_t) ~(RIGHT | KERNEL);
		}
		set_retry(set); /* removes what is neither wanted nor there */
		set_changed(routes, set);
	}
}

/* The route's bookkeeping is corrected, not readiness: it is back in no time. */
static bool entry_lost(struct set *set, uint8_t *entry)
{
	if (!(*entry & RIGHT) || !(*entry & WANTED))
		return false;
	entry_change(set, entry, *entry & (uint8_t) ~(RIGHT | KERNEL));
	return true;
}

bool routes_lost(struct routes *routes, uint32_t table, const struct prefix *prefix)
{
	struct set *set = set_find(routes, table, prefix->addr.family);
	uint8_t *entry = set ? prefix_map_find(&set->map, prefix, NULL) : NULL;

	return entry && entry_lost(set, entry);
}

void routes_lost_any(struct routes *routes)
{
	for (unsigned i = 0; i < routes->nsets; i++) {
		struct set *set = &routes->sets[i];

		for (unsigned j = 0; j < set->map.nslots; j++) {
			uint8_t *entry = prefix_map_at(&set->map, j);

			if (entry)
				entry_lost(set, entry);
		}
	}
}

bool routes_ready(const struct routes *routes, uint32_t table, uint8_t family)
{
	const struct set *set = set_find(routes, table, family);

	return set && set->ready;
}

static bool entry_request(struct routes *routes, const struct set *set, const uint8_t *entry)
{
	struct object_route route = {.table = set->table, .group = set->group};

	if (!wants_delete(*entry) && !(wants_write(*entry) && set->there))
		return false;
	route.prefix = prefix_map_prefix(&set->map, entry);
	if (wants_delete(*entry))
		message_route_del(routes->nl, routes->protocol, &route);
	else
		message_route_set(routes->nl, routes->protocol, &route);
	return netlink_batch_add(routes->nl);
}

static void request_failed(void *context, unsigned index, int error)
{
	struct routes *routes = context;

	if (index < routes->nbatch)
		routes->errors[index] = error;
}

/* True when the kernel did it. */
static bool entry_outcome(struct routes *routes, struct set *set, uint8_t *entry, int error)
{
	struct prefix prefix = prefix_map_prefix(&set->map, entry);
	bool told = *entry & TOLD;

	/* A route to be deleted that is gone is as it should be. */
	if (error == -ESRCH && !(*entry & WANTED))
		error = 0;
	if (error)
		entry_change(set, entry, *entry | FAILED | TOLD);
	else
		entry_change(set, entry, *entry & WANTED ? WANTED | KERNEL | RIGHT : 0);
	if (error && !told && routes->callbacks.failed)
		routes->callbacks.failed(routes->callbacks.context, set->table, &prefix, error);
	return !error;
}

static void set_work(struct routes *routes, struct set *set)
{
	unsigned work = set->ndelete + (set->there ? set->nset : 0), done = 0;
	int err;

	routes->nbatch = 0;
	for (unsigned seen = 0; seen < set->map.nslots && routes->nbatch < BATCH && routes->nbatch < work;
	     seen++) {
		uint8_t *entry = prefix_map_at(&set->map, set->cursor++ & (set->map.nslots - 1));

		if (entry && entry_request(routes, set, entry))
			routes->batch[routes->nbatch++] = entry;
	}
	memset(routes->errors, 0, sizeof(routes->errors));
	err = netlink_batch_send(routes->nl, request_failed, routes);
	for (unsigned i = 0; i < routes->nbatch; i++)
		done += entry_outcome(routes, set, routes->batch[i], err ? err : routes->errors[i]);
	if (done < routes->nbatch && set->retry_at == USEC_NEVER)
		set->retry_at = now() + RETRY;
	set->stuck = !done;
	set_tell(routes, set);
}

bool routes_pending(const struct routes *routes)
{
	for (unsigned i = 0; i < routes->nsets; i++)
		if (set_has_work(&routes->sets[i]))
			return true;
	return routes_next(routes) <= now();
}

usec_t routes_next(const struct routes *routes)
{
	usec_t next = USEC_NEVER;

	for (unsigned i = 0; i < routes->nsets; i++)
		if (routes->sets[i].retry_at < next)
			next = routes->sets[i].retry_at;
	return next;
}

void routes_work(struct routes *routes)
{
	usec_t start = now();

	for (unsigned i = 0; i < routes->nsets; i++) {
		if (routes->sets[i].retry_at > start)
			continue;
		set_retry(&routes->sets[i]);
		set_changed(routes, &routes->sets[i]);
	}
	for (unsigned idle = 0; idle < routes->nsets && now() - start < SLICE; idle++) {
		struct set *set = &routes->sets[routes->turn++ % routes->nsets];

		while (set_has_work(set) && now() - start < SLICE)
			set_work(routes, set);
	}
}

struct routes *routes_create(const struct object_range *range, const struct routes_callbacks *callbacks,
			     char *error, size_t size)
{
	struct routes *routes = calloc(1, sizeof(*routes));

	if (!routes) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	routes->callbacks = *callbacks;
	routes->protocol = range->protocol;
	if (getrandom(routes->secret, sizeof(routes->secret), 0) < 0)
		routes->secret[0] = (uint64_t)now();
	routes->nl = netlink_open(error, size);
	if (!routes->nl) {
		free(routes);
		return NULL;
	}
	return routes;
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	for (unsigned i = 0; i < routes->nsets; i++)
		prefix_map_free(&routes->sets[i].map);
	free(routes->sets);
	free(routes->groups);
	netlink_close(routes->nl);
	free(routes);
}
