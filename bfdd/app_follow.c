/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services that follow BGP: which peers' routes count for which of them, and what is followed into their
 * tables. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "netlink/follow.h"
#include "ops/view.h"

_Static_assert(FOLLOW_SERVICES == CONFIG_FOLLOWERS, "as many services as the configuration allows");

struct table {
	uint32_t table;
	uint8_t family, service; /* bit */
};

struct app_follow {
	struct app *app;
	struct follow *follow;
	char services[FOLLOW_SERVICES][CONFIG_NAME]; /* by bit; "": free */
	struct table *tables;
	unsigned ntables;
	bool changing; /* the tables: they are filled behind that */
	bool full;     /* out of memory was told */
	ev_io watcher;
	ev_idle idle;
	ev_timer timer;
};

static const struct config_service *service_by_name(const struct app *app, const char *name)
{
	for (unsigned i = 0; i < app->config->nservices; i++)
		if (!strcmp(app->config->services[i].name, name))
			return &app->config->services[i];
	return NULL;
}

/* Its bit; -1: it has none. */
static int bit_of(const struct app_follow *f, const char *service)
{
	for (int b = 0; b < FOLLOW_SERVICES; b++)
		if (!strcmp(f->services[b], service))
			return b;
	return -1;
}

/* Work and time */

static void arm(struct app_follow *f)
{
	usec_t next = follow_next(f->follow), now = app_now();

	ev_timer_stop(f->app->loop, &f->timer);
	if (follow_pending(f->follow)) {
		ev_idle_start(f->app->loop, &f->idle);
		return;
	}
	ev_idle_stop(f->app->loop, &f->idle);
	if (next == USEC_NEVER)
		return;
	ev_timer_set(&f->timer, next > now ? (double)(next - now) / USEC_S : 0., 0.);
	ev_timer_start(f->app->loop, &f->timer);
}

static void on_routes(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app_follow *f = watcher->data;

	follow_read(f->follow);
	app_routes_wake(f->app);
	arm(f);
}

static void work(struct app_follow *f)
{
	follow_work(f->follow);
	app_routes_wake(f->app);
	arm(f);
}

static void on_idle(struct ev_loop *loop, ev_idle *watcher, int revents)
{
	work(watcher->data);
}

static void on_timer(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	work(watcher->data);
}

static void want(struct app_follow *f, uint32_t table, const struct prefix *prefix)
{
	if (routes_add(f->app->routes, table, prefix))
		return;
	if (!f->full)
		log_error("steering: out of memory for the prefixes that BGP has");
	f->full = true;
	/* It will be asked for again by the next listing. */
}

static void changed(void *context, const struct prefix *prefix, uint16_t before, uint16_t wanted)
{
	struct app_follow *f = context;

	for (unsigned t = 0; t < f->ntables && !f->changing; t++) {
		const struct table *table = &f->tables[t];

		if (table->family != prefix->addr.family || !((before ^ wanted) >> table->service & 1))
			continue;
		if (wanted >> table->service & 1)
			want(f, table->table, prefix);
		else
			routes_remove(f->app->routes, table->table, prefix);
	}
}

static void listed(void *context, const struct follow_listing *listing)
{
	struct app_follow *f = context;

	events_add(f->app->events, LOG_LEVEL_INFO, "follow", app_now(),
		   json_pack("{s:s s:I s:I s:I s:o}", "reason", listing->why, "prefixes",
			     (json_int_t)listing->prefixes, "unfit", (json_int_t)listing->unfit, "refused",
			     (json_int_t)listing->refused, "took", view_ms(listing->took)));
	if (listing->refused)
		log_error(
			"following BGP: %u prefixes are not followed: they are too many, or memory is short",
			listing->refused);
}

static void failed(void *context, const char *why)
{
	log_error("following BGP: reading the main table: %s; it is tried again", why);
}

/* Services and peers */

static void assign_bits(struct app_follow *f)
{
	struct follow_set *set = follow_set(f->follow);

	for (unsigned b = 0; b < FOLLOW_SERVICES; b++) {
		const struct config_service *service = service_by_name(f->app, f->services[b]);

		if (!f->services[b][0] || (service && service->follow))
			continue;
		follow_set_forget(set, b);
		f->services[b][0] = '\0';
	}
	for (unsigned i = 0; i < f->app->config->nservices; i++) {
		const struct config_service *service = &f->app->config->services[i];
		int b;

		if (!service->follow)
			continue;
		b = bit_of(f, service->name);
		if (b < 0)
			b = bit_of(f, "");
		snprintf(f->services[b], CONFIG_NAME, "%s", service->name);
		set->delay[b] = service->withdraw_delay;
	}
}

static unsigned add_service_peers(struct app_follow *f, const struct config_service *service,
				  struct follow_peer *peers)
{
	const struct app *app = f->app;
	unsigned n = 0;

	for (unsigned i = 0; i < service->nsites; i++) {
		const struct config_site *site = &app->config->sites[service->sites[i]];

		for (unsigned j = 0; j < site->npeers; j++) {
			const struct app_peer *peer = &app->peers[site->peers[j]];

			peers[n++] = (struct follow_peer){
				.gateway = *app_gateway(peer->config),
				.ifindex = peer->gateway_ifindex,
				.services = (uint16_t)(1u << bit_of(f, service->name)),
			};
		}
	}
	return n;
}

struct guarded {
	struct addr *addrs;
	unsigned n, room;
};

static void guard(void *context, const struct addr *addr)
{
	struct guarded *guarded = context;

	/* No route covers them, and links that come and go bring them by the hundred. */
	if (addr->family == AF_UNSPEC || addr_is_link_local(addr))
		return;
	if (guarded->n == guarded->room) {
		unsigned room = guarded->room ? 2 * guarded->room : 64;
		struct addr *addrs = reallocarray(guarded->addrs, room, sizeof(*addrs));

		if (!addrs)
			return;
		guarded->addrs = addrs;
		guarded->room = room;
	}
	guarded->addrs[guarded->n++] = *addr;
}

static void tell_peers(struct app_follow *f)
{
	struct app *app = f->app;
	struct guarded guarded = {0};
	struct follow_peer *peers;
	unsigned n = 0;

	for (unsigned i = 0; i < app->config->nservices; i++)
		for (unsigned j = 0; j < app->config->services[i].nsites; j++)
			n += app->config->sites[app->config->services[i].sites[j]].npeers;
	peers = calloc(n + 1, sizeof(*peers));
	n = 0;
	for (unsigned i = 0; peers && i < app->config->nservices; i++)
		if (app->config->services[i].follow)
			n += add_service_peers(f, &app->config->services[i], peers + n);
	for (unsigned i = 0; i < app->npeers; i++) {
		guard(&guarded, &app->peers[i].config->address);
		guard(&guarded, app_gateway(app->peers[i].config));
	}
	monitor_each_address(app->monitor, guard, &guarded);
	if (!peers || !follow_peers(f->follow, peers, n, guarded.addrs, guarded.n))
		log_error("following BGP: out of memory; whom to follow stays as it was");
	free(peers);
	free(guarded.addrs);
}

/* Tables */

struct filling {
	struct app_follow *f;
	const struct table *table;
};

static void adopt(void *context, const struct prefix *prefix)
{
	const struct filling *filling = context;

	follow_set_adopt(follow_set(filling->f->follow), prefix, filling->table->service, app_now());
}

static void fill(void *context, const struct prefix *prefix)
{
	const struct filling *filling = context;

	want(filling->f, filling->table->table, prefix);
}

static void take_tables(struct app_follow *f)
{
	struct app *app = f->app;
	struct table *tables = calloc(app->map->map.nrules + 1, sizeof(*tables));
	unsigned n = 0;

	if (!tables) {
		log_error("following BGP: out of memory; its tables stay as they were");
		return;
	}
	f->changing = true;
	for (unsigned r = 0; r < app->map->map.nrules; r++) {
		const struct object_rule *rule = &app->map->map.rules[r];
		const struct config_service *service = app_rule_service(app, r);
		struct filling filling = {f, &tables[n]};

		if (!service->follow)
			continue;
		tables[n] = (struct table){rule->table, rule->family, (uint8_t)bit_of(f, service->name)};
		if (routes_follow(app->routes, rule->table, rule->family,
				  app->map->map.groups[app->map->choices[r].group].id, adopt, &filling))
			n++;
		else
			log_error("service %s: out of memory for its prefixes", service->name);
	}
	free(f->tables);
	f->tables = tables;
	f->ntables = n;
	f->changing = false;
	for (unsigned t = 0; t < n; t++)
		follow_set_each(follow_set(f->follow), tables[t].family, tables[t].service, fill,
				&(struct filling){f, &tables[t]});
}

static struct app_follow *follow_open(struct app *app)
{
	struct app_follow *f = calloc(1, sizeof(*f));
	const struct follow_callbacks callbacks = {
		.changed = changed, .listed = listed, .failed = failed, .context = f};
	char error[160] = "out of memory";

	if (f)
		f->follow = follow_create(app->range.protocol, &callbacks, error, sizeof(error));
	if (!f || !f->follow) {
		log_error("following BGP is not possible: %s", error);
		free(f);
		return NULL;
	}
	f->app = app;
	ev_io_init(&f->watcher, on_routes, follow_fd(f->follow), EV_READ);
	ev_idle_init(&f->idle, on_idle);
	ev_init(&f->timer, on_timer);
	f->watcher.data = f->idle.data = f->timer.data = f;
	/* Without end, perhaps: everything else goes before. */
	ev_set_priority(&f->watcher, EV_MINPRI);
	ev_io_start(app->loop, &f->watcher);
	return f;
}

static bool any_follows(const struct app *app)
{
	for (unsigned i = 0; i < app->config->nservices; i++)
		if (app->config->services[i].follow)
			return true;
	return false;
}

void app_follow_tables(struct app *app)
{
	if (!any_follows(app)) {
		app_follow_close(app);
		return;
	}
	if (!app->follow)
		app->follow = follow_open(app);
	if (!app->follow)
		return;
	assign_bits(app->follow);
	take_tables(app->follow);
	tell_peers(app->follow);
	arm(app->follow);
}

void app_follow_links(struct app *app, bool lost)
{
	if (!app->follow)
		return;
	tell_peers(app->follow);
	if (lost)
		follow_list(app->follow->follow, "a link or an address is lost");
	arm(app->follow);
}

bool app_follow_uses(const struct app *app, uint32_t ifindex)
{
	for (unsigned i = 0; i < app->npeers && app->follow; i++)
		if (app->peers[i].gateway_ifindex == ifindex)
			return true;
	return false;
}

static json_t *following(struct app_follow *f, const struct follow_count *count)
{
	struct follow_stats stats = follow_stats(f->follow);

	return json_pack("{s:I s:b s:I s:I s:I}", "withdrawn", (json_int_t)count->waiting, "in-step",
			 stats.sure, "listings", (json_int_t)stats.listings, "overflows",
			 (json_int_t)stats.overflows, "memory",
			 (json_int_t)follow_set_memory(follow_set(f->follow)));
}

void app_follow_view(struct app *app, const char *name, json_t *object)
{
	const struct config_service *service = service_by_name(app, name);
	struct app_follow *f = service && service->follow ? app->follow : NULL;
	struct follow_count count = {.prefixes = service ? service->nprefixes : 0};

	if (f)
		count = follow_set_count(follow_set(f->follow), (unsigned)bit_of(f, name));
	json_object_set_new(object, "prefixes", json_string(service && service->follow ? "bgp" : "listed"));
	json_object_set_new(object, "prefix-count", json_integer(count.prefixes));
	json_object_set_new(object, "following", f ? following(f, &count) : json_null());
}

void app_follow_close(struct app *app)
{
	struct app_follow *f = app->follow;

	if (!f)
		return;
	ev_io_stop(app->loop, &f->watcher);
	ev_idle_stop(app->loop, &f->idle);
	ev_timer_stop(app->loop, &f->timer);
	follow_free(f->follow);
	free(f->tables);
	free(f);
	app->follow = NULL;
}
