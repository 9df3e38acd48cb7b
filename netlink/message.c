/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/message.h"

#include <linux/fib_rules.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define SET (NLM_F_CREATE | NLM_F_REPLACE)

void message_nexthop_set(struct netlink *nl, uint8_t protocol, const struct object_nexthop *nexthop)
{
	/* Onlink: the gateway need not be in a subnet of ours. A peer's address is reachable on its link or
	 * BFD would not be up, and a multihop peer's gateway is what the operator says. */
	struct nhmsg header = {
		.nh_family = nexthop->gateway.family, .nh_protocol = protocol, .nh_flags = RTNH_F_ONLINK};

	netlink_begin(nl, RTM_NEWNEXTHOP, SET, &header, sizeof(header));
	netlink_put_u32(nl, NHA_ID, nexthop->id);
	netlink_put_u32(nl, NHA_OIF, nexthop->ifindex);
	netlink_put_addr(nl, NHA_GATEWAY, &nexthop->gateway);
}

void message_group_set(struct netlink *nl, uint8_t protocol, const struct object_group *group)
{
	struct nhmsg header = {.nh_family = AF_UNSPEC, .nh_protocol = protocol};
	struct nexthop_grp members[OBJECTS_MEMBERS] = {0};

	for (unsigned i = 0; i < group->nmembers; i++)
		members[i].id = group->members[i];
	netlink_begin(nl, RTM_NEWNEXTHOP, SET, &header, sizeof(header));
	netlink_put_u32(nl, NHA_ID, group->id);
	netlink_put(nl, NHA_GROUP, members, group->nmembers * sizeof(members[0]));
}

static void nexthop_by_id(struct netlink *nl, uint16_t type, uint32_t id)
{
	struct nhmsg header = {.nh_family = AF_UNSPEC};

	netlink_begin(nl, type, 0, &header, sizeof(header));
	netlink_put_u32(nl, NHA_ID, id);
}

void message_nexthop_get(struct netlink *nl, uint32_t id)
{
	nexthop_by_id(nl, RTM_GETNEXTHOP, id);
}

void message_nexthop_del(struct netlink *nl, uint32_t id)
{
	nexthop_by_id(nl, RTM_DELNEXTHOP, id);
}

static void rule(struct netlink *nl, uint16_t type, uint16_t flags, uint8_t protocol,
		 const struct object_rule *rule)
{
	struct fib_rule_hdr header = {.family = rule->family, .action = FR_ACT_TO_TBL};

	netlink_begin(nl, type, flags, &header, sizeof(header));
	netlink_put_u32(nl, FRA_PRIORITY, rule->priority);
	netlink_put_u32(nl, FRA_TABLE, rule->table);
	netlink_put(nl, FRA_PROTOCOL, &protocol, sizeof(protocol));
	if (rule->without) /* of mark 0 */
		netlink_put_u32(nl, FRA_FWMASK, rule->without);
}

void message_rule_add(struct netlink *nl, uint8_t protocol, const struct object_rule *wanted)
{
	/* Without NLM_F_EXCL the kernel would add the same rule twice. */
	rule(nl, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, protocol, wanted);
}

void message_rule_del(struct netlink *nl, uint8_t protocol, const struct object_rule *unwanted)
{
	/* With the protocol given, the kernel passes over rules that only look the same. */
	rule(nl, RTM_DELRULE, NLM_F_ECHO, protocol, unwanted);
}

static void route(struct netlink *nl, uint16_t type, uint16_t flags, uint8_t protocol,
		  const struct object_route *route)
{
	/* Deleting: of any scope and type, also a stray that we would never make. */
	bool set = type == RTM_NEWROUTE;
	struct rtmsg header = {.rtm_family = route->prefix.addr.family,
			       .rtm_dst_len = route->prefix.length,
			       .rtm_protocol = protocol,
			       .rtm_scope = set ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE,
			       .rtm_type = set ? RTN_UNICAST : RTN_UNSPEC};

	netlink_begin(nl, type, flags, &header, sizeof(header));
	netlink_put_u32(nl, RTA_TABLE, route->table);
	netlink_put_addr(nl, RTA_DST, &route->prefix.addr);
}

void message_route_set(struct netlink *nl, uint8_t protocol, const struct object_route *wanted)
{
	route(nl, RTM_NEWROUTE, SET, protocol, wanted);
	netlink_put_u32(nl, RTA_NH_ID, wanted->group);
}

void message_route_del(struct netlink *nl, uint8_t protocol, const struct object_route *unwanted)
{
	route(nl, RTM_DELROUTE, 0, protocol, unwanted);
}

void message_nexthop_dump(struct netlink *nl)
{
	struct nhmsg header = {.nh_family = AF_UNSPEC};

	netlink_begin(nl, RTM_GETNEXTHOP, 0, &header, sizeof(header));
}

void message_rule_dump(struct netlink *nl, uint8_t family)
{
	struct fib_rule_hdr header = {.family = family};

	netlink_begin(nl, RTM_GETRULE, 0, &header, sizeof(header));
}

void message_route_dump(struct netlink *nl, uint8_t family, uint8_t protocol)
{
	struct rtmsg header = {.rtm_family = family, .rtm_protocol = protocol};

	netlink_begin(nl, RTM_GETROUTE, 0, &header, sizeof(header));
}

static int by_id(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void group_read(const struct netlink_attribute *attribute, struct object_group *group)
{
	size_t n = attribute->size / sizeof(struct nexthop_grp);

	if (n > OBJECTS_MEMBERS)
		return;
	for (size_t i = 0; i < n; i++) {
		struct nexthop_grp member;

		memcpy(&member, (const char *)attribute->data + i * sizeof(member), sizeof(member));
		if (member.weight) /* ours share evenly */
			return;
		group->members[i] = member.id;
	}
	qsort(group->members, n, sizeof(group->members[0]), by_id);
	group->nmembers = (unsigned)n;
}

bool message_nexthop_read(const struct netlink_message *message, struct message_nexthop *nexthop)
{
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct nhmsg header;
	uint32_t id;

	memset(nexthop, 0, sizeof(*nexthop));
	if ((message->type != RTM_NEWNEXTHOP && message->type != RTM_DELNEXTHOP) ||
	    !netlink_parse(message, &header, sizeof(header), attributes))
		return false;
	id = netlink_u32(&attributes[NHA_ID]);
	nexthop->protocol = header.nh_protocol;
	nexthop->is_group = attributes[NHA_GROUP].data;
	if (nexthop->is_group) {
		nexthop->group.id = id;
		group_read(&attributes[NHA_GROUP], &nexthop->group);
	} else {
		nexthop->nexthop.id = id;
		nexthop->nexthop.ifindex = netlink_u32(&attributes[NHA_OIF]);
		netlink_addr(&attributes[NHA_GATEWAY], header.nh_family, &nexthop->nexthop.gateway);
	}
	return id;
}

bool message_rule_read(const struct netlink_message *message, struct object_rule *found, uint8_t *protocol)
{
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct fib_rule_hdr header;

	if ((message->type != RTM_NEWRULE && message->type != RTM_DELRULE) ||
	    !netlink_parse(message, &header, sizeof(header), attributes) || header.action != FR_ACT_TO_TBL)
		return false;
	*found = (struct object_rule){.family = header.family,
				      .priority = netlink_u32(&attributes[FRA_PRIORITY]),
				      .table = netlink_u32(&attributes[FRA_TABLE]),
				      .without = netlink_u32(&attributes[FRA_FWMASK])};
	*protocol = netlink_u8(&attributes[FRA_PROTOCOL]);
	return true;
}

bool message_route_read(const struct netlink_message *message, struct object_route *found, uint8_t *protocol)
{
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct rtmsg header;

	if ((message->type != RTM_NEWROUTE && message->type != RTM_DELROUTE) ||
	    !netlink_parse(message, &header, sizeof(header), attributes) ||
	    header.rtm_dst_len > 8 * addr_size(header.rtm_family))
		return false;
	memset(found, 0, sizeof(*found));
	found->table = netlink_u32(&attributes[RTA_TABLE]);
	found->group = netlink_u32(&attributes[RTA_NH_ID]);
	/* No destination: the default route. */
	if (!netlink_addr(&attributes[RTA_DST], header.rtm_family, &found->prefix.addr))
		found->prefix.addr.family = header.rtm_family;
	found->prefix.length = header.rtm_dst_len;
	*protocol = header.rtm_protocol;
	return true;
}
