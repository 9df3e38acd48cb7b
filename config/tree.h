/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration as it was written: each value checked by itself, nothing put together yet. */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "config/report.h"
#include "config/schema.h"
#include "core/addr.h"

enum value_state {
	VALUE_ABSENT,
	VALUE_GOOD,
	VALUE_BAD, /* reported; nothing more is to be said of it */
};

/* One of a list of names or prefixes. */
struct item {
	struct place at;
	const char *text; /* the parser's memory; NULL: bad and reported */
	struct prefix prefix;
	uint32_t number; /* a discriminator; 0: bad and reported */
};

struct value {
	enum value_state state;
	struct place at;
	union {
		int64_t number;	  /* also booleans, times; microseconds */
		const char *text; /* the parser's memory */
		struct addr addr;
		struct {
			struct item *items;
			unsigned n;
			bool follow; /* the word "bgp" in the place of prefixes */
		} list;
		struct sections *groups; /* within another group */
	};
};

struct section {
	struct place at;
	enum schema_section kind;
	struct value values[SCHEMA_KEYS];
};

struct sections {
	struct section *list;
	unsigned n;
};

struct tree {
	struct sections profiles, peers, sites, services, unsolicited, key_chains;
	struct section steering, daemon, bird, frr, top, sbfd;
};

void tree_free(struct tree *tree);

bool section_has(const struct section *section, enum schema_index key); /* a good value */
/* NULL when there is no good value. */
const char *section_text(const struct section *section, enum schema_index key);
/* AF_UNSPEC when there is no good value. */
struct addr section_addr(const struct section *section, enum schema_index key);
/* The good value, or the key's fallback. */
int64_t section_number(const struct section *section, enum schema_index key);
/* Of the value if it was given, else of the section. */
const struct place *section_place(const struct section *section, enum schema_index key);
/* Writes the good numbers and booleans among FIRST .. LAST into BASE; with FALLBACKS also those not given. */
void section_store(const struct section *section, enum schema_index first, enum schema_index last,
		   bool fallbacks, void *base);

/* The checks that need nothing but the value: they set VALUE's state, and report. VALUE->at is set already.
 */
void value_set_integer(struct value *value, const struct schema_key *key, int64_t number,
		       struct reports *reports);
void value_set_float(struct value *value, const struct schema_key *key, double number,
		     struct reports *reports);
void value_set_discriminator(struct value *value, const struct schema_key *key, int64_t number,
			     struct reports *reports);
/* Names, addresses, interfaces, endpoints and discriminators. */
void value_set_text(struct value *value, const struct schema_key *key, const char *text,
		    struct reports *reports);
/* The word in the place of a list of prefixes. */
void value_set_word(struct value *value, const struct schema_key *key, const char *text,
		    struct reports *reports);
/* Of a list of discriminators. ITEM->at is set already. */
void item_set_number(struct item *item, const struct schema_key *key, int64_t number,
		     struct reports *reports);
/* Of a list of names, prefixes or discriminators. ITEM->at is set already. */
void item_set(struct item *item, const struct schema_key *key, const char *text, struct reports *reports);

#endif
