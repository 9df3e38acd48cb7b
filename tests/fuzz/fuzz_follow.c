/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about routes and nexthop objects, whatever their lengths say. Input: type (0 to 3), flags, data.
 */
#include <string.h>

#include <linux/rtnetlink.h>

#include "netlink/follow_hops.h"
#include "tests/fuzz/fuzz.h"

static void try_route(struct follow_hops *hops, const struct netlink_message *message)
{
	struct follow_route route;

	if (!follow_route_read(message, &route))
		return;
	promise(addr_size(route.prefix.addr.family));
	promise(route.prefix.length <= 8 * addr_size(route.prefix.addr.family));
	promise(route.nhops <= FOLLOW_HOPS && route.nhops <= route.total);
	for (unsigned i = 0; i < route.nhops; i++)
		promise(addr_size(route.hops[i].gateway.family));
	follow_hops_route(hops, &route);
	follow_hops_guarded(hops, &route.prefix);
}

static void try_nexthop(struct follow_hops *hops, const struct netlink_message *message)
{
	struct follow_nexthop nexthop;

	if (!follow_nexthop_read(message, &nexthop))
		return;
	promise(nexthop.id && nexthop.nmembers <= FOLLOW_HOPS);
	follow_hops_set(hops, &nexthop);
	promise(hops->nobjects == !nexthop.gone);
	promise(!follow_hops_set(hops, &nexthop)); /* no news the second time */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWNEXTHOP, RTM_DELNEXTHOP};
	const struct follow_peer peer = {.gateway = {.family = AF_INET, .bytes = {192, 0, 2, 1}},
					 .services = 1};
	struct follow_hops hops = {0};
	struct netlink_message message = {0};
	unsigned char *copy;

	if (size < 2)
		return 0;
	copy = malloc(size - 2 ? size - 2 : 1); /* its own, so that reading beyond the end is seen */
	if (!copy)
		return 0;
	memcpy(copy, data + 2, size - 2);
	message = (struct netlink_message){.type = types[data[0] % 4],
					   .flags = (uint16_t)(data[1] << 8),
					   .data = copy,
					   .size = size - 2};
	promise(follow_hops_peers(&hops, &peer, 1, &peer.gateway, 1) == 1);
	try_route(&hops, &message);
	try_nexthop(&hops, &message);
	follow_hops_free(&hops);
	free(copy);
	return 0;
}
