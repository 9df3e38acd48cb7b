/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/endpoint.h"
#include "config/resolve.h"

/* rtnetlink(7) and what routing daemons call theirs (/etc/iproute2/rt_protos, FRR's zebra/rt_netlink.h). */
static const struct {
	uint8_t number;
	const char *owner;
} protocols[] = {
	{8, "gated"},
	{9, "router advertisements"},
	{10, "mrt"},
	{11, "zebra"},
	{12, "bird"},
	{13, "DECnet"},
	{14, "xorp"},
	{15, "netsukuku"},
	{16, "dhcp"},
	{17, "mrouted"},
	{18, "keepalived"},
	{42, "babel"},
	{84, "ovn"},
	{99, "openr"},
	{186, "FRR's bgp"},
	{187, "FRR's isis"},
	{188, "FRR's ospf"},
	{189, "FRR's rip"},
	{190, "FRR's ripng"},
	{191, "FRR's nhrp"},
	{192, "FRR's eigrp"},
	{193, "FRR's ldp"},
	{194, "FRR's sharp"},
	{195, "FRR's pbr"},
	{196, "FRR's static"},
	{197, "FRR's openfabric"},
	{198, "FRR's segment routing"},
};

static void check_protocol(struct resolver *resolver)
{
	const struct section *section = &resolver->tree->steering;
	int64_t number = section_number(section, KEY_PROTOCOL);

	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++)
		if (protocols[i].number == number)
			report_error(resolver->reports, section_place(section, KEY_PROTOCOL),
				     "protocol: %d is that of %s: what it puts into the kernel would be "
				     "taken for ours",
				     (int)number, protocols[i].owner);
}

/* What nothing uses. Only when all else is right: a misspelt name leaves its bearer unused, too. */
static void check_unused(struct resolver *resolver)
{
	const struct sections *profiles = &resolver->tree->profiles, *peers = &resolver->tree->peers;
	const struct config *config = resolver->config;

	for (unsigned i = 0; i < profiles->n; i++)
		if (!resolver->profile_used[i])
			report_warning(resolver->reports, &profiles->list[i].at,
				       "profile \"%s\" is used by no peer",
				       section_text(&profiles->list[i], KEY_NAME));
	for (unsigned i = 0; config->nsites && i < peers->n; i++)
		if (!resolver->peer_site[i])
			report_warning(
				resolver->reports, &peers->list[i].at,
				"peer \"%s\" belongs to no site: it is watched, but carries no service",
				config->peers[i].name);
	for (unsigned i = 0; config->nservices && i < config->nsites; i++)
		if (!resolver->site_used[i])
			report_warning(resolver->reports, &resolver->tree->sites.list[i].at,
				       "site \"%s\" is used by no service", config->sites[i].name);
}

bool resolve_item(struct resolver *resolver, const struct names *names, const char *what,
		  const struct item *item, unsigned *index)
{
	if (!item->text)
		return false;
	if (names_find(names, item->text, index))
		return true;
	names_report_unknown(names, what, item->text, &item->at, resolver->reports);
	return false;
}

static void resolve_frr(struct resolver *resolver)
{
	const struct section *section = &resolver->tree->frr;
	struct config_frr *frr = &resolver->config->frr;
	const char *dataplane = section_text(section, KEY_DATAPLANE);

	section_store(section, KEY_KEEP_SESSIONS, KEY_KEEP_SESSIONS, true, frr);
	frr->wanted = section->values[KEY_DATAPLANE].state != VALUE_ABSENT;
	if (!frr->wanted && section_has(section, KEY_KEEP_SESSIONS))
		report_error(resolver->reports, section_place(section, KEY_KEEP_SESSIONS),
			     "keep-sessions: needs \"dataplane\", by which they come");
	if (dataplane && !endpoint_parse(&frr->dataplane, dataplane))
		snprintf(frr->text, sizeof(frr->text), "%s", dataplane);
}

static bool resolve_all(struct resolver *resolver)
{
	const struct tree *tree = resolver->tree;
	struct reports *reports = resolver->reports;
	struct names services = {0};
	unsigned npeers;
	bool ok;

	resolve_frr(resolver);
	npeers = tree->peers.n + resolve_awaited_room(resolver);
	resolver->profile_used = report_calloc(reports, tree->profiles.n, sizeof(*resolver->profile_used));
	resolver->peer_site = report_calloc(reports, npeers, sizeof(*resolver->peer_site));
	resolver->peer_via_asked = report_calloc(reports, npeers, sizeof(*resolver->peer_via_asked));
	resolver->site_used = report_calloc(reports, tree->sites.n, sizeof(*resolver->site_used));
	if (!resolver->profile_used || !resolver->peer_site || !resolver->peer_via_asked ||
	    !resolver->site_used)
		return false;
	section_store(&tree->steering, KEY_PROTOCOL, KEY_FAST_FAILOVER_MARK, true,
		      &resolver->config->steering);
	section_store(&tree->daemon, KEY_REALTIME, KEY_EVENTS, true, &resolver->config->daemon);
	section_store(&tree->top, KEY_REQUIRE_BGP, KEY_FLIGHT_RECORDER, true, resolver->config);
	check_protocol(resolver);
	ok = names_init(&resolver->profiles, &tree->profiles, "profile", reports) &&
	     names_init(&resolver->peers, &tree->peers, "peer", reports) &&
	     names_init(&resolver->sites, &tree->sites, "site", reports) &&
	     names_init(&services, &tree->services, "service", reports) &&
	     names_init(&resolver->chains, &tree->key_chains, "key chain", reports) &&
	     resolve_keys(resolver) && resolve_peers(resolver) && resolve_unsolicited(resolver) &&
	     resolve_sites(resolver) && resolve_services(resolver) && resolve_prefixes(resolver);
	names_free(&services);
	if (ok) {
		resolve_sbfd(resolver);
		resolve_bird(resolver);
		resolve_vtysh(resolver);
	}
	if (ok && !reports->errors) {
		check_unused(resolver);
		resolve_keys_warn(resolver);
	}
	return ok;
}

struct config *resolve_tree(const struct tree *tree, struct reports *reports)
{
	struct resolver resolver = {.tree = tree, .reports = reports};
	bool ok = false;

	resolver.config = report_calloc(reports, 1, sizeof(*resolver.config));
	if (resolver.config)
		ok = resolve_all(&resolver);
	names_free(&resolver.profiles);
	names_free(&resolver.peers);
	names_free(&resolver.sites);
	names_free(&resolver.chains);
	free(resolver.chain_used);
	free(resolver.profile_used);
	free(resolver.peer_site);
	free(resolver.peer_via_asked);
	free(resolver.site_used);
	if (ok)
		return resolver.config;
	config_free(resolver.config);
	return NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	if (config->users) {
		config->users--;
		return;
	}
	if (config->base) {
		config_free(config->base);
		free(config->peers);
		free(config->peer_names);
		free(config);
		return;
	}
	for (unsigned i = 0; i < config->nsites; i++)
		free(config->sites[i].peers);
	for (unsigned i = 0; i < config->nservices; i++) {
		free(config->services[i].prefixes);
		free(config->services[i].sites);
	}
	free(config->peers);
	free(config->sites);
	free(config->services);
	free(config->peer_names);
	free(config->profiles);
	config_unsolicited_free(config);
	for (unsigned i = 0; i < config->nchains; i++)
		config_chain_drop(config->chains[i]);
	free(config->chains);
	free(config);
}
