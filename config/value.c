/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "config/endpoint.h"
#include "config/rfc3339.h"
#include "config/tree.h"

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static double shown(const struct schema_key *key, int64_t number)
{
	return key->type == SCHEMA_MILLISECONDS ? (double)number / USEC_MS : (double)number;
}

/* NUMBER as it was written: milliseconds for microseconds. */
static bool in_range(const struct schema_key *key, double number, const struct place *at,
		     struct reports *reports)
{
	double least = shown(key, key->least), most = shown(key, key->most);

	if (number >= least && number <= most)
		return true;
	report_error(reports, at, "%s: %.15g is out of range (%.15g to %.15g%s)", key->name, number, least,
		     most, key->type == SCHEMA_MILLISECONDS ? " ms" : "");
	return false;
}

void value_set_integer(struct value *value, const struct schema_key *key, int64_t number,
		       struct reports *reports)
{
	value->state = VALUE_BAD;
	if (!in_range(key, (double)number, &value->at, reports))
		return;
	value->number = key->type == SCHEMA_MILLISECONDS ? number * USEC_MS : number;
	value->state = VALUE_GOOD;
}

void value_set_float(struct value *value, const struct schema_key *key, double number,
		     struct reports *reports)
{
	double scaled = key->type == SCHEMA_MILLISECONDS ? number * (double)USEC_MS : number;

	value->state = VALUE_BAD;
	if (!in_range(key, number, &value->at, reports))
		return;
	/* Binary fractions miss decimal ones by far less than this within any key's range. */
	if (fabs(scaled - round(scaled)) > 1e-3) {
		report_error(reports, &value->at, "%s: %.15g is not a whole number%s", key->name, number,
			     key->type == SCHEMA_MILLISECONDS ? " of microseconds" : "");
		return;
	}
	value->number = llround(scaled);
	value->state = VALUE_GOOD;
}

static bool good_name(const char *key, const char *text, const struct place *at, struct reports *reports)
{
	size_t length = strlen(text);

	if (length >= 1 && length < CONFIG_NAME && strspn(text, NAME_CHARS) == length)
		return true;
	if (!length)
		report_error(reports, at, "%s: a name must not be empty", key);
	else if (length >= CONFIG_NAME)
		report_error(reports, at,
			     "%s: \"%.20s...\" is too long for a name: %zu characters, at most %d", key, text,
			     length, CONFIG_NAME - 1);
	else
		report_error(
			reports, at,
			"%s: \"%s\" is not a good name: letters, digits, dot, hyphen and underscore only",
			key, text);
	return false;
}

static bool mapped(const struct addr *addr)
{
	static const uint8_t start[12] = {[10] = 0xff, [11] = 0xff};

	return addr->family == AF_INET6 && !memcmp(addr->bytes, start, sizeof(start));
}

static bool may_be_a_peers(const struct addr *addr, const char *key, const char *text, const struct place *at,
			   struct reports *reports)
{
	static const struct addr broadcast = {.family = AF_INET, .bytes = {255, 255, 255, 255}};
	const char *what = NULL;

	if (addr_is_unspecified(addr))
		what = "the unspecified address";
	else if (addr_is_multicast(addr))
		what = "a multicast address";
	else if (addr_equal(addr, &broadcast))
		what = "the broadcast address";
	else if (mapped(addr))
		what = "an IPv4-mapped address: write the IPv4 address";
	if (what)
		report_error(reports, at, "%s: %s is %s", key, text, what);
	return !what;
}

static bool good_address(struct addr *addr, const char *key, const char *text, const struct place *at,
			 struct reports *reports)
{
	if (addr_parse(addr, text))
		return may_be_a_peers(addr, key, text, at, reports);
	report_error(reports, at, "%s: \"%s\" is not an IPv4 or IPv6 address", key, text);
	return false;
}

static bool good_interface(const char *key, const char *text, const struct place *at, struct reports *reports)
{
	size_t length = strlen(text);

	if (length >= IFNAMSIZ)
		report_error(reports, at, "%s: \"%.20s%s\" is too long: %zu characters, at most %d", key,
			     text, length > 20 ? "..." : "", length, IFNAMSIZ - 1);
	else if (!endpoint_interface(text))
		report_error(reports, at, "%s: \"%s\" cannot be the name of an interface", key, text);
	else
		return true;
	return false;
}

static bool good_endpoint(const char *key, const char *text, const struct place *at, struct reports *reports)
{
	struct config_endpoint endpoint;
	const char *why = endpoint_parse(&endpoint, text);

	if (why)
		report_error(reports, at, "%s: \"%s\": %s", key, text, why);
	return !why;
}

/* Where a routing daemon is spoken with; sun_path's size. */
static bool good_path(const char *key, const char *text, const struct place *at, struct reports *reports)
{
	if (*text == '/' && strlen(text) < CONFIG_SOCKET)
		return true;
	report_error(reports, at,
		     "%s: \"%.40s\" is not a path: it begins with / and has at most %d "
		     "characters",
		     key, text, CONFIG_SOCKET - 1);
	return false;
}

/* The bits of an IPv4 address (RFC 7880 3 leaves it to us what numbers mean); 0: it is none. */
static uint32_t discriminator(const char *text)
{
	struct addr addr;

	if (!addr_parse(&addr, text) || addr.family != AF_INET)
		return 0;
	return (uint32_t)addr.bytes[0] << 24 | (uint32_t)addr.bytes[1] << 16 | (uint32_t)addr.bytes[2] << 8 |
	       addr.bytes[3];
}

void value_set_text(struct value *value, const struct schema_key *key, const char *text,
		    struct reports *reports)
{
	bool good;

	if (key->type == SCHEMA_ADDRESS) {
		struct addr addr = {.family = AF_UNSPEC};

		good = good_address(&addr, key->name, text, &value->at, reports);
		value->addr = addr;
	} else if (key->type == SCHEMA_TIME) {
		good = rfc3339_parse(text, &value->number);
		if (!good)
			report_error(reports, &value->at,
				     "%s: \"%.40s\" is not a time such as 2026-01-31T18:00:00Z", key->name,
				     text);
	} else if (key->type == SCHEMA_SECRET) {
		good = true; /* whether it is too long depends on what it is for */
		value->text = text;
	} else {
		if (key->type == SCHEMA_DISCRIMINATOR) {
			value->number = discriminator(text);
			value->state = value->number ? VALUE_GOOD : VALUE_BAD;
			if (!value->number)
				report_error(reports, &value->at, "%s: \"%.64s\" is no IPv4 address",
					     key->name, text);
			return;
		}
		good = key->type == SCHEMA_INTERFACE  ? good_interface(key->name, text, &value->at, reports)
		       : key->type == SCHEMA_ENDPOINT ? good_endpoint(key->name, text, &value->at, reports)
		       : key->type == SCHEMA_PATH     ? good_path(key->name, text, &value->at, reports)
						      : good_name(key->name, text, &value->at, reports);
		value->text = text;
	}
	value->state = good ? VALUE_GOOD : VALUE_BAD;
}

/* The network that "192.0.2.1/24" probably means: the host bits cleared. */
static void report_host_bits(const char *text, const struct place *at, struct reports *reports)
{
	char buf[PREFIX_TEXT], head[PREFIX_TEXT] = "";
	const char *slash = strchr(text, '/');
	struct prefix network = {0};

	if (slash && (size_t)(slash - text) < sizeof(head))
		memcpy(head, text, (size_t)(slash - text));
	if (!slash || !addr_parse(&network.addr, head)) {
		report_error(reports, at, "prefixes: \"%s\" has host bits set", text);
		return;
	}
	network.length = (uint8_t)atoi(slash + 1);
	for (size_t i = 0; i < addr_size(network.addr.family); i++) {
		unsigned keep = network.length > 8 * i ? network.length - 8 * (unsigned)i : 0;

		if (keep < 8)
			network.addr.bytes[i] &= (uint8_t)(0xff00 >> keep);
	}
	report_error(reports, at, "prefixes: \"%s\" has host bits set: the network is %s", text,
		     prefix_format(&network, buf));
}

static bool good_prefix(struct prefix *prefix, const char *text, bool routed, const struct place *at,
			struct reports *reports)
{
	switch (prefix_parse(prefix, text)) {
	case PREFIX_SYNTAX:
		report_error(reports, at, "prefixes: \"%s\" is not an IPv4 or IPv6 prefix", text);
		return false;
	case PREFIX_LENGTH:
		report_error(reports, at, "prefixes: \"%s\": the prefix length is out of range", text);
		return false;
	case PREFIX_HOST_BITS:
		report_host_bits(text, at, reports);
		return false;
	case PREFIX_OK:
		break;
	}
	if (addr_is_multicast(&prefix->addr)) {
		report_error(reports, at, "prefixes: %s is multicast", text);
		return false;
	}
	if (routed && addr_is_link_local(&prefix->addr)) {
		report_error(reports, at, "prefixes: %s is link-local and never routed", text);
		return false;
	}
	return true;
}

void value_set_word(struct value *value, const struct schema_key *key, const char *text,
		    struct reports *reports)
{
	value->list.follow = !strcmp(text, "bgp");
	value->state = value->list.follow ? VALUE_GOOD : VALUE_BAD;
	if (!value->list.follow)
		report_error(reports, &value->at,
			     "%s: \"%.64s\" is neither \"bgp\" nor a list of prefixes [ \"...\", ... ]",
			     key->name, text);
}

/* RFC 7880 3: any but 0. */
static uint32_t good_discriminator(const char *name, int64_t number, const struct place *at,
				   struct reports *reports)
{
	if (number >= 1 && number <= UINT32_MAX)
		return (uint32_t)number;
	report_error(reports, at, "%s: %lld is out of range (1 to %u)", name, (long long)number, UINT32_MAX);
	return 0;
}

void value_set_discriminator(struct value *value, const struct schema_key *key, int64_t number,
			     struct reports *reports)
{
	value->number = good_discriminator(key->name, number, &value->at, reports);
	value->state = value->number ? VALUE_GOOD : VALUE_BAD;
}

void item_set_number(struct item *item, const struct schema_key *key, int64_t number, struct reports *reports)
{
	item->number = good_discriminator(key->name, number, &item->at, reports);
}

void item_set(struct item *item, const struct schema_key *key, const char *text, struct reports *reports)
{
	char interface[IFNAMSIZ];
	struct addr addr;
	bool good;

	if (key->type == SCHEMA_PEERS && endpoint_parse_peer(text, &addr, interface))
		good = may_be_a_peers(&addr, key->name, text, &item->at, reports);
	else if (key->type == SCHEMA_PREFIXES || key->type == SCHEMA_NETWORKS)
		good = good_prefix(&item->prefix, text, key->type == SCHEMA_PREFIXES, &item->at, reports);
	else if (key->type == SCHEMA_DISCRIMINATORS) {
		item->number = discriminator(text);
		good = item->number;
		if (!good)
			report_error(reports, &item->at, "%s: \"%.64s\" is no IPv4 address", key->name, text);
	} else if (key->type == SCHEMA_INTERFACES)
		good = good_interface(key->name, text, &item->at, reports);
	else
		good = good_name(key->name, text, &item->at, reports);
	item->text = good ? text : NULL;
}
