/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fast failover joined to the rest: which group has which bit of the mark, and which decisions of the
 * policy raise it. */
#include <stdio.h>
#include <string.h>

#include "app_private.h"

#define WHY 192

void app_failover_open(struct app *app)
{
	const struct config_steering *steering = &app->config->steering;
	const struct mark_config config = {
		.rule_priority = steering->rule_priority,
		.thread_start = rt_thread_start,
		.thread_context = &app->mark_thread,
		.standby_start = app->config->daemon.realtime ? rt_thread_start : NULL,
		.standby_context = &app->standby_thread,
	};

	if (!steering->fast_failover)
		return;
	app->mark_mask = steering->fast_failover_mark;
	app->mark = mark_create(&config);
	app->mark_ids = ids_create(1, (unsigned)__builtin_popcount(app->mark_mask));
}

void app_failover_start(struct app *app)
{
	mark_start(app->mark);
	app_failover_tell(app);
}

void app_failover_tell(struct app *app)
{
	char why[WHY];
	bool off = app->mark_mask && mark_why_not(app->mark, why, sizeof(why));

	if (off == app->mark_off)
		return;
	app->mark_off = off;
	if (off)
		log_warning("the fast failover is not in place (%s): failover waits for the kernel's routing "
			    "lock where other programs hold it; see that the kernel has nf_tables with its "
			    "inet family and nobody else a table bfdd-%u, or set fast-failover = false",
			    why, app->config->steering.rule_priority);
	else
		log_notice("the fast failover is in place now");
}

const char *app_failover_status(const struct app *app, char *buf, size_t size)
{
	char why[WHY];

	if (!app->mark_mask)
		return "off";
	if (!mark_why_not(app->mark, why, sizeof(why)))
		return "in place";
	snprintf(buf, size, "not in place: %s", why);
	return buf;
}

uint32_t app_failover_bit(struct app *app, const char *group)
{
	uint32_t mask = app->mark_mask;
	uint32_t nth = mask && app->mark_ids ? ids_get(app->mark_ids, group) : 0;

	if (!nth)
		return 0;
	while (--nth)
		mask &= mask - 1;
	return mask & -mask;
}

/* A reload that finds it as it was says nothing. */
static void tell_without(struct app *app, const struct app_map *map)
{
	unsigned without = 0;

	for (unsigned g = 0; g < map->map.ngroups && app->mark; g++)
		without += !map->groups[g].mark;
	if (without != app->mark_without)
		log_notice("%u of %u groups (a site's nexthops of one family) have no bit of "
			   "fast-failover-mark: their failover is the plain one",
			   without, map->map.ngroups);
	app->mark_without = without;
}

void app_failover_interfaces(struct app *app, const struct app_map *map)
{
	tell_without(app, map);
	for (unsigned g = 0; g < map->map.ngroups; g++) {
		const struct steer_group *group = &map->map.groups[g];
		uint32_t interfaces[OBJECTS_MEMBERS];

		for (unsigned m = 0; m < group->nmembers; m++)
			interfaces[m] = group->members[m].ifindex;
		mark_interfaces(app->mark, map->groups[g].mark, interfaces, group->nmembers);
	}
}

/* In the engine's thread, as the rest of this file. */
void app_failover_map(struct app *app, const struct steer_map *map)
{
	app->mark_map = map;
}

void app_failover_note(struct app *app, const struct policy_action *action)
{
	if (action->dead && app->mark_map && action->rule < app->mark_map->nrules)
		app->mark_bits |= app->mark_map->rules[action->rule].without;
}

/* While a rule waits to be added the one that dies may be the only one to stand, and the main table is to get
 * no say before the new one stands: then the steering thread keeps the order of things. */
bool app_failover_raise(struct app *app)
{
	uint32_t bits = app->mark_bits;

	app->mark_bits = 0;
	if (!bits || steer_adding(app->steer))
		return false;
	mark_raise(app->mark, bits);
	if (!steer_order(app->steer, &(struct steer_order){.kind = STEER_LOWER, .mask = bits}))
		mark_lower(app->mark, bits);
	return true;
}
