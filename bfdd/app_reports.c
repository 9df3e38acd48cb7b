/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes back: the engine's switches, the kernel's answers to orders, the services' record of both, and a
 * look whether foreign hands took something of ours. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

#define RETRY_WAIT 1.0	/* s */
#define RETRY_LONGEST 5 /* 2^5 s */

void app_map_release(struct app *app, struct app_map *map)
{
	if (!map || ++map->released < 2)
		return;
	app->map_first = map->next; /* maps are let go of in the order in which they were made */
	app_map_free(map);
}

static struct app_service *service_record(struct app *app, const struct app_way *way)
{
	for (unsigned i = 0; i < app->config->nservices; i++)
		if (!strcmp(app->services[i].name, way->service))
			return &app->services[i];
	return NULL; /* removed by a reload meanwhile */
}

static void record_switch(struct app_service *service, usec_t at, const char *reason)
{
	service->switches += service->switch_at != at; /* both families at once are one */
	service->switch_at = at;
	snprintf(service->reason, sizeof(service->reason), "%s", reason);
}

/* NULL: none. */
static const char *choice_site(const struct app_map *map, const struct app_way *way, int choice)
{
	return choice < 0 ? NULL : map->choices[way->first_rule + choice].site;
}

static void tell_switch(struct app *app, const struct app_way *way, enum log_level level, usec_t at,
			const char *from, const char *to, const char *reason)
{
	events_add(app->events, level, "switch", at,
		   json_pack("{s:s s:s s:s s:s s:s}", "service", way->service, "family",
			     way->family == AF_INET ? "ipv4" : "ipv6", "from", from ? from : "main table",
			     "to", to ? to : "main table", "reason", reason));
}

static void set_active(struct app_map *map, const struct app_way *way, const char *site)
{
	for (unsigned w = 0; w < map->nways; w++) {
		struct app_way *same = &map->ways[w];

		if (strcmp(same->service, way->service) || same->family != way->family)
			continue;
		same->active = -1;
		snprintf(same->before, sizeof(same->before), "%s", site ? site : "");
		for (unsigned c = 0; c < same->nchoices; c++)
			if (site && !strcmp(map->choices[same->first_rule + c].site, site))
				same->active = c;
	}
}

/* After a start the sites come up in any order: the first arrival of a better one is no switch. */
static bool is_settling(struct app_service *service, const struct app_way *way, int from, int to)
{
	uint32_t *carried = &service->carried[way->family == AF_INET6];
	bool first = to >= 0 && !(*carried & 1u << to) && (from < 0 || to < from);

	if (to >= 0)
		*carried |= 1u << to;
	return first;
}

static void switch_reason(struct app *app, const struct engine_event *event, char *reason, size_t size)
{
	struct app_peer *peer = app_peer_by_slot(app, event->slot);

	if (peer)
		app_peer_cause(peer, event->to, event->diag, reason, size);
	else if (event->choice_to >= 0 && event->choice_from < 0)
		snprintf(reason, size, "the site is usable and has its routes");
	else if (event->choice_to >= 0 && event->choice_to < event->choice_from)
		snprintf(reason, size, "the better site is usable and has waited to restore");
	else
		snprintf(reason, size, "the site has no usable path or lost its routes");
}

void app_policy_switch(struct app *app, const struct engine_event *event)
{
	struct app_map *map = app->map_engine;
	struct app_way *way = &map->ways[event->way];
	const char *from = choice_site(map, way, event->choice_from),
		   *to = choice_site(map, way, event->choice_to);
	struct app_service *service = service_record(app, way);
	enum log_level level = event->choice_to < 0 ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
	char reason[160];

	way->active = event->choice_to;
	way->active_since = event->at;
	snprintf(way->before, sizeof(way->before), "%s", to ? to : "");
	if (app->map != map) /* built before this event was heard */
		set_active(app->map, way, to);
	if (!service)
		return;
	switch_reason(app, event, reason, sizeof(reason));
	if (is_settling(service, way, event->choice_from, event->choice_to))
		level = LOG_LEVEL_NOTICE;
	else
		record_switch(service, event->at, reason);
	tell_switch(app, way, level, event->at, from, to, reason);
}

void app_policy_learn(struct app *app, const struct policy *policy, const char *reason)
{
	struct app_map *map = app->map_engine;
	usec_t now = app_now();

	for (unsigned w = 0; w < policy->nways; w++) {
		struct app_way *way = &map->ways[w];
		struct app_service *service = service_record(app, way);
		const char *to = choice_site(map, way, policy_active(&policy->ways[w]));
		char from[CONFIG_NAME];

		memcpy(from, way->before, sizeof(from));
		way->active = policy_active(&policy->ways[w]);
		snprintf(way->before, sizeof(way->before), "%s", to ? to : "");
		if (app->map != map)
			set_active(app->map, way, to);
		if (!reason || !service || !strcmp(from, way->before))
			continue;
		record_switch(service, now, reason);
		tell_switch(app, way, to ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, now, from[0] ? from : NULL,
			    to, reason);
	}
}

static void record_held(struct app_service *service, const struct steer_report *report)
{
	if (service->steered_for != report->order.detected)
		service->held_max = 0;
	service->steered_for = report->order.detected;
	if (report->held > service->held_max)
		service->held_max = report->held;
}

/* One of several paths left: the services that it carried have moved. Not those that came to the site by the
 * same decision: they begin with the paths that are usable. */
static void detached(struct app *app, const struct steer_report *report)
{
	const struct app_map *map = app->map_told;
	const struct app_group *group = &map->groups[report->order.group];
	struct app_peer *peer = app_peer_by_name(app, group->members[report->order.member].peer_name);
	char reason[160] = "a path was removed";

	if (peer && peer->state == BFD_UP && !peer->barred)
		snprintf(reason, sizeof(reason),
			 peer->gateway_up ? "%s cannot be used" : "the link to %s is down",
			 peer->config->name);
	else if (peer)
		app_peer_cause(peer, peer->state, peer->diag, reason, sizeof(reason));
	for (unsigned w = 0; w < map->nways; w++) {
		const struct app_way *way = &map->ways[w];
		struct app_service *service = service_record(app, way);

		if (!service || way->active < 0 || way->active_since >= report->order.detected ||
		    map->choices[way->first_rule + way->active].group != report->order.group)
			continue;
		if (service->switch_at != report->order.detected)
			record_switch(service, report->order.detected, reason);
		record_held(service, report);
	}
}

static void refused(struct app *app, int error, struct app_refusal *refusal, const char *action,
		    const char *object)
{
	app->order_errors++;
	if (error != refusal->error)
		log_error("steering: the kernel refused (%s, %s): %s; it is asked again now and then", action,
			  object, error == -EEXIST ? "somebody else has the id" : strerror(-error));
	refusal->error = error;
	app_policy_check_in(app, 1 << refusal->times);
	if (refusal->times < RETRY_LONGEST)
		refusal->times++;
}

static void steered(struct app *app, const struct steer_report *report, struct app_refusal *refusal,
		    const char *action, const char *object)
{
	if (report->error) {
		refused(app, report->error, refusal, action, object);
		return;
	}
	*refusal = (struct app_refusal){0};
	events_add(app->events, LOG_LEVEL_INFO, "steered", report->held,
		   json_pack("{s:s s:s s:I}", "action", action, "object", object, "detection-to-kernel-us",
			     (json_int_t)(report->held - report->order.detected)));
}

static void rule_report(struct app *app, const struct steer_report *report)
{
	const struct app_map *map = app->map_told;
	const struct object_rule *rule = &map->map.rules[report->order.rule];
	struct app_choice *choice = &map->choices[report->order.rule];
	struct app_service *service = service_record(app, &map->ways[choice->way]);
	char object[3 * CONFIG_NAME];

	snprintf(object, sizeof(object), "%s of %s: %s rule %u to table %u", map->ways[choice->way].service,
		 choice->site, rule->family == AF_INET ? "ipv4" : "ipv6", rule->priority, rule->table);
	if (!report->error && service)
		record_held(service, report);
	steered(app, report, &choice->refusal,
		report->order.kind == STEER_RULE_ADD ? "rule added" : "rule deleted", object);
}

static void group_report(struct app *app, const struct steer_report *report)
{
	const struct app_map *map = app->map_told;
	struct app_group *group = &map->groups[report->order.group];
	uint32_t id = map->map.groups[report->order.group].id;
	char object[3 * CONFIG_NAME];

	if (report->order.kind == STEER_DETACH) {
		snprintf(object, sizeof(object), "%s of %s: group %u",
			 group->members[report->order.member].peer_name, group->site, id);
		if (!report->error)
			detached(app, report);
		steered(app, report, &group->refusal, "nexthop removed", object);
		return;
	}
	snprintf(object, sizeof(object), "%s: group %u with %d nexthops", group->site, id,
		 __builtin_popcountll(report->order.mask));
	if (report->attached) /* also without a member that the kernel refused */
		app_policy_group_there(app, id);
	steered(app, report, &group->refusal, "group set", object);
}

void app_policy_report(struct app *app, const struct steer_report *report)
{
	struct app_map *map = (struct app_map *)report->order.map;

	app->orders++;
	switch (report->order.kind) {
	case STEER_MAP:
		app->map_told = map;
		break;
	case STEER_RETIRE:
		if (report->error) {
			app->order_errors++;
			log_error(
				"steering: the kernel refused to clear away what is no longer configured: %s",
				strerror(-report->error));
		}
		app_map_release(app, map);
		break;
	case STEER_RULE_ADD:
	case STEER_RULE_DEL:
		rule_report(app, report);
		break;
	default:
		group_report(app, report);
	}
}

/* Foreign hands */

void app_policy_check_in(struct app *app, double seconds)
{
	if (ev_is_active(&app->check_timer) && ev_timer_remaining(app->loop, &app->check_timer) <= seconds)
		return;
	ev_timer_stop(app->loop, &app->check_timer);
	ev_timer_set(&app->check_timer, seconds, 0.);
	ev_timer_start(app->loop, &app->check_timer);
}

/* Also one that no map has any more: its id will be given again. */
void app_policy_group_gone(struct app *app, uint32_t id)
{
	routes_group(app->routes, id, false);
}

static void check_group(struct app *app, const struct object_set *found, unsigned g)
{
	const struct steer_group *wanted = &app->map->map.groups[g];

	for (unsigned i = 0; i < found->ngroups; i++) {
		if (found->groups[i].id != wanted->id)
			continue;
		for (unsigned m = 0; m < wanted->nmembers; m++)
			if (!app_group_holds(&found->groups[i], wanted->members[m].id))
				APP_UNTIL_TAKEN(engine_lost_member(app->engine, g, m));
		/* News of its end may have come after those of its successor. */
		app_policy_group_there(app, wanted->id);
		return;
	}
	routes_group(app->routes, wanted->id, false);
	APP_UNTIL_TAKEN(engine_lost_group(app->engine, g));
}

/* What of ours is not in the kernel is told to the policy; what it never ordered, or ordered away itself, is
 * no loss to it. */
void app_policy_check(struct app *app)
{
	struct object_set found = {0};
	char error[256];

	if (!app->map)
		return;
	if (steer_find_switches(&app->range, &found, error, sizeof(error))) {
		log_error("steering: %s", error);
		app_policy_check_in(app, RETRY_WAIT);
		return;
	}
	for (unsigned g = 0; g < app->map->map.ngroups; g++)
		check_group(app, &found, g);
	for (unsigned r = 0; r < app->map->map.nrules; r++)
		if (!app_rule_found(&found, &app->map->map.rules[r]))
			APP_UNTIL_TAKEN(engine_lost_rule(app->engine, r));
	object_set_free(&found);
}
