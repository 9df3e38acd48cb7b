/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "config/tree.h"

static void free_sections(struct sections *sections)
{
	for (unsigned i = 0; i < sections->n; i++)
		for (unsigned j = 0; j < SCHEMA_KEYS; j++)
			if (schema_keys[j].type == SCHEMA_NAMES || schema_keys[j].type == SCHEMA_PEERS ||
			    schema_keys[j].type == SCHEMA_PREFIXES ||
			    schema_keys[j].type == SCHEMA_INTERFACES ||
			    schema_keys[j].type == SCHEMA_NETWORKS)
				free(sections->list[i].values[j].list.items);
			else if (schema_keys[j].type == SCHEMA_GROUPS && sections->list[i].values[j].groups) {
				free_sections(sections->list[i].values[j].groups);
				free(sections->list[i].values[j].groups);
			}
	free(sections->list);
}

void tree_free(struct tree *tree)
{
	free_sections(&tree->profiles);
	free_sections(&tree->peers);
	free_sections(&tree->sites);
	free_sections(&tree->services);
	free_sections(&tree->unsolicited);
	free_sections(&tree->key_chains);
	free(tree->sbfd.values[KEY_DISCRIMINATORS].list.items);
	free(tree->sbfd.values[KEY_SBFD_VRFS].list.items);
}

bool section_has(const struct section *section, enum schema_index key)
{
	return section->values[key].state == VALUE_GOOD;
}

const char *section_text(const struct section *section, enum schema_index key)
{
	return section_has(section, key) ? section->values[key].text : NULL;
}

struct addr section_addr(const struct section *section, enum schema_index key)
{
	return section_has(section, key) ? section->values[key].addr : (struct addr){.family = AF_UNSPEC};
}

int64_t section_number(const struct section *section, enum schema_index key)
{
	return section_has(section, key) ? section->values[key].number : schema_keys[key].fallback;
}

const struct place *section_place(const struct section *section, enum schema_index key)
{
	return section->values[key].at.file ? &section->values[key].at : &section->at;
}

void section_store(const struct section *section, enum schema_index first, enum schema_index last,
		   bool fallbacks, void *base)
{
	for (enum schema_index key = first; key <= last; key++)
		if (fallbacks || section_has(section, key))
			schema_store(&schema_keys[key], base, section_number(section, key));
}
