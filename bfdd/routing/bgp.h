/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the routing daemons say of the BGP session with a peer, and what that means beside its BFD session:
 * PURE. A session counts as down only on a fresh answer: a daemon that is away or hangs says nothing, and one
 * that was away may have been restarted, so that all its sessions are still on their way up.
 */
#ifndef ROUTING_BGP_H
#define ROUTING_BGP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/usec.h"

#define BGP_SETTLE (30 * USEC_S) /* after a daemon was away */
#define BGP_ODD_AFTER (5 * USEC_S)
#define BGP_TEXT 16

enum bgp_daemon { BGP_BIRD, BGP_FRR, BGP_DAEMONS };

/* What one daemon says. */
struct bgp_view {
	bool known;
	bool established;
	bool seen_up;		 /* since the daemon answers: own, bgp_hear() keeps it */
	bool neighbour_restarts; /* it announces to keep forwarding over a restart (RFC 4724) */
	uint32_t prefixes;	 /* received and accepted */
	char text[BGP_TEXT];	 /* its word for the state; printable ASCII */
};

/* How the two sessions fit together. */
enum bgp_odd {
	BGP_FITS,
	BGP_WITHOUT_BFD, /* BGP is up, BFD is not */
	BGP_MISSING,	 /* BFD is up, BGP is not */
	BGP_SHARES_FATE, /* graceful restart, and the peer's BFD goes down with its control plane: its
			    restarts look like failures (RFC 5882 4.3) */
};

struct bgp_session {
	struct bgp_view views[BGP_DAEMONS];
	usec_t odd_since;
	uint8_t odd; /* enum bgp_odd, now */
	bool odd_told;
};

/* When each daemon began to answer this time. */
struct bgp_daemons {
	usec_t since[BGP_DAEMONS]; /* 0: it does not answer */
	bool again[BGP_DAEMONS];   /* it has done so before */
};

void bgp_answers(struct bgp_daemons *daemons, enum bgp_daemon daemon, usec_t now);
void bgp_silent(struct bgp_daemons *daemons, enum bgp_daemon daemon);

void bgp_hear(struct bgp_session *session, enum bgp_daemon daemon, const struct bgp_view *view);
void bgp_forget(struct bgp_session *session, enum bgp_daemon daemon);
/* The view that counts: an established one, else any; NULL: none. *DAEMON (may be NULL) is whose it is. */
const struct bgp_view *bgp_view(const struct bgp_session *session, enum bgp_daemon *daemon);
/* Known to be down: its path should carry nothing. */
bool bgp_is_down(const struct bgp_session *session, const struct bgp_daemons *daemons, usec_t now);

/* BFD_INDEPENDENT: the peer's BFD packets say that they outlive its control plane (C bit). True: people are
 * to be told now of session->odd, which has lasted for BGP_ODD_AFTER, or of its end (BGP_FITS). */
bool bgp_watch(struct bgp_session *session, bool bfd_up, bool bfd_independent, usec_t now);
/* For people; without the peer's name. */
const char *bgp_odd_text(enum bgp_odd odd);
const char *bgp_daemon_name(enum bgp_daemon daemon);

/* A copy of TEXT in lower case, with what is not a letter, digit or hyphen left out: safe to show. */
void bgp_word(const char *text, char buf[BGP_TEXT]);

#endif
