/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what was written to what is meant: names become indices, profiles are applied, and what must fit
 * together is checked. */
#ifndef CONFIG_RESOLVE_H
#define CONFIG_RESOLVE_H

#include "config/config.h"
#include "config/names.h"
#include "config/tree.h"

struct resolver {
	const struct tree *tree;
	struct reports *reports;
	struct config *config;
	struct names profiles, peers, sites, chains;
	bool *profile_used;   /* by index */
	bool *chain_used;     /* by index */
	unsigned *peer_site;  /* by index: the site + 1, or 0 */
	bool *peer_via_asked; /* by index: its lack of a gateway was reported */
	bool *site_used;      /* by index: some service names it */
	char *awaited_names;  /* room for the next name */
};

/* NULL after errors of memory; otherwise a configuration, which must not be used if errors were reported. */
struct config *resolve_tree(const struct tree *tree, struct reports *reports);

/* Each fills its part of the configuration from the tree. False: out of memory. */
bool resolve_peers(struct resolver *resolver);
/* What kind of peer SECTION is; what does not go with that is reported. */
enum session_type resolve_type(struct resolver *resolver, const struct section *section);
/* Routers may be between, as RFC 5883 has it. */
bool resolve_type_multihop(enum session_type type);
void resolve_sbfd(struct resolver *resolver);
/* After the peers, as it uses profiles. */
bool resolve_unsolicited(struct resolver *resolver);
void config_unsolicited_free(struct config *config);
/* Before the peers. */
bool resolve_keys(struct resolver *resolver);
/* The chain that SECTION, a peer's or profile's, names; NULL: none, or there is no such chain (reported if
 * REPORT). */
struct auth_chain *resolve_key_chain(struct resolver *resolver, const struct section *section, bool report);
/* Of what SECTION names as its profile, into SESSION; the profile's name, NULL: none. */
const char *resolve_profile(struct resolver *resolver, const struct section *section,
			    struct session_config *session);
/* Of what is likely to be a mistake, when there are no errors. */
void resolve_keys_warn(struct resolver *resolver);
/* How BIRD follows; after the peers. */
void resolve_bird(struct resolver *resolver);
void resolve_vtysh(struct resolver *resolver);
bool resolve_twins(struct resolver *resolver); /* peers that would be one session */
bool resolve_sites(struct resolver *resolver);
/* How many peers FRR may be awaited to bring, at most. */
unsigned resolve_awaited_room(const struct resolver *resolver);
/* The peer that ITEM of a site names, perhaps a new one that FRR has yet to bring. False, and reported: there
 * is none. */
bool resolve_site_peer(struct resolver *resolver, const struct item *item, unsigned *index);
bool resolve_services(struct resolver *resolver);
/* No two prefixes of services overlap, and none covers a peer. Sorts those of each service. */
bool resolve_prefixes(struct resolver *resolver);

/* Looks up what ITEM names, and reports it when there is none. */
bool resolve_item(struct resolver *resolver, const struct names *names, const char *what,
		  const struct item *item, unsigned *index);

#endif
