/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy and steering seen from the main thread: what is handed to the engine and to the route writer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "core/table.h"

/* Tables and prefixes */

const struct config_service *app_rule_service(const struct app *app, unsigned rule)
{
	return &app->config->services[app->map->ways[app->map->choices[rule].way].index];
}

static void want_routes(struct app *app, unsigned rule)
{
	const struct config_service *service = app_rule_service(app, rule);
	uint8_t family = app->map->map.rules[rule].family;
	struct prefix *prefixes = calloc(service->nprefixes, sizeof(*prefixes));
	unsigned n = 0;

	for (unsigned i = 0; prefixes && i < service->nprefixes; i++)
		if (service->prefixes[i].addr.family == family)
			prefixes[n++] = service->prefixes[i];
	if (!prefixes || !routes_want(app->routes, app->map->map.rules[rule].table, family,
				      app->map->map.groups[app->map->choices[rule].group].id, prefixes, n))
		log_error("service %s: out of memory for its %u prefixes", service->name, service->nprefixes);
	free(prefixes);
}

static bool wanted_table(const struct app_map *map, const struct app_table *table)
{
	for (unsigned r = 0; r < map->map.nrules; r++)
		if (map->map.rules[r].table == table->table && map->map.rules[r].family == table->family)
			return true;
	return false;
}

static void want_tables(struct app *app)
{
	struct app_table *tables = calloc(app->map->map.nrules + 1, sizeof(*tables));

	if (!tables)
		return;
	for (unsigned t = 0; t < app->ntables; t++)
		if (!wanted_table(app->map, &app->tables[t]))
			routes_want(app->routes, app->tables[t].table, app->tables[t].family, 0, NULL, 0);
	for (unsigned r = 0; r < app->map->map.nrules; r++) {
		tables[r] = (struct app_table){app->map->map.rules[r].table, app->map->map.rules[r].family};
		if (!app_rule_service(app, r)->follow)
			want_routes(app, r);
	}
	app_follow_tables(app);
	free(app->tables);
	app->tables = tables;
	app->ntables = app->map->map.nrules;
	app_routes_wake(app);
}

void app_policy_ready(struct app *app, uint32_t table, uint8_t family, bool ready)
{
	if (!app->map)
		return;
	for (unsigned r = 0; r < app->map->map.nrules; r++) {
		const struct object_rule *rule = &app->map->map.rules[r];

		if (rule->table != table || rule->family != family)
			continue;
		APP_UNTIL_TAKEN(engine_ready(app->engine, r, ready));
		events_add(app->events, LOG_LEVEL_INFO, "table", app_now(),
			   json_pack("{s:s s:s s:I s:s s:b}", "service", app_rule_service(app, r)->name,
				     "site", app->map->choices[r].site, "table", (json_int_t)table, "family",
				     family == AF_INET ? "ipv4" : "ipv6", "filled", ready));
	}
}

void app_policy_group_there(struct app *app, uint32_t id)
{
	routes_group(app->routes, id, true);
	app_routes_wake(app);
	for (unsigned r = 0; app->map && r < app->map->map.nrules; r++) {
		const struct object_rule *rule = &app->map->map.rules[r];

		if (app->map->map.groups[app->map->choices[r].group].id == id &&
		    routes_ready(app->routes, rule->table, rule->family))
			APP_UNTIL_TAKEN(engine_ready(app->engine, r, true));
	}
}

/* Handing over */

uint16_t *app_policy_slot_paths(struct app *app)
{
	uint16_t *paths = malloc(TABLE_SLOTS * sizeof(*paths));

	if (!paths)
		return NULL;
	for (unsigned s = 0; s < TABLE_SLOTS; s++)
		paths[s] = SESSION_NO_PATH;
	for (unsigned i = 0; i < app->npeers; i++)
		if (app->peers[i].slot != APP_NO_SLOT)
			paths[app->peers[i].slot] = app_lag_path(app, &app->peers[i]);
	return paths;
}

static void learn_active(void *context, const struct policy *policy)
{
	struct app *app = context;

	app_policy_learn(app, policy, app->map_engine->why);
}

static void learn_lost(void *context, const struct policy *policy)
{
	app_policy_learn(context, policy, "not known: the event was lost among too many");
}

void app_policy_recount(struct app *app)
{
	APP_UNTIL_TAKEN(engine_snapshot_policy(app->engine, learn_lost, app));
}

void app_policy_hand_over(struct app *app, struct app_map *map, struct policy *policy, uint16_t *paths)
{
	struct app_map *old = app->map;

	if (old)
		old->next = map;
	else
		app->map_first = app->map_engine = map;
	app->map = map;
	app_numbers_keep(app);
	app_failover_interfaces(app, map);
	APP_UNTIL_TAKEN(engine_policy(app->engine, policy, map, paths, TABLE_SLOTS));
	/* What the policy took over is no event of the engine's. */
	APP_UNTIL_TAKEN(engine_snapshot_policy(app->engine, learn_active, app));
	want_tables(app);
}

bool app_policy_build(struct app *app, const char *why)
{
	struct policy *policy = NULL;
	struct app_map *map = app_map_build(app, &policy);
	uint16_t *paths = map ? app_policy_slot_paths(app) : NULL;

	if (!paths) {
		if (map)
			policy_free(policy);
		app_map_free(map);
		log_error("services: out of memory, tables or nexthop ids; steering stays as it is");
		return false;
	}
	map->why = why;
	app_policy_hand_over(app, map, policy, paths);
	return true;
}

void app_policy_resolve(struct app *app)
{
	if (!app->map)
		return;
	for (unsigned g = 0; g < app->map->map.ngroups; g++) {
		struct app_group *group = &app->map->groups[g];

		for (unsigned m = 0; m < group->nmembers; m++) {
			bool up = app->peers[group->members[m].peer].gateway_up;

			if (up == group->members[m].resolved)
				continue;
			APP_UNTIL_TAKEN(engine_resolved(app->engine, g, m, up));
			group->members[m].resolved = up;
		}
	}
}

struct app_service *app_services_load(const struct app_service *old, const struct config *old_config,
				      const struct config *config)
{
	struct app_service *services = calloc(config->nservices + 1, sizeof(*services));

	for (unsigned i = 0; services && i < config->nservices; i++) {
		snprintf(services[i].name, sizeof(services[i].name), "%s", config->services[i].name);
		for (unsigned o = 0; old && o < old_config->nservices; o++)
			if (!strcmp(old[o].name, services[i].name)) {
				services[i] = old[o];
				/* Its sites may be others: from now on each move counts. */
				services[i].carried[0] = services[i].carried[1] = ~0u;
			}
	}
	return services;
}

void app_policy_range(const struct config_steering *steering, struct object_range *range)
{
	*range = (struct object_range){
		.protocol = steering->protocol,
		.nexthop_first = steering->nexthop_id,
		.nexthop_last = steering->nexthop_id + CONFIG_NEXTHOPS - 1,
		.table_first = steering->table,
		.table_last = steering->table + CONFIG_TABLES - 1,
		.priority_first = steering->rule_priority,
		.priority_last = steering->rule_priority + CONFIG_RULES - 1,
	};
}

void app_policy_stop(struct app *app)
{
	char error[256];

	if (app->hold)
		log_notice("stopping for a restart: sessions, routes and rules stay as they are");
	else if (app->config->steering.hold_on_stop)
		log_notice("stopping: sessions, routes and rules stay as they are (hold-on-stop)");
	else if (steer_remove(&app->range, error, sizeof(error)))
		log_error("stopping: %s", error);
}

/* Both threads have ended. */
void app_policy_free(struct app *app)
{
	struct app_map *next;

	for (struct app_map *map = app->map_first; map; map = next) {
		next = map->next;
		app_map_free(map);
	}
	ids_free(app->nexthop_ids);
	ids_free(app->table_ids);
	ids_free(app->mark_ids);
	free(app->tables);
}
