/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers that a site names by their address: one of the file's, or one that FRR will bring, or that will come
 * by itself. */
#include <stdio.h>
#include <string.h>

#include "config/endpoint.h"
#include "config/resolve.h"

#define SINGLE_HOP_TTL 255 /* RFC 5881 5 */

static bool may_await(const struct resolver *resolver)
{
	return resolver->config->frr.wanted || resolver->tree->unsolicited.n;
}

unsigned resolve_awaited_room(const struct resolver *resolver)
{
	const struct sections *sites = &resolver->tree->sites;
	char interface[IFNAMSIZ];
	struct addr addr;
	unsigned n = 0;

	for (unsigned s = 0; may_await(resolver) && s < sites->n; s++) {
		const struct value *value = &sites->list[s].values[KEY_SITE_PEERS];

		for (unsigned i = 0; value->state == VALUE_GOOD && i < value->list.n; i++)
			n += value->list.items[i].text &&
			     endpoint_parse_peer(value->list.items[i].text, &addr, interface);
	}
	return n;
}

/* How many of the file's peers have this address; the last in *INDEX. */
static unsigned count_in_file(const struct resolver *resolver, const struct addr *addr, const char *interface,
			      unsigned *index)
{
	unsigned n = 0;

	for (unsigned i = 0; i < resolver->tree->peers.n; i++) {
		const struct config_peer *peer = &resolver->config->peers[i];

		if (!addr_equal(&peer->address, addr) || (*interface && strcmp(peer->interface, interface)))
			continue;
		*index = i;
		n++;
	}
	return n;
}

static bool await(struct resolver *resolver, const struct addr *addr, const char *interface, unsigned *index)
{
	static const struct section none = {.kind = SCHEMA_PEER};
	struct config *config = resolver->config;
	struct config_peer *peer;
	char name[CONFIG_NAME];

	endpoint_peer_name(addr, interface, name);
	for (*index = resolver->tree->peers.n; *index < config->npeers; ++*index)
		if (!strcmp(config->peers[*index].name, name))
			return true;
	if (config->npeers == CONFIG_PEERS)
		return false;
	peer = &config->peers[config->npeers++];
	peer->name = strcpy(resolver->awaited_names, name);
	resolver->awaited_names += strlen(name) + 1;
	peer->address = *addr;
	snprintf(peer->interface, sizeof(peer->interface), "%s", interface);
	section_store(&none, KEY_TRANSMIT_INTERVAL, KEY_SHUTDOWN, true, &peer->session);
	peer->session.min_ttl = SINGLE_HOP_TTL;
	peer->source = config->frr.wanted ? CONFIG_FRR : CONFIG_UNSOLICITED;
	peer->awaited = true;
	return true;
}

bool resolve_site_peer(struct resolver *resolver, const struct item *item, unsigned *index)
{
	char interface[IFNAMSIZ];
	struct addr addr;
	unsigned n;

	if (!item->text || names_find(&resolver->peers, item->text, index) ||
	    !endpoint_parse_peer(item->text, &addr, interface))
		return resolve_item(resolver, &resolver->peers, "peer", item, index);
	n = count_in_file(resolver, &addr, interface, index);
	if (n == 1)
		return true;
	if (n)
		report_error(resolver->reports, &item->at,
			     "peers: %u peers have the address \"%s\": name one", n, item->text);
	else if (!may_await(resolver))
		report_error(
			resolver->reports, &item->at,
			"peers: no peer has the address \"%s\", and without \"frr\" nobody will bring one",
			item->text);
	else if (addr_is_link_local(&addr) && !*interface)
		report_error(resolver->reports, &item->at,
			     "peers: \"%s\" is link-local and needs its interface: \"%s%%eth0\"", item->text,
			     item->text);
	else if (!await(resolver, &addr, interface, index))
		report_error(resolver->reports, &item->at, "peers: more than %d are too many", CONFIG_PEERS);
	else
		return true;
	return false;
}
