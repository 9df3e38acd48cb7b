/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Micro-BFD (RFC 7130): a peer of the file that is a bond stands for a session on each of the bond's members.
 * The members come and go as peers of their own; the bond's peer has no session, and is Up while enough
 * members are.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_private.h"
#include "core/packet.h"
#include "io/mute.h"
#include "netlink/bond.h"

static bool is_bond_peer(const struct config_peer *config)
{
	return config->type == SESSION_MICRO && config->source == CONFIG_FILE;
}

static const struct monitor_link *bond_of(const struct app *app, const struct config_peer *config)
{
	const struct monitor_link *link = monitor_link_by_name(app->monitor, config->interface);

	return link && link->kind == MONITOR_BOND ? link : NULL;
}

/* As a source of peers, see app_dynamic.c. */

struct listing {
	const struct config_peer *peer;
	uint32_t bond;
	struct config_session *into; /* NULL: they are only counted */
	unsigned n;
};

static void list_member(void *context, const struct monitor_link *link)
{
	struct listing *listing = context;
	const struct config_peer *peer = listing->peer;
	struct config_session *session = listing->into ? &listing->into[listing->n] : NULL;

	if (link->master != listing->bond)
		return;
	listing->n++;
	if (!session)
		return;
	*session = (struct config_session){
		.source = CONFIG_MEMBER,
		.of = peer->name,
		.profile = peer->profile,
		.address = peer->address,
		.local_address = peer->local_address,
		.type = SESSION_MICRO,
		.session = peer->session,
	};
	session->session.minimum_up = peer->minimum_links;
	memcpy(session->interface, link->name, sizeof(session->interface));
}

static unsigned list(const struct app *app, const struct config *file, struct config_session *into)
{
	struct listing listing = {.into = into};

	for (unsigned i = 0; app->monitor && i < file->npeers; i++) {
		const struct monitor_link *bond;

		listing.peer = &file->peers[i];
		if (!is_bond_peer(listing.peer))
			continue;
		bond = bond_of(app, listing.peer);
		listing.bond = bond ? bond->ifindex : 0;
		if (bond)
			monitor_each_link(app->monitor, list_member, &listing);
	}
	return listing.n;
}

unsigned app_lag_count(const struct app *app, const struct config *file)
{
	return list(app, file, NULL);
}

void app_lag_list(const struct app *app, const struct config *file, struct config_session *into)
{
	list(app, file, into);
}

/* Whether those in force are those that there are now. */
static bool members_differ(const struct app *app)
{
	const struct config *file = app->config->base ? app->config->base : app->config;
	unsigned n = app_lag_count(app, file), have = 0;
	struct config_session *now = n ? calloc(n, sizeof(*now)) : NULL;
	bool differ = n && !now;

	if (now)
		list(app, file, now);
	for (unsigned i = 0; i < app->npeers; i++) {
		const struct config_peer *config = app->peers[i].config;
		unsigned j = 0;

		if (config->source != CONFIG_MEMBER)
			continue;
		have++;
		while (now && j < n &&
		       (strcmp(now[j].interface, config->interface) ||
			!addr_equal(&now[j].address, &config->address)))
			j++;
		differ |= j == n;
	}
	free(now);
	return differ || have != n;
}

/* Which bond's peer a member belongs to. */
struct app_peer *app_lag_parent(const struct app *app, const struct app_peer *member)
{
	const struct monitor_link *link = monitor_link_by_name(app->monitor, member->config->interface);

	for (unsigned i = 0; link && link->master && i < app->npeers; i++) {
		const struct config_peer *config = app->peers[i].config;
		const struct monitor_link *bond;

		if (!is_bond_peer(config) || !addr_equal(&config->address, &member->config->address))
			continue;
		bond = bond_of(app, config);
		if (bond && bond->ifindex == link->master)
			return &app->peers[i];
	}
	return NULL;
}

uint16_t app_lag_path(struct app *app, const struct app_peer *peer)
{
	const struct app_peer *parent = peer;

	if (peer->config->source == CONFIG_MEMBER)
		parent = app_lag_parent(app, peer);
	return parent ? parent->path : SESSION_NO_PATH;
}

enum app_waiting app_lag_waits(const struct app *app, const struct app_peer *peer, uint32_t *ifindex)
{
	const struct monitor_link *link = monitor_link_by_name(app->monitor, peer->config->interface), *bond;

	*ifindex = link ? link->ifindex : 0;
	if (!link)
		return APP_WAITS_INTERFACE;
	if (is_bond_peer(peer->config))
		return link->kind == MONITOR_BOND ? APP_WAITS_NOT : APP_WAITS_BOND;
	bond = monitor_link_by_index(app->monitor, link->master);
	if (!bond || bond->kind != MONITOR_BOND)
		return APP_WAITS_BOND;
	if (!link->up)
		return APP_WAITS_SET_UP;
	if (!link->carrier)
		return APP_WAITS_CARRIER;
	/* RFC 7130 2.4: on members that are distributing, or standing by. */
	if (bond->bond_mode == MONITOR_BOND_8023AD && !link->distributing)
		return APP_WAITS_LACP;
	return APP_WAITS_NOT;
}

/* Keeping traffic off members (RFC 7130 3) */

/* Of one bond. */
struct bundle {
	const struct monitor_link *bond;
	unsigned n, nup, ngood;
	bool told; /* a member is in AdminDown, on either side */
	struct app_peer *members[DETOUR_LINKS];
	uint32_t good[DETOUR_LINKS]; /* that may carry traffic */
};

/* AdminDown, on either side, says nothing about the link (RFC 7130 appendix A). */
static bool vetoed(const struct app_peer *member)
{
	return member->state != BFD_UP && member->state != BFD_ADMIN_DOWN && !member->remote.admin_down;
}

static void gather(struct app *app, const struct app_peer *parent, struct bundle *bundle)
{
	*bundle = (struct bundle){.bond = bond_of(app, parent->config)};
	for (unsigned i = 0; bundle->bond && i < app->npeers && bundle->n < DETOUR_LINKS; i++) {
		struct app_peer *member = &app->peers[i];

		if (member->config->source != CONFIG_MEMBER || app_lag_parent(app, member) != parent)
			continue;
		bundle->members[bundle->n++] = member;
		bundle->nup += member->state == BFD_UP;
		bundle->told |= member->state == BFD_ADMIN_DOWN || member->remote.admin_down;
		if (!vetoed(member) && member->path_up)
			bundle->good[bundle->ngood++] = member->ifindex;
	}
}

static struct detour *detour_of(struct app *app)
{
	char why[256];

	if (!app->detour && !app->detour_refused) {
		app->detour = detour_open(why, sizeof(why));
		app->detour_refused = !app->detour;
		if (app->detour_refused)
			log_error(
				"members of bonds whose BFD is down cannot be kept from carrying traffic: %s",
				why);
	}
	return app->detour;
}

/* What it is given to send goes out by GOOD. */
static void divert(struct app *app, struct app_peer *member, const struct bundle *bundle)
{
	unsigned n = vetoed(member) ? bundle->ngood : 0;
	int err = 0;

	if (!member->ifindex || !detour_of(app))
		return;
	if (member->watched != member->ifindex)
		err = detour_attach(app->detour, member->ifindex);
	if (!err)
		err = detour_set(app->detour, member->ifindex, bundle->good, n);
	if (err && !member->diverted_told)
		log_error("%s cannot be kept from carrying traffic: %s", member->config->name,
			  strerror(-err));
	member->diverted_told = err;
	if (err)
		return;
	member->watched = member->ifindex;
	if (member->diverted != (n > 0))
		events_add(app->events, LOG_LEVEL_NOTICE, "member", app_now(),
			   json_pack("{s:s s:b}", "peer", member->config->name, "in-service", !n));
	member->diverted = n > 0;
}

/* Only one member carries traffic, and the other end takes it from there only. */
static void choose_active(struct app *app, const struct bundle *bundle)
{
	for (unsigned i = 0; i < bundle->n; i++) {
		struct app_peer *member = bundle->members[i];
		int err;

		if (member->ifindex != bundle->bond->bond_active || !vetoed(member) || !bundle->ngood)
			continue;
		err = bond_set_active(bundle->bond->ifindex, bundle->good[0]);
		if (err)
			log_error("%s cannot be made to leave %s: %s", bundle->bond->name,
				  member->config->interface, strerror(-err));
		else
			events_add(app->events, LOG_LEVEL_NOTICE, "member", app_now(),
				   json_pack("{s:s s:b}", "peer", member->config->name, "in-service", false));
	}
}

static bool may_divert(uint8_t mode)
{
	return mode == MONITOR_BOND_ROUND_ROBIN || mode == MONITOR_BOND_XOR || mode == MONITOR_BOND_8023AD;
}

static void update(struct app *app, struct app_peer *parent)
{
	struct bundle bundle;

	gather(app, parent, &bundle);
	parent->members = bundle.n;
	parent->members_up = bundle.nup;
	app_peer_computed(app, parent, bundle.nup >= parent->config->minimum_links, bundle.told);
	for (unsigned i = 0; i < bundle.n && may_divert(bundle.bond->bond_mode); i++)
		divert(app, bundle.members[i], &bundle);
	if (bundle.bond && bundle.bond->bond_mode == MONITOR_BOND_ACTIVE_BACKUP)
		choose_active(app, &bundle);
}

void app_lag_update(struct app *app)
{
	for (unsigned i = 0; i < app->npeers; i++)
		if (is_bond_peer(app->peers[i].config))
			update(app, &app->peers[i]);
}

/* What members receive also goes the bond's way: nobody is to answer there. */
static void mute_ports(struct app *app)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	char why[256];

	for (unsigned f = 0; f < 2; f++) {
		bool wanted = false;

		for (unsigned i = 0; i < app->npeers && !wanted; i++)
			wanted = is_bond_peer(app->peers[i].config) &&
				 app->peers[i].config->address.family == families[f];
		if (wanted && !app->mute[f]) {
			app->mute[f] = mute_open(families[f], BFD_PORT_MICRO, why, sizeof(why));
			if (app->mute[f] < 0)
				log_error("%s: the kernel answers micro-BFD packets with ICMP errors", why);
		} else if (!wanted && app->mute[f]) {
			if (app->mute[f] > 0)
				close(app->mute[f]);
			app->mute[f] = 0;
		}
	}
}

void app_lag_links(struct app *app)
{
	mute_ports(app);
	if (members_differ(app))
		app_dynamic_soon(app);
	app_lag_update(app);
}

void app_lag_gone(struct app *app, const struct app_peer *peer)
{
	if (peer->config->source == CONFIG_MEMBER && peer->watched && app->detour)
		detour_detach(app->detour, peer->watched);
}

void app_lag_close(struct app *app, bool hold)
{
	for (unsigned i = 0; i < app->npeers && !hold; i++)
		app_lag_gone(app, &app->peers[i]);
	detour_close(app->detour);
	app->detour = NULL;
	for (unsigned f = 0; f < 2; f++)
		if (app->mute[f] > 0)
			close(app->mute[f]);
}
