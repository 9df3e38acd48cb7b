/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON objects for people and programs: the field names are a contract (bfdctl(8)). What is not known or not
 * there is null. */
#ifndef OPS_VIEW_H
#define OPS_VIEW_H

#include <jansson.h>

#include "core/session.h"
#include "ops/writer.h"

/* How JSON is written: milliseconds with a fraction keep it and get no more digits than they have. */
#define VIEW_DUMP (JSON_COMPACT | JSON_REAL_PRECISION(15))

/* What a routing daemon told of the BGP session with a peer. */
struct view_bgp {
	const char *state, *daemon, *protocol, *warning; /* protocol, warning: NULL: none */
	uint32_t prefixes;
	bool graceful_restart;
};

/* A bond's peer has no session: what its members make of it. */
struct view_bond {
	unsigned members, members_up, minimum;
	uint8_t state; /* enum bfd_state */
	usec_t since;
};

/* What the main thread knows of a peer beside its session. */
struct view_peer {
	const char *name, *interface, *profile; /* "" or NULL: none */
	const char *vrf;			/* the same */
	const char *site;			/* that uses it; NULL: none */
	const char *source;			/* config_source_name() */
	uint32_t frr_session;			/* FRR's number of it; 0: none */
	const char *waiting;	    /* what the session waits for ("interface eth1", "local address on eth1",
				       "carrier"); NULL: nothing */
	const char *transmit_path;  /* NULL: none */
	const struct view_bgp *bgp; /* NULL: none is known */
	/* large packets: what they need, what the interface takes, what a router said; 0: nothing */
	uint32_t needed_mtu, interface_mtu, path_mtu;
	const struct addr *path_mtu_router;
	usec_t path_mtu_at;
	const struct view_bond *bond;  /* NULL: the peer is none */
	const char *bond_peer;	       /* of a member; NULL: it is none */
	bool in_service;	       /* of a member */
	const struct session *session; /* a snapshot; NULL: not made yet */
	const struct session_config *config;
	const struct session_key *key;
};

struct view_path {
	const char *peer, *site;
	bool usable, in_use;
};

struct view_switch {
	usec_t at; /* 0: never */
	const char *reason;
	int64_t detection_to_kernel; /* us; -1: not known */
};

struct view_service {
	const char *name;
	const char *active_site, *active_site_v4, *active_site_v6; /* NULL: none; the main table decides */
	unsigned npaths;
	const struct view_path *paths;
	uint64_t switches;
	struct view_switch last;
};

struct view_site {
	const char *name;
	unsigned npaths, nusable;
	const struct view_path *paths;
};

/* Each writes an object. */
void view_peer(struct writer *out, const struct view_peer *peer); /* the contract's fields */
void view_peer_detail(struct writer *out,
		      const struct view_peer *peer); /* and all the rest, for `peer NAME` */
/* Writes the key "ietf-bfd" and its object: what RFC 9314's model has of a session, in its words and units.
 */
void view_ietf(struct writer *out, const struct session_config *config, const struct session *session);
/* Each returns a new object, the caller's. */
json_t *view_service(const struct view_service *service);
json_t *view_site(const struct view_site *site);

/* A duration as milliseconds: an integer, or a real with a fraction. */
json_t *view_ms(usec_t duration);
/* Reason to count, the nonzero ones. */
json_t *view_drops(const uint64_t drops[DROP_COUNT]);
/* A string, also of bytes that are no UTF-8 (an interface may be called so); null for "" and NULL. */
json_t *view_text(const char *text);

#endif
