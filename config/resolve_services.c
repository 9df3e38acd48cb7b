/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "config/resolve.h"

/* The list's length if it is good and neither empty nor longer than MOST; 0, and reported, otherwise. */
static unsigned check_count(struct resolver *resolver, const struct section *section, enum schema_index key,
			    const char *what, unsigned most)
{
	const struct value *value = &section->values[key];

	if (value->state != VALUE_GOOD)
		return 0;
	if (!value->list.n)
		report_error(resolver->reports, &value->at, "%s: empty: a %s needs at least one",
			     schema_keys[key].name, what);
	else if (value->list.n > most)
		report_error(resolver->reports, &value->at, "%s: %u are too many for one %s, at most %u",
			     schema_keys[key].name, value->list.n, what, most);
	return value->list.n <= most ? value->list.n : 0;
}

/* True if the peer may join SITE. */
static bool join_site(struct resolver *resolver, const struct item *item, unsigned site, unsigned peer)
{
	unsigned taken = resolver->peer_site[peer];
	const char *other;

	if (*resolver->config->peers[peer].vrf) {
		report_error(resolver->reports, &item->at,
			     "peers: \"%s\" is in a VRF, and no service's traffic is steered into one",
			     item->text);
		return false;
	}
	if (!taken) {
		resolver->peer_site[peer] = site + 1;
		return true;
	}
	other = section_text(&resolver->tree->sites.list[taken - 1], KEY_NAME);
	if (taken == site + 1)
		report_error(resolver->reports, &item->at, "peers: \"%s\" is there twice", item->text);
	else
		report_error(resolver->reports, &item->at, "peers: \"%s\" belongs to site \"%s\" already",
			     item->text, other ? other : "");
	return false;
}

static bool resolve_site(struct resolver *resolver, unsigned index)
{
	const struct section *section = &resolver->tree->sites.list[index];
	struct config_site *site = &resolver->config->sites[index];
	const char *name = section_text(section, KEY_NAME);
	unsigned n = check_count(resolver, section, KEY_SITE_PEERS, "site", CONFIG_SITE_PEERS);
	unsigned peer;

	snprintf(site->name, sizeof(site->name), "%s", name ? name : "");
	site->line = section->at.line;
	site->peers = report_calloc(resolver->reports, n, sizeof(*site->peers));
	if (!site->peers)
		return false;
	for (unsigned i = 0; i < n; i++) {
		const struct item *item = &section->values[KEY_SITE_PEERS].list.items[i];

		if (resolve_site_peer(resolver, item, &peer) && join_site(resolver, item, index, peer))
			site->peers[site->npeers++] = peer;
	}
	if (n == 1)
		report_warning(resolver->reports, section_place(section, KEY_SITE_PEERS),
			       "site \"%s\" has a single peer: with it the whole site is lost", site->name);
	return true;
}

bool resolve_sites(struct resolver *resolver)
{
	struct config *config = resolver->config;

	config->sites = report_calloc(resolver->reports, resolver->tree->sites.n, sizeof(*config->sites));
	if (!config->sites)
		return false;
	config->nsites = resolver->tree->sites.n;
	for (unsigned i = 0; i < config->nsites; i++)
		if (!resolve_site(resolver, i))
			return false;
	return true;
}

/* A service's traffic towards a multihop peer needs to be told the next hop. */
static void check_gateways(struct resolver *resolver, const struct config_site *site, const char *service)
{
	for (unsigned i = 0; i < site->npeers; i++) {
		unsigned index = site->peers[i];
		const struct section *peer;

		if (!session_routed(resolver->config->peers[index].type))
			continue;
		peer = &resolver->tree->peers.list[index];
		if (peer->values[KEY_VIA].state != VALUE_ABSENT || resolver->peer_via_asked[index])
			continue;
		resolver->peer_via_asked[index] = true;
		report_error(resolver->reports, &peer->at,
			     "\"via\" is missing: service \"%s\" uses the multihop peer \"%s\" and needs the "
			     "gateway to it",
			     service, resolver->config->peers[index].name);
	}
}

static bool has_ipv6(const struct config *config, const struct config_site *site)
{
	for (unsigned i = 0; i < site->npeers; i++)
		if (config->peers[site->peers[i]].address.family == AF_INET6)
			return true;
	return false;
}

/* IPv4 goes through IPv6 gateways too (RFC 8950), IPv6 through its own only. */
static void check_families(struct resolver *resolver, const struct section *section,
			   const struct config_service *service)
{
	const struct item *prefixes = section->values[KEY_PREFIXES].list.items;
	const struct item *sites = section->values[KEY_SERVICE_SITES].list.items;
	const struct config *config = resolver->config;
	unsigned i = 0, able = 0;

	while (i < service->nprefixes && prefixes[i].prefix.addr.family != AF_INET6)
		i++;
	if (i == service->nprefixes)
		return;
	for (unsigned j = 0; j < service->nsites; j++)
		able += has_ipv6(config, &config->sites[service->sites[j]]);
	if (!able) {
		report_error(resolver->reports, &prefixes[i].at,
			     "prefixes: %s: none of the sites of service \"%s\" has an IPv6 peer",
			     prefixes[i].text, service->name);
		return;
	}
	for (unsigned j = 0; j < service->nsites; j++)
		if (!has_ipv6(config, &config->sites[service->sites[j]]))
			report_warning(resolver->reports, &sites[j].at,
				       "site \"%s\" has no IPv6 peer: it cannot carry the IPv6 prefixes of "
				       "service \"%s\"",
				       sites[j].text, service->name);
}

/* True when all were good. */
static bool resolve_service_sites(struct resolver *resolver, const struct section *section,
				  struct config_service *service, unsigned n)
{
	const struct value *value = &section->values[KEY_SERVICE_SITES];
	unsigned site;

	for (unsigned i = 0; i < n; i++) {
		const struct item *item = &value->list.items[i];
		bool twice = false;

		if (!resolve_item(resolver, &resolver->sites, "site", item, &site))
			continue;
		for (unsigned j = 0; j < service->nsites; j++)
			twice |= service->sites[j] == site;
		if (twice) {
			report_error(resolver->reports, &item->at, "sites: \"%s\" is there twice",
				     item->text);
			continue;
		}
		check_gateways(resolver, &resolver->config->sites[site], service->name);
		resolver->site_used[site] = true;
		service->sites[service->nsites++] = site;
	}
	return n && service->nsites == n;
}

static bool resolve_service(struct resolver *resolver, const struct section *section,
			    struct config_service *service)
{
	const char *name = section_text(section, KEY_NAME);
	unsigned nsites = check_count(resolver, section, KEY_SERVICE_SITES, "service", CONFIG_SERVICE_SITES);
	const struct value *prefixes = &section->values[KEY_PREFIXES];
	unsigned nprefixes, good = 0;

	snprintf(service->name, sizeof(service->name), "%s", name ? name : "");
	service->line = section->at.line;
	section_store(section, KEY_WAIT_TO_RESTORE, KEY_WITHDRAW_DELAY, true, service);
	service->follow = prefixes->state == VALUE_GOOD && prefixes->list.follow;
	nprefixes = service->follow ? 0 : check_count(resolver, section, KEY_PREFIXES, "service", UINT32_MAX);
	service->sites = report_calloc(resolver->reports, nsites, sizeof(*service->sites));
	service->prefixes = report_calloc(resolver->reports, nprefixes, sizeof(*service->prefixes));
	if (!service->sites || !service->prefixes)
		return false;
	for (unsigned i = 0; i < nprefixes; i++) {
		const struct item *item = &prefixes->list.items[i];

		service->prefixes[i] = item->prefix;
		good += !!item->text;
	}
	service->nprefixes = nprefixes;
	if (resolve_service_sites(resolver, section, service, nsites) && good == nprefixes)
		check_families(resolver, section, service);
	return true;
}

static bool share_site(const struct config_service *a, const struct config_service *b)
{
	for (unsigned i = 0; i < a->nsites; i++)
		for (unsigned j = 0; j < b->nsites; j++)
			if (a->sites[i] == b->sites[j])
				return true;
	return false;
}

/* Which of two services a route by a site of both belongs to is a matter of order. */
static void check_followers(struct resolver *resolver)
{
	const struct config *config = resolver->config;
	unsigned followers = 0;

	for (unsigned i = 0; i < config->nservices; i++) {
		const struct place *at = section_place(&resolver->tree->services.list[i], KEY_PREFIXES);
		const struct config_service *service = &config->services[i];

		if (service->follow && ++followers == CONFIG_FOLLOWERS + 1)
			report_error(resolver->reports, at, "prefixes: only %d services may follow BGP",
				     CONFIG_FOLLOWERS);
		for (unsigned j = 0; j < i && service->follow; j++)
			if (config->services[j].follow && share_site(&config->services[j], service))
				report_warning(resolver->reports, at,
					       "services \"%s\" and \"%s\" follow BGP by the same site: the "
					       "first one "
					       "carries what both have",
					       config->services[j].name, service->name);
	}
}

bool resolve_services(struct resolver *resolver)
{
	const struct sections *sections = &resolver->tree->services;
	struct config *config = resolver->config;
	unsigned tables = 0;

	config->services = report_calloc(resolver->reports, sections->n, sizeof(*config->services));
	if (!config->services)
		return false;
	config->nservices = sections->n;
	for (unsigned i = 0; i < config->nservices; i++) {
		if (!resolve_service(resolver, &sections->list[i], &config->services[i]))
			return false;
		if (tables <= CONFIG_TABLES && tables + config->services[i].nsites > CONFIG_TABLES)
			report_error(resolver->reports, &sections->list[i].at,
				     "services: too many with too many sites: %d routing tables, one for "
				     "each service and site, "
				     "are not enough",
				     CONFIG_TABLES);
		tables += config->services[i].nsites;
	}
	check_followers(resolver);
	return true;
}
