/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers that would be one and the same session. */
#include <stdlib.h>
#include <string.h>

#include "config/resolve.h"

static int compare_addr(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* By what every packet shows: the address, the VRF, and single hop or multihop by its port. */
static int compare_door(const struct config_peer *x, const struct config_peer *y)
{
	int order = x->type != y->type ? x->type - y->type : strcmp(x->vrf, y->vrf);

	return order ? order : compare_addr(&x->address, &y->address);
}

static int compare(const void *a, const void *b)
{
	const struct config_peer *x = *(const struct config_peer *const *)a,
				 *y = *(const struct config_peer *const *)b;
	int order = compare_door(x, y);

	return order ? order : x < y ? -1 : x > y;
}

/* Both come in the order of the file. Where routers may be between, the interface does not tell peers apart.
 */
static void check_pair(struct resolver *resolver, const struct config_peer *first,
		       const struct config_peer *second)
{
	const struct section *sections = resolver->tree->peers.list;
	const struct place *before = &sections[first - resolver->config->peers].at;
	const struct place *at = &sections[second - resolver->config->peers].at;
	bool routed = resolve_type_multihop((enum session_type)first->type);
	bool same_interface = routed || !strcmp(first->interface, second->interface);
	bool same_local = addr_equal(&first->local_address, &second->local_address);

	if (!same_interface && *first->interface && *second->interface)
		return;
	if (!same_local && first->local_address.family != AF_UNSPEC &&
	    second->local_address.family != AF_UNSPEC)
		return;
	if (same_interface && same_local)
		report_error(resolver->reports, at,
			     "peer \"%s\" is the same session as peer \"%s\" at %s:%u: type, address, "
			     "local-address%s and vrf agree",
			     second->name, first->name, before->file, before->line,
			     routed ? "" : ", interface");
	else
		report_warning(resolver->reports, at,
			       "peer \"%s\" may turn out to be the same session as peer \"%s\" at %s:%u: "
			       "tell them apart by "
			       "local-address or interface",
			       second->name, first->name, before->file, before->line);
}

bool resolve_twins(struct resolver *resolver)
{
	const struct config *config = resolver->config;
	const struct config_peer **order = report_calloc(resolver->reports, config->npeers, sizeof(*order));

	if (!order)
		return false;
	for (unsigned i = 0; i < config->npeers; i++)
		order[i] = &config->peers[i];
	qsort(order, config->npeers, sizeof(*order), compare);
	for (unsigned i = 0; i < config->npeers; i++)
		for (unsigned j = i + 1; j < config->npeers && !compare_door(order[i], order[j]); j++)
			if (order[i]->address.family != AF_UNSPEC)
				check_pair(resolver, order[i], order[j]);
	free(order);
	return true;
}
