/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kind of BFD is spoken with a peer, and which keys go with it. */
#include <string.h>

#include "config/resolve.h"

#define KEYS 12
#define ECHO_KEYS KEY_ECHO_MODE, KEY_ECHO_TRANSMIT_INTERVAL, KEY_ECHO_RECEIVE_INTERVAL

/* What goes with one type. A key that is said in the profile and not in the peer is no slip of the pen. */
static const struct type_rule {
	bool built;    /* false: a peer may not have it yet */
	bool multihop; /* routers may be between: via, minimum-ttl and local-address are as for RFC 5883 */
	enum schema_index needs[KEYS], bars[KEYS]; /* up to the first 0, which is no peer's key */
} rules[SESSION_TYPES] = {
	[SESSION_SINGLE_HOP] = {.built = true,
				.bars = {KEY_VIA, KEY_MINIMUM_TTL, KEY_REMOTE_DISCRIMINATOR,
					 KEY_MINIMUM_LINKS}},
	[SESSION_MULTIHOP] = {.built = true,
			      .multihop = true,
			      .bars = {KEY_REMOTE_DISCRIMINATOR, KEY_MINIMUM_LINKS, ECHO_KEYS}},
	[SESSION_MICRO] = {.built = true,
			   .needs = {KEY_INTERFACE, KEY_LOCAL_ADDRESS},
			   .bars = {KEY_VIA, KEY_MINIMUM_TTL, KEY_REMOTE_DISCRIMINATOR, KEY_VRF, ECHO_KEYS}},
	[SESSION_SBFD] = {.built = true,
			  .multihop = true,
			  .needs = {KEY_REMOTE_DISCRIMINATOR},
			  .bars = {KEY_PASSIVE_MODE, KEY_PADDED_PDU_SIZE, KEY_DEMAND_MODE, KEY_RTT_INTERVAL,
				   KEY_KEY_CHAIN, KEY_MINIMUM_LINKS, ECHO_KEYS}},
	[SESSION_ECHO] = {.built = true,
			  .bars = {KEY_VIA, KEY_MINIMUM_TTL, KEY_PASSIVE_MODE, KEY_REMOTE_DISCRIMINATOR,
				   KEY_DEMAND_MODE, KEY_RTT_INTERVAL, KEY_MINIMUM_LINKS, ECHO_KEYS}},
};

bool resolve_type_multihop(enum session_type type)
{
	return rules[type].multihop;
}

static enum session_type find(struct resolver *resolver, const struct section *section, const char *text)
{
	for (enum session_type type = 0; type < SESSION_TYPES; type++)
		if (!strcmp(text, session_type_name(type)))
			return type;
	report_error(resolver->reports, section_place(section, KEY_TYPE),
		     "type: \"%s\" is none of single-hop, multihop, micro, s-bfd and unaffiliated-echo",
		     text);
	return SESSION_TYPES;
}

static void check_keys(struct resolver *resolver, const struct section *section, enum session_type type)
{
	const struct type_rule *rule = &rules[type];
	const char *name = session_type_name(type);

	for (size_t i = 0; i < KEYS && rule->needs[i]; i++)
		if (section->values[rule->needs[i]].state == VALUE_ABSENT)
			report_error(resolver->reports, &section->at,
				     "\"%s\" is missing: type \"%s\" needs it",
				     schema_keys[rule->needs[i]].name, name);
	for (size_t i = 0; i < KEYS && rule->bars[i]; i++) {
		const char *key = schema_keys[rule->bars[i]].name;

		if (!section_has(section, rule->bars[i]))
			continue;
		if (type == SESSION_SINGLE_HOP && rule->bars[i] != KEY_REMOTE_DISCRIMINATOR &&
		    rule->bars[i] != KEY_MINIMUM_LINKS)
			report_error(resolver->reports, section_place(section, rule->bars[i]),
				     "%s: needs \"multihop = true\"", key);
		else
			report_error(resolver->reports, section_place(section, rule->bars[i]),
				     "%s: does not go with type \"%s\"", key, name);
	}
}

enum session_type resolve_type(struct resolver *resolver, const struct section *section)
{
	const char *text = section_text(section, KEY_TYPE);
	bool multihop = section_number(section, KEY_MULTIHOP);
	enum session_type type = multihop ? SESSION_MULTIHOP : SESSION_SINGLE_HOP;

	if (text)
		type = find(resolver, section, text);
	if (type == SESSION_TYPES || section->values[KEY_TYPE].state == VALUE_BAD ||
	    section->values[KEY_MULTIHOP].state == VALUE_BAD)
		return multihop ? SESSION_MULTIHOP : SESSION_SINGLE_HOP;
	if (section_has(section, KEY_MULTIHOP) && multihop != (type == SESSION_MULTIHOP))
		report_error(resolver->reports, section_place(section, KEY_MULTIHOP),
			     "multihop: type \"%s\" says otherwise", text);
	if (!rules[type].built) {
		report_error(resolver->reports, section_place(section, KEY_TYPE),
			     "type: \"%s\" is not supported yet", text);
		return SESSION_SINGLE_HOP;
	}
	check_keys(resolver, section, type);
	return type;
}
