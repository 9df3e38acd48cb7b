/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions that nobody configured: the peer speaks, and gets one if an entry of "unsolicited" says so (RFC
 * 9468). The engine tells who speaks, the list of guests says who has a session, and app_dynamic.c makes
 * peers of them. Down for long enough they go again.
 */
#include "app_unsolicited.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

#define BATCH 0.1 /* s: making peers anew takes its time, and a flood must not fill it */
#define LINE 256

struct app_unsolicited {
	struct app_guests guests;
	struct engine_unsolicited_rule *rules; /* the engine's */
	unsigned nrules;
	uint64_t refused; /* who wanted a session and could not have one */
	bool changed;	  /* the file is to be written */
};

/* The entry's number in CONFIG; -1: none is for it. */
static int entry_of(const struct config *config, const struct app_guest *guest)
{
	return config_unsolicited_find(config, guest->interface, &guest->peer);
}

unsigned app_unsolicited_count(const struct app *app, const struct config *file)
{
	const struct app_unsolicited *unsolicited = app->unsolicited;
	unsigned n = 0;

	for (unsigned i = 0; unsolicited && i < unsolicited->guests.n; i++)
		n += entry_of(file, &unsolicited->guests.list[i]) >= 0;
	return n;
}

void app_unsolicited_list(const struct app *app, const struct config *file, struct config_session *into)
{
	const struct app_unsolicited *unsolicited = app->unsolicited;

	for (unsigned i = 0; unsolicited && i < unsolicited->guests.n; i++) {
		const struct app_guest *guest = &unsolicited->guests.list[i];
		int entry = entry_of(file, guest);

		if (entry < 0)
			continue;
		*into = (struct config_session){.source = CONFIG_UNSOLICITED,
						.profile = file->unsolicited[entry].profile,
						.address = guest->peer,
						.local_address = guest->local,
						.type = SESSION_SINGLE_HOP,
						.session = file->unsolicited[entry].session};
		memcpy(into->interface, guest->interface, sizeof(into->interface));
		memcpy(into->vrf, file->unsolicited[entry].vrf, sizeof(into->vrf));
		into++;
	}
}

/* What outlives the process. */

static void path_of(const struct app *app, const char *suffix, char *path, size_t size)
{
	snprintf(path, size, "%s/unsolicited-sessions%s", app->options.state_dir, suffix);
}

void app_unsolicited_applied(struct app *app)
{
	char path[4096], temporary[4096], line[LINE];
	FILE *file;
	bool ok;

	if (!app->unsolicited || !app->unsolicited->changed)
		return;
	app->unsolicited->changed = false;
	path_of(app, "", path, sizeof(path));
	path_of(app, ".new", temporary, sizeof(temporary));
	file = fopen(temporary, "we");
	for (unsigned i = 0; file && i < app->unsolicited->guests.n; i++) {
		app_guest_format(&app->unsolicited->guests.list[i], line, sizeof(line));
		fprintf(file, "%s\n", line);
	}
	ok = file && !ferror(file);
	if (file && fclose(file))
		ok = false;
	if (!ok || rename(temporary, path))
		log_warning("%s: cannot be written: unsolicited sessions will not outlive this process",
			    path);
}

void app_unsolicited_start(struct app *app)
{
	char path[4096], line[LINE];
	struct app_guest guest;
	FILE *file;

	app->unsolicited = calloc(1, sizeof(*app->unsolicited));
	path_of(app, "", path, sizeof(path));
	file = app->unsolicited ? fopen(path, "re") : NULL;
	while (file && fgets(line, sizeof(line), file)) {
		if (!app_guest_parse(&guest, line) ||
		    app_guests_find(&app->unsolicited->guests, guest.interface, &guest.peer))
			continue;
		guest.since = app_now();
		app_guests_add(&app->unsolicited->guests, &guest);
	}
	if (file)
		fclose(file);
}

void app_unsolicited_close(struct app *app)
{
	if (!app->unsolicited)
		return;
	app_guests_clear(&app->unsolicited->guests);
	free(app->unsolicited->rules);
	free(app->unsolicited);
	app->unsolicited = NULL;
}

/* What the engine is told. */

static unsigned count_of_entry(const struct app *app, int entry)
{
	const struct app_guests *guests = &app->unsolicited->guests;
	unsigned n = 0;

	for (unsigned i = 0; i < guests->n; i++)
		n += entry_of(app->config, &guests->list[i]) == entry;
	return n;
}

static bool full(const struct app *app, int entry)
{
	return app->unsolicited->guests.n >= CONFIG_UNSOLICITED_MOST ||
	       count_of_entry(app, entry) >= app->config->unsolicited[entry].maximum;
}

/* Which entries are, each guest looked at once. */
static void find_full(const struct app *app, bool is_full[CONFIG_UNSOLICITED_ENTRIES])
{
	const struct app_guests *guests = &app->unsolicited->guests;
	unsigned counts[CONFIG_UNSOLICITED_ENTRIES] = {0};

	for (unsigned i = 0; i < guests->n; i++) {
		int entry = entry_of(app->config, &guests->list[i]);

		if (entry >= 0)
			counts[entry]++;
	}
	for (unsigned e = 0; e < app->config->nunsolicited; e++)
		is_full[e] = guests->n >= CONFIG_UNSOLICITED_MOST ||
			     counts[e] >= app->config->unsolicited[e].maximum;
}

/* False: the entry's VRF is not there. */
static bool find_vrf(const struct app *app, const struct config_unsolicited *entry, uint32_t *vrf)
{
	const struct monitor_link *link = monitor_link_by_name(app->monitor, entry->vrf);

	*vrf = *entry->vrf && link && link->kind == MONITOR_VRF ? link->ifindex : 0;
	return *vrf || !*entry->vrf;
}

bool app_unsolicited_hears(const struct app *app, uint32_t vrf)
{
	uint32_t own;

	for (unsigned e = 0; vrf && e < app->config->nunsolicited; e++)
		if (find_vrf(app, &app->config->unsolicited[e], &own) && own == vrf)
			return true;
	return false;
}

/* The sockets of no VRF are always there. */
static void listen_in_vrfs(struct app *app)
{
	uint32_t vrf;

	for (unsigned e = 0; e < app->config->nunsolicited; e++) {
		if (!find_vrf(app, &app->config->unsolicited[e], &vrf) || !vrf)
			continue;
		app_doors_listen(app, AF_INET, vrf);
		app_doors_listen(app, AF_INET6, vrf);
	}
}

static unsigned make_rules(const struct app *app, struct engine_unsolicited_rule *rules)
{
	const struct config *config = app->config;
	bool is_full[CONFIG_UNSOLICITED_ENTRIES];
	unsigned n = 0;

	find_full(app, is_full);

	for (unsigned e = 0; e < config->nunsolicited; e++) {
		const struct config_unsolicited *entry = &config->unsolicited[e];
		uint32_t vrf;

		if (!find_vrf(app, entry, &vrf))
			continue;
		for (unsigned i = 0; i < entry->ninterfaces; i++) {
			const struct monitor_link *link = monitor_link_by_name(app->monitor,
									       entry->interfaces[i]);

			if (!link || monitor_vrf(app->monitor, link->ifindex) != vrf)
				continue;
			for (unsigned p = 0; p < entry->nprefixes; p++, n++) {
				rules[n].ifindex = link->ifindex;
				rules[n].vrf = vrf;
				rules[n].prefix = entry->prefixes[p];
				rules[n].full = is_full[e];
			}
		}
	}
	return n;
}

void app_unsolicited_update(struct app *app)
{
	struct app_unsolicited *unsolicited = app->unsolicited;
	struct engine_unsolicited_rule *rules;
	unsigned n;

	if (!unsolicited || (!app->config->nunsolicited && !unsolicited->nrules))
		return;
	listen_in_vrfs(app);
	rules = calloc(CONFIG_UNSOLICITED_RULES, sizeof(*rules));
	if (!rules)
		return;
	n = make_rules(app, rules);
	if ((n == unsolicited->nrules && (!n || !memcmp(rules, unsolicited->rules, n * sizeof(*rules)))) ||
	    !engine_unsolicited(app->engine, rules, n)) {
		free(rules);
		return;
	}
	free(unsolicited->rules);
	unsolicited->rules = rules;
	unsolicited->nrules = n;
}

/* Coming and going. */

static void tell(struct app *app, const struct app_guest *guest, const char *what)
{
	char address[ADDR_TEXT];

	events_add(app->events, LOG_LEVEL_NOTICE, "unsolicited", app_now(),
		   json_pack("{s:s s:s s:s}", "session", what, "address", addr_format(&guest->peer, address),
			     "interface", guest->interface));
}

/* Addresses that no neighbour has who means us. */
static bool plausible(const struct app *app, const struct engine_event *event)
{
	return !addr_is_unspecified(&event->peer) && !addr_is_multicast(&event->peer) &&
	       !monitor_holder(app->monitor, monitor_vrf(app->monitor, event->ifindex), &event->peer) &&
	       monitor_has_address(app->monitor, event->ifindex, &event->local);
}

void app_unsolicited_event(struct app *app, const struct engine_event *event)
{
	const struct monitor_link *link = monitor_link_by_index(app->monitor, event->ifindex);
	struct app_unsolicited *unsolicited = app->unsolicited;
	struct app_guest guest = {.peer = event->peer, .local = event->local, .since = app_now()};
	int entry = link ? config_unsolicited_find(app->config, link->name, &event->peer) : -1;

	if (!unsolicited || entry < 0 || app_guests_find(&unsolicited->guests, link->name, &event->peer))
		return;
	snprintf(guest.interface, sizeof(guest.interface), "%s", link->name);
	if (!plausible(app, event) || full(app, entry) || !app_guests_add(&unsolicited->guests, &guest)) {
		unsolicited->refused++;
		return;
	}
	tell(app, &guest, "begun");
	unsolicited->changed = true;
	if (full(app, entry))
		app_unsolicited_update(app);
	app_dynamic_within(app, BATCH);
}

/* Those whose session is not Down are seen now. */
static void see(struct app *app)
{
	usec_t now = app_now();

	for (unsigned i = 0; i < app->npeers; i++) {
		const struct app_peer *peer = &app->peers[i];
		struct app_guest *guest;

		if (peer->config->source != CONFIG_UNSOLICITED || peer->config->awaited ||
		    (peer->state != BFD_UP && peer->state != BFD_INIT))
			continue;
		guest = app_guests_find(&app->unsolicited->guests, peer->config->interface,
					&peer->config->address);
		if (guest)
			guest->since = now;
	}
}

void app_unsolicited_second(struct app *app)
{
	struct app_unsolicited *unsolicited = app->unsolicited;
	usec_t now = app_now();
	bool gone = false;

	if (!unsolicited)
		return;
	see(app);
	for (unsigned i = unsolicited->guests.n; i-- > 0;) {
		struct app_guest *guest = &unsolicited->guests.list[i];
		int entry = entry_of(app->config, guest);

		if (entry >= 0 && now - guest->since < app->config->unsolicited[entry].expiry)
			continue;
		tell(app, guest, entry >= 0 ? "expired" : "not allowed any more");
		app_guests_drop(&unsolicited->guests, guest);
		gone = true;
	}
	unsolicited->changed |= gone;
	if (gone)
		app_dynamic_within(app, BATCH);
	app_unsolicited_update(app);
}

json_t *app_unsolicited_status(const struct app *app)
{
	if (!app->unsolicited || !app->config->nunsolicited)
		return json_null();
	return json_pack("{s:i s:I}", "sessions", (int)app->unsolicited->guests.n, "refused",
			 (json_int_t)app->unsolicited->refused);
}
