/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sessions that peers have begun by themselves (RFC 9468): who they are, in order. No more than that is
 * kept of them: what they get is the configuration's. */
#ifndef APP_UNSOLICITED_H
#define APP_UNSOLICITED_H

#include <net/if.h>
#include <stdbool.h>

#include "config/config.h"

struct app_guest {
	struct addr peer, local;
	char interface[IFNAMSIZ];
	usec_t since; /* it came, or was last seen not Down */
};

struct app_guests {
	struct app_guest *list; /* by interface and peer */
	unsigned n, room;
};

/* app_guests.c */
struct app_guest *app_guests_find(const struct app_guests *guests, const char *interface,
				  const struct addr *peer);
/* NULL: no memory, or CONFIG_UNSOLICITED_MOST are there. GUEST is none of them yet. */
struct app_guest *app_guests_add(struct app_guests *guests, const struct app_guest *guest);
void app_guests_drop(struct app_guests *guests, struct app_guest *guest);
void app_guests_clear(struct app_guests *guests);
/* One a line, and back; false: LINE is no guest's. */
void app_guest_format(const struct app_guest *guest, char *line, size_t size);
bool app_guest_parse(struct app_guest *guest, const char *line);

#endif
