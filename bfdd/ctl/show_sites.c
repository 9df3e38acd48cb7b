// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "ctl/show.h"
#include "ctl/table.h"

struct tally {
	size_t paths, usable, in_use;
};

/* Counts the paths of SITE; of all sites when it is NULL. */
static struct tally tally_paths(json_t *paths, const char *site)
{
	struct tally tally = {0};
	json_t *path;
	size_t i;

	json_array_foreach(paths, i, path)
	{
		const char *of = json_string_value(json_object_get(path, "site"));

		if (site && (!of || strcmp(of, site) != 0))
			continue;
		tally.paths++;
		tally.usable += json_is_true(json_object_get(path, "usable"));
		tally.in_use += json_is_true(json_object_get(path, "in-use"));
	}
	return tally;
}

/* Is path INDEX the first of its site? */
static bool is_first(json_t *paths, size_t index)
{
	json_t *site = json_object_get(json_array_get(paths, index), "site");

	for (size_t i = 0; i < index; i++)
		if (json_equal(json_object_get(json_array_get(paths, i), "site"), site))
			return false;
	return true;
}

/* "ams 2/2 in use, fra 1/1": usable of all, site by site in order of preference. */
static const char *paths_by_site(char buf[TEXT], json_t *paths)
{
	size_t i, used = 0;
	json_t *path;

	buf[0] = '\0';
	json_array_foreach(paths, i, path)
	{
		const char *site = json_string_value(json_object_get(path, "site"));
		struct tally tally;
		char name[TEXT];

		if (!site || !is_first(paths, i))
			continue;
		tally = tally_paths(paths, site);
		used += (size_t)snprintf(buf + used, TEXT - used, "%s%s %zu/%zu%s", used ? ", " : "",
					 text_get(name, path, "site"), tally.usable, tally.paths,
					 tally.in_use ? " in use" : "");
		if (used >= TEXT)
			break;
	}
	return buf;
}

static const char *active_site(char buf[TEXT], json_t *service)
{
	json_t *sites = json_object_get(service, "active-sites");
	json_t *v4 = json_object_get(sites, "ipv4"), *v6 = json_object_get(sites, "ipv6");
	char four[TEXT], six[TEXT];

	if (json_is_string(v4) && json_is_string(v6) && !json_equal(v4, v6))
		snprintf(buf, TEXT, "%.200s (IPv4), %.200s (IPv6)", text_value(four, v4),
			 text_value(six, v6));
	else if (json_is_string(json_object_get(service, "active-site")))
		text_get(buf, service, "active-site");
	else
		strcpy(buf, "none");
	return buf;
}

static const char *last_switch(char buf[TEXT], json_t *last)
{
	json_t *took = json_object_get(last, "detection-to-kernel-us");
	char ago[TEXT], reason[TEXT], us[TEXT];

	if (!json_is_object(last))
		strcpy(buf, "never");
	else if (json_is_integer(took))
		snprintf(buf, TEXT, "%.64s: %.300s (in %.64s)", text_ago(ago, json_object_get(last, "at")),
			 text_get(reason, last, "reason"), text_us(us, json_integer_value(took)));
	else
		snprintf(buf, TEXT, "%.64s: %.300s", text_ago(ago, json_object_get(last, "at")),
			 text_get(reason, last, "reason"));
	return buf;
}

static const char *prefixes(char buf[TEXT], json_t *service)
{
	json_t *count = json_object_get(service, "prefix-count");
	const char *from = json_string_value(json_object_get(service, "prefixes"));

	if (json_is_integer(count))
		snprintf(buf, TEXT, "%s%" JSON_INTEGER_FORMAT, from && !strcmp(from, "bgp") ? "bgp " : "",
			 json_integer_value(count));
	else
		strcpy(buf, "-");
	return buf;
}

void show_services(json_t *services, FILE *out)
{
	static const char *const titles[] = {"SERVICE",	  ">PREFIXES",	 "ACTIVE", "PATHS",
					     ">SWITCHES", "LAST SWITCH", NULL};
	struct table *table;
	json_t *service;
	char buf[TEXT];
	size_t i;

	if (!json_array_size(services)) {
		fputs("no services\n", out);
		return;
	}
	table = table_create(titles);
	json_array_foreach(services, i, service)
	{
		table_cell(table, STYLE_PLAIN, "%s", text_get(buf, service, "name"));
		table_cell(table, STYLE_PLAIN, "%s", prefixes(buf, service));
		active_site(buf, service);
		table_cell(table, strcmp(buf, "none") ? STYLE_GOOD : STYLE_BAD, "%s", buf);
		table_cell(table, STYLE_PLAIN, "%s", paths_by_site(buf, json_object_get(service, "paths")));
		table_cell(table, STYLE_PLAIN, "%s", text_get(buf, service, "switches"));
		table_cell(table, STYLE_PLAIN, "%s",
			   last_switch(buf, json_object_get(service, "last-switch")));
	}
	table_print(table, out);
}

/* The names of the paths that cannot be used. */
static const char *unusable(char buf[TEXT], json_t *paths)
{
	size_t i, used = 0;
	json_t *path;

	buf[0] = '\0';
	json_array_foreach(paths, i, path)
	{
		char name[TEXT];

		if (json_is_true(json_object_get(path, "usable")))
			continue;
		used += (size_t)snprintf(buf + used, TEXT - used, "%s%s", used ? ", " : "",
					 text_get(name, path, "peer"));
		if (used >= TEXT)
			break;
	}
	return buf;
}

void show_sites(json_t *sites, FILE *out)
{
	static const char *const titles[] = {"SITE", "STATE", ">USABLE PATHS", ">IN USE", "NOT USABLE", NULL};
	struct table *table;
	char buf[TEXT];
	json_t *site;
	size_t i;

	if (!json_array_size(sites)) {
		fputs("no sites\n", out);
		return;
	}
	table = table_create(titles);
	json_array_foreach(sites, i, site)
	{
		bool usable = json_is_true(json_object_get(site, "usable"));
		json_t *paths = json_object_get(site, "paths");
		struct tally tally = tally_paths(paths, NULL);

		table_cell(table, STYLE_PLAIN, "%s", text_get(buf, site, "name"));
		table_cell(table, usable ? STYLE_GOOD : STYLE_BAD, "%s", usable ? "usable" : "not usable");
		table_cell(table, STYLE_PLAIN, "%zu of %zu", tally.usable, tally.paths);
		table_cell(table, STYLE_PLAIN, "%zu", tally.in_use);
		table_cell(table, STYLE_WARN, "%s", unusable(buf, paths));
	}
	table_print(table, out);
}
