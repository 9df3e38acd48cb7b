/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "config/resolve.h"

/* One prefix of one service, as it was written. */
struct entry {
	const struct item *item;
	const char *service;
	unsigned serial; /* in the order of the file */
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = prefix_compare(&x->item->prefix, &y->item->prefix);

	return order ? order : x->serial < y->serial ? -1 : 1;
}

static int compare_prefixes(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

/* The good ones of all services, sorted. NULL: out of memory. */
static struct entry *collect(struct resolver *resolver, unsigned *n)
{
	const struct config *config = resolver->config;
	struct entry *entries;
	size_t most = 0;

	for (unsigned i = 0; i < config->nservices; i++)
		most += config->services[i].nprefixes;
	*n = 0;
	entries = report_calloc(resolver->reports, most, sizeof(*entries));
	if (!entries)
		return NULL;
	for (unsigned i = 0; i < config->nservices; i++) {
		const struct value *value = &resolver->tree->services.list[i].values[KEY_PREFIXES];

		for (unsigned j = 0; j < config->services[i].nprefixes; j++)
			if (value->list.items[j].text) {
				entries[*n] = (struct entry){&value->list.items[j], config->services[i].name,
							     *n};
				++*n;
			}
	}
	qsort(entries, *n, sizeof(*entries), compare);
	return entries;
}

static void report_overlap(struct resolver *resolver, const struct entry *a, const struct entry *b)
{
	const struct entry *first = a->serial < b->serial ? a : b, *second = first == a ? b : a;
	bool same = !prefix_compare(&first->item->prefix, &second->item->prefix);

	report_error(resolver->reports, &second->item->at,
		     "prefixes: %s of service \"%s\" %s %s of service \"%s\" at %s:%u", second->item->text,
		     second->service, same ? "is the same as" : "overlaps", first->item->text, first->service,
		     first->item->at.file, first->item->at.line);
}

/* Sorted, what a prefix contains follows it at once. */
static void check_overlaps(struct resolver *resolver, const struct entry *entries, unsigned n)
{
	for (unsigned i = 1, widest = 0; i < n; i++) {
		if (prefix_overlaps(&entries[widest].item->prefix, &entries[i].item->prefix))
			report_overlap(resolver, &entries[widest], &entries[i]);
		else
			widest = i;
	}
}

/* The last entry that does not come after PREFIX; N when there is none. */
static unsigned find_last(const struct entry *entries, unsigned n, const struct prefix *prefix)
{
	unsigned low = 0, high = n;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (prefix_compare(&entries[middle].item->prefix, prefix) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : n;
}

/* The default route has a warning of its own. Needs entries that do not overlap to find all. */
static void check_covered_peers(struct resolver *resolver, const struct entry *entries, unsigned n)
{
	const struct config *config = resolver->config;
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < config->npeers; i++) {
		struct prefix host = {.addr = config->peers[i].address};
		const struct item *item;
		unsigned found;

		host.length = (uint8_t)(8 * addr_size(host.addr.family));
		found = find_last(entries, n, &host);
		item = found < n ? entries[found].item : NULL;
		if (host.length && item && item->prefix.length && prefix_contains(&item->prefix, &host.addr))
			report_warning(resolver->reports, &item->at,
				       "prefixes: %s covers %s of peer \"%s\", whose BFD packets may then "
				       "follow the service "
				       "and not their own path",
				       item->text, addr_format(&host.addr, text), config->peers[i].name);
	}
}

bool resolve_prefixes(struct resolver *resolver)
{
	struct config *config = resolver->config;
	struct entry *entries;
	unsigned n;

	entries = collect(resolver, &n);
	if (!entries)
		return false;
	check_overlaps(resolver, entries, n);
	check_covered_peers(resolver, entries, n);
	for (unsigned i = 0; i < n; i++)
		if (!entries[i].item->prefix.length)
			report_warning(resolver->reports, &entries[i].item->at,
				       "prefixes: %s takes all traffic, whatever the main table says",
				       entries[i].item->text);
	free(entries);
	for (unsigned i = 0; i < config->nservices; i++)
		qsort(config->services[i].prefixes, config->services[i].nprefixes, sizeof(struct prefix),
		      compare_prefixes);
	return true;
}
