/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/resolve.h"

#define SINGLE_HOP_TTL 255 /* RFC 5881 5 */
#define SUBSECOND USEC_S

static bool absent(const struct section *section, enum schema_index key)
{
	return section->values[key].state == VALUE_ABSENT;
}

/* An address beside the peer's own: ours, or the gateway. */
static void check_other_address(struct resolver *resolver, const struct section *section,
				enum schema_index key)
{
	struct addr peer = section_addr(section, KEY_ADDRESS), other = section_addr(section, key);
	const struct place *at = section_place(section, key);
	const char *name = schema_keys[key].name;
	char a[ADDR_TEXT], b[ADDR_TEXT];

	if (peer.family == AF_UNSPEC || other.family == AF_UNSPEC)
		return;
	if (peer.family != other.family)
		report_error(resolver->reports, at, "%s: %s is not of the family of the peer's address %s",
			     name, addr_format(&other, a), addr_format(&peer, b));
	else if (key == KEY_LOCAL_ADDRESS && addr_equal(&peer, &other))
		report_error(resolver->reports, at, "%s: %s is the peer's own address", name,
			     addr_format(&other, a));
}

static void check_link_local(struct resolver *resolver, const struct section *section, bool multihop)
{
	static const enum schema_index keys[] = {KEY_ADDRESS, KEY_LOCAL_ADDRESS, KEY_VIA};
	char text[ADDR_TEXT];

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct addr addr = section_addr(section, keys[i]);
		const struct place *at = section_place(section, keys[i]);

		if (!addr_is_link_local(&addr))
			continue;
		if (multihop && keys[i] != KEY_VIA)
			report_error(resolver->reports, at,
				     "%s: %s is link-local: no router passes it on, so there is no multihop",
				     schema_keys[keys[i]].name, addr_format(&addr, text));
		else if (absent(section, KEY_INTERFACE) && keys[i] != KEY_VIA)
			report_error(resolver->reports, at, "%s: %s is link-local and needs \"interface\"",
				     schema_keys[keys[i]].name, addr_format(&addr, text));
	}
}

/* RFC 5883; RFC 7880's are alike. */
static void check_multihop(struct resolver *resolver, const struct section *section,
			   const struct config_peer *peer)
{
	struct addr via = section_addr(section, KEY_VIA), local = section_addr(section, KEY_LOCAL_ADDRESS);
	char text[ADDR_TEXT];

	if (absent(section, KEY_LOCAL_ADDRESS))
		report_error(resolver->reports, &section->at,
			     "\"local-address\" is missing: a%s peer knows us by it",
			     peer->type == SESSION_MULTIHOP ? " multihop" : "n s-bfd");
	if (absent(section, KEY_VIA))
		return;
	if (absent(section, KEY_INTERFACE))
		report_error(resolver->reports, section_place(section, KEY_VIA),
			     "via: needs \"interface\", where the gateway is");
	if (via.family != AF_UNSPEC && addr_equal(&via, &local))
		report_error(resolver->reports, section_place(section, KEY_VIA),
			     "via: %s is our own local-address", addr_format(&via, text));
}

/* An estimate: what we ask for. The peer's multiplier and intervals are not known here. SECTION is what made
 * it so. */
static void check_detection(struct resolver *resolver, const struct section *section,
			    const struct session_config *session)
{
	usec_t time = (usec_t)session->detect_mult * session->required_min_rx;
	bool own = section_has(section, KEY_RECEIVE_INTERVAL);

	if (time > SUBSECOND && (own || section_has(section, KEY_DETECT_MULTIPLIER)))
		report_warning(
			resolver->reports,
			section_place(section, own ? KEY_RECEIVE_INTERVAL : KEY_DETECT_MULTIPLIER),
			"detection takes about %.15g ms (detect-multiplier %d x receive-interval %.15g ms): "
			"this misses subsecond convergence",
			(double)time / USEC_MS, session->detect_mult,
			(double)session->required_min_rx / USEC_MS);
}

/* Where the peer only answers, its last answer may be all that an attacker needs. */
static void check_demand(struct resolver *resolver, const struct section *section,
			 const struct session_config *session)
{
	const struct auth_chain *chain = session->demand_mode ? session->auth : NULL;

	for (unsigned i = 0; chain && i < chain->nkeys; i++) {
		if (!chain->keys[i].type || auth_meticulous(&chain->keys[i]))
			continue;
		report_warning(
			resolver->reports, &section->at,
			"demand-mode: key %d of key chain \"%s\" is %s: whoever has heard an answer can "
			"repeat it and hide a failure; take a meticulous type",
			chain->keys[i].id, chain->name, auth_type_name(chain->keys[i].type));
		return;
	}
}

static bool resolve_profiles(struct resolver *resolver)
{
	const struct sections *sections = &resolver->tree->profiles;
	struct config *config = resolver->config;

	config->profiles = report_calloc(resolver->reports, sections->n, sizeof(*config->profiles));
	if (!config->profiles)
		return false;
	for (unsigned i = 0; i < sections->n; i++) {
		const struct section *section = &sections->list[i];
		const char *name = section_text(section, KEY_NAME);
		struct session_config session = {0};

		snprintf(config->profiles[i], sizeof(config->profiles[i]), "%s", name ? name : "");
		section_store(section, KEY_TRANSMIT_INTERVAL, KEY_SHUTDOWN, true, &session);
		check_detection(resolver, section, &session);
		resolve_key_chain(resolver, section, true);
	}
	return true;
}

/* RFC 7419: the Common Intervals, and the one that it names for graceful restarts. */
static const struct common_interval {
	const char *name;
	uint32_t interval;
} common_intervals[] = {
	{"rfc7419-3.3ms", 3300},	{"rfc7419-10ms", 10 * USEC_MS},	  {"rfc7419-20ms", 20 * USEC_MS},
	{"rfc7419-50ms", 50 * USEC_MS}, {"rfc7419-100ms", 100 * USEC_MS}, {"rfc7419-1s", USEC_S},
	{"rfc7419-10s", 10 * USEC_S},
};
#define COMMON_DETECT_MULT 3

static const char *apply_common_interval(const char *name, struct session_config *session)
{
	for (size_t i = 0; i < sizeof(common_intervals) / sizeof(*common_intervals); i++) {
		if (strcmp(common_intervals[i].name, name))
			continue;
		session->desired_min_tx = common_intervals[i].interval;
		session->required_min_rx = common_intervals[i].interval;
		session->detect_mult = COMMON_DETECT_MULT;
		return common_intervals[i].name;
	}
	return NULL;
}

const char *resolve_profile(struct resolver *resolver, const struct section *section,
			    struct session_config *session)
{
	const char *name = section_text(section, KEY_PROFILE), *common;
	unsigned index;

	if (!name)
		return NULL;
	if (!names_find(&resolver->profiles, name, &index)) {
		common = apply_common_interval(name, session);
		if (!common)
			names_report_unknown(&resolver->profiles, "profile", name,
					     section_place(section, KEY_PROFILE), resolver->reports);
		return common;
	}
	resolver->profile_used[index] = true;
	section_store(&resolver->tree->profiles.list[index], KEY_TRANSMIT_INTERVAL, KEY_SHUTDOWN, false,
		      session);
	session->auth = resolve_key_chain(resolver, &resolver->tree->profiles.list[index], false);
	return resolver->config->profiles[index];
}

static const char *peer_name(const struct section *section)
{
	const char *name = section_text(section, KEY_NAME);

	return name ? name : "";
}

static void resolve_peer(struct resolver *resolver, const struct section *section, struct config_peer *peer)
{
	const char *interface = section_text(section, KEY_INTERFACE), *vrf = section_text(section, KEY_VRF);

	snprintf(peer->interface, sizeof(peer->interface), "%s", interface ? interface : "");
	snprintf(peer->vrf, sizeof(peer->vrf), "%s", vrf ? vrf : "");
	peer->address = section_addr(section, KEY_ADDRESS);
	peer->local_address = section_addr(section, KEY_LOCAL_ADDRESS);
	peer->via = section_addr(section, KEY_VIA);
	peer->type = resolve_type(resolver, section);
	peer->minimum_links = (uint8_t)section_number(section, KEY_MINIMUM_LINKS);

	section_store(section, KEY_TRANSMIT_INTERVAL, KEY_SHUTDOWN, true, &peer->session);
	peer->profile = resolve_profile(resolver, section, &peer->session);
	section_store(section, KEY_TRANSMIT_INTERVAL, KEY_SHUTDOWN, false, &peer->session);
	if (section->values[KEY_KEY_CHAIN].state != VALUE_ABSENT)
		peer->session.auth = resolve_key_chain(resolver, section, true);
	else if (peer->session.auth && (peer->type == SESSION_SBFD || peer->type == SESSION_ECHO))
		report_error(resolver->reports, section_place(section, KEY_PROFILE),
			     "profile: its key-chain does not go with type \"%s\"",
			     session_type_name(peer->type));
	if (peer->type == SESSION_SBFD) {
		peer->session.remote_discr = (uint32_t)section_number(section, KEY_REMOTE_DISCRIMINATOR);
		peer->session.passive = false;
		peer->session.padded_pdu_size = peer->session.rtt_interval = 0;
		peer->session.demand_mode = false;
		peer->session.auth = NULL;
	}
	if (!resolve_type_multihop(peer->type))
		peer->session.min_ttl = SINGLE_HOP_TTL;

	check_other_address(resolver, section, KEY_LOCAL_ADDRESS);
	check_other_address(resolver, section, KEY_VIA);
	check_link_local(resolver, section, resolve_type_multihop(peer->type));
	if (resolve_type_multihop(peer->type))
		check_multihop(resolver, section, peer);
	check_detection(resolver, section, &peer->session);
	check_demand(resolver, section, &peer->session);
}

static const char *peer_protocol(const struct section *section)
{
	const char *name = section_text(section, KEY_PEER_BIRD_PROTOCOL);

	return name ? name : "";
}

/* One behind the other: most are much shorter than they may be. */
static bool resolve_names(struct resolver *resolver, const struct sections *sections, struct config *config)
{
	size_t size = (size_t)CONFIG_NAME * resolve_awaited_room(resolver);
	char *next;

	for (unsigned i = 0; i < sections->n; i++)
		size += strlen(peer_name(&sections->list[i])) + strlen(peer_protocol(&sections->list[i])) + 2;
	config->peer_names = next = report_calloc(resolver->reports, size, 1);
	for (unsigned i = 0; next && i < sections->n; i++) {
		config->peers[i].name = next;
		next = stpcpy(next, peer_name(&sections->list[i])) + 1;
		config->peers[i].bird_protocol = next;
		next = stpcpy(next, peer_protocol(&sections->list[i])) + 1;
	}
	resolver->awaited_names = next;
	return next;
}

bool resolve_peers(struct resolver *resolver)
{
	const struct sections *sections = &resolver->tree->peers;
	struct config *config = resolver->config;

	config->peers = report_calloc(resolver->reports, sections->n + resolve_awaited_room(resolver),
				      sizeof(*config->peers));
	if (!config->peers || !resolve_names(resolver, sections, config) || !resolve_profiles(resolver))
		return false;
	config->npeers = sections->n;
	for (unsigned i = 0; i < config->npeers; i++)
		resolve_peer(resolver, &sections->list[i], &config->peers[i]);
	if (config->npeers > CONFIG_PEERS)
		report_error(resolver->reports, &sections->list[CONFIG_PEERS].at,
			     "peers: %u are too many, at most %d", config->npeers, CONFIG_PEERS);
	return resolve_twins(resolver);
}
