/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of sessions that left Up, with their verdicts: the last few of each peer, by name, bounded in
 * all. Main thread only. */
#ifndef OPS_POSTMORTEM_H
#define OPS_POSTMORTEM_H

#include <jansson.h>
#include <net/if.h>

#include "core/record.h"
#include "core/verdict.h"

#define POSTMORTEM_NAME 64
#define POSTMORTEMS_PEER 8  /* of one peer */
#define POSTMORTEMS_ALL 512 /* of all: 2 MB */

struct postmortem {
	char peer[POSTMORTEM_NAME];
	char interface[IFNAMSIZ];
	char why[96]; /* what the path waited for when the session went down; "": nothing */
	struct session_key key;
	uint16_t source_port; /* ours */
	uint32_t local_discr;
	struct record record; /* sealed */
	struct record_delays delays;
	struct verdict verdict;
	uint32_t path_mtu; /* what a router said of the path meanwhile, see verdict_path_mtu(); 0: nothing */
	struct addr router;
};

struct postmortems;

struct postmortems *postmortems_create(void); /* NULL: no memory */
void postmortems_free(struct postmortems *postmortems);
/* Finds the verdict and keeps a copy, which is returned, or NULL: no memory. The oldest one of the peer goes
 * when there are too many of it, else the oldest of all. */
const struct postmortem *postmortems_add(struct postmortems *postmortems,
					 const struct postmortem *postmortem);
/* The Nth of the peer, 1: the newest. NULL: it has none. */
const struct postmortem *postmortems_find(const struct postmortems *postmortems, const char *peer,
					  unsigned n);
/* All, the newest first, as an array of objects: what, not the timelines. */
json_t *postmortems_list(const struct postmortems *postmortems);

/* The Nth of its peer, with its timeline. */
json_t *postmortem_view(const struct postmortem *postmortem, unsigned n);
/* Its packets as a capture file. malloc'ed; NULL: no memory. */
uint8_t *postmortem_pcap(const struct postmortem *postmortem, size_t *size);

#endif
