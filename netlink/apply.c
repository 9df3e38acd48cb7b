/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/apply.h"

#include <errno.h>

#include "netlink/message.h"

#define DUMP_TRIES 10
#define RULES_IN_PLACE 34 /* one for each bit of the mark, one without, one look more */

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

static void take_rule(void *context, const struct netlink_message *message)
{
	uint8_t protocol;

	message_rule_read(message, context, &protocol);
}

/*
 * A request without a mark fits rules with any (the kernel compares what is given and not 0), and of those in
 * the same place the kernel takes the eldest. One with a mark that went instead is put back, behind the
 * others; meanwhile the one that is to go leads to the same table. When the first has come round again, there
 * is none without a mark.
 */
int apply_rule_del(struct netlink *nl, uint8_t protocol, const struct object_rule *rule)
{
	struct object_rule gone, first = {0};
	int err;

	for (unsigned i = 0; i < RULES_IN_PLACE; i++) {
		gone = *rule;
		message_rule_del(nl, protocol, rule);
		err = netlink_request(nl, take_rule, &gone);
		if (err || gone.without == rule->without)
			return gone_is_fine(err);
		err = apply_rule_add(nl, protocol, &gone);
		if (err || gone.without == first.without)
			return err;
		if (!first.without)
			first = gone;
	}
	return -EBUSY;
}

struct search {
	const struct object_rule *rule;
	uint8_t protocol;
	bool found;
};

static void compare_rule(void *context, const struct netlink_message *message)
{
	struct search *search = context;
	struct object_rule rule;
	uint8_t protocol;

	if (message_rule_read(message, &rule, &protocol) && protocol == search->protocol &&
	    !object_rule_compare(&rule, search->rule))
		search->found = true;
}

int apply_rule_find(struct netlink *nl, uint8_t protocol, const struct object_rule *rule)
{
	struct search search = {.rule = rule, .protocol = protocol};
	int err = NETLINK_RESTART;

	for (unsigned i = 0; i < DUMP_TRIES && err == NETLINK_RESTART && !search.found; i++) {
		message_rule_dump(nl, rule->family);
		err = netlink_dump(nl, compare_rule, &search);
	}
	return search.found ? 1 : err;
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
