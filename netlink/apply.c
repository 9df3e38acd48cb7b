/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/apply.h"

#include <errno.h>

#include "netlink/message.h"

static void take_nexthop(void *context, const struct netlink_message *message)
{
	message_nexthop_read(message, context);
}

/* What has this id: 1, nothing: 0, somebody else's: -EEXIST. */
static int look(struct netlink *nl, uint8_t protocol, uint32_t id, struct message_nexthop *there)
{
	int err;

	message_nexthop_get(nl, id);
	err = netlink_request(nl, take_nexthop, there);
	if (err)
		return err == -ENOENT ? 0 : err;
	return there->protocol == protocol ? 1 : -EEXIST;
}

int apply_nexthop_set(struct netlink *nl, uint8_t protocol, const struct object_nexthop *nexthop)
{
	struct message_nexthop there = {0};
	int found = look(nl, protocol, nexthop->id, &there);

	if (found < 0)
		return found;
	if (found && !there.is_group && object_nexthop_equal(&there.nexthop, nexthop))
		return 0;
	message_nexthop_set(nl, protocol, nexthop);
	return netlink_request(nl, NULL, NULL);
}

int apply_group_set(struct netlink *nl, uint8_t protocol, const struct object_group *group)
{
	struct message_nexthop there = {0};
	int found = look(nl, protocol, group->id, &there);

	if (found < 0)
		return found;
	if (found && there.is_group && object_group_equal(&there.group, group))
		return 0;
	message_group_set(nl, protocol, group);
	return netlink_request(nl, NULL, NULL);
}

static int gone_is_fine(int err)
{
	return err == -ENOENT || err == -ESRCH || err == -ENODEV ? 0 : err;
}

int apply_nexthop_del(struct netlink *nl, uint32_t id)
{
	message_nexthop_del(nl, id);
	return gone_is_fine(netlink_request(nl, NULL, NULL));
}

int apply_rule_add(struct netlink *nl, uint8_t protocol, const struct object_rule *rule)
{
	int err;

	message_rule_add(nl, protocol, rule);
	err = netlink_request(nl, NULL, NULL);
	return err == -EEXIST ? 0 : err;
}

int apply_rule_del(struct netlink *nl, uint8_t protocol, const struct object_rule *rule)
{
	message_rule_del(nl, protocol, rule);
	return gone_is_fine(netlink_request(nl, NULL, NULL));
}

int apply_route_set(struct netlink *nl, uint8_t protocol, const struct object_route *route)
{
	message_route_set(nl, protocol, route);
	return netlink_request(nl, NULL, NULL);
}

int apply_route_del(struct netlink *nl, uint8_t protocol, const struct object_route *route)
{
	message_route_del(nl, protocol, route);
	return gone_is_fine(netlink_request(nl, NULL, NULL));
}
