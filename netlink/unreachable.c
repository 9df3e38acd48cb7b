/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/unreachable.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "netlink/nl.h"

#define DUMP_TRIES 5

struct unreachable {
	struct netlink *nl;
	uint8_t protocol;
};

/* What a dump is read for. */
struct each {
	uint8_t protocol;
	uint32_t table;		   /* of SOUGHT */
	const struct addr *sought; /* NULL: all */
	bool found;
	uint8_t scope; /* of what was found */
	unreachable_fn *fn;
	void *context;
};

struct unreachable *unreachable_create(uint8_t protocol, char *error, size_t size)
{
	struct netlink *nl = netlink_open(error, size);
	struct unreachable *unreachable = nl ? calloc(1, sizeof(*unreachable)) : NULL;

	if (!unreachable) {
		netlink_close(nl);
		return NULL;
	}
	unreachable->nl = nl;
	unreachable->protocol = protocol;
	return unreachable;
}

void unreachable_free(struct unreachable *unreachable)
{
	if (unreachable)
		netlink_close(unreachable->nl);
	free(unreachable);
}

const char *unreachable_words(const struct unreachable *unreachable)
{
	return netlink_words(unreachable->nl);
}

/* RT_SCOPE_NOWHERE, for deleting: whatever it has. */
static void begin(struct unreachable *unreachable, uint16_t type, uint16_t flags, uint8_t scope,
		  uint32_t table, const struct addr *addr)
{
	struct rtmsg header = {.rtm_family = addr->family,
			       .rtm_dst_len = 8 * addr_size(addr->family),
			       .rtm_protocol = unreachable->protocol,
			       .rtm_scope = scope,
			       .rtm_type = RTN_UNREACHABLE};

	netlink_begin(unreachable->nl, type, flags, &header, sizeof(header));
	netlink_put_u32(unreachable->nl, RTA_TABLE, table);
	netlink_put_addr(unreachable->nl, RTA_DST, addr);
}

static void take(void *context, const struct netlink_message *message)
{
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct each *each = context;
	struct rtmsg header;
	struct addr addr;
	uint32_t table;

	/* Old kernels do not filter for us. */
	if (message->type != RTM_NEWROUTE || !netlink_parse(message, &header, sizeof(header), attributes) ||
	    header.rtm_protocol != each->protocol || header.rtm_type != RTN_UNREACHABLE ||
	    header.rtm_dst_len != 8 * addr_size(header.rtm_family) ||
	    !netlink_addr(&attributes[RTA_DST], header.rtm_family, &addr))
		return;
	table = netlink_u32(&attributes[RTA_TABLE]);
	if (!each->sought) {
		each->fn(each->context, table, &addr);
	} else if (table == each->table && addr_equal(&addr, each->sought)) {
		each->found = true;
		each->scope = header.rtm_scope;
	}
}

static int dump(struct unreachable *unreachable, uint8_t family, struct each *each)
{
	struct rtmsg header = {
		.rtm_family = family, .rtm_protocol = unreachable->protocol, .rtm_type = RTN_UNREACHABLE};
	int err = NETLINK_RESTART;

	each->protocol = unreachable->protocol;
	for (unsigned i = 0; i < DUMP_TRIES && err == NETLINK_RESTART; i++) {
		netlink_begin(unreachable->nl, RTM_GETROUTE, 0, &header, sizeof(header));
		if (each->sought)
			netlink_put_u32(unreachable->nl, RTA_TABLE, each->table);
		err = netlink_dump(unreachable->nl, take, each);
	}
	/* What was seen was there; a change of somebody else's routes is none of ours. */
	return err == NETLINK_RESTART ? 0 : err;
}

static int add(struct unreachable *unreachable, uint32_t table, const struct addr *addr, bool repeat)
{
	struct each each = {.table = table, .sought = addr};
	int err;

	begin(unreachable, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, RT_SCOPE_UNIVERSE, table, addr);
	err = netlink_request(unreachable->nl, NULL, NULL);
	if (err != -EEXIST)
		return err;
	err = dump(unreachable, addr->family, &each);
	if (!err && !each.found)
		return -EEXIST;
	if (err || !repeat)
		return err;
	/* IPv4 tells nobody of a route that is replaced by the very same: its scope, which means nothing
	 * here, is another each time. */
	begin(unreachable, RTM_NEWROUTE, NLM_F_REPLACE,
	      each.scope == RT_SCOPE_UNIVERSE ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE, table, addr);
	return netlink_request(unreachable->nl, NULL, NULL);
}

int unreachable_add(struct unreachable *unreachable, uint32_t table, const struct addr *addr)
{
	return add(unreachable, table, addr, false);
}

int unreachable_repeat(struct unreachable *unreachable, uint32_t table, const struct addr *addr)
{
	return add(unreachable, table, addr, true);
}

int unreachable_del(struct unreachable *unreachable, uint32_t table, const struct addr *addr)
{
	int err;

	begin(unreachable, RTM_DELROUTE, 0, RT_SCOPE_NOWHERE, table, addr);
	err = netlink_request(unreachable->nl, NULL, NULL);
	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

int unreachable_each(struct unreachable *unreachable, unreachable_fn *fn, void *context)
{
	struct each each = {.fn = fn, .context = context};
	int err = dump(unreachable, AF_INET, &each);

	return err ? err : dump(unreachable, AF_INET6, &each);
}
