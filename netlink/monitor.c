/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Notifications are read from one socket, everything is read from another: what is notified meanwhile waits
 * in the first one's queue and is taken in afterwards, so nothing is missed, and at worst something is told
 * that has changed back since.
 */
#include "netlink/monitor.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/links.h"
#include "netlink/message.h"
#include "netlink/owned.h"

#define BUFFER_FIRST (1 << 20)
#define BUFFER_MOST (32 << 20)
#define READ_MOST 256	   /* datagrams in one monitor_read() */
#define DISCARD_MOST 65536 /* ... thrown away before everything is read again */
#define DUMP_TRIES 5

struct monitor {
	struct monitor_callbacks callbacks;
	uint8_t protocol;
	struct netlink *nl;
	int buffer;
	bool stale;  /* everything must be read again */
	bool silent; /* reading it for the first time: nothing can have been lost */
	struct links links;
	struct owned owned;
};

static void tell_lost(struct monitor *monitor, const struct monitor_lost *lost)
{
	if (monitor->callbacks.lost && !monitor->silent)
		monitor->callbacks.lost(monitor->callbacks.context, lost);
}

static void tell_lost_nexthop(struct monitor *monitor, uint32_t id)
{
	struct monitor_lost lost = {.kind = MONITOR_LOST_NEXTHOP, .id = id};

	tell_lost(monitor, &lost);
}

static void tell_address(struct monitor *monitor, const struct links_address *address, bool gone)
{
	monitor->callbacks.address(monitor->callbacks.context, address->ifindex, &address->addr,
				   address->prefix_length, gone);
}

static uint8_t kind_of(const struct netlink_attribute *name)
{
	static const struct {
		const char *name;
		uint8_t kind;
	} kinds[] = {{"vrf", MONITOR_VRF}, {"bond", MONITOR_BOND}};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (name->size == strlen(kinds[i].name) + 1 && !memcmp(name->data, kinds[i].name, name->size))
			return kinds[i].kind;
	return MONITOR_PLAIN;
}

static void take_info(struct monitor_link *link, const struct netlink_attribute *attribute)
{
	struct netlink_attribute info[NETLINK_ATTRIBUTES], data[NETLINK_ATTRIBUTES];

	netlink_nested(attribute, info);
	link->kind = kind_of(&info[IFLA_INFO_KIND]);
	if (link->kind == MONITOR_BOND) {
		netlink_nested(&info[IFLA_INFO_DATA], data);
		link->bond_mode = netlink_u8(&data[IFLA_BOND_MODE]);
		link->bond_active = netlink_u32(&data[IFLA_BOND_ACTIVE_SLAVE]);
	}
	if (kind_of(&info[IFLA_INFO_SLAVE_KIND]) == MONITOR_BOND) {
		netlink_nested(&info[IFLA_INFO_SLAVE_DATA], data);
		link->distributing = data[IFLA_BOND_SLAVE_STATE].data &&
				     !netlink_u8(&data[IFLA_BOND_SLAVE_STATE]); /* BOND_STATE_ACTIVE */
	}
}

static void take_link(struct monitor *monitor, const struct netlink_message *message)
{
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct monitor_link link = {0};
	struct ifinfomsg header;
	uint8_t operstate;
	bool gone = message->type == RTM_DELLINK;
	uint32_t id;

	/* Other families (bridge ports) say nothing about the link itself. */
	if (!netlink_parse(message, &header, sizeof(header), attributes) || header.ifi_family != AF_UNSPEC ||
	    !attributes[IFLA_IFNAME].size)
		return;
	link.ifindex = (uint32_t)header.ifi_index;
	strncat(link.name, attributes[IFLA_IFNAME].data,
		attributes[IFLA_IFNAME].size < IFNAMSIZ ? attributes[IFLA_IFNAME].size : IFNAMSIZ - 1);
	link.ethernet = header.ifi_type == ARPHRD_ETHER &&
			attributes[IFLA_ADDRESS].size == sizeof(link.address);
	if (link.ethernet)
		memcpy(link.address, attributes[IFLA_ADDRESS].data, sizeof(link.address));
	link.mtu = netlink_u32(&attributes[IFLA_MTU]);
	link.master = netlink_u32(&attributes[IFLA_MASTER]);
	take_info(&link, &attributes[IFLA_LINKINFO]);
	operstate = netlink_u8(&attributes[IFLA_OPERSTATE]);
	link.up = header.ifi_flags & IFF_UP;
	link.carrier = header.ifi_flags & IFF_LOWER_UP &&
		       (operstate == IF_OPER_UP || operstate == IF_OPER_UNKNOWN);
	if (gone ? links_remove(&monitor->links, link.ifindex) : links_set(&monitor->links, &link))
		monitor->callbacks.link(monitor->callbacks.context, &link, gone);
	/* When the kernel drops nexthops: nexthop.c, nh_netdev_event(). */
	if (gone || !link.up || !(header.ifi_flags & (IFF_RUNNING | IFF_LOWER_UP)))
		while ((id = owned_link_lost(&monitor->owned, link.ifindex)))
			tell_lost_nexthop(monitor, id);
}

static void take_address(struct monitor *monitor, const struct netlink_message *message)
{
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct links_address address = {0};
	struct ifaddrmsg header;
	uint32_t flags;
	bool gone;

	if (!netlink_parse(message, &header, sizeof(header), attributes) ||
	    !netlink_addr(&attributes[IFA_ADDRESS], header.ifa_family, &address.subnet))
		return;
	/* IFA_LOCAL is ours where IFA_ADDRESS is the far end's (IPv4 has both always). */
	if (!netlink_addr(&attributes[IFA_LOCAL], header.ifa_family, &address.addr))
		address.addr = address.subnet;
	address.ifindex = header.ifa_index;
	address.prefix_length = header.ifa_prefixlen;
	flags = attributes[IFA_FLAGS].data ? netlink_u32(&attributes[IFA_FLAGS]) : header.ifa_flags;
	/* Not usable before duplicate address detection is through, but for optimistic ones (RFC 4429). */
	gone = message->type == RTM_DELADDR || flags & IFA_F_DADFAILED ||
	       (flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC));
	if (gone ? links_address_remove(&monitor->links, &address)
		 : links_address_set(&monitor->links, &address))
		tell_address(monitor, &address, gone);
}

static void take_nexthop(struct monitor *monitor, const struct netlink_message *message)
{
	struct message_nexthop nexthop;
	uint32_t id;

	if (!message_nexthop_read(message, &nexthop) || nexthop.protocol != monitor->protocol)
		return;
	id = nexthop.is_group ? nexthop.group.id : nexthop.nexthop.id;
	if (message->type == RTM_DELNEXTHOP) {
		owned_remove(&monitor->owned, id);
		tell_lost_nexthop(monitor, id);
	} else if (nexthop.is_group) {
		owned_group(&monitor->owned, &nexthop.group);
	} else {
		owned_nexthop(&monitor->owned, &nexthop.nexthop);
	}
}

static void take_rule_gone(struct monitor *monitor, const struct netlink_message *message)
{
	struct object_rule rule;
	struct monitor_lost lost;
	uint8_t protocol;

	if (!message_rule_read(message, &rule, &protocol) || protocol != monitor->protocol)
		return;
	lost = (struct monitor_lost){.kind = MONITOR_LOST_RULE,
				     .family = rule.family,
				     .priority = rule.priority,
				     .table = rule.table};
	tell_lost(monitor, &lost);
}

static void take_route_gone(struct monitor *monitor, const struct netlink_message *message)
{
	struct object_route route;
	struct monitor_lost lost;
	uint8_t protocol;

	if (!message_route_read(message, &route, &protocol) || protocol != monitor->protocol)
		return;
	lost = (struct monitor_lost){.kind = MONITOR_LOST_ROUTE,
				     .family = route.prefix.addr.family,
				     .table = route.table,
				     .prefix = route.prefix};
	tell_lost(monitor, &lost);
}

static void take(void *context, const struct netlink_message *message)
{
	struct monitor *monitor = context;

	switch (message->type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		take_link(monitor, message);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		take_address(monitor, message);
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		take_nexthop(monitor, message);
		break;
	case RTM_DELRULE:
		take_rule_gone(monitor, message);
		break;
	case RTM_DELROUTE:
		take_route_gone(monitor, message);
		break;
	}
}

static int dump(struct monitor *monitor, struct netlink *nl, uint16_t type)
{
	struct ifinfomsg link = {.ifi_family = AF_UNSPEC};
	struct ifaddrmsg address = {.ifa_family = AF_UNSPEC};
	int err = NETLINK_RESTART;

	for (unsigned i = 0; i < DUMP_TRIES && err == NETLINK_RESTART; i++) {
		if (type == RTM_GETLINK)
			netlink_begin(nl, type, 0, &link, sizeof(link));
		else if (type == RTM_GETADDR)
			netlink_begin(nl, type, 0, &address, sizeof(address));
		else
			message_nexthop_dump(nl);
		err = netlink_dump(nl, take, monitor);
	}
	return err;
}

/* What was not seen while everything was read has gone unheard. */
static void sweep(struct monitor *monitor)
{
	struct links_address address;
	struct monitor_link link;
	uint32_t id;

	while (links_address_sweep(&monitor->links, &address))
		tell_address(monitor, &address, true);
	while (links_sweep(&monitor->links, &link))
		monitor->callbacks.link(monitor->callbacks.context, &link, true);
	while ((id = owned_sweep(&monitor->owned)))
		tell_lost_nexthop(monitor, id);
}

/* Reads everything. When it changes all the while, what was seen is taken in and the rest is left for the
 * next time: the changes' own notifications see to it that there is one. */
static int read_all(struct monitor *monitor, char *error, size_t size)
{
	static const uint16_t types[] = {RTM_GETLINK, RTM_GETADDR, RTM_GETNEXTHOP};
	struct netlink *nl = netlink_open(error, size);
	bool restless = false;
	int err = 0;

	monitor->stale = true;
	if (!nl)
		return -EIO;
	monitor->links.round++;
	monitor->owned.round++;
	for (unsigned i = 0; i < 3 && !err; i++) {
		err = dump(monitor, nl, types[i]);
		restless |= err == NETLINK_RESTART;
		err = err == NETLINK_RESTART ? 0 : err;
	}
	if (err)
		snprintf(error, size, "reading links and addresses: %s", netlink_words(nl));
	netlink_close(nl);
	if (!err && !restless) {
		sweep(monitor);
		monitor->stale = false;
	}
	return err;
}

static void ignore(void *context, const struct netlink_message *message) {}

static void resync(struct monitor *monitor)
{
	char error[128];

	for (unsigned i = 0; i < DISCARD_MOST; i++)
		if (netlink_receive(monitor->nl, ignore, NULL) == -EAGAIN)
			break;
	read_all(monitor, error, sizeof(error));
	if (!monitor->stale && monitor->callbacks.resync)
		monitor->callbacks.resync(monitor->callbacks.context);
}

static int subscribe(struct netlink *nl, uint8_t protocol)
{
	static const unsigned groups[] = {RTNLGRP_LINK,	      RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
					  RTNLGRP_NEXTHOP,    RTNLGRP_IPV4_RULE,   RTNLGRP_IPV6_RULE,
					  RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
	int err = netlink_filter_routes(nl, protocol);

	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]) && !err; i++)
		err = netlink_subscribe(nl, groups[i]);
	return err;
}

struct monitor *monitor_create(uint8_t protocol, const struct monitor_callbacks *callbacks, char *error,
			       size_t size)
{
	struct monitor *monitor = calloc(1, sizeof(*monitor));
	int err;

	if (!monitor) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	monitor->callbacks = *callbacks;
	monitor->protocol = protocol;
	monitor->nl = netlink_open(error, size);
	if (!monitor->nl) {
		free(monitor);
		return NULL;
	}
	monitor->buffer = netlink_set_receive_buffer(monitor->nl, BUFFER_FIRST);
	err = subscribe(monitor->nl, protocol);
	if (err) {
		snprintf(error, size, "subscribing to the kernel's notifications: %s", strerror(-err));
	} else {
		monitor->silent = true;
		err = read_all(monitor, error, size);
		monitor->silent = false;
	}
	if (err) {
		monitor_free(monitor);
		return NULL;
	}
	return monitor;
}

int monitor_fd(const struct monitor *monitor)
{
	return netlink_fd(monitor->nl);
}

void monitor_read(struct monitor *monitor)
{
	int err = 0;

	for (unsigned i = 0; i < READ_MOST && !err; i++)
		err = netlink_receive(monitor->nl, take, monitor);
	if (err == -ENOBUFS) {
		monitor->stale = true;
		/* The kernel doubles what it is given. */
		if (monitor->buffer < BUFFER_MOST)
			monitor->buffer = netlink_set_receive_buffer(monitor->nl, monitor->buffer);
	}
	if (monitor->stale)
		resync(monitor);
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	netlink_close(monitor->nl);
	links_free(&monitor->links);
	owned_free(&monitor->owned);
	free(monitor);
}

const struct monitor_link *monitor_link_by_name(const struct monitor *monitor, const char *name)
{
	return links_by_name(&monitor->links, name);
}

const struct monitor_link *monitor_link_by_index(const struct monitor *monitor, uint32_t ifindex)
{
	return links_by_index(&monitor->links, ifindex);
}

void monitor_each_link(const struct monitor *monitor,
		       void (*fn)(void *context, const struct monitor_link *link), void *context)
{
	for (size_t i = 0; i < monitor->links.nlinks; i++)
		fn(context, &monitor->links.links[i].link);
}

void monitor_each_address(const struct monitor *monitor, void (*fn)(void *context, const struct addr *addr),
			  void *context)
{
	for (size_t i = 0; i < monitor->links.naddresses; i++)
		fn(context, &monitor->links.addresses[i].addr);
}

bool monitor_has_address(const struct monitor *monitor, uint32_t ifindex, const struct addr *addr)
{
	return links_has_address(&monitor->links, ifindex, addr);
}

uint32_t monitor_vrf(const struct monitor *monitor, uint32_t ifindex)
{
	return links_vrf(&monitor->links, ifindex);
}

bool monitor_local_for(const struct monitor *monitor, uint32_t vrf, uint32_t ifindex, const struct addr *peer,
		       struct addr *local, uint32_t *found_ifindex)
{
	return links_local_for(&monitor->links, vrf, ifindex, peer, local, found_ifindex);
}

uint32_t monitor_holder(const struct monitor *monitor, uint32_t vrf, const struct addr *addr)
{
	return links_holder(&monitor->links, vrf, addr);
}
