/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What FRR answers to `show bgp neighbors json`. */
#ifndef ROUTING_BGP_FRR_H
#define ROUTING_BGP_FRR_H

#include "core/addr.h"
#include "routing/bgp.h"

/* INTERFACE is "" but for a neighbour that is configured by it. */
typedef void bgp_frr_fn(void *context, const struct addr *neighbour, const char *interface,
			const struct bgp_view *view);

/* FN hears of each neighbour with an address. False: TEXT is no such answer. */
bool bgp_frr_read(const char *text, size_t size, bgp_frr_fn *fn, void *context);

#endif
