/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration as the rest of the daemon sees it: checked, profiles applied, names turned into indices.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/auth.h"
#include "core/sbfd.h"
#include "core/session.h"
#include "core/usec.h"

#define CONFIG_NAME 64 /* bytes of a name with its NUL */

#define CONFIG_SOCKET 108 /* bytes of a socket's path with its NUL */

#define CONFIG_PEERS 65535	/* at most: a session's path is 16 bits */
#define CONFIG_SITE_PEERS 64	/* POLICY_MEMBERS */
#define CONFIG_SERVICE_SITES 16 /* POLICY_CHOICES */
#define CONFIG_FOLLOWERS 15	/* services that follow BGP: FOLLOW_SERVICES */
#define CONFIG_UNSOLICITED_ENTRIES 64
#define CONFIG_UNSOLICITED_MOST 4096  /* sessions of an entry, and of all of them */
#define CONFIG_UNSOLICITED_RULES 4096 /* interfaces times prefixes, of all of them */
/* How many numbers are ours from the first on. Fixed, so that what a predecessor with another file left
 * behind is found. */
#define CONFIG_RULES (CONFIG_SERVICE_SITES * (1 + CONFIG_FOLLOWERS)) /* from rule_priority */
#define CONFIG_TABLES 4096 /* from table; services times their sites, at most */
#define CONFIG_SBFD_VRFS 64
#define CONFIG_NEXTHOPS 0x40000 /* from nexthop_id */

/* Who asks for a peer. */
enum config_source {
	CONFIG_FILE,
	CONFIG_FRR,
	CONFIG_MEMBER,	    /* a link of a bond that the file names (RFC 7130) */
	CONFIG_UNSOLICITED, /* a packet that nobody waited for (RFC 9468) */
	CONFIG_SOURCES
};

/* "config", "frr", "member", "unsolicited": what bfdctl calls it. */
const char *config_source_name(enum config_source source);

struct config_peer {
	const char *name; /* the configuration's memory; below CONFIG_NAME bytes */
	struct addr address;
	struct addr local_address; /* AF_UNSPEC: found on the interface */
	char interface[IFNAMSIZ];  /* "": any */
	char vrf[IFNAMSIZ];	   /* its device; "": in none */
	uint8_t type;		   /* enum session_type */
	uint8_t minimum_links;	   /* of a bond's peer: as many members must be Up */
	struct addr via;	   /* gateway that a service takes; AF_UNSPEC: the peer's own address */
	struct session_config session;
	const char *profile; /* one of the configuration's, or of RFC 7419; NULL: none */
	uint8_t source;	     /* enum config_source */
	bool awaited;	     /* a site names it by its address; its source has yet to bring it */
	uint32_t frr_lid;    /* FRR's name for its session that this peer is, also one of the file; 0: none */
	uint8_t bird_method; /* bits of enum config_bird_method */
	const char *bird_protocol; /* the configuration's memory; "" or NULL: found by the address */
};

/* A session that is not the file's, from a source that comes and goes while we run. */
struct config_session {
	uint8_t source; /* enum config_source, not CONFIG_FILE */
	uint32_t lid;	/* FRR's number of it; 0: another source's */
	const char
		*of; /* MEMBER: the name of the file's peer whose member it is; it is called OF%INTERFACE */
	const char *profile; /* one of the configuration's, or of RFC 7419; NULL: none */
	struct addr address, local_address;
	char interface[IFNAMSIZ], vrf[IFNAMSIZ]; /* as in struct config_peer; FRR does not tell the VRF */
	uint8_t type;				 /* enum session_type */
	struct session_config session;
};

struct config_site {
	char name[CONFIG_NAME];
	unsigned npeers;
	unsigned *peers; /* indices */
	unsigned line;
};

struct config_service {
	char name[CONFIG_NAME];
	bool follow; /* its prefixes are what BGP has by its peers, and those below are none */
	unsigned nprefixes;
	struct prefix *prefixes; /* sorted; no two overlap, in no service */
	unsigned nsites;
	unsigned *sites; /* indices, in order of preference */
	usec_t wait_to_restore;
	usec_t withdraw_delay;
	unsigned line;
};

struct config_steering {
	uint8_t protocol;	/* rtnetlink's RTPROT number */
	uint32_t table;		/* the first; one for each service and site */
	uint32_t rule_priority; /* the first; one for each rank of preference of listed prefixes, then as many
				   of each service that follows */
	uint32_t nexthop_id;	/* the first */
	bool hold_on_stop;	/* leave routes and rules in place at a clean stop */
	bool fast_failover;	/* take traffic off dead sites without the routing lock */
	uint32_t fast_failover_mark; /* the packet mark's bits for that; not 0 */
};

/* How BIRD learns that a peer is down. */
enum config_bird_method {
	CONFIG_BIRD_TABLE = 1,	 /* an unreachable route to it, in a table that BIRD resolves next hops in */
	CONFIG_BIRD_DISABLE = 2, /* its protocol is disabled by the control socket */
};

struct config_bird {
	bool wanted; /* the group is there */
	uint8_t method;
	uint32_t table;
	usec_t timeout;
	char socket[CONFIG_SOCKET];
};

struct config_vtysh {
	bool wanted; /* the group frr is there */
	char path[CONFIG_SOCKET];
	char pathspace[CONFIG_NAME]; /* "": none */
	usec_t bgp_interval;	     /* 0: not asked */
};

struct config_daemon {
	bool realtime;		   /* ask for real-time scheduling and locked memory */
	uint8_t realtime_priority; /* SCHED_FIFO's */
	bool realtime_deadline;	   /* SCHED_DEADLINE first */
	bool kernel_filter;	   /* a program in the kernel takes what a steady peer repeats */
	bool packet_socket;	   /* packets to neighbours as whole frames */
	unsigned events;	   /* how many the history keeps */
};

/* Where FRR's data plane socket is. */
struct config_endpoint {
	bool listen;	  /* FRR connects to us */
	struct addr addr; /* AF_UNSPEC: at PATH */
	uint16_t port;
	char path[108]; /* as in struct sockaddr_un */
};

/* The reflector of S-BFD. */
struct config_sbfd {
	bool wanted; /* the group is there */
	struct sbfd_reflector reflector;
	uint32_t rate;	/* packets a second */
	unsigned nvrfs; /* where it answers, too */
	char vrfs[CONFIG_SBFD_VRFS][IFNAMSIZ];
};

/* Who may begin a session (RFC 9468), and what he gets. */
struct config_unsolicited {
	unsigned ninterfaces, nprefixes;
	char (*interfaces)[IFNAMSIZ];
	struct prefix *prefixes;
	char vrf[IFNAMSIZ];  /* that the interfaces are in; "": in none */
	const char *profile; /* one of the configuration's, or of RFC 7419; NULL: none */
	struct session_config session;
	uint32_t maximum; /* sessions of this entry */
	usec_t expiry;	  /* of one that is Down */
};

struct config_frr {
	bool wanted;
	struct config_endpoint dataplane;
	char text[128];	      /* the same as it was written */
	usec_t keep_sessions; /* after FRR has gone */
};

struct config {
	unsigned npeers, nsites, nservices, nunsolicited;
	struct config_peer *peers;
	struct config_site *sites;
	struct config_service *services;
	struct config_unsolicited *unsolicited;
	char *peer_names;
	char (*profiles)[CONFIG_NAME]; /* their names: what peers point to */
	struct config_steering steering;
	struct config_daemon daemon;
	struct config_bird bird;
	struct config_frr frr;
	struct config_sbfd sbfd;
	bool require_bgp;
	bool flight_recorder; /* keep each session's last packets */
	struct config_vtysh vtysh;
	unsigned nchains;
	struct auth_chain **chains; /* of each, this is a user */
	/* Of one that config_merge() made: the file's, whose sites, services and profiles it shares. */
	struct config *base;
	unsigned users; /* how many others share what this one has */
};

/* Told of each thing found, in the order of the file. MESSAGE has no newline; FILE and LINE are those of the
 * (included) file that has it; LINE 0: the file as a whole. */
typedef void config_report_fn(void *context, const char *file, unsigned line, bool warning,
			      const char *message);

/* Reads and checks FILE with all it includes. NULL when there was an error (all are reported, not only the
 * first). */
struct config *config_load(const char *file, config_report_fn *report, void *context);
void config_free(struct config *config);
/* One user less: the last one wipes and frees it. NULL is fine. */
void config_chain_drop(struct auth_chain *chain);

/*
 * PURE. FILE with SESSIONS, those of each source together, as further peers behind its own. Each source has
 * its rule for names and for what the file, or a source before it, has already:
 *   FRR          "192.0.2.1", perhaps with interface, kind or number; the file's peer gets its
 *                parameters, but keeps its key chain
 *   MEMBER       "NAME%eth1", NAME being `of`; it is never another one's
 *   UNSOLICITED  "unsolicited-192.0.2.1%eth1"; only one that a site awaits is taken, else the other one stays
 * bfdd/app_dynamic.c collects them: a new source is a row there. FILE lives on until it and what was made of
 * it were freed. NULL: out of memory.
 */
struct config *config_merge(struct config *file, const struct config_session *sessions, unsigned n);

/* The first entry that lets somebody with this address, on a link of this interface, begin a session; -1:
 * none.
 */
int config_unsolicited_find(const struct config *config, const char *interface, const struct addr *addr);

/* What a reload means for one peer, by name; one that only changed its name is the same. */
enum config_change {
	CONFIG_SAME,
	CONFIG_ADDED,	/* old is NULL */
	CONFIG_REMOVED, /* new is NULL */
	CONFIG_TIMERS,	/* session parameters only: a Poll Sequence, no flap */
	CONFIG_MOVED,	/* another address, interface, hop mode: a new session */
};
typedef void config_diff_fn(void *context, enum config_change change, const struct config_peer *old,
			    const struct config_peer *new);
/* PURE. Calls FN for each peer of either: removed and moved first, then added, then the rest. Either may be
 * NULL. */
void config_diff(const struct config *old, const struct config *new, config_diff_fn *fn, void *context);
/* Sites, services or steering differ, or a peer that they name changed its place: the policy must be made
 * anew. */
bool config_policy_differs(const struct config *old, const struct config *new);
/* A setting that only a restart applies differs; its key, or NULL. */
const char *config_needs_restart(const struct config *old, const struct config *new);

#endif
