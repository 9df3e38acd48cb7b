/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file's peers keep their places, which sites mean by index; what other sources bring stands behind them.
 * A session of FRR that is a peer of the file keeps that one's name and place (address, interface, gateway),
 * so that FRR's coming and going is a change of timers and no flap; what it says of timers holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

struct merge {
	struct config *config;
	const struct config_session *sessions;
	unsigned nsessions;
	struct config_peer **order; /* by address: the file's, and those of sources before this one */
	unsigned norder, nfile;
	const char **ofs; /* struct config_session's, of each peer behind the file's */
};

static int compare_addr(const struct addr *a, const struct addr *b)
{
	return a->family != b->family ? a->family - b->family : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int compare_peers(const void *a, const void *b)
{
	const struct config_peer *x = *(struct config_peer *const *)a, *y = *(struct config_peer *const *)b;
	int order = compare_addr(&x->address, &y->address);

	return order ? order : x < y ? -1 : x > y;
}

static bool may_be(const struct config_peer *peer, const struct config_session *session)
{
	bool any_local = peer->local_address.family == AF_UNSPEC ||
			 session->local_address.family == AF_UNSPEC;

	return (session->source != CONFIG_FRR || !peer->frr_lid) && peer->type == session->type &&
	       !strcmp(peer->vrf, session->vrf) &&
	       (!*peer->interface || !*session->interface || !strcmp(peer->interface, session->interface)) &&
	       (any_local || addr_equal(&peer->local_address, &session->local_address));
}

static struct config_peer *find_before(const struct merge *merge, const struct config_session *session)
{
	unsigned low = 0, high = merge->norder;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (compare_addr(&merge->order[middle]->address, &session->address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < merge->norder && addr_equal(&merge->order[low]->address, &session->address); low++)
		if (may_be(merge->order[low], session))
			return merge->order[low];
	return NULL;
}

/* What FRR knows of a session; the rest of a peer of the file is as the file has it. */
static void take_session(struct session_config *to, const struct session_config *from)
{
	to->desired_min_tx = from->desired_min_tx;
	to->required_min_rx = from->required_min_rx;
	to->detect_mult = from->detect_mult;
	to->min_ttl = from->min_ttl;
	to->passive = from->passive;
	to->shutdown = from->shutdown;
	to->demand_mode |= from->demand_mode;
	to->control_plane_independent |= from->control_plane_independent;
	if (!from->echo)
		return;
	to->echo = true;
	to->echo_tx = from->echo_tx;
	to->echo_rx = from->echo_rx;
}

/* What is said of the place holds where the file only awaits it. */
static void take(struct config_peer *peer, const struct config_session *session)
{
	bool shutdown = peer->session.shutdown && !peer->awaited;
	struct auth_chain *auth = peer->session.auth; /* which FRR does not know */

	peer->frr_lid = session->lid;
	if (peer->source == CONFIG_FILE)
		take_session(&peer->session, &session->session);
	else
		peer->session = session->session;
	peer->session.shutdown |= shutdown;
	if (auth)
		peer->session.auth = auth;
	if (peer->source == CONFIG_FILE)
		return;
	peer->source = session->source;
	peer->profile = session->profile;
	peer->awaited = false;
	peer->local_address = session->local_address;
	memcpy(peer->interface, session->interface, sizeof(peer->interface));
	memcpy(peer->vrf, session->vrf, sizeof(peer->vrf));
}

/* Names: the address; where that is taken, with interface or kind; then with a number. */

struct naming {
	char name[CONFIG_NAME];
	struct config_peer *peer; /* of another source; NULL: the name is the file's and stays */
	const char *of;		  /* as in struct config_session */
	uint8_t level;
};

static void make_name(struct naming *naming, unsigned number)
{
	const struct config_peer *peer = naming->peer;
	bool always = peer->source != CONFIG_FRR;
	bool show_interface = *peer->interface &&
			      (always || naming->level || addr_is_link_local(&peer->address));
	char address[ADDR_TEXT], rank[16] = "", end[48];
	const char *base = naming->of ? naming->of : addr_format(&peer->address, address);
	const char *begin = peer->source == CONFIG_UNSOLICITED ? "unsolicited-" : "";
	int room;

	if (naming->level > 1)
		snprintf(rank, sizeof(rank), "#%u", number);
	snprintf(end, sizeof(end), "%s%.15s%s%s", show_interface ? "%" : "",
		 show_interface ? peer->interface : "",
		 naming->level && peer->type == SESSION_MULTIHOP && !show_interface ? "-multihop" : "", rank);
	/* The end tells them apart: what is between gives way to it. */
	room = CONFIG_NAME - 1 - (int)(strlen(begin) + strlen(end));
	snprintf(naming->name, sizeof(naming->name), "%s%.*s%s", begin, room, base, end);
}

/* Equal names: the file's first, then in an order that does not hang on who came first. */
static int compare_names(const void *a, const void *b)
{
	const struct naming *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order || !x->peer || !y->peer)
		return order ? order : !!x->peer - !!y->peer;
	if (x->peer->type != y->peer->type)
		return x->peer->type - y->peer->type;
	order = compare_addr(&x->peer->local_address, &y->peer->local_address);
	return order ? order : (x->peer > y->peer) - (x->peer < y->peer);
}

/* One pass: those of other sources whose name is not theirs alone get one of the next level. */
static bool make_unique(struct naming *all, unsigned n)
{
	bool done = true;

	qsort(all, n, sizeof(*all), compare_names);
	for (unsigned i = 0, end; i < n; i = end) {
		unsigned number = 0;

		for (end = i + 1; end < n && !strcmp(all[end].name, all[i].name);)
			end++;
		for (unsigned j = i; end > i + 1 && j < end; j++) {
			if (!all[j].peer)
				continue;
			all[j].level++;
			make_name(&all[j], ++number);
			done = false;
		}
	}
	return done;
}

static bool make_names(struct merge *merge)
{
	struct config *config = merge->config;
	unsigned n = config->npeers;
	struct naming *all = calloc(n + 1, sizeof(*all));
	char *names = malloc((size_t)(n - merge->nfile) * CONFIG_NAME + 1);

	config->peer_names = names;
	for (unsigned i = 0; all && names && i < n; i++) {
		if (i < merge->nfile) {
			snprintf(all[i].name, CONFIG_NAME, "%s", config->peers[i].name);
			continue;
		}
		all[i].peer = &config->peers[i];
		all[i].of = merge->ofs[i - merge->nfile];
		make_name(&all[i], 0);
	}
	/* At last there are numbers, and no name of a file has such a sign. */
	while (all && names && !make_unique(all, n))
		;
	for (unsigned i = 0; all && names && i < n; i++) {
		if (!all[i].peer)
			continue;
		all[i].peer->name = strcpy(names, all[i].name);
		names += strlen(names) + 1;
	}
	free(all);
	return all && config->peer_names;
}

/* Those of one source do not look for each other. */
static void order(struct merge *merge)
{
	for (; merge->norder < merge->config->npeers; merge->norder++)
		merge->order[merge->norder] = &merge->config->peers[merge->norder];
	qsort(merge->order, merge->norder, sizeof(struct config_peer *), compare_peers);
}

static void add_session(struct merge *merge, const struct config_session *session)
{
	struct config *config = merge->config;
	struct config_peer *peer = session->source == CONFIG_MEMBER ? NULL : find_before(merge, session);

	if (peer && session->source == CONFIG_UNSOLICITED && !peer->awaited)
		return;
	if (!peer && config->npeers == CONFIG_PEERS)
		return;
	if (!peer) {
		peer = &config->peers[config->npeers];
		merge->ofs[config->npeers++ - merge->nfile] = session->of;
		*peer = (struct config_peer){
			.address = session->address, .type = session->type, .source = session->source};
	}
	take(peer, session);
}

static void add_sessions(struct merge *merge)
{
	for (unsigned i = 0; i < merge->nsessions; i++) {
		if (!i || merge->sessions[i].source != merge->sessions[i - 1].source)
			order(merge);
		add_session(merge, &merge->sessions[i]);
	}
}

const char *config_source_name(enum config_source source)
{
	static const char *const names[CONFIG_SOURCES] = {
		[CONFIG_FILE] = "config",
		[CONFIG_FRR] = "frr",
		[CONFIG_MEMBER] = "member",
		[CONFIG_UNSOLICITED] = "unsolicited",
	};

	return names[source];
}

struct config *config_merge(struct config *file, const struct config_session *sessions, unsigned n)
{
	struct merge merge = {.sessions = sessions, .nsessions = n, .nfile = file->npeers};
	struct config *config = malloc(sizeof(*config));
	bool ok;

	if (!config)
		return NULL;
	*config = *file;
	config->base = file;
	config->users = 0;
	config->peer_names = NULL;
	config->peers = calloc((size_t)file->npeers + n + 1, sizeof(*config->peers));
	merge.config = config;
	merge.order = calloc((size_t)file->npeers + n + 1, sizeof(struct config_peer *));
	merge.ofs = calloc((size_t)n + 1, sizeof(*merge.ofs));
	ok = config->peers && merge.order && merge.ofs;
	if (ok) {
		for (unsigned i = 0; i < file->npeers; i++)
			config->peers[i] = file->peers[i];
		add_sessions(&merge);
		ok = make_names(&merge);
	}
	free(merge.order);
	free(merge.ofs);
	if (ok) {
		file->users++;
		return config;
	}
	free(config->peers);
	free(config->peer_names);
	free(config);
	return NULL;
}
