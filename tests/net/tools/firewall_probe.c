/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drives netlink/firewall against a real kernel, in a namespace of its own: the changes of one socket are not
 * news, anybody else's are.
 */
#include <poll.h>
#include <sys/socket.h>

#include "netlink/firewall.h"
#include "netlink/mark_message.h"
#include "netlink/nl.h"
#include "tests/net/tools/probe.h"

static struct firewall *firewall;

static int set_mark(struct netlink *nl, uint32_t rule_priority, uint32_t dead, bool made)
{
	static struct mark_message message;
	struct mark_state state = {.dead = dead};
	char table[MARK_TABLE];

	snprintf(table, sizeof(table), "bfdd-%u", rule_priority);
	mark_message_set(&message, table, &state, !made);
	return netlink_transaction(nl, message.bytes, message.size);
}

/* The kernel notifies before it answers. */
static bool changed(uint32_t own)
{
	struct pollfd fd = {.fd = firewall_fd(firewall), .events = POLLIN};

	CHECK(poll(&fd, 1, 0) == 1);
	return firewall_changed(firewall, own);
}

int main(void)
{
	struct netlink *ours = netlink_open_filter(error, sizeof(error));
	struct netlink *other = netlink_open_filter(error, sizeof(error));
	int tiny = 1;

	CHECK(ours && other && netlink_port(ours) && netlink_port(ours) != netlink_port(other));
	firewall = firewall_create(error, sizeof(error));
	CHECK(firewall && !firewall_changed(firewall, netlink_port(ours)));
	CHECK(!set_mark(ours, 1, 0, false) && !changed(netlink_port(ours)));
	CHECK(!set_mark(ours, 1, 0x100, true) && !changed(netlink_port(ours)));
	CHECK(!set_mark(ours, 1, 0, true) && changed(0));
	CHECK(!set_mark(other, 2, 0x100, false) && changed(netlink_port(ours)));
	/* Read in one go with our own, before or after. */
	CHECK(!set_mark(ours, 1, 0x100, true) && !set_mark(other, 2, 0, true) &&
	      !set_mark(ours, 1, 0, true) && changed(netlink_port(ours)));
	CHECK(!set_mark(other, 1, 0x100, true) &&
	      changed(netlink_port(ours))); /* our table, another's hand */
	MUST("nft flush ruleset");
	CHECK(changed(netlink_port(ours)));
	/* What was lost may have been anybody's. */
	setsockopt(firewall_fd(firewall), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny));
	for (unsigned i = 0; i < 100; i++)
		set_mark(ours, 3, 0x100, false);
	CHECK(changed(netlink_port(ours)));
	MUST("nft delete table inet bfdd-3");
	firewall_free(firewall);
	netlink_close(other);
	netlink_close(ours);
	printf("%u failures\n", failures);
	return failures != 0;
}
