/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the composition root knows: of its peers, of what the policy was made from, and of itself. Main thread
 * only, unless said otherwise. */
#ifndef APP_TYPES_H
#define APP_TYPES_H

#include <ev.h>
#include <time.h>

#include "app.h"
#include "config/config.h"
#include "core/resume.h"
#include "ids.h"
#include "io/detour.h"
#include "io/engine.h"
#include "netlink/firewall.h"
#include "netlink/monitor.h"
#include "netlink/neighbours.h"
#include "netlink/routes.h"
#include "netlink/steer.h"
#include "netlink/unreachable.h"
#include "ops/control.h"
#include "ops/events.h"
#include "ops/log.h"
#include "ops/postmortem.h"
#include "ops/view.h"
#include "routing/bgp.h"
#include "rt.h"

#define APP_RETRY_PEERS 0.05 /* s */
#define APP_NO_SLOT (-1)
#define APP_GONE 64
#define APP_LINKS 64		     /* that the engine looks at: with more, at none */
#define APP_PRESUME_FOR (5 * USEC_S) /* sessions with living peers are up again after 1 to 3 s */
#define APP_WAITING 96		     /* bytes of such a text with its NUL */

/* The Ethernet addresses at both ends. */
struct app_neighbour {
	bool known, control; /* CONTROL: Control packets may leave as frames */
	uint8_t lladdr[NEIGHBOURS_LLADDR], own[NEIGHBOURS_LLADDR];
};

/* What a peer's path lacks. */
enum app_waiting {
	APP_WAITS_NOT,
	APP_WAITS_INTERFACE,
	APP_WAITS_SUBNET, /* that has the peer's address, and one of ours */
	APP_WAITS_LOCAL,
	APP_WAITS_SET_UP,
	APP_WAITS_CARRIER,
	APP_WAITS_FRR,	      /* to bring the session */
	APP_WAITS_PEER,	      /* to begin it */
	APP_WAITS_PORT,	      /* of UDP, for answers */
	APP_WAITS_VRF,	      /* the device */
	APP_WAITS_MEMBERSHIP, /* the interface is not in the VRF */
	APP_WAITS_OUTSIDE,    /* the interface is in one */
	APP_WAITS_BOND,	      /* the interface is none, or in none */
	APP_WAITS_LACP,	      /* to let the member carry traffic */
	APP_WAITS_DOOR,	      /* to have a socket */
	APP_WAITS_ONE_VRF,    /* several have the local address */
};

/* What the peer says of itself, as last heard from the engine. */
struct app_remote {
	uint32_t discr, min_tx, min_rx, min_echo_rx; /* us */
	uint8_t detect_mult, diag;
	bool demand;	 /* its D bit */
	bool admin_down; /* this took our session down: maintenance, no failure (RFC 5882 3.2) */
};

/* A configured peer and what became of it. */
struct app_peer {
	const struct config_peer *config; /* the one in app->config */
	int slot;			  /* APP_NO_SLOT: the engine has no session yet */
	bool path_up;			  /* as last told to the engine */
	bool gateway_up;		  /* the link below is up and has carrier */
	uint8_t waiting;		  /* enum app_waiting */
	uint32_t ifindex;		  /* of its session; 0: any */
	uint32_t vrf;			  /* of its session, as in struct session_key */
	uint32_t gateway_ifindex;	  /* where a service's traffic leaves towards it; 0: not known */
	uint32_t waiting_ifindex;	  /* that is to be set up, or to have carrier */
	struct addr local;
	uint16_t path;			/* index in the policy, or SESSION_NO_PATH */
	uint8_t state;			/* as last heard from the engine */
	struct app_neighbour neighbour; /* as last told to the engine */
	uint8_t diag;
	struct app_remote remote;
	usec_t state_since;
	uint32_t recounts; /* app->recounts_asked when the engine last told of it */
	uint32_t added;	   /* app->added when its session was handed over */
	uint32_t detection_time;
	unsigned members, members_up; /* of a bond's peer */
	uint32_t watched;	      /* of a member: the index that its traffic is watched on; 0: not yet */
	bool diverted, diverted_told; /* its traffic goes by others; it was told why it cannot */
	bool slow_told;		      /* that it misses subsecond convergence */
	bool refused;		      /* by the engine: another session has its addresses */
	bool failed;		      /* it left Up, without being told to, and has not come back */
	bool was_up;		      /* for a predecessor, and was not heard of since */
	bool remote_independent;      /* its C bit, as last told */
	bool narrow;		      /* its interface takes no packets as large as ours are padded */
	uint32_t path_mtu;	      /* a router said so last; 0: none has */
	struct addr path_mtu_router;
	usec_t path_mtu_at;
	usec_t echoed; /* when it was seen to echo last; 0: never */
	int reflects;  /* slot + 1 whose session was told that the kernel does; 0: none */
	bool barred;   /* the engine was told that it may carry nothing */
	struct bgp_session bgp;
	uint32_t bgp_round[BGP_DAEMONS]; /* in which it was told of last */
};

/* What the kernel refused lately: it is asked again at longer and longer intervals, and people are told when
 * the reason is a new one. */
struct app_refusal {
	int error; /* 0: it took it */
	unsigned times;
};

/* What a group and a rule index of a policy mean. Names, because a reload may come between an order and its
 * report. */
struct app_member {
	unsigned peer; /* index in app->peers; only of the newest map */
	char peer_name[CONFIG_NAME];
	bool resolved; /* as last told to the engine */
};

struct app_group {
	char site[CONFIG_NAME];
	unsigned nmembers;
	struct app_member *members;
	uint32_t mark; /* its bit; 0: none */
	struct app_refusal refusal;
};

struct app_choice {
	uint16_t group, way;
	char site[CONFIG_NAME];
	struct app_refusal refusal;
};

/* One service in one family. */
struct app_way {
	char service[CONFIG_NAME];
	unsigned index; /* in the configuration; only of the newest map */
	uint8_t family;
	int active;		  /* choice in force, as heard from the engine; -1: none */
	usec_t active_since;	  /* the decision that brought it there */
	char before[CONFIG_NAME]; /* the site that carries, as told; at first of before the map; "": none */
	unsigned first_rule, nchoices;
};

/* The steering map and its meaning. Lives until both threads have let go of it. */
struct app_map {
	struct steer_map map; /* first: what the threads see */
	struct app_group *groups;
	struct app_choice *choices; /* by rule index */
	struct app_way *ways;
	unsigned nways;
	const char *why;      /* it was made; NULL: at the start */
	struct app_map *next; /* the one built after it */
	unsigned released;    /* by engine and steering */
};

/* What a service has been through. By name, so that a reload keeps it. */
struct app_service {
	char name[CONFIG_NAME];
	uint64_t switches;
	uint32_t carried[2]; /* choices that were in force once; [0] IPv4, [1] IPv6 */
	usec_t switch_at;    /* 0: never */
	char reason[160];
	usec_t steered_for; /* `detected` of the orders that held_max belongs to */
	usec_t held_max;
};

struct app_table {
	uint32_t table;
	uint8_t family;
};

/* A session of the predecessor's. */
struct app_kept {
	struct resume resume;
	bool taken; /* by a peer, or let go */
};

/* What became of the predecessor's sessions. */
struct app_survive {
	struct state_file *file; /* NULL: not to be had */
	bool lost;		 /* it was told that it is memory only now */
	char refused[4200];	 /* why there is none, or why the one found was not taken over; "": neither */
	usec_t alive;		 /* when the predecessor was last at work; 0: never */
	usec_t silent;		 /* how long that was ago, at the start */
	unsigned nrecords, nleft;
	struct app_kept *records;     /* by key; NLEFT of them are not taken */
	unsigned resumed, late, gone; /* went on; peer had given up; are no longer configured, and told so */
};

struct app {
	struct ev_loop *loop;
	struct app_options options;
	struct config *config;
	usec_t started, loaded_at;
	int lock_fd;

	struct events *events;
	struct control *control;
	struct engine *engine;
	struct steer *steer;
	struct monitor *monitor;
	uint32_t recounts_asked, recounts_answered;
	uint32_t added;		       /* sessions handed over */
	struct neighbours *neighbours; /* NULL: not to be had */
	struct firewall *firewall;     /* NULL: not to be had */
	struct app_echo *echo;	       /* NULL: nobody echoes yet */
	struct routes *routes;
	struct app_follow *follow; /* NULL: no service follows */
	struct marks *marks;
	struct app_bird *bird; /* NULL: never wanted */
	struct app_bgp *bgp;
	struct postmortems *postmortems; /* NULL: the flight recorder is off */
	bool neighbours_dirty;		 /* not all could be watched, or told to the engine */
	struct mark *mark;		 /* the fast failover; NULL: not wanted */
	uint32_t mark_mask;		 /* its bits */
	bool mark_off;			 /* told to be not in place */
	unsigned mark_without;		 /* groups told to be without a bit */
	struct rt_thread engine_thread, standby_thread, steer_thread, mark_thread;
	int memory_locked; /* 0 or -errno */

	ev_io engine_watcher, steer_watcher, monitor_watcher, neighbours_watcher, firewall_watcher;
	ev_idle routes_idle;
	ev_timer second_timer, retry_timer, check_timer, dynamic_timer;

	struct app_peer *peers; /* in the file's order */
	unsigned npeers;
	struct detour *detour; /* NULL: no bond's member is watched */
	bool detour_refused;
	int mute[2];		 /* the ports of micro-BFD, IPv4 and IPv6; 0: not open */
	struct app_doors *doors; /* NULL: no peer needed one yet */
	uint16_t *slot_peer;	 /* TABLE_SLOTS of them: index + 1 in peers; 0: none */
	bool peers_dirty;	 /* some peer could not be handed over yet */

	struct app_service *services; /* as config's */
	struct ids *nexthop_ids, *table_ids;
	struct ids *mark_ids; /* which bit of the mark, counted from 1, by a group's name */
	/* The newest; the oldest; the one that the engine's events mean; the one that steering reports mean.
	 */
	struct app_map *map, *map_first, *map_engine, *map_told;
	struct app_table *tables; /* that routes are wanted in */
	unsigned ntables;
	struct object_range range;
	uint64_t orders, order_errors;
	atomic_uint orders_lost; /* the ring to the steering thread was full */
	bool retire; /* the engine's thread: a map went out, the earlier one is to be cleared away */
	const struct steer_map *mark_map; /* the engine's thread: what orders mean; */
	uint32_t mark_bits;		  /* of the groups found dead by this decision */
	uint32_t gone[APP_GONE]; /* nexthop ids deleted in the kernel, by the messages read just now */
	unsigned ngone;
	unsigned routes_refused; /* since this was told last */
	unsigned routes_taken;	 /* deleted by others, by the messages read just now */
	unsigned orders_lost_seen;
	uint32_t watched[APP_LINKS]; /* app_links_watch() */
	unsigned nwatched;
	bool many_routes;
	bool links_changed; /* by the messages read just now */
	bool links_lost;    /* ... one, or an address */
	bool ready;	    /* started: news are events */
	bool failed;	    /* start was refused: nothing to take away */
	bool engine_runs, steer_runs;
	bool hold; /* stop for a successor, which goes on */
	struct app_survive survive;

	struct app_frr *frr; /* NULL: not configured */
	struct app_unsolicited *unsolicited;
	struct app_keys *keys; /* all chains that the engine may have */
	bool keys_left;	       /* it could not be asked to let go of some: again in a second */
	struct app_sbfd *sbfd; /* NULL: not needed so far */
	struct app_mtu *mtu;   /* NULL: no peer was padded so far */
};

#endif
