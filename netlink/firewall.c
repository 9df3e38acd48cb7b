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

static void ignore(void *context, const struct netlink_message *message) {}

bool firewall_changed(struct firewall *firewall)
{
	unsigned n = 0;

	/* Lost or too large messages tell as much as any. */
	while (n < DATAGRAMS && netlink_receive(firewall->nl, ignore, NULL) != -EAGAIN)
		n++;
	return n;
}
