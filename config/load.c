/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only file that knows libconfig: its settings become the tree, guided by the schema. */
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/resolve.h"
#include "config/source.h"
#include "config/tree.h"

struct loader {
	const struct source *source;
	struct reports *reports;
	struct tree *tree;
};

static const char *const wanted[] = {
	[SCHEMA_NAME] = "a name in quotes",
	[SCHEMA_BOOL] = "true or false",
	[SCHEMA_INTEGER] = "a whole number",
	[SCHEMA_MILLISECONDS] = "a number of milliseconds",
	[SCHEMA_ADDRESS] = "an address in quotes",
	[SCHEMA_INTERFACE] = "a name in quotes",
	[SCHEMA_PATH] = "a path in quotes",
	[SCHEMA_NAMES] = "a list of names [ \"...\", ... ]",
	[SCHEMA_PEERS] = "a list of names [ \"...\", ... ]",
	[SCHEMA_ENDPOINT] = "a socket in quotes",
	[SCHEMA_TIME] = "a time in quotes",
	[SCHEMA_SECRET] = "a secret in quotes",
	[SCHEMA_PREFIXES] = "a list of prefixes [ \"...\", ... ] or \"bgp\"",
	[SCHEMA_INTERFACES] = "a list of interfaces [ \"...\", ... ]",
	[SCHEMA_DISCRIMINATOR] = "a whole number, or an IPv4 address in quotes",
	[SCHEMA_DISCRIMINATORS] = "a list of whole numbers, or of IPv4 addresses in quotes",
	[SCHEMA_NETWORKS] = "a list of prefixes [ \"...\", ... ]",
	[SCHEMA_GROUPS] = "a list of groups ( { ... }, ... )",
	[SCHEMA_GROUP] = "a group { ... }",
};

static const char *given(const config_setting_t *setting)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_GROUP:
		return "a group { ... }";
	case CONFIG_TYPE_LIST:
		return "a list ( ... )";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ... ]";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "a boolean";
	default:
		return "a number";
	}
}

static bool fits(enum schema_type type, const config_setting_t *setting)
{
	switch (type) {
	case SCHEMA_BOOL:
		return config_setting_type(setting) == CONFIG_TYPE_BOOL;
	case SCHEMA_INTEGER:
	case SCHEMA_MILLISECONDS:
		return config_setting_is_number(setting);
	case SCHEMA_PREFIXES:
		if (config_setting_type(setting) == CONFIG_TYPE_STRING)
			return true;
		/* fall through */
	case SCHEMA_NAMES:
	case SCHEMA_PEERS:
	case SCHEMA_INTERFACES:
	case SCHEMA_NETWORKS:
	case SCHEMA_DISCRIMINATORS:
		return config_setting_is_array(setting) || config_setting_is_list(setting);
	case SCHEMA_DISCRIMINATOR:
		return config_setting_type(setting) == CONFIG_TYPE_STRING ||
		       (config_setting_is_number(setting) &&
			config_setting_type(setting) != CONFIG_TYPE_FLOAT);
	case SCHEMA_GROUPS:
		return config_setting_is_list(setting);
	case SCHEMA_GROUP:
		return config_setting_is_group(setting);
	default:
		return config_setting_type(setting) == CONFIG_TYPE_STRING;
	}
}

static struct place place_of(const struct loader *loader, const config_setting_t *setting)
{
	return *source_place(loader->source, config_setting_source_line(setting));
}

static void read_items(struct loader *loader, const config_setting_t *setting, const struct schema_key *key,
		       struct value *value)
{
	unsigned n = (unsigned)config_setting_length(setting);

	value->list.items = report_calloc(loader->reports, n, sizeof(*value->list.items));
	if (!value->list.items)
		return;
	value->list.n = n;
	value->state = VALUE_GOOD;
	for (unsigned i = 0; i < n; i++) {
		const config_setting_t *element = config_setting_get_elem(setting, i);
		struct item *item = &value->list.items[i];

		item->at = place_of(loader, element);
		if (config_setting_type(element) == CONFIG_TYPE_STRING)
			item_set(item, key, config_setting_get_string(element), loader->reports);
		else if (key->type == SCHEMA_DISCRIMINATORS && config_setting_is_number(element) &&
			 config_setting_type(element) != CONFIG_TYPE_FLOAT)
			item_set_number(item, key, config_setting_get_int64(element), loader->reports);
		else
			report_error(loader->reports, &item->at, "%s: expects %s, not %s in it", key->name,
				     wanted[key->type], given(element));
	}
}

static void read_sections(struct loader *loader, const config_setting_t *list, const struct schema_key *key,
			  struct sections *sections);

static void read_value(struct loader *loader, const config_setting_t *setting, const struct schema_key *key,
		       struct value *value)
{
	value->at = place_of(loader, setting);
	value->state = VALUE_BAD;
	if (!fits(key->type, setting)) {
		report_error(loader->reports, &value->at, "%s: expects %s, not %s", key->name,
			     wanted[key->type], given(setting));
		return;
	}
	switch (key->type) {
	case SCHEMA_BOOL:
		value->number = config_setting_get_bool(setting);
		value->state = VALUE_GOOD;
		break;
	case SCHEMA_INTEGER:
	case SCHEMA_MILLISECONDS:
		if (config_setting_type(setting) == CONFIG_TYPE_FLOAT)
			value_set_float(value, key, config_setting_get_float(setting), loader->reports);
		else
			value_set_integer(value, key, config_setting_get_int64(setting), loader->reports);
		break;
	case SCHEMA_DISCRIMINATOR:
		if (config_setting_type(setting) == CONFIG_TYPE_STRING)
			value_set_text(value, key, config_setting_get_string(setting), loader->reports);
		else
			value_set_discriminator(value, key, config_setting_get_int64(setting),
						loader->reports);
		break;
	case SCHEMA_NAMES:
	case SCHEMA_PEERS:
	case SCHEMA_PREFIXES:
	case SCHEMA_INTERFACES:
	case SCHEMA_NETWORKS:
	case SCHEMA_DISCRIMINATORS:
		if (config_setting_type(setting) == CONFIG_TYPE_STRING)
			value_set_word(value, key, config_setting_get_string(setting), loader->reports);
		else
			read_items(loader, setting, key, value);
		break;
	case SCHEMA_GROUPS:
		value->groups = report_calloc(loader->reports, 1, sizeof(*value->groups));
		value->state = value->groups ? VALUE_GOOD : VALUE_BAD;
		if (value->groups)
			read_sections(loader, setting, key, value->groups);
		break;
	default:
		value_set_text(value, key, config_setting_get_string(setting), loader->reports);
	}
}

/* A key that was merely misspelt is not reported as missing, too. */
static void report_unknown(struct loader *loader, const config_setting_t *setting, enum schema_section kind,
			   struct section *section)
{
	const char *name = config_setting_name(setting), *elsewhere = NULL;
	const struct place at = place_of(loader, setting);
	struct nearest nearest;
	char hint[NEAREST_TEXT];

	nearest_init(&nearest, name);
	for (unsigned i = 0; i < SCHEMA_KEYS; i++)
		if (schema_keys[i].sections & kind)
			nearest_offer(&nearest, schema_keys[i].name);
		else if (!strcmp(schema_keys[i].name, name))
			elsewhere = schema_section_name(1u << (31 - __builtin_clz(schema_keys[i].sections)));
	nearest_text(&nearest, hint);
	if (nearest.best && section) {
		struct value *meant = &section->values[schema_find(kind, nearest.best) - schema_keys];

		if (meant->state == VALUE_ABSENT)
			meant->state = VALUE_BAD;
	} else if (!nearest.best && elsewhere) {
		snprintf(hint, sizeof(hint), ": it belongs in %s", elsewhere);
	}
	report_error(loader->reports, &at, "unknown key \"%.64s\" in %s%s", name, schema_section_name(kind),
		     hint);
}

static void read_section(struct loader *loader, const config_setting_t *group, enum schema_section kind,
			 struct section *section)
{
	section->kind = kind;
	section->at = place_of(loader, group);
	for (unsigned i = 0; i < (unsigned)config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, i);
		const struct schema_key *key = schema_find(kind, config_setting_name(setting));

		if (key)
			read_value(loader, setting, key, &section->values[key - schema_keys]);
		else
			report_unknown(loader, setting, kind, section);
	}
	for (unsigned i = 0; i < SCHEMA_KEYS; i++)
		if ((schema_keys[i].sections & kind) && schema_keys[i].required &&
		    section->values[i].state == VALUE_ABSENT)
			report_error(loader->reports, &section->at, "\"%s\" is missing: %s",
				     schema_keys[i].name, schema_keys[i].help);
}

static void read_sections(struct loader *loader, const config_setting_t *list, const struct schema_key *key,
			  struct sections *sections)
{
	unsigned n = (unsigned)config_setting_length(list);

	sections->list = report_calloc(loader->reports, n, sizeof(*sections->list));
	if (!sections->list)
		return;
	for (unsigned i = 0; i < n; i++) {
		const config_setting_t *element = config_setting_get_elem(list, i);

		if (config_setting_is_group(element)) {
			read_section(loader, element, key->opens, &sections->list[sections->n++]);
		} else {
			const struct place at = place_of(loader, element);

			report_error(loader->reports, &at, "%s: expects %s, not %s in it", key->name,
				     wanted[key->type], given(element));
		}
	}
}

static void read_top(struct loader *loader, const config_setting_t *setting, const struct schema_key *key)
{
	const struct place at = place_of(loader, setting);
	struct tree *tree = loader->tree;

	if (!key->opens) {
		read_value(loader, setting, key, &tree->top.values[key - schema_keys]);
		return;
	}
	if (!fits(key->type, setting)) {
		report_error(loader->reports, &at, "%s: expects %s, not %s", key->name, wanted[key->type],
			     given(setting));
		return;
	}
	if (key->opens == SCHEMA_STEERING)
		read_section(loader, setting, SCHEMA_STEERING, &tree->steering);
	else if (key->opens == SCHEMA_DAEMON)
		read_section(loader, setting, SCHEMA_DAEMON, &tree->daemon);
	else if (key->opens == SCHEMA_BIRD)
		read_section(loader, setting, SCHEMA_BIRD, &tree->bird);
	else if (key->opens == SCHEMA_FRR)
		read_section(loader, setting, SCHEMA_FRR, &tree->frr);
	else if (key->opens == SCHEMA_PROFILE)
		read_sections(loader, setting, key, &tree->profiles);
	else if (key->opens == SCHEMA_PEER)
		read_sections(loader, setting, key, &tree->peers);
	else if (key->opens == SCHEMA_SBFD)
		read_section(loader, setting, SCHEMA_SBFD, &tree->sbfd);
	else if (key->opens == SCHEMA_UNSOLICITED)
		read_sections(loader, setting, key, &tree->unsolicited);
	else if (key->opens == SCHEMA_SITE)
		read_sections(loader, setting, key, &tree->sites);
	else if (key->opens == SCHEMA_KEY_CHAIN)
		read_sections(loader, setting, key, &tree->key_chains);
	else
		read_sections(loader, setting, key, &tree->services);
}

static struct config *read_settings(struct loader *loader, const config_setting_t *root)
{
	struct config *config = NULL;

	for (unsigned i = 0; i < (unsigned)config_setting_length(root); i++) {
		const config_setting_t *setting = config_setting_get_elem(root, i);
		const struct schema_key *key = schema_find(SCHEMA_TOP, config_setting_name(setting));

		if (key)
			read_top(loader, setting, key);
		else
			report_unknown(loader, setting, SCHEMA_TOP, NULL);
	}
	if (!loader->reports->out_of_memory)
		config = resolve_tree(loader->tree, loader->reports);
	return config;
}

/* libconfig says nothing of what never ends. After a forgotten quote, though, it knows better where that was.
 */
static bool parse(config_t *parsed, const struct source *source, struct reports *reports)
{
	if (source->state == SOURCE_COMMENT)
		report_error(reports, &source->opened, "a comment begins here and never ends");
	else if (!config_read_string(parsed, source->text.bytes))
		report_error(reports, source_place(source, (unsigned)config_error_line(parsed)), "%s",
			     config_error_text(parsed));
	else if (source->state == SOURCE_STRING)
		report_error(reports, &source->opened, "a string begins here and never ends");
	else
		return true;
	return false;
}

struct config *config_load(const char *file, config_report_fn *report, void *context)
{
	struct reports reports = {0};
	struct source source;
	struct tree tree = {0};
	struct loader loader = {.source = &source, .reports = &reports, .tree = &tree};
	struct config *config = NULL;
	config_t parsed;

	config_init(&parsed);
	if (source_read(&source, file, &reports) && parse(&parsed, &source, &reports))
		config = read_settings(&loader, config_root_setting(&parsed));
	if (reports.errors || reports.out_of_memory) {
		config_free(config);
		config = NULL;
	}
	reports_tell(&reports, (const char *const *)source.files, source.nfiles, report, context);
	tree_free(&tree);
	config_destroy(&parsed);
	source_free(&source);
	return config;
}
