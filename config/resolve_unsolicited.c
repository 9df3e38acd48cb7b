/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may begin a session that is not in the file (RFC 9468). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/resolve.h"

#define SINGLE_HOP_TTL 255 /* RFC 9468 2: single hop only */
#define ITEMS 64	   /* interfaces, and prefixes, of an entry */

static unsigned check_items(struct resolver *resolver, const struct section *section, enum schema_index key)
{
	const struct value *value = &section->values[key];

	if (value->state != VALUE_GOOD)
		return 0;
	if (!value->list.n)
		report_error(resolver->reports, &value->at, "%s: empty: nobody could begin a session",
			     schema_keys[key].name);
	if (value->list.n > ITEMS)
		report_error(resolver->reports, &value->at, "%s: %u are too many, at most %u",
			     schema_keys[key].name, value->list.n, ITEMS);
	return value->list.n <= ITEMS ? value->list.n : 0;
}

static bool resolve_entry(struct resolver *resolver, const struct section *section,
			  struct config_unsolicited *entry)
{
	unsigned ninterfaces = check_items(resolver, section, KEY_UNSOLICITED_INTERFACES);
	unsigned nprefixes = check_items(resolver, section, KEY_UNSOLICITED_PREFIXES);
	const char *vrf;

	entry->interfaces = report_calloc(resolver->reports, ninterfaces, sizeof(*entry->interfaces));
	entry->prefixes = report_calloc(resolver->reports, nprefixes, sizeof(*entry->prefixes));
	if (!entry->interfaces || !entry->prefixes)
		return false;
	for (unsigned i = 0; i < ninterfaces; i++) {
		const char *text = section->values[KEY_UNSOLICITED_INTERFACES].list.items[i].text;

		snprintf(entry->interfaces[entry->ninterfaces++], IFNAMSIZ, "%s", text ? text : "");
	}
	for (unsigned i = 0; i < nprefixes; i++)
		entry->prefixes[entry->nprefixes++] =
			section->values[KEY_UNSOLICITED_PREFIXES].list.items[i].prefix;
	vrf = section_text(section, KEY_VRF);
	snprintf(entry->vrf, sizeof(entry->vrf), "%s", vrf ? vrf : "");
	section_store(section, KEY_TRANSMIT_INTERVAL, KEY_SHUTDOWN, true, &entry->session);
	entry->profile = resolve_profile(resolver, section, &entry->session);
	section_store(section, KEY_MAXIMUM, KEY_EXPIRY, true, entry);
	entry->session.min_ttl = SINGLE_HOP_TTL;
	entry->session.passive = true; /* RFC 9468 2 */
	entry->session.shutdown = false;
	return true;
}

static bool has_interface(const struct config_unsolicited *entry, const char *interface)
{
	for (unsigned i = 0; i < entry->ninterfaces; i++)
		if (!strcmp(entry->interfaces[i], interface))
			return true;
	return false;
}

/* Entry N: an interface is in one VRF, or in none. */
static void check_vrfs(struct resolver *resolver, unsigned n)
{
	const struct sections *sections = &resolver->tree->unsolicited;
	const struct config_unsolicited *entries = resolver->config->unsolicited;

	for (unsigned before = 0; before < n; before++)
		for (unsigned i = 0;
		     i < entries[n].ninterfaces && strcmp(entries[before].vrf, entries[n].vrf); i++) {
			if (!has_interface(&entries[before], entries[n].interfaces[i]))
				continue;
			report_error(resolver->reports,
				     section_place(&sections->list[n], KEY_UNSOLICITED_INTERFACES),
				     "interfaces: \"%s\" is in another VRF by the entry at %s:%u",
				     entries[n].interfaces[i], sections->list[before].at.file,
				     sections->list[before].at.line);
			return;
		}
}

/* The engine goes through them for each packet of a stranger. Said once. */
static void count_rules(struct resolver *resolver, const struct section *section,
			const struct config_unsolicited *entry, unsigned *rules)
{
	unsigned before = *rules;

	*rules += entry->ninterfaces * entry->nprefixes;
	if (before <= CONFIG_UNSOLICITED_RULES && *rules > CONFIG_UNSOLICITED_RULES)
		report_error(resolver->reports, &section->at,
			     "unsolicited: interfaces times prefixes, of all entries: %d are the most",
			     CONFIG_UNSOLICITED_RULES);
}

bool resolve_unsolicited(struct resolver *resolver)
{
	const struct sections *sections = &resolver->tree->unsolicited;
	struct config *config = resolver->config;
	unsigned rules = 0;

	config->unsolicited = report_calloc(resolver->reports, sections->n, sizeof(*config->unsolicited));
	if (!config->unsolicited)
		return false;
	config->nunsolicited = sections->n;
	for (unsigned i = 0; i < sections->n; i++) {
		if (!resolve_entry(resolver, &sections->list[i], &config->unsolicited[i]))
			return false;
		count_rules(resolver, &sections->list[i], &config->unsolicited[i], &rules);
		if (i < CONFIG_UNSOLICITED_ENTRIES)
			check_vrfs(resolver, i);
	}
	if (sections->n > CONFIG_UNSOLICITED_ENTRIES)
		report_error(resolver->reports, &sections->list[CONFIG_UNSOLICITED_ENTRIES].at,
			     "unsolicited: more than %d entries are too many", CONFIG_UNSOLICITED_ENTRIES);
	return true;
}

void config_unsolicited_free(struct config *config)
{
	for (unsigned i = 0; i < config->nunsolicited; i++) {
		free(config->unsolicited[i].interfaces);
		free(config->unsolicited[i].prefixes);
	}
	free(config->unsolicited);
}

int config_unsolicited_find(const struct config *config, const char *interface, const struct addr *addr)
{
	for (unsigned i = 0; i < config->nunsolicited; i++) {
		const struct config_unsolicited *entry = &config->unsolicited[i];

		if (!has_interface(entry, interface))
			continue;
		for (unsigned p = 0; p < entry->nprefixes; p++)
			if (prefix_contains(&entry->prefixes[p], addr))
				return (int)i;
	}
	return -1;
}
