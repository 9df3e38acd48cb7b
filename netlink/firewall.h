/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notices that the host's packet filter (nf_tables) changed: what changed does not matter. */
#ifndef NETLINK_FIREWALL_H
#define NETLINK_FIREWALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct firewall;

/* NULL with a message in ERROR: a kernel without nf_tables has nothing to notice. */
struct firewall *firewall_create(char *error, size_t size);
void firewall_free(struct firewall *firewall); /* NULL is fine */
int firewall_fd(const struct firewall *firewall);
/* Call when the fd is readable; it stays so if there is more. True when something changed, other than by the
 * socket with the port OWN (0: none is ours). */
bool firewall_changed(struct firewall *firewall, uint32_t own);

#endif
