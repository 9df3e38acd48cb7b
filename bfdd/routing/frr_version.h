/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Versions of FRR: how one is read, and what is known of it. Pure. */
#ifndef ROUTING_FRR_VERSION_H
#define ROUTING_FRR_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#define FRR_VERSION 32 /* bytes, its end included */

enum frr_flaw {
	/* After a Down of BFD its bgpd waits 30 s, unless `neighbor ... timers` is set. */
	FRR_WAITS = 1,
	/* Its bfdd does not bear being the side that connects to the data plane. */
	FRR_MUST_LISTEN = 2,
};

/* The version in TEXT, what `bfdd --version` says: "8.4.4". False: there is none, or none that could be
 * shown. */
bool frr_version_read(const char *text, char version[FRR_VERSION]);
/* Bits of enum frr_flaw; of a version that is not understood nothing is known. */
unsigned frr_version_flaws(const char *version);

#endif
