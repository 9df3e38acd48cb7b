/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which peer a router means that could not pass on a packet (io/icmp.h): found without going through all of
 * them, because whoever sees our packets may say so as often as it likes. PURE. */
#ifndef APP_PADDED_H
#define APP_PADDED_H

#include "core/session.h"
#include "io/icmp.h"

/* A peer whose packets are padded, by what is in front of them. */
struct app_padded_peer {
	struct addr peer, local;
	uint16_t source_port, port;
	unsigned index; /* the caller's */
};

struct app_padded {
	struct app_padded_peer *list; /* in an order of its own */
	unsigned n;
};

/* Takes LIST, malloc'ed, of N; the one before is freed. */
void app_padded_set(struct app_padded *padded, struct app_padded_peer *list, unsigned n);
/* NULL: nobody is meant. */
const struct app_padded_peer *app_padded_find(const struct app_padded *padded,
					      const struct icmp_too_big *told);

#endif
