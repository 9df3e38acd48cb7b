/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of a configuration that name something outside of it. */
#ifndef CONFIG_ENDPOINT_H
#define CONFIG_ENDPOINT_H

#include "config/config.h"

/* FRR's words for its --dplaneaddr: "unix:PATH", "ipv4:ADDRESS[:PORT]", "ipv6:[ADDRESS][:PORT]"; with a c
 * before the first colon FRR connects to us. NULL, or what is wrong (static). */
const char *endpoint_parse(struct config_endpoint *endpoint, const char *text);

/* "ADDRESS" or "ADDRESS%INTERFACE" (then INTERFACE is not ""). False: it is none. */
bool endpoint_parse_peer(const char *text, struct addr *addr, char interface[IFNAMSIZ]);
/* The same the other way round, in BUF, which it returns. */
const char *endpoint_peer_name(const struct addr *addr, const char *interface, char buf[CONFIG_NAME]);

/* As the kernel's dev_valid_name(). */
bool endpoint_interface(const char *text);

#endif
