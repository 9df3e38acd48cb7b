/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From configuration and links to a policy and the steering map that its indices mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app_private.h"

/* Building: the arrays have room for the most that the configuration can ask for. */
struct build {
	struct app *app;
	struct app_map *map;
	struct policy *policy;
	unsigned ngroups, nrules;
	unsigned rank, nfollowers; /* of the service's rules; services that follow, so far */
	int (*group_of)[2];	   /* by site, [0] IPv4 and [1] IPv6 nexthops; -1: none yet */
};

void app_map_free(struct app_map *map)
{
	if (!map)
		return;
	for (unsigned g = 0; g < map->map.ngroups; g++)
		free(map->groups[g].members);
	free(map->groups);
	free(map->choices);
	free(map->ways);
	free(map->map.groups);
	free(map->map.rules);
	free(map);
}

/* FNV-1a: only has to tell apart what one configuration after the other says. */
static uint64_t hash(uint64_t h, const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

const struct addr *app_gateway(const struct config_peer *peer)
{
	return peer->via.family ? &peer->via : &peer->address;
}

static uint64_t member_key(const struct app_peer *peer)
{
	uint64_t h = 0xcbf29ce484222325ull;

	h = hash(h, peer->config->name, strlen(peer->config->name));
	h = hash(h, app_gateway(peer->config), sizeof(struct addr));
	return hash(h, &peer->gateway_ifindex, sizeof(peer->gateway_ifindex));
}

static bool has_family(const struct app *app, const struct config_site *site, uint8_t family)
{
	for (unsigned i = 0; i < site->npeers; i++)
		if (app_gateway(&app->config->peers[site->peers[i]])->family == family)
			return true;
	return false;
}

static bool add_member(struct build *b, unsigned g, unsigned peer_index)
{
	struct app *app = b->app;
	struct app_peer *peer = &app->peers[peer_index];
	struct app_group *group = &b->map->groups[g];
	struct steer_group *steer = &b->map->map.groups[g];
	struct policy_group *policy = &b->policy->groups[g];
	unsigned m = group->nmembers;
	char name[2 * CONFIG_NAME + 16];
	uint32_t id;

	snprintf(name, sizeof(name), "%s/%s", policy->name, peer->config->name);
	id = ids_get(app->nexthop_ids, name);
	if (!id)
		return false;
	group->members[m] = (struct app_member){.peer = peer_index, .resolved = peer->gateway_up};
	snprintf(group->members[m].peer_name, CONFIG_NAME, "%s", peer->config->name);
	policy->resolved |= (uint64_t)peer->gateway_up << m;
	steer->members[m] = (struct object_nexthop){
		.id = id, .ifindex = peer->gateway_ifindex, .gateway = *app_gateway(peer->config)};
	policy->paths[m] = peer_index;
	policy->keys[m] = member_key(peer);
	group->nmembers = steer->nmembers = policy->npaths = m + 1;
	return true;
}

/* The group of a site's peers of FAMILY, made on first use; -1: out of ids or memory. */
static int site_group(struct build *b, unsigned s, uint8_t family)
{
	const struct config_site *site = &b->app->config->sites[s];
	int *index = &b->group_of[s][family == AF_INET6];
	unsigned g = b->ngroups;

	if (*index >= 0)
		return *index;
	snprintf(b->map->groups[g].site, sizeof(b->map->groups[g].site), "%s", site->name);
	b->map->groups[g].members = calloc(site->npeers, sizeof(struct app_member));
	b->map->map.ngroups = b->policy->ngroups = b->ngroups = g + 1;
	snprintf(b->policy->groups[g].name, sizeof(b->policy->groups[g].name), "%s/%s", site->name,
		 family == AF_INET ? "ipv4" : "ipv6");
	b->map->map.groups[g].id = ids_get(b->app->nexthop_ids, b->policy->groups[g].name);
	b->map->groups[g].mark = app_failover_bit(b->app, b->policy->groups[g].name);
	if (!b->map->groups[g].members || !b->map->map.groups[g].id)
		return -1;
	for (unsigned i = 0; i < site->npeers; i++)
		if (app_gateway(&b->app->config->peers[site->peers[i]])->family == family &&
		    !add_member(b, g, site->peers[i]))
			return -1;
	return *index = g;
}

static bool add_choice(struct build *b, unsigned w, const struct config_service *service, unsigned s)
{
	struct app *app = b->app;
	struct app_way *way = &b->map->ways[w];
	struct policy_way *policy = &b->policy->ways[w];
	const struct config_site *site = &app->config->sites[s];
	struct policy_choice *choice = &policy->choices[policy->nchoices];
	uint8_t family = way->family;
	char name[2 * CONFIG_NAME + 2];
	struct object_rule *rule;
	int group;

	/* IPv4 may go by IPv6 nexthops (RFC 8950), the reverse does not exist. */
	if (family == AF_INET && !has_family(app, site, AF_INET))
		family = AF_INET6;
	if (!has_family(app, site, family))
		return true;
	group = site_group(b, s, family);
	if (group < 0)
		return false;
	snprintf(name, sizeof(name), "%s/%s", service->name, site->name);
	rule = &b->map->map.rules[b->nrules];
	*rule = (struct object_rule){
		.family = way->family,
		.priority = app->range.priority_first + CONFIG_SERVICE_SITES * b->rank + policy->nchoices,
		.table = ids_get(app->table_ids, name),
		.without = b->map->groups[group].mark,
	};
	if (!rule->table)
		return false;
	b->map->choices[b->nrules] = (struct app_choice){.group = group, .way = w};
	snprintf(b->map->choices[b->nrules].site, CONFIG_NAME, "%s", site->name);
	*choice = (struct policy_choice){
		.group = group,
		.rule = b->nrules,
		.table = rule->table,
		.key = (uint64_t)ffs((int)rule->without) << 48 | (uint64_t)rule->priority << 32 | rule->table,
		.restore_at = USEC_NEVER,
	};
	policy->nchoices = way->nchoices = policy->nchoices + 1;
	b->map->map.nrules = ++b->nrules;
	return true;
}

static bool service_has_family(const struct app *app, const struct config_service *service, uint8_t family)
{
	for (unsigned i = 0; i < service->nsites && service->follow; i++)
		if (family == AF_INET || has_family(app, &app->config->sites[service->sites[i]], family))
			return true;
	for (unsigned i = 0; i < service->nprefixes; i++)
		if (service->prefixes[i].addr.family == family)
			return true;
	return false;
}

/* What carries the way now, by its site's name. */
static void carries_before(const struct build *b, struct app_way *way)
{
	const struct app_map *old = b->app->map;

	way->active = -1;
	for (unsigned w = 0; old && w < old->nways; w++) {
		const struct app_way *was = &old->ways[w];

		if (was->active < 0 || was->family != way->family || strcmp(was->service, way->service))
			continue;
		snprintf(way->before, sizeof(way->before), "%s",
			 old->choices[was->first_rule + was->active].site);
		for (unsigned c = 0; c < way->nchoices; c++)
			if (!strcmp(b->map->choices[way->first_rule + c].site, way->before))
				way->active = c;
	}
}

static bool add_way(struct build *b, unsigned index, uint8_t family)
{
	const struct config_service *service = &b->app->config->services[index];
	unsigned w = b->map->nways;
	struct policy_way *policy = &b->policy->ways[w];

	if (!service_has_family(b->app, service, family))
		return true;
	b->map->ways[w] = (struct app_way){.index = index, .family = family, .first_rule = b->nrules};
	snprintf(b->map->ways[w].service, CONFIG_NAME, "%s", service->name);
	snprintf(policy->name, sizeof(policy->name), "%s/%s", service->name,
		 family == AF_INET ? "ipv4" : "ipv6");
	policy->service = index;
	policy->family = family;
	policy->wait_to_restore = service->wait_to_restore;
	b->policy->nways = b->map->nways = w + 1;
	for (unsigned i = 0; i < service->nsites; i++)
		if (!add_choice(b, w, service, service->sites[i]))
			return false;
	carries_before(b, &b->map->ways[w]);
	return true;
}

static bool fill(struct build *b)
{
	const struct config *config = b->app->config;

	for (unsigned s = 0; s < config->nsites; s++)
		b->group_of[s][0] = b->group_of[s][1] = -1;
	for (unsigned i = 0; i < config->nservices; i++) {
		/* Overlaps: what is listed wins, then the earlier service. */
		b->rank = config->services[i].follow ? ++b->nfollowers : 0;
		if (!add_way(b, i, AF_INET) || !add_way(b, i, AF_INET6))
			return false;
	}
	return true;
}

static bool allocate(struct build *b)
{
	const struct config *config = b->app->config;
	unsigned groups = 2 * config->nsites, ways = 2 * config->nservices, rules = 0;

	for (unsigned i = 0; i < config->nservices; i++)
		rules += 2 * config->services[i].nsites;
	b->policy = policy_create(b->app->npeers, groups, ways);
	b->map = calloc(1, sizeof(*b->map));
	b->group_of = calloc(config->nsites + 1, sizeof(*b->group_of));
	if (!b->policy || !b->map || !b->group_of)
		return false;
	b->policy->ngroups = b->policy->nways = 0;
	b->map->groups = calloc(groups + 1, sizeof(*b->map->groups));
	b->map->choices = calloc(rules + 1, sizeof(*b->map->choices));
	b->map->ways = calloc(ways + 1, sizeof(*b->map->ways));
	b->map->map.groups = calloc(groups + 1, sizeof(*b->map->map.groups));
	b->map->map.rules = calloc(rules + 1, sizeof(*b->map->map.rules));
	return b->map->groups && b->map->choices && b->map->ways && b->map->map.groups && b->map->map.rules;
}

static void number_paths(struct app *app, const struct app_map *map)
{
	for (unsigned i = 0; i < app->npeers; i++)
		app->peers[i].path = SESSION_NO_PATH;
	for (unsigned g = 0; g < map->map.ngroups; g++)
		for (unsigned m = 0; m < map->groups[g].nmembers; m++)
			app->peers[map->groups[g].members[m].peer].path = map->groups[g].members[m].peer;
}

struct app_map *app_map_build(struct app *app, struct policy **policy)
{
	struct build b = {.app = app};
	bool ok = allocate(&b) && fill(&b);

	free(b.group_of);
	if (ok) {
		/* Otherwise the earlier map stays in force, with its numbers. */
		ids_sweep(app->nexthop_ids);
		ids_sweep(app->table_ids);
		if (app->mark_ids)
			ids_sweep(app->mark_ids);
		number_paths(app, b.map);
		*policy = b.policy;
		return b.map;
	}
	policy_free(b.policy);
	app_map_free(b.map);
	return NULL;
}
