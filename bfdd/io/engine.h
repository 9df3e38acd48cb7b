/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real-time loop: owns sessions, timers, BFD sockets and the site policy. The functions here are called
 * by the main thread only; they queue a command and return. Events come back through engine_poll_events(),
 * which the main loop calls when engine_event_fd() is readable.
 */
#ifndef IO_ENGINE_H
#define IO_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/record.h"
#include "core/sbfd.h"
#include "core/session.h"
#include "site/policy.h"

struct engine;
struct state_file;

/* Orders for the steering thread leave the engine through these, in the engine's thread; they must not block.
 */
struct engine_steering {
	void (*order)(void *context, const struct policy_action *action, usec_t detected);
	/* The policy was adopted: orders from now on mean this map. */
	void (*map)(void *context, void *map);
	/* All orders of one decision are out: wake the steering thread. */
	void (*flush)(void *context);
	void *context;
};

struct engine_config {
	/* Called first in the engine's thread: scheduling, name, signals. May be NULL. */
	void (*thread_start)(void *context);
	void *thread_context;
	/* The same for each thread that stands by for it; NULL: there are none. */
	void (*standby_start)(void *context);
	void *standby_context;
	struct engine_steering steering;
	/* How long inherited paths count as live without a word from them; not as long (2 s) where another
	 * site of a service is heard. */
	usec_t presume_for;
	bool recorder; /* the flight recorder runs */
	/* Sessions are kept here; the caller's, until engine_free(). NULL: nowhere. */
	struct state_file *state_file;
};

/* Sockets are opened here: 3784 and 4784 of both families without SO_REUSEADDR, and raw ones. NULL with a
 * message for people in ERROR (who holds the port; which capability is missing and how to give it). */
struct engine *engine_create(const struct engine_config *config, char *error, size_t size);
int engine_start(struct engine *engine); /* 0 or -errno */
/* Loads the gate, which takes a while: best when the engine runs already. False: the command ring is full,
 * try again. Why there is none is logged. */
bool engine_filter(struct engine *engine);
/* Takes every session to AdminDown, tells the peers (RFC 5880 6.8.16: for a detection time, at most LINGER),
 * ends the thread. The policy is left as it is and orders nothing more: what is in the kernel is the caller's
 * to hold or to take away. Commands given before are carried out. Afterwards engine_poll_events() still hands
 * out what waits, with the policy in force among it (ENGINE_POLICY_RETIRED).
 * LINGER ENGINE_HOLD: nobody is told anything; the sessions stay in the state file as they are, for a
 * successor to go on with. */
#define ENGINE_HOLD (-1)
void engine_stop(struct engine *engine, usec_t linger);
/* It was stopped: commands are carried out no more, so nobody is to wait for room for them. */
bool engine_stopped(const struct engine *engine);
/* After engine_stop(), or if the thread never ran. Snapshots not yet handed out are forgotten. */
void engine_free(struct engine *engine);

/* Commands. Each returns false when the ring is full (try again from the main loop). */
/* Returns the slot; -EAGAIN when the ring is full, -ENOSPC when the table is, -ENOMEM. The session starts
 * without a path. A session with the same key that is just being removed makes room; any other has
 * ENGINE_ADD_FAILED come, and the slot is free again. */
int engine_add(struct engine *engine, const struct session_config *config, const struct session_key *key,
	       uint16_t path);
/* Keeps these slots, distinct ones, from engine_add(). Before the first engine_add(). */
void engine_reserve(struct engine *engine, const uint16_t *slots, unsigned count);
/* As engine_add(), in the reserved slot that DISCR names, with this discriminator and source port. GO_ON: as
 * the state file has the session, beginning with the path that KEY is, and a packet; no ENGINE_STATE tells
 * that (ENGINE_NEGOTIATED comes). */
int engine_resume(struct engine *engine, const struct session_config *config, const struct session_key *key,
		  uint16_t path, uint32_t discr, uint16_t source_port, bool go_on);
/* The reserved slot is free for others, and its record in the state file is cleared. */
void engine_release(struct engine *engine, uint16_t slot);
/* The memory that a session needs for CONFIG, so that engine_configure() has it. False: there is none. */
bool engine_provide(struct engine *engine, uint16_t slot, const struct session_config *config);
/* Without engine_provide() before: false also when there is no memory. */
bool engine_configure(struct engine *engine, uint16_t slot, const struct session_config *config);
/* AdminDown is told for a detection time (a minute at most), then ENGINE_REMOVED comes and the slot may be
 * used again. */
bool engine_remove(struct engine *engine, uint16_t slot);
/* The path is there (with this local address, interface and VRF) or is not (these are then ignored). When
 * another session has the key that this makes, ENGINE_PATH_FAILED comes and the session stays without a path.
 */
bool engine_path(struct engine *engine, uint16_t slot, bool up, const struct addr *local, uint32_t ifindex,
		 uint32_t vrf);
/* The engine itself sees within some milliseconds that one of these N links loses its carrier or gets it
 * back, and takes the paths by it away or gives them back; engine_path() must allow a path all the same.
 * Instead of those given before. */
bool engine_links(struct engine *engine, const uint32_t *ifindexes, unsigned n);
/* Whether the session's path may carry services while it is up; for the policy it is down as long as not. A
 * session begins with true. */
bool engine_usable(struct engine *engine, uint16_t slot, bool usable);
/* Starts a Poll Sequence; of a session that is not Up at both ends nothing comes. */
bool engine_poll(struct engine *engine, uint16_t slot);
/* Whether engine_neighbour() is of any use: there is a packet socket. */
bool engine_frames(const struct engine *engine);
/* Of the session in SLOT. */
uint16_t engine_source_port(const struct engine *engine, uint16_t slot);
/* The Ethernet addresses at both ends of the way to a single-hop peer, as the kernel has them now; LLADDR
 * NULL: not known any more. With them packets need not be routed one by one (frame.h), Control packets if
 * CONTROL says so, too. engine_path() forgets them.
 */
bool engine_neighbour(struct engine *engine, uint16_t slot, const uint8_t lladdr[6], const uint8_t own[6],
		      bool control);
/* Whether the kernel itself forwards the session's peer its Echo packets: then they are not sent back here as
 * well. A session begins with false. */
bool engine_reflected(struct engine *engine, uint16_t slot, bool by_kernel);
/* Rules that frames do not pass have changed: all packets are routed for a second, which shows whether they
 * may be sent at all. */
bool engine_route_all(struct engine *engine);
/* A new policy with its steering map; SLOT_PATH[slot] says which path a session is (SESSION_NO_PATH: none),
 * NSLOTS of them. All three go to the engine; the old ones come back with ENGINE_POLICY_RETIRED. */
bool engine_policy(struct engine *engine, struct policy *policy, void *map, uint16_t *slot_path,
		   unsigned nslots);
bool engine_resolved(struct engine *engine, uint16_t group, uint8_t member, bool resolved);
bool engine_ready(struct engine *engine, uint16_t rule, bool ready);
bool engine_lost_member(struct engine *engine, uint16_t group, uint8_t member);
bool engine_lost_group(struct engine *engine, uint16_t group);
bool engine_lost_rule(struct engine *engine, uint16_t rule);

enum engine_event_kind {
	ENGINE_STATE,	       /* slot, from, to, diag, remote_diag, remote_state */
	ENGINE_NEGOTIATED,     /* slot, tx_interval, detection_time */
	ENGINE_REMOVED,	       /* slot */
	ENGINE_POLICY_RETIRED, /* policy, map, slot_path: free them */
	ENGINE_SWITCH, /* way, choice_from, choice_to (-1: none): another site carries the way; slot: by which
			  session (to and diag are its), or ENGINE_NO_SLOT. Not for what engine_policy()
			  itself changes */
	ENGINE_STALL,  /* lateness: our own tick came late by this much */
	ENGINE_LOST_EVENTS,  /* count of STATE, NEGOTIATED, SWITCH, STALL and PATH_FAILED lost: the ring was
				full. The others are never lost. */
	ENGINE_ADD_FAILED,   /* slot: another session has its key; it was not made */
	ENGINE_PATH_FAILED,  /* slot: the same, for engine_path() */
	ENGINE_UNSOLICITED,  /* peer, local, ifindex: engine_unsolicited() lets it begin a session, and it
				wants to. Not sent when the ring is full: the peer will try again */
	ENGINE_KEYS_RETIRED, /* keys: no session uses them any more */
};

#define ENGINE_NO_SLOT 0xffff

struct engine_event {
	uint8_t kind;
	uint8_t from, to, diag, remote_diag, remote_state;
	bool remote_independent, remote_demand; /* STATE, NEGOTIATED: the peer's C and D bits */
	int8_t choice_from, choice_to;
	uint16_t slot, way;
	uint32_t tx_interval, detection_time, count;
	uint32_t remote_discr, remote_min_tx, remote_min_rx; /* STATE, NEGOTIATED: as the peer said last */
	uint32_t remote_min_echo_rx;			     /* ... too */
	uint8_t remote_detect_mult;
	usec_t at, lateness;
	struct addr peer, local;
	uint32_t ifindex;
	struct policy *policy;
	void *map;
	uint16_t *slot_path;
	struct auth_chain *keys;
};

int engine_event_fd(const struct engine *engine);
/* Hands each waiting event to FN. */
void engine_poll_events(struct engine *engine, void (*fn)(void *context, const struct engine_event *event),
			void *context);

/* Copies of sessions, in slices so that the loop is never held up. FN is called from engine_poll_events()
 * once, with COUNT used sessions in slot order (valid during the call); then the memory is freed. */
typedef void engine_snapshot_fn(void *context, const struct session *sessions, unsigned count);
bool engine_snapshot(struct engine *engine, engine_snapshot_fn *fn, void *context);
/* A copy of the policy as it runs, for `services`; NULL: none was given yet. FN is called once from
 * engine_poll_events(). */
typedef void engine_policy_fn(void *context, const struct policy *policy);
bool engine_snapshot_policy(struct engine *engine, engine_policy_fn *fn, void *context);

/* What the flight recorder holds of a session that left Up. */
struct engine_recording {
	struct session session; /* as it is when fetched */
	struct record record;	/* sealed */
	struct record_delays delays;
};

/* Fetches the sealed record of a slot, after ENGINE_STATE told that the session left Up; the recorder then
 * begins anew. FN is called once from engine_poll_events(); RECORDING is valid during the call, NULL: there
 * is none. False also when the recorder is off, or the engine has stopped. */
typedef void engine_recording_fn(void *context, const struct engine_recording *recording);
bool engine_fetch_recording(struct engine *engine, uint16_t slot, engine_recording_fn *fn, void *context);

/*
 * A further way in. DOOR says port, family, type and VRF; its socket is opened here. False with a message for
 * people in ERROR, or when there are too many doors or the ring is full. A door that this host has no family
 * for is none, which is fine. engine_close_door() takes what engine_open_door() set in DOOR.
 */
struct udp_door;
bool engine_open_door(struct engine *engine, struct udp_door *door, char *error, size_t size);
bool engine_close_door(struct engine *engine, const struct udp_door *door);
/* Which links are members of which VRFs: N pairs of a link's index and its VRF's, sorted by the link's, a
 * copy of which is taken. With net.ipv4.udp_l3mdev_accept packets of theirs may come in by sockets of no VRF.
 */
struct udp_member;
bool engine_vrfs(struct engine *engine, const struct udp_member *members, unsigned n);

/*
 * Who may begin a session by speaking to us, besides those that were added: from now on these N rules hold,
 * which are copied. Whoever fits one comes by ENGINE_UNSOLICITED, unless that is full: then he is dropped and
 * counted.
 */
struct engine_unsolicited_rule {
	uint32_t ifindex, vrf; /* as in struct session_key */
	struct prefix prefix;  /* that the peer's address is in */
	bool full;	       /* nobody may for now */
};
bool engine_unsolicited(struct engine *engine, const struct engine_unsolicited_rule *rules, unsigned n);

/* No command that follows has CHAIN in a session_config: ENGINE_KEYS_RETIRED tells when it may be freed.
 * False also when there is no memory: try again later, nobody waits for it. */
bool engine_retire_keys(struct engine *engine, struct auth_chain *chain);
/* What comes in by doors of the type TABLE_REFLECTOR is answered so from now on, at most RATE packets a
 * second; NULL: not at all. */
bool engine_reflector(struct engine *engine, const struct sbfd_reflector *reflector, uint32_t rate);
/* The source port of all S-BFD sessions that are added from now on; 0: none can be. Its door is the caller's.
 */
void engine_sbfd_port(struct engine *engine, uint16_t port);

/* Counters of the engine itself, readable at any time from the main thread. */
struct engine_stats {
	uint64_t wakeups; /* turns of the loop */
	uint64_t ticks;	  /* those among them that the fixed tick made */
	uint64_t packets_in, packets_out, send_errors, receive_overflows;
	uint64_t stalls;
	uint64_t reflected; /* packets that the reflector of S-BFD answered */
	uint64_t relieved;  /* turns that a standby thread took, as the engine's was late */
	usec_t stall_max;
	uint32_t sessions;
	bool tick_mode;
	bool kernel_filter;	    /* the gate is there */
	uint64_t drops[DROP_COUNT]; /* packets that no session is to blame for */
};
void engine_stats(const struct engine *engine, struct engine_stats *stats);

#endif
