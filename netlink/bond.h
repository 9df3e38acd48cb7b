/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is changed of bonds. */
#ifndef NETLINK_BOND_H
#define NETLINK_BOND_H

#include <stdint.h>

/* Makes MEMBER the one that an active-backup bond uses. 0 or -errno. */
int bond_set_active(uint32_t bond, uint32_t member);

#endif
