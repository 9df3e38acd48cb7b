/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/follow_message.h"

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* The gateway among a route's or a next hop's attributes: of its family, or of another (RTA_VIA: RFC 8950).
 */
static bool read_gateway(const struct netlink_attribute attributes[NETLINK_ATTRIBUTES], uint8_t family,
			 struct addr *gateway)
{
	struct netlink_attribute via = attributes[RTA_VIA];
	uint16_t via_family;

	if (netlink_addr(&attributes[RTA_GATEWAY], family, gateway))
		return true;
	if (via.size < sizeof(via_family))
		return false;
	memcpy(&via_family, via.data, sizeof(via_family));
	via.data = (const char *)via.data + sizeof(via_family);
	via.size -= sizeof(via_family);
	return via_family <= UINT8_MAX && netlink_addr(&via, (uint8_t)via_family, gateway);
}

static void add_hop(struct follow_route *route, const struct netlink_attribute attributes[NETLINK_ATTRIBUTES],
		    uint32_t ifindex)
{
	struct follow_hop hop = {.ifindex = ifindex};

	if (route->nhops < FOLLOW_HOPS && read_gateway(attributes, route->prefix.addr.family, &hop.gateway))
		route->hops[route->nhops++] = hop;
	route->total++;
}

/* A list of struct rtnexthop, each with attributes behind it within its length. */
static void read_multipath(struct follow_route *route, const struct netlink_attribute *multipath)
{
	const unsigned char *at = multipath->data;
	size_t left = multipath->size;
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct rtnexthop next;

	while (left >= sizeof(next)) {
		struct netlink_message hop = {.data = at};
		size_t step;

		memcpy(&next, at, sizeof(next));
		if (next.rtnh_len < sizeof(next) || next.rtnh_len > left)
			return;
		hop.size = next.rtnh_len;
		if (netlink_parse(&hop, &next, sizeof(next), attributes))
			add_hop(route, attributes, (uint32_t)next.rtnh_ifindex);
		step = RTNH_ALIGN(next.rtnh_len);
		if (step >= left)
			return;
		at += step;
		left -= step;
	}
}

bool follow_route_read(const struct netlink_message *message, struct follow_route *route)
{
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct rtmsg header;

	if ((message->type != RTM_NEWROUTE && message->type != RTM_DELROUTE) ||
	    !netlink_parse(message, &header, sizeof(header), attributes) || !addr_size(header.rtm_family) ||
	    header.rtm_dst_len > 8 * addr_size(header.rtm_family))
		return false;
	memset(route, 0, offsetof(struct follow_route, hops));
	route->gone = message->type == RTM_DELROUTE;
	route->replaces = message->flags & NLM_F_REPLACE;
	route->protocol = header.rtm_protocol;
	/* Those with a TOS or a source stand beside ordinary ones of the same prefix. */
	route->unicast = header.rtm_type == RTN_UNICAST && !header.rtm_tos && !header.rtm_src_len &&
			 !(header.rtm_flags & RTM_F_CLONED);
	route->table = attributes[RTA_TABLE].data ? netlink_u32(&attributes[RTA_TABLE]) : header.rtm_table;
	route->metric = netlink_u32(&attributes[RTA_PRIORITY]);
	route->nexthop = netlink_u32(&attributes[RTA_NH_ID]);
	/* No destination: the default route. */
	if (!netlink_addr(&attributes[RTA_DST], header.rtm_family, &route->prefix.addr))
		route->prefix.addr.family = header.rtm_family;
	route->prefix.length = header.rtm_dst_len;
	if (attributes[RTA_MULTIPATH].data)
		read_multipath(route, &attributes[RTA_MULTIPATH]);
	else
		add_hop(route, attributes, netlink_u32(&attributes[RTA_OIF]));
	return true;
}

bool follow_nexthop_read(const struct netlink_message *message, struct follow_nexthop *nexthop)
{
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct nexthop_grp member;
	struct nhmsg header;
	size_t n;

	if ((message->type != RTM_NEWNEXTHOP && message->type != RTM_DELNEXTHOP) ||
	    !netlink_parse(message, &header, sizeof(header), attributes))
		return false;
	memset(nexthop, 0, offsetof(struct follow_nexthop, members));
	nexthop->gone = message->type == RTM_DELNEXTHOP;
	nexthop->protocol = header.nh_protocol;
	nexthop->id = netlink_u32(&attributes[NHA_ID]);
	nexthop->hop.ifindex = netlink_u32(&attributes[NHA_OIF]);
	netlink_addr(&attributes[NHA_GATEWAY], header.nh_family, &nexthop->hop.gateway);
	n = attributes[NHA_GROUP].size / sizeof(member);
	for (size_t i = 0; i < n && i < FOLLOW_HOPS; i++) {
		memcpy(&member, (const char *)attributes[NHA_GROUP].data + i * sizeof(member),
		       sizeof(member));
		nexthop->members[nexthop->nmembers++] = member.id;
	}
	return nexthop->id;
}

void follow_route_dump(struct netlink *nl, uint8_t family)
{
	struct rtmsg header = {.rtm_family = family, .rtm_table = RT_TABLE_MAIN};

	netlink_begin(nl, RTM_GETROUTE, 0, &header, sizeof(header));
	netlink_put_u32(nl, RTA_TABLE, RT_TABLE_MAIN);
}
