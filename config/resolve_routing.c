/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is said to BIRD and FRR: the groups' values, and what each peer makes of them. */
#include <stdio.h>
#include <string.h>

#include "config/resolve.h"

#define SOCKET "/run/bird/bird.ctl"
#define VTYSH "/usr/bin/vtysh"

static bool read_method(struct resolver *resolver, const struct section *section, enum schema_index key,
			uint8_t *method)
{
	static const struct {
		const char *name;
		uint8_t method;
	} methods[] = {
		{"next-hop-table", CONFIG_BIRD_TABLE},
		{"disable", CONFIG_BIRD_DISABLE},
		{"both", CONFIG_BIRD_TABLE | CONFIG_BIRD_DISABLE},
		{"none", 0},
	};
	const char *text = section_text(section, key);

	for (size_t i = 0; text && i < sizeof(methods) / sizeof(*methods); i++)
		if (!strcmp(text, methods[i].name)) {
			*method = methods[i].method;
			return true;
		}
	if (text)
		report_error(resolver->reports, section_place(section, key),
			     "%s: \"%s\" is none of next-hop-table, disable, both and none",
			     schema_keys[key].name, text);
	return false;
}

/* A link-local next hop is on a link by itself: no route is looked up for it. */
static void check_link_local(struct resolver *resolver, const struct section *section,
			     struct config_peer *peer, bool own)
{
	if (!(peer->bird_method & CONFIG_BIRD_TABLE) || !addr_is_link_local(&peer->address))
		return;
	peer->bird_method &= ~CONFIG_BIRD_TABLE;
	if (own)
		report_error(resolver->reports, section_place(section, KEY_PEER_BIRD_METHOD),
			     "bird-method: BIRD looks up no route for a link-local next hop: \"disable\" "
			     "would do");
	else
		report_warning(
			resolver->reports, &section->at,
			"peer \"%s\": BIRD looks up no route for a link-local next hop, so the next-hop "
			"table does nothing for it: bird-method \"disable\" would do",
			peer->name);
}

static void resolve_peer(struct resolver *resolver, const struct section *section, struct config_peer *peer)
{
	static const enum schema_index keys[] = {KEY_PEER_BIRD_METHOD, KEY_PEER_BIRD_PROTOCOL};
	const struct config_bird *bird = &resolver->config->bird;
	bool own;

	for (size_t i = 0; !bird->wanted && i < sizeof(keys) / sizeof(*keys); i++)
		if (section_has(section, keys[i]))
			report_error(resolver->reports, section_place(section, keys[i]),
				     "%s: needs the group \"bird\"", schema_keys[keys[i]].name);
	if (!bird->wanted)
		return;
	peer->bird_method = bird->method;
	own = read_method(resolver, section, KEY_PEER_BIRD_METHOD, &peer->bird_method);
	check_link_local(resolver, section, peer, own);
}

static void check_table(struct resolver *resolver)
{
	const struct config_steering *steering = &resolver->config->steering;
	uint32_t table = resolver->config->bird.table;

	if (table >= steering->table && table - steering->table < CONFIG_TABLES)
		report_error(resolver->reports, section_place(&resolver->tree->bird, KEY_NEXT_HOP_TABLE),
			     "next-hop-table: %u is one of the tables for services, %u to %u", table,
			     steering->table, steering->table + CONFIG_TABLES - 1);
}

void resolve_bird(struct resolver *resolver)
{
	const struct section *section = &resolver->tree->bird;
	const struct sections *peers = &resolver->tree->peers;
	struct config_bird *bird = &resolver->config->bird;
	const char *socket = section_text(section, KEY_BIRD_SOCKET);

	bird->wanted = section->kind == SCHEMA_BIRD;
	bird->method = CONFIG_BIRD_TABLE;
	section_store(section, KEY_NEXT_HOP_TABLE, KEY_BIRD_TIMEOUT, true, bird);
	snprintf(bird->socket, sizeof(bird->socket), "%s", socket ? socket : SOCKET);
	read_method(resolver, section, KEY_BIRD_METHOD, &bird->method);
	if (bird->wanted)
		check_table(resolver);
	for (unsigned i = 0; i < peers->n; i++)
		resolve_peer(resolver, &peers->list[i], &resolver->config->peers[i]);
}

void resolve_vtysh(struct resolver *resolver)
{
	const struct section *section = &resolver->tree->frr;
	const char *vtysh = section_text(section, KEY_FRR_VTYSH);
	const char *pathspace = section_text(section, KEY_FRR_PATHSPACE);
	struct config_vtysh *config = &resolver->config->vtysh;

	config->wanted = section->kind == SCHEMA_FRR;
	section_store(section, KEY_FRR_BGP_INTERVAL, KEY_FRR_BGP_INTERVAL, true, config);
	snprintf(config->path, sizeof(config->path), "%s", vtysh ? vtysh : VTYSH);
	snprintf(config->pathspace, sizeof(config->pathspace), "%s", pathspace ? pathspace : "");
}
