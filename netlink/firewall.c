// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/firewall.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/nl.h"

#define DATAGRAMS 64 /* a read */

struct firewall {
	struct netlink *nl;
};

struct firewall *firewall_create(char *error, size_t size)
{
	struct firewall *firewall = calloc(1, sizeof(*firewall));
	int err;

	if (!firewall) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	firewall->nl = netlink_open_filter(error, size);
	err = firewall->nl ? netlink_subscribe(firewall->nl, NFNLGRP_NFTABLES) : 0;
	if (err)
		snprintf(error, size, "nf_tables: %s", strerror(-err));
	if (firewall->nl && !err)
		return firewall;
	firewall_free(firewall);
	return NULL;
}

void firewall_free(struct firewall *firewall)
{
	if (firewall)
		netlink_close(firewall->nl);
	free(firewall);
}

int firewall_fd(const struct firewall *firewall)
{
	return netlink_fd(firewall->nl);
}

struct reading {
	uint32_t own;
	bool foreign;
};

/* Each message of a transaction bears the port of the socket that asked for it. */
static void take(void *context, const struct netlink_message *message)
{
	struct reading *reading = context;

	if (!reading->own || message->port != reading->own)
		reading->foreign = true;
}

bool firewall_changed(struct firewall *firewall, uint32_t own)
{
	struct reading reading = {.own = own};
	int err = 0;

	for (unsigned n = 0; n < DATAGRAMS && err != -EAGAIN; n++) {
		err = netlink_receive(firewall->nl, take, &reading);
		/* Lost or too large messages may have been anybody's. */
		if (err && err != -EAGAIN)
			reading.foreign = true;
	}
	return reading.foreign;
}
