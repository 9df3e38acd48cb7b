/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/follow_set.h"

#include <string.h>

#define HOPS_MOST 255

/* Values of the two maps; they lie at any address. */
struct __attribute__((packed)) route {
	uint32_t metric;
	uint16_t services; /* 0: gone, kept until the listing ends */
	uint8_t hops;
	uint8_t round; /* of the last listing that it was listed or heard in */
	uint8_t flags;
};

enum {
	HEARD = 1,   /* in that round, or after it */
	PARTIAL = 2, /* some of its next hops are gone */
};

struct __attribute__((packed)) followed {
	uint16_t wanted;
	uint16_t waiting; /* of these: there is no route */
	uint32_t since;	  /* ms, modulo 2^32: the last of them lost its route */
};

static struct follow_family *family_of(struct follow_set *set, const struct prefix *prefix)
{
	return &set->families[prefix->addr.family == AF_INET6];
}

void follow_set_init(struct follow_set *set, const uint64_t secret[2], follow_changed_fn *changed,
		     void *context)
{
	static const uint8_t families[2] = {AF_INET, AF_INET6};

	*set = (struct follow_set){.changed = changed, .context = context};
	for (unsigned f = 0; f < 2; f++) {
		prefix_map_init(&set->families[f].routes, families[f], sizeof(struct route), secret);
		prefix_map_init(&set->families[f].prefixes, families[f], sizeof(struct followed), secret);
	}
}

void follow_set_free(struct follow_set *set)
{
	for (unsigned f = 0; f < 2; f++) {
		prefix_map_free(&set->families[f].routes);
		prefix_map_free(&set->families[f].prefixes);
	}
}

static struct route *route_find(const struct follow_family *family, const struct prefix *prefix,
				uint32_t metric)
{
	struct route *route = prefix_map_find(&family->routes, prefix, NULL);

	while (route && route->metric != metric)
		route = prefix_map_find(&family->routes, prefix, route);
	return route;
}

static uint16_t present(const struct follow_family *family, const struct prefix *prefix)
{
	uint16_t services = 0;

	for (struct route *route = prefix_map_find(&family->routes, prefix, NULL); route;
	     route = prefix_map_find(&family->routes, prefix, route))
		services |= route->services;
	return services;
}

static uint32_t milliseconds(usec_t now)
{
	return (uint32_t)(now / USEC_MS);
}

/* The services of WAITING whose delay is over; *NEXT: when the first of the others' is, if that is before. */
static uint16_t overdue(const struct follow_set *set, const struct followed *followed, usec_t now,
			usec_t *next)
{
	usec_t waited = (usec_t)(milliseconds(now) - followed->since) * USEC_MS;
	uint16_t over = 0;

	for (unsigned s = 0; s < FOLLOW_SERVICES; s++) {
		if (!(followed->waiting >> s & 1))
			continue;
		if (waited >= set->delay[s])
			over |= (uint16_t)(1u << s);
		else if (now + set->delay[s] - waited < *next)
			*next = now + set->delay[s] - waited;
	}
	return over;
}

/* FOLLOWED (NULL: none yet) is to be wanted by WANTED, of which WAITING have no route. */
static void followed_set(struct follow_set *set, struct follow_family *family, const struct prefix *prefix,
			 struct followed *followed, uint16_t wanted, uint16_t waiting)
{
	uint16_t before = followed ? followed->wanted : 0;

	if (!followed && wanted) {
		followed = family->prefixes.live < FOLLOW_MOST ? prefix_map_add(&family->prefixes, prefix)
							       : NULL;
		if (!followed) {
			family->refused++;
			return;
		}
	}
	if (!followed)
		return;
	family->waiting += !!waiting - !!followed->waiting;
	followed->wanted = wanted;
	followed->waiting = waiting;
	if (!wanted)
		prefix_map_remove(&family->prefixes, followed);
	if (before != wanted && set->changed)
		set->changed(set->context, prefix, before, wanted);
}

/* The prefix's routes may have changed. */
static void update(struct follow_set *set, const struct prefix *prefix, usec_t now)
{
	struct follow_family *family = family_of(set, prefix);
	struct followed *followed = prefix_map_find(&family->prefixes, prefix, NULL);
	uint16_t there = present(family, prefix), had = followed ? followed->wanted : 0;
	uint16_t waiting = had & (uint16_t)~there, gone = 0;
	usec_t next = USEC_NEVER;

	if (followed && waiting & (uint16_t)~followed->waiting)
		followed->since = milliseconds(now);
	if (set->sure && waiting) {
		struct followed later = {.waiting = waiting, .since = followed->since};

		gone = overdue(set, &later, now, &next);
	}
	followed_set(set, family, prefix, followed, (had | there) & (uint16_t)~gone,
		     waiting & (uint16_t)~gone);
}

/* The route's entry, made if there is something to note; NULL: none. */
static struct route *route_get(struct follow_set *set, const struct prefix *prefix, uint32_t metric,
			       bool needed)
{
	struct follow_family *family = family_of(set, prefix);
	struct route *route = route_find(family, prefix, metric);

	if (route || !needed)
		return route;
	/* Twice as many, for what is kept until a listing ends. */
	route = family->routes.live < 2 * FOLLOW_MOST ? prefix_map_add(&family->routes, prefix) : NULL;
	if (!route) {
		family->refused++;
		return NULL;
	}
	route->metric = metric;
	return route;
}

static void route_flags(struct follow_family *family, struct route *route, uint8_t flags)
{
	family->partial += !!(flags & PARTIAL) - !!(route->flags & PARTIAL);
	route->flags = flags;
}

static void route_set(struct follow_set *set, const struct prefix *prefix, struct route *route,
		      uint16_t services, unsigned hops, usec_t now)
{
	route->round = set->round;
	route->services = services;
	route->hops = (uint8_t)(hops < HOPS_MOST ? hops : HOPS_MOST);
	if (!services && !set->listing)
		prefix_map_remove(&family_of(set, prefix)->routes, route);
	update(set, prefix, now);
}

void follow_set_heard(struct follow_set *set, const struct prefix *prefix, uint32_t metric, uint16_t services,
		      unsigned hops, usec_t now)
{
	struct route *route = route_get(set, prefix, metric, services || set->listing);

	if (!route)
		return;
	route_flags(family_of(set, prefix), route, HEARD);
	route_set(set, prefix, route, services, hops, now);
}

void follow_set_gone(struct follow_set *set, const struct prefix *prefix, uint32_t metric, unsigned hops,
		     usec_t now)
{
	struct follow_family *family = family_of(set, prefix);
	struct route *route = route_find(family, prefix, metric);

	if (!route || !route->services || hops >= route->hops) {
		follow_set_heard(set, prefix, metric, 0, 0, now);
		return;
	}
	route->round = set->round;
	route->hops -= (uint8_t)hops;
	route_flags(family, route, HEARD | PARTIAL);
}

void follow_set_doubt(struct follow_set *set)
{
	set->sure = false;
}

void follow_set_list_begin(struct follow_set *set)
{
	set->listing = true;
	if (++set->round)
		return;
	/* All round: what was not seen since the first round must not seem to be of this one. */
	set->round = 1;
	for (unsigned f = 0; f < 2; f++) {
		struct prefix_map *map = &set->families[f].routes;

		for (unsigned i = 0; i < map->nslots; i++) {
			struct route *route = prefix_map_at(map, i);

			if (route)
				route->round = 0;
		}
	}
}

void follow_set_listed(struct follow_set *set, const struct prefix *prefix, uint32_t metric,
		       uint16_t services, unsigned hops, usec_t now)
{
	struct route *route = route_get(set, prefix, metric, services);

	if (!route)
		return;
	if (route->round == set->round) {
		if (route->flags & HEARD)
			return;
		services |= route->services; /* the same prefix twice: routes that were appended */
	}
	route_flags(family_of(set, prefix), route, 0);
	route_set(set, prefix, route, services, hops, now);
}

/* Removes the routes that are gone; with OTHERS also those not seen in this round. */
static void sweep(struct follow_set *set, struct follow_family *family, bool others, usec_t now)
{
	for (unsigned i = 0; i < family->routes.nslots; i++) {
		struct route *route = prefix_map_at(&family->routes, i);
		uint16_t services = route ? route->services : 0;
		struct prefix prefix;

		if (!route || (services && !(others && route->round != set->round)))
			continue;
		route_flags(family, route, 0);
		prefix = prefix_map_prefix(&family->routes, route);
		prefix_map_remove(&family->routes, route);
		if (services) /* otherwise it was told when it went */
			update(set, &prefix, now);
	}
}

void follow_set_list_end(struct follow_set *set, usec_t now)
{
	set->listing = false;
	for (unsigned f = 0; f < 2; f++)
		sweep(set, &set->families[f], true, now);
	set->sure = true;
}

void follow_set_list_abort(struct follow_set *set)
{
	set->listing = false;
	for (unsigned f = 0; f < 2; f++)
		sweep(set, &set->families[f], false, 0);
}

void follow_set_adopt(struct follow_set *set, const struct prefix *prefix, unsigned service, usec_t now)
{
	struct follow_family *family = family_of(set, prefix);
	struct followed *followed = prefix_map_find(&family->prefixes, prefix, NULL);
	uint16_t bit = (uint16_t)(1u << service), there = present(family, prefix);
	uint16_t wanted = (uint16_t)((followed ? followed->wanted : 0) | bit);

	if (followed && followed->wanted & bit)
		return;
	followed_set(set, family, prefix, followed, wanted, wanted & (uint16_t)~there);
	followed = prefix_map_find(&family->prefixes, prefix, NULL);
	if (followed)
		followed->since = milliseconds(now);
}

void follow_set_forget(struct follow_set *set, unsigned service)
{
	uint16_t others = (uint16_t) ~(1u << service);

	for (unsigned f = 0; f < 2; f++) {
		struct follow_family *family = &set->families[f];

		for (unsigned i = 0; i < family->routes.nslots; i++) {
			struct route *route = prefix_map_at(&family->routes, i);

			if (!route)
				continue;
			route->services &= others;
			if (route->services || set->listing)
				continue;
			route_flags(family, route, 0);
			prefix_map_remove(&family->routes, route);
		}
		for (unsigned i = 0; i < family->prefixes.nslots; i++) {
			struct followed *followed = prefix_map_at(&family->prefixes, i);

			if (!followed)
				continue;
			family->waiting -= followed->waiting && !(followed->waiting & others);
			followed->wanted &= others;
			followed->waiting &= others;
			if (!followed->wanted)
				prefix_map_remove(&family->prefixes, followed);
		}
	}
}

usec_t follow_set_expire(struct follow_set *set, usec_t now)
{
	usec_t next = USEC_NEVER;

	for (unsigned f = 0; f < 2 && set->sure; f++) {
		struct follow_family *family = &set->families[f];

		for (unsigned i = 0; i < family->prefixes.nslots && family->waiting; i++) {
			struct followed *followed = prefix_map_at(&family->prefixes, i);
			struct prefix prefix;
			uint16_t over;

			if (!followed || !followed->waiting)
				continue;
			over = overdue(set, followed, now, &next);
			if (!over)
				continue;
			prefix = prefix_map_prefix(&family->prefixes, followed);
			followed_set(set, family, &prefix, followed, followed->wanted & (uint16_t)~over,
				     followed->waiting & (uint16_t)~over);
		}
	}
	return next;
}

void follow_set_each(const struct follow_set *set, uint8_t family, unsigned service,
		     void (*fn)(void *context, const struct prefix *prefix), void *context)
{
	const struct prefix_map *map = &set->families[family == AF_INET6].prefixes;

	for (unsigned i = 0; i < map->nslots; i++) {
		const struct followed *followed = prefix_map_at(map, i);
		struct prefix prefix;

		if (!followed || !(followed->wanted >> service & 1))
			continue;
		prefix = prefix_map_prefix(map, followed);
		fn(context, &prefix);
	}
}

struct follow_count follow_set_count(const struct follow_set *set, unsigned service)
{
	struct follow_count count = {0};

	for (unsigned f = 0; f < 2; f++) {
		const struct prefix_map *map = &set->families[f].prefixes;

		for (unsigned i = 0; i < map->nslots; i++) {
			const struct followed *followed = prefix_map_at(map, i);

			count.prefixes += followed && followed->wanted >> service & 1;
			count.waiting += followed && followed->waiting >> service & 1;
		}
	}
	return count;
}

size_t follow_set_memory(const struct follow_set *set)
{
	size_t bytes = 0;

	for (unsigned f = 0; f < 2; f++)
		bytes += prefix_map_memory(&set->families[f].routes) +
			 prefix_map_memory(&set->families[f].prefixes);
	return bytes;
}
