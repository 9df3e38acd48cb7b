/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fast failover joined to the rest: which group has which bit of the mark, and which decisions of the
 * policy raise it. */
#include <stdio.h>
#include <string.h>

#include "app_private.h"

void app_failover_open(struct app *app)
{
	const struct config_steering *steering = &app->config->steering;
	const struct mark_config config = {
		.rule_priority = steering->rule_priority,
		.thread_start = rt_thread_start,
		.thread_context = &app->mark_thread,
	};
	char why[96];

	if (!steering->fast_failover)
		return;
	app->mark_mask = steering->fast_failover_mark;
	app->mark = mark_create(&config);
	app->mark_ids = ids_create(1, (unsigned)__builtin_popcount(app->mark_mask));
	if (mark_why_not(app->mark, why, sizeof(why)))
		log_warning("the fast failover is not in place (%s): failover waits for the kernel's routing "
			    "lock where other programs hold it",
			    why);
}

const char *app_failover_status(const struct app *app, char *buf, size_t size)
{
	if (!app->mark)
		return app->mark_mask ? "not in place: out of memory" : "off";
	return mark_why_not(app->mark, buf, size) ? buf : "in place";
}

uint32_t app_failover_bit(struct app *app, const char *group)
{
	uint32_t mask = app->mark_mask;
	uint32_t nth = mask && app->mark_ids ? ids_get(app->mark_ids, group) : 0;

	if (!nth) {
		if (mask)
			log_notice("%s: no bit of fast-failover-mark is left for its fast failover", group);
		return 0;
	}
	while (--nth)
		mask &= mask - 1;
	return mask & -mask;
}

void app_failover_interfaces(struct app *app, const struct app_map *map)
{
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
