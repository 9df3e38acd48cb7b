/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket's commands. What the engine owns is asked of it as a copy, and the answer is given when
 * the copy comes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_private.h"
#include "ops/view.h"
#include "version.h"

/* A request that waits for a snapshot. */
struct pending {
	struct app *app;
	struct control_request *request;
	uint32_t added;		/* of the app, when it was asked for */
	char name[CONFIG_NAME]; /* of the one peer that is asked for; "": all */
};

static struct pending *pend(struct app *app, struct control_request *request, const char *name)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending) {
		control_fail(request, "out of memory");
		return NULL;
	}
	pending->app = app;
	pending->request = request;
	pending->added = app->added;
	snprintf(pending->name, sizeof(pending->name), "%s", name);
	return pending;
}

static void refuse_busy(struct pending *pending)
{
	control_fail(pending->request, "the engine is busy, try again");
	free(pending);
}

/* Peers */

static int compare_slots(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)((const struct session *)b)->slot;
}

/* A copy of the sessions, as they were when ADDED had been given to the engine. */
struct copy {
	const struct app *app;
	uint32_t added;
	const struct session *sessions;
	unsigned count;
};

/* Commands keep their order: what was added after the copy was asked for is not in it, and what is there in
 * its slot is of a peer that a reload removed. */
static const struct session *find_session(const struct copy *copy, const struct app_peer *peer)
{
	uint16_t slot = peer->slot;

	if (peer->slot == APP_NO_SLOT || (int32_t)(peer->added - copy->added) > 0)
		return NULL;
	return bsearch(&slot, copy->sessions, copy->count, sizeof(*copy->sessions), compare_slots);
}

static const char *peer_site(const struct app *app, unsigned peer)
{
	for (unsigned s = 0; s < app->config->nsites; s++)
		for (unsigned i = 0; i < app->config->sites[s].npeers; i++)
			if (app->config->sites[s].peers[i] == peer)
				return app->config->sites[s].name;
	return NULL;
}

static void write_peer(struct writer *out, const struct copy *copy, const struct app_peer *peer, bool detail)
{
	const struct app *app = copy->app;
	const struct session *session = find_session(copy, peer);
	const struct session_key key = {
		.peer = peer->config->address,
		.local = peer->local.family ? peer->local : peer->config->local_address,
		.type = peer->config->type,
	};
	const struct monitor_link *link = monitor_link_by_index(app->monitor, peer->ifindex);
	const struct monitor_link *vrf = monitor_link_by_index(app->monitor, peer->vrf);
	char waiting[APP_WAITING];
	struct view_bgp bgp;
	const struct app_peer *bond_peer = peer->config->source == CONFIG_MEMBER
						   ? app_lag_parent(copy->app, peer)
						   : NULL;
	const struct view_bond bond = {peer->members, peer->members_up, peer->config->minimum_links,
				       peer->state, peer->state_since};
	const struct view_peer view = {
		.bond = key.type == SESSION_MICRO && peer->config->source == CONFIG_FILE ? &bond : NULL,
		.bond_peer = bond_peer ? bond_peer->config->name : NULL,
		.in_service = !peer->diverted,
		.name = peer->config->name,
		.interface = link && peer->path_up ? link->name : peer->config->interface,
		.vrf = vrf ? vrf->name : peer->config->vrf,
		.profile = peer->config->profile,
		.source = config_source_name(peer->config->source),
		.frr_session = peer->config->frr_lid,
		.site = detail ? peer_site(app, peer - app->peers) : NULL,
		.waiting = peer->waiting || app_peer_lacks_key(peer) ? app_peer_waiting(app, peer, waiting)
			   : peer->refused && (peer->slot == APP_NO_SLOT || !peer->path_up)
				   ? "the end of another session with its addresses"
				   : NULL,
		.session = session,
		.bgp = app_bgp_view(app, peer, &bgp) ? &bgp : NULL,
		.transmit_path = !peer->path_up					    ? NULL
				 : peer->neighbour.known && peer->neighbour.control ? "packet-socket"
										    : "routed",
		.needed_mtu = app_mtu_needed(peer),
		.interface_mtu = app_mtu_interface(app, peer),
		.path_mtu = peer->path_mtu,
		.path_mtu_router = &peer->path_mtu_router,
		.path_mtu_at = peer->path_mtu_at,
		.config = &peer->config->session,
		.key = session ? &session->key : &key,
	};

	detail ? view_peer_detail(out, &view) : view_peer(out, &view);
}

static void write_peers(void *context, struct writer *out)
{
	const struct copy *copy = context;
	const struct app *app = copy->app;

	writer_open(out, '[');
	for (unsigned i = 0; i < app->npeers && !out->failed; i++)
		write_peer(out, copy, &app->peers[i], false);
	writer_close(out, ']');
}

static void answer_peers(void *context, const struct session *sessions, unsigned count)
{
	struct pending *pending = context;
	struct copy copy = {pending->app, pending->added, sessions, count};

	control_reply_written(pending->request, write_peers, &copy);
	free(pending);
}

/* The one that was asked for. */
struct one {
	struct copy copy;
	const struct app_peer *peer;
};

static void write_one(void *context, struct writer *out)
{
	const struct one *one = context;

	write_peer(out, &one->copy, one->peer, true);
}

static void answer_peer(void *context, const struct session *sessions, unsigned count)
{
	struct pending *pending = context;
	struct one one = {{pending->app, pending->added, sessions, count},
			  app_peer_by_name(pending->app, pending->name)};

	if (one.peer)
		control_reply_written(pending->request, write_one, &one);
	else
		control_fail(pending->request, "peer %s was removed", pending->name);
	free(pending);
}

static void peers(struct app *app, struct control_request *request, const json_t *args)
{
	struct pending *pending = pend(app, request, "");

	if (pending && !engine_snapshot(app->engine, answer_peers, pending))
		refuse_busy(pending);
}

static void peer(struct app *app, struct control_request *request, const json_t *args)
{
	const char *name = json_string_value(json_array_get(args, 0));
	struct pending *pending;

	if (!name || !app_peer_by_name(app, name)) {
		control_fail(request, name ? "no peer is called %s" : "which peer? (peer NAME)", name);
		return;
	}
	pending = pend(app, request, name);
	if (pending && !engine_snapshot(app->engine, answer_peer, pending))
		refuse_busy(pending);
}

static void poll(struct app *app, struct control_request *request, const json_t *args)
{
	const char *name = json_string_value(json_array_get(args, 0));
	const struct app_peer *peer = name ? app_peer_by_name(app, name) : NULL;

	if (!peer)
		control_fail(request, name ? "no peer is called %s" : "which peer? (poll NAME)", name);
	else if (peer->config->type == SESSION_ECHO)
		control_fail(request,
			     "%s only forwards packets, nobody there answers a poll: its round-trip time is "
			     "that of the "
			     "packets themselves",
			     name);
	else if (peer->state != BFD_UP)
		control_fail(request, "%s is not up", name);
	else if (!engine_poll(app->engine, peer->slot))
		control_fail(request, "the engine is busy, try again");
	else
		control_reply(request, json_pack("{s:s}", "peer", name));
}

/* Sites and services: what the policy says */

static bool same_peer(const struct view_path *path, const char *peer)
{
	return !strcmp(path->peer, peer);
}

/* Adds the group's members; a peer that another family brought already is joined with it. */
static unsigned add_paths(const struct app_map *map, const struct policy_group *group, unsigned index,
			  bool active, struct view_path *paths, unsigned n)
{
	uint64_t live = group->live | group->presumed;

	for (unsigned m = 0; m < group->npaths; m++) {
		const char *name = map->groups[index].members[m].peer_name;
		bool usable = live >> m & 1, in_use = active && (live & group->attached) >> m & 1;
		unsigned i = 0;

		while (i < n && !same_peer(&paths[i], name))
			i++;
		if (i == n)
			paths[n++] = (struct view_path){.peer = name, .site = map->groups[index].site};
		paths[i].usable |= usable;
		paths[i].in_use |= in_use;
	}
	return n;
}

static const char *active_site(const struct app_map *map, const struct policy *policy, unsigned w)
{
	int active = policy_active(&policy->ways[w]);

	return active < 0 ? NULL : map->choices[policy->ways[w].choices[active].rule].site;
}

static json_t *service_object(struct app *app, const struct policy *policy, const struct app_service *record)
{
	const struct app_map *map = app->map_engine;
	struct view_path *paths = calloc(2 * POLICY_CHOICES * POLICY_MEMBERS, sizeof(*paths));
	struct view_service view = {
		.name = record->name,
		.switches = record->switches,
		.last = {.at = record->switch_at, .reason = record->reason, .detection_to_kernel = -1},
	};
	json_t *object;

	if (record->switch_at && record->steered_for == record->switch_at)
		view.last.detection_to_kernel = record->held_max - record->switch_at;
	for (unsigned w = 0; paths && w < policy->nways; w++) {
		const struct policy_way *way = &policy->ways[w];
		int active = policy_active(way);

		if (strcmp(map->ways[w].service, record->name))
			continue;
		*(way->family == AF_INET ? &view.active_site_v4
					 : &view.active_site_v6) = active_site(map, policy, w);
		for (int c = 0; c < way->nchoices; c++)
			view.npaths = add_paths(map, &policy->groups[way->choices[c].group],
						way->choices[c].group, c == active, paths, view.npaths);
	}
	view.active_site = view.active_site_v4 ? view.active_site_v4 : view.active_site_v6;
	view.paths = paths;
	object = view_service(&view);
	app_follow_view(app, record->name, object);
	free(paths);
	return object;
}

static void answer_services(void *context, const struct policy *policy)
{
	struct pending *pending = context;
	struct app *app = pending->app;
	json_t *all = json_array();

	for (unsigned i = 0; i < app->config->nservices; i++)
		json_array_append_new(all, service_object(app, policy, &app->services[i]));
	control_reply(pending->request, all);
	free(pending);
}

static bool in_use(const struct app_map *map, const struct policy *policy, const char *peer)
{
	for (unsigned w = 0; w < policy->nways; w++) {
		const struct policy_way *way = &policy->ways[w];
		int active = policy_active(way);
		const struct policy_group *group;

		if (active < 0)
			continue;
		group = &policy->groups[way->choices[active].group];
		for (unsigned m = 0; m < group->npaths; m++)
			if (!strcmp(map->groups[way->choices[active].group].members[m].peer_name, peer))
				return ((group->live | group->presumed) & group->attached) >> m & 1;
	}
	return false;
}

static json_t *site_object(struct app *app, const struct policy *policy, const struct config_site *site)
{
	struct view_path *paths = calloc(site->npeers + 1, sizeof(*paths));
	struct view_site view = {.name = site->name, .npaths = paths ? site->npeers : 0, .paths = paths};
	json_t *object;

	for (unsigned i = 0; i < view.npaths; i++) {
		const struct app_peer *p = &app->peers[site->peers[i]];

		paths[i] = (struct view_path){
			.peer = p->config->name,
			.site = site->name,
			.usable = p->state == BFD_UP && !p->barred,
			.in_use = in_use(app->map_engine, policy, p->config->name),
		};
		view.nusable += paths[i].usable;
	}
	object = view_site(&view);
	free(paths);
	return object;
}

static void answer_sites(void *context, const struct policy *policy)
{
	struct pending *pending = context;
	struct app *app = pending->app;
	json_t *all = json_array();

	for (unsigned i = 0; i < app->config->nsites; i++)
		json_array_append_new(all, site_object(app, policy, &app->config->sites[i]));
	control_reply(pending->request, all);
	free(pending);
}

static void from_policy(struct app *app, struct control_request *request, engine_policy_fn *answer)
{
	struct pending *pending = pend(app, request, "");

	if (pending && !engine_snapshot_policy(app->engine, answer, pending))
		refuse_busy(pending);
}

static void sites(struct app *app, struct control_request *request, const json_t *args)
{
	from_policy(app, request, answer_sites);
}

static void services(struct app *app, struct control_request *request, const json_t *args)
{
	from_policy(app, request, answer_services);
}

/* Status */

static json_t *session_counts(const struct app *app)
{
	json_int_t counts[4] = {0};

	for (unsigned i = 0; i < app->npeers; i++)
		counts[app->peers[i].state & 3]++;
	return json_pack("{s:I s:I s:I s:I s:I}", "total", (json_int_t)app->npeers, "up", counts[BFD_UP],
			 "init", counts[BFD_INIT], "down", counts[BFD_DOWN], "admin-down",
			 counts[BFD_ADMIN_DOWN]);
}

static json_t *engine_object(const struct app *app)
{
	struct engine_stats stats;

	engine_stats(app->engine, &stats);
	return json_pack("{s:s s:b s:b s:I s:I s:I s:I s:I s:I s:o s:I s:o}", "scheduling",
			 rt_class_name(atomic_load(&app->engine_thread.got)), "tick-mode", stats.tick_mode,
			 "kernel-filter", stats.kernel_filter, "wakeups", (json_int_t)stats.wakeups,
			 "packets-in", (json_int_t)stats.packets_in, "packets-out",
			 (json_int_t)stats.packets_out, "send-errors", (json_int_t)stats.send_errors,
			 "receive-overflows", (json_int_t)stats.receive_overflows, "stalls",
			 (json_int_t)stats.stalls, "stall-max", view_ms(stats.stall_max), "relieved",
			 (json_int_t)stats.relieved, "drops", view_drops(stats.drops));
}

static void status(struct app *app, struct control_request *request, const json_t *args)
{
	char since[EVENTS_TIME], loaded[EVENTS_TIME], failover[224];
	usec_t now = app_now();

	control_reply(request,
		      json_pack("{s:s s:i s:s s:I s:{s:s s:s} s:o s:i s:i s:b s:o s:o s:{s:s s:I s:I s:I "
				"s:s s:i} s:o s:o s:o s:o}",
				"version", BFDD_VERSION, "pid", (int)getpid(), "since",
				events_time(app->started, since), "uptime",
				(json_int_t)((now - app->started) / USEC_S), "config", "file",
				app->options.config_file, "loaded-at", events_time(app->loaded_at, loaded),
				"sessions", session_counts(app), "sites", (int)app->config->nsites,
				"services", (int)app->config->nservices, "memory-locked", !app->memory_locked,
				"engine", engine_object(app), "survival", app_survive_status(app), "steering",
				"scheduling", rt_class_name(atomic_load(&app->steer_thread.got)), "orders",
				(json_int_t)app->orders, "refused", (json_int_t)app->order_errors, "lost",
				(json_int_t)atomic_load(&app->orders_lost), "fast-failover",
				app_failover_status(app, failover, sizeof(failover)), "watched-links",
				(int)app->nwatched, "frr", app_frr_status(app), "bird", app_bird_status(app),
				"unsolicited", app_unsolicited_status(app), "s-bfd", app_sbfd_status(app)));
}

/* Events */

struct follower {
	struct app *app;
	struct control_request *request;
	unsigned handle;
};

static void push(void *context, json_t *event)
{
	struct follower *follower = context;

	control_push(follower->request, event);
}

static void unfollow(void *context)
{
	struct follower *follower = context;

	events_unsubscribe(follower->app->events, follower->handle);
	free(follower);
}

static void events(struct app *app, struct control_request *request, const json_t *args)
{
	const char *follow = json_string_value(json_array_get(args, 0));
	struct follower *follower;

	if (!follow || strcmp(follow, "--follow")) {
		control_reply(request, events_all(app->events));
		return;
	}
	follower = calloc(1, sizeof(*follower));
	if (follower) {
		*follower = (struct follower){.app = app, .request = request};
		follower->handle = events_subscribe(app->events, push, follower);
	}
	if (!follower || !follower->handle) {
		free(follower);
		control_fail(request, "out of memory");
		return;
	}
	control_stream(request, events_all(app->events), unfollow, follower);
}

static void reload(struct app *app, struct control_request *request, const json_t *args)
{
	char *error = NULL;
	json_t *changed = app_apply(app, &error);

	if (changed)
		control_reply(request, changed);
	else
		control_fail(request, "%s", error ? error : "out of memory");
	free(error);
}

void app_command(void *context, struct control_request *request, const char *command, const json_t *args)
{
	static const struct {
		const char *name;
		void (*answer)(struct app *app, struct control_request *request, const json_t *args);
	} commands[] = {
		{"status", status},	{"peers", peers},
		{"peer", peer},		{"sites", sites},
		{"services", services}, {"events", events},
		{"reload", reload},	{"postmortem", app_postmortem},
		{"poll", poll},
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(command, commands[i].name)) {
			commands[i].answer(context, request, args);
			return;
		}
	control_fail(request, "unknown command %s", command);
}
