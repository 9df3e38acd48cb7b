/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/bond.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "netlink/nl.h"

/* Nested attributes, laid out: all are of known size. */
struct active_slave {
	struct rtattr kind_head;
	char kind[8]; /* "bond" with its NUL, padded */
	struct rtattr data_head;
	struct rtattr slave_head;
	uint32_t slave;
};

_Static_assert(sizeof(struct active_slave) == 4 + 8 + 4 + 4 + 4, "no gaps");

int bond_set_active(uint32_t bond, uint32_t member)
{
	struct ifinfomsg header = {.ifi_family = AF_UNSPEC, .ifi_index = (int)bond};
	struct active_slave info = {
		.kind_head = {RTA_LENGTH(sizeof("bond")), IFLA_INFO_KIND},
		.kind = "bond",
		.data_head = {2 * RTA_LENGTH(0) + sizeof(member), IFLA_INFO_DATA},
		.slave_head = {RTA_LENGTH(sizeof(member)), IFLA_BOND_ACTIVE_SLAVE},
		.slave = member,
	};
	char error[128];
	struct netlink *nl = netlink_open(error, sizeof(error));
	int err;

	if (!nl)
		return -EIO;
	netlink_begin(nl, RTM_NEWLINK, 0, &header, sizeof(header));
	netlink_put(nl, IFLA_LINKINFO, &info, sizeof(info));
	err = netlink_request(nl, NULL, NULL);
	netlink_close(nl);
	return err;
}
