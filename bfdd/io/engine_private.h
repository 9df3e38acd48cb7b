/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine's own files share: in its thread engine.c standby.c sessions.c transmit.c commands.c
 * decide.c recorder.c snapshot.c keep.c, in the main thread lifecycle.c front.c, in both events.c doors.c
 * unsolicited.c keys.c filter.c carrier.c. */
#ifndef IO_ENGINE_PRIVATE_H
#define IO_ENGINE_PRIVATE_H

#include <ev.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/resume.h"
#include "core/ring.h"
#include "core/table.h"
#include "core/wheel.h"
#include "io/clock.h"
#include "io/engine.h"
#include "io/frame.h"
#include "io/gate.h"
#include "io/raw.h"
#include "io/state_file.h"
#include "io/udp.h"

#define ENGINE_COMMANDS 4096 /* places in the rings */
#define ENGINE_EVENTS 4096
#define ENGINE_TICK 1024	    /* us: ticks lie on the grids of session_grid() */
#define ENGINE_RETRY (10 * USEC_MS) /* the event ring was full: look again */
#define SOURCE_PORTS (65536 - BFD_SOURCE_PORT_MIN)

/* What must not be lost waits here when the event ring is full. */
struct notice {
	struct notice *next;
	uint8_t kind;  /* enum engine_event_kind, or one of these */
	uint16_t slot; /* of REMOVED and ADD_FAILED */
};
enum { NOTICE_SNAPSHOT = 128, NOTICE_POLICY_SNAPSHOT, NOTICE_RECORDING, NOTICE_DOOR, NOTICE_FREE };

/* Both ends of the way to a neighbour. */
struct link_layer {
	bool known, control; /* CONTROL: for Control packets, too, not for Echo packets alone */
	uint8_t peer[6], own[6];
};

/* Beside a session: the engine's own part. */
struct companion {
	usec_t silence_since; /* last_rx for which DEFERRED counts */
	usec_t deferred;      /* how long judging this silence was put off already */
	usec_t farewell_gap;
	uint8_t farewells; /* AdminDown packets still to be sent; 0: telling is over */
	uint64_t taken;	   /* of gate_taken(), what the session knows of */
	struct link_layer link;
	usec_t next_routed; /* a packet is to take the kernel's way by then */
	bool barred;	    /* engine_usable(): not to carry services */
	bool path_given;    /* engine_path()'s word */
	uint8_t refused;    /* enum raw_fate of the last routed packet, or of a frame refused since */
	uint8_t said[2];    /* the first bytes of the last packet: diagnostic, state, flags */
	struct resume kept; /* what the state file has of it */
	struct notice notice;
};

struct chunk {
	struct session sessions[TABLE_CHUNK];
	struct companion companions[TABLE_CHUNK];
	struct record *records;			   /* TABLE_CHUNK of them; NULL: the flight recorder is off */
	uint8_t *kept;				   /* the state file's; NULL: none */
	struct session_extra *extras[TABLE_CHUNK]; /* the main thread's list; each is its session's */
};

/* A policy on its way to the engine, in force, and on its way back. */
struct adoption {
	struct notice notice;
	struct policy *policy;
	void *map;
	uint16_t *slot_path;
	unsigned nslots;
	int8_t *active; /* policy_active() of each way, to notice a switch by */
};

struct snapshot {
	struct notice notice;
	struct snapshot *next;
	engine_snapshot_fn *fn;
	void *context;
	unsigned slots; /* how many to look at */
	unsigned at;	/* the next one */
	unsigned count;
	struct session_extra *extras; /* where the copies point; room for NEXTRAS */
	unsigned nextras, extras_used;
	struct session sessions[];
};

struct policy_snapshot {
	struct notice notice;
	engine_policy_fn *fn;
	void *context;
	struct policy *policy; /* room for the copy; NULL: there was no policy */
};

/* A copy of a sealed record. */
struct recording {
	struct notice notice;
	engine_recording_fn *fn;
	void *context;
	uint16_t slot;
	bool found;
	struct engine_recording copy;
};

/* A door on its way in, or out to be closed. */
struct door_change {
	struct notice notice;
	struct udp_door door;
	bool open; /* it is there from now on */
};

/* Of engine_unsolicited(). */
struct unsolicited_rules {
	struct notice notice; /* NOTICE_FREE: others are in force */
	unsigned n;
	struct engine_unsolicited_rule rules[];
};

/* What comes back when CHAIN has no user in the engine any more. */
struct keys_retirement {
	struct notice notice;
	struct auth_chain *chain;
};

/* Which links are in VRFs: on its way in, in force, and on its way out to be freed. */
struct vrf_links {
	struct notice notice; /* NOTICE_FREE */
	unsigned n;
	struct udp_member members[];
};

/* Of engine_links(): on its way in, in force, and on its way out to be freed. */
struct carrier_links {
	struct notice notice; /* NOTICE_FREE */
	unsigned n;
	struct carrier_link {
		uint32_t ifindex;
		bool lost;
	} links[];
};

enum command_kind {
	COMMAND_ADD,
	COMMAND_CONFIGURE,
	COMMAND_REMOVE,
	COMMAND_PATH,
	COMMAND_USABLE,
	COMMAND_POLL,
	COMMAND_NEIGHBOUR,
	COMMAND_REFLECTED,
	COMMAND_ROUTE_ALL,
	COMMAND_POLICY,
	COMMAND_RESOLVED,
	COMMAND_READY,
	COMMAND_LOST_MEMBER,
	COMMAND_LOST_GROUP,
	COMMAND_LOST_RULE,
	COMMAND_SNAPSHOT,
	COMMAND_POLICY_SNAPSHOT,
	COMMAND_RECORDING,
	COMMAND_GATE,
	COMMAND_DOOR,
	COMMAND_UNSOLICITED,
	COMMAND_KEYS,
	COMMAND_VRFS,
	COMMAND_LINKS,
	COMMAND_REFLECTOR,
};

struct command {
	uint8_t kind;
	uint8_t member;
	bool on;	      /* of ADD: the session goes on as the state file has it */
	uint16_t slot, index; /* INDEX: path, group or rule */
	uint16_t source_port;
	uint32_t discr;
	struct session_config config;
	struct session_key key; /* of PATH: local and ifindex */
	struct link_layer link;
	struct session_extra *extra; /* of ADD and CONFIGURE; NULL: not needed */
	void *object;		     /* ADD: struct chunk or NULL */
};

/* An item of the event ring. */
struct event {
	struct engine_event public;
	struct notice *notice; /* not NULL: what waited, with its memory */
};

/* Written by the engine's thread, read by the main thread. */
struct counters {
	atomic_uint_least64_t wakeups, ticks, relieved, packets_in, packets_out, send_errors,
		receive_overflows, stalls, reflected;
	atomic_int_least64_t stall_max;
	atomic_uint_least32_t sessions;
	atomic_bool tick_mode, gate; /* the second: it is before the sockets */
	atomic_uint_least64_t drops[DROP_COUNT];
};

/* The main thread's own. */
struct front {
	pthread_t thread;
	bool running;
	struct gate *gate; /* made; NULL */
	unsigned high;	   /* slots ever given out: 0 ... high - 1 */
	struct chunk *chunks[TABLE_SLOTS / TABLE_CHUNK];
	bool handed[TABLE_SLOTS / TABLE_CHUNK]; /* these chunks, to the engine */
	uint8_t reserved[TABLE_SLOTS / 8];	/* bits, by slot: engine_reserve() */
	unsigned nfree;
	uint16_t free[TABLE_SLOTS];
	unsigned nextras; /* made so far */
	uint16_t slot_port[TABLE_SLOTS];
	uint8_t port_uses[SOURCE_PORTS];
	uint16_t sbfd_port; /* of all S-BFD sessions; 0: none */
	bool have_policy;
	uint16_t npaths, ngroups, nways; /* of the policy handed over last */
};

/* How busy the sockets are, to choose between events and ticks. */
struct load {
	usec_t since;
	unsigned wakeups, packets; /* by them and in them, since then */
};

/* The flight recorder's part that is no session's. */
struct recorder {
	uint64_t overflows, errors; /* noted already */
	usec_t looked;		    /* when OVERFLOWS were counted */
	struct record_delays delays;
};

/* Of engine_reflector(). */
struct reflector_change {
	struct notice notice; /* NOTICE_FREE: it was taken note of */
	struct sbfd_reflector reflector;
	uint32_t rate;
};

#define REFLECTOR_BUCKETS 1024
#define REFLECTOR_UNIT 16 /* parts of a microsecond, for high rates */
struct reflector {
	struct sbfd_reflector now;
	usec_t cost;			   /* of a packet; 0: nothing is answered */
	usec_t bucket;			   /* of all */
	usec_t buckets[REFLECTOR_BUCKETS]; /* by the peer's address */
};

/* Who may begin a session, and who asked for one lately. */
#define UNSOLICITED_ASKED 256
struct unsolicited {
	struct unsolicited_rules *set; /* NULL: nobody may */
	usec_t bucket;		       /* filled until then */
	struct unsolicited_asked {
		struct addr peer;
		uint32_t ifindex;
		usec_t at;
	} asked[UNSOLICITED_ASKED]; /* by a hash of both */
};

/* The engine's thread's own. */
struct back {
	struct ev_loop *loop;
	ev_io socket_watcher, timer_watcher, command_watcher;
	int timer_fd;
	usec_t armed; /* what the timerfd is set to; USEC_NEVER: nothing */
	bool again;   /* work is left: the next turn comes at once */
	bool socket_woke;
	struct clock clock;
	struct load load;
	usec_t lateness;     /* of this turn, if it is a stall; else 0 */
	usec_t stall_second; /* ENGINE_STALL events are counted from here */
	unsigned stall_events;
	bool stopping;
	unsigned stop_slot; /* the next one to say goodbye to */
	usec_t stop_at;	    /* USEC_NEVER: not all have been said goodbye to */

	struct udp *udp;
	struct gate *gate; /* NULL: everything comes through the sockets */
	bool gate_due;	   /* it is to be told of the sessions from this slot on, and begins then */
	unsigned gate_slot;
	struct raw *raw;
	struct frame *frame; /* NULL: not to be had */
	usec_t route_until;  /* no frames before */
	struct table table;
	struct wheel wheel, tx_wheel; /* sending does not wait for what the others must wait for */
	unsigned work;		      /* counts pieces of it */
	struct chunk *chunks[TABLE_SLOTS / TABLE_CHUNK];
	unsigned high; /* slots that commands spoke of: 0 ... high - 1 */
	struct recorder recorder;
	uint64_t random;
	uint8_t echo_key[SIPHASH_KEY];
	struct timer policy_timer, doubt_timer, presume_timer, retry_timer, carrier_timer;

	struct unsolicited unsolicited;
	struct vrf_links *vrfs; /* in force, or NULL: no link is in a VRF */
	struct reflector reflector;
	struct {
		struct carrier_links *links; /* NULL: none are looked at */
		int fd;			     /* any socket */
	} carrier;
	struct adoption *adoption; /* in force, or NULL */
	bool ordered;		   /* orders went out since the last flush */
	struct snapshot *snapshots, **snapshots_tail;
	struct notice *notices, **notices_tail;
	uint32_t lost;	/* events */
	bool published; /* the main thread must be woken */
};

/* A thread that takes over a turn that is late (standby.c). */
struct standby {
	pthread_t thread;
	bool runs;
	unsigned cpu;
	struct engine *engine;
};
#define ENGINE_STANDBYS 2

struct engine {
	struct engine_config config;
	struct ring commands, events;
	void *commands_memory, *events_memory;
	int command_fd, event_fd;
	atomic_bool stop;
	atomic_int_least64_t linger; /* set before STOP; ENGINE_HOLD */
	pthread_mutex_t turn;	     /* whoever holds it owns BACK, but for the loop and its watchers */
	atomic_bool over;	     /* the last turn was taken; set with TURN held */
	int late_fd;
	struct standby standby[ENGINE_STANDBYS];
	struct counters counters;
	struct front front;
	struct back back;
};

enum {
	TIMER_DETECT,
	TIMER_POLICY,
	TIMER_DOUBT,
	TIMER_PRESUME,
	TIMER_RETRY,
	TIMER_CARRIER,
	TIMER_ECHO_TX,
	TIMER_ECHO_DETECT
};

static inline void counter_add(atomic_uint_least64_t *counter, uint64_t n)
{
	/* One writer: a plain load and store, no locked instruction. */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static inline struct companion *companion_of(const struct back *back, const struct session *session)
{
	return &back->chunks[session->slot / TABLE_CHUNK]->companions[session->slot % TABLE_CHUNK];
}

static inline bool engine_ticking(const struct engine *engine)
{
	return atomic_load_explicit(&engine->counters.tick_mode, memory_order_relaxed);
}

/* engine.c */
void *engine_thread(void *engine);
void engine_begin(struct engine *engine);
void engine_turn(struct engine *engine);
/* A turn by another thread than the loop's. */
void engine_relief(struct engine *engine);
/* Asks the kernel, which costs some system calls. */
void engine_count_overflows(struct engine *engine);

/* standby.c */
void standby_start(struct engine *engine);
void standby_stop(struct engine *engine);
/* The next turn is to begin at ARMED; USEC_NEVER: nobody knows. */
void standby_arm(struct engine *engine, usec_t armed);

/* sessions.c: effects, timers, transmission, goodbye */
void sessions_packet(void *engine, const uint8_t *data, size_t size, const struct table_origin *origin,
		     usec_t stamp);
/* All timers but those of tx_wheel. */
void sessions_timer(struct engine *engine, struct timer *timer);
/* DROP, counted with SESSION, or if that is NULL with nobody. */
void sessions_drop(struct engine *engine, struct session *session, enum drop drop);
/* So long judging a silence is to be put off, after which that is over anyway: LEFT. 0: not. See engine.c. */
usec_t sessions_grace(const struct engine *engine, usec_t interval, usec_t left);
/* Takes note of what the gate took for SESSION. */
void sessions_hear(struct engine *engine, struct session *session);
/* Periodic packets and goodbyes that are due by now, whenever the turn began. */
void sessions_transmit(struct engine *engine);
/* A piece of work is done: once in so many of them our own packets go out in the midst of a long turn. */
void sessions_breathe(struct engine *engine);
void sessions_apply(struct engine *engine, struct session *session, const struct session_effects *effects);
/* Begins to take SESSION away: it tells AdminDown for at most LINGER, then it is gone. */
void sessions_farewell(struct engine *engine, struct session *session, usec_t linger);
/* The process ends, and another one is to go on: the peer begins to wait anew. */
void sessions_last_word(struct engine *engine, struct session *session);
/* It is gone now. */
void sessions_finish(struct engine *engine, struct session *session);

/* transmit.c */
/* The packet goes out in its session's name; PATH->refused is ours. */
void transmit_send(struct engine *engine, const struct session *session, struct raw_path *path,
		   const uint8_t *payload, size_t size);
void transmit_flush(struct engine *engine);
uint64_t transmit_errors(const struct engine *engine);

/* commands.c */
/* Carries out a bounded number of commands; sets BACK->again if more wait. */
void commands_run(struct engine *engine);

/* echo.c: Echo packets, ours and the peers', and those of RFC 9747 */
/* EFFECT_ECHO. */
void echo_apply(struct engine *engine, struct session *session);
/* SESSION goes. */
void echo_forget(struct engine *engine, struct session *session);
void echo_transmit(struct engine *engine, struct timer *timer);
void echo_detect(struct engine *engine, struct timer *timer);
/* Behind the SIZE bytes of a Control packet that SESSION sends itself (SESSION_ECHO), in a buffer with room
 * for ECHO_SIZE more: returns the new size. */
size_t echo_sign_loop(struct engine *engine, struct session *session, uint8_t *payload, size_t size);
/* What came in by a door of SESSION_ECHO. */
void echo_packet(struct engine *engine, const uint8_t *data, size_t size, const struct table_origin *origin,
		 usec_t stamp);

/* keep.c: what outlives the process */
/* Writes the session's record anew if something in it has changed. */
void keep_session(struct engine *engine, const struct session *session);
void keep_forget(struct engine *engine, const struct session *session);
/* SESSION, just made, goes on as its record says. False: there is none that fits; it is left as it is. */
bool keep_resume(struct engine *engine, struct session *session, struct session_effects *effects);

/* Authentication's sequence numbers alone, for a session that begins anew under its old discriminator. */
void keep_recall(struct engine *engine, struct session *session);

/* keys.c: who uses which key chain */
/* SESSION has got the chain that its configuration has now. */
void keys_hold(const struct session *session);
/* A session has no longer CHAIN, which may be NULL. */
void keys_release(struct engine *engine, struct auth_chain *chain);
void keys_retire(struct engine *engine, struct keys_retirement *retirement);

/* decide.c: the site policy and its orders */
void decide_path(struct engine *engine, const struct session *session, bool usable);
/* engine_usable(). */
void decide_usable(struct engine *engine, const struct session *session, bool usable);
void decide_command(struct engine *engine, const struct command *command);
void decide_adopt(struct engine *engine, struct adoption *adoption);
void decide_tick(struct engine *engine);
void decide_presume_doubt(struct engine *engine);
void decide_presume_end(struct engine *engine);

/* recorder.c: the flight recorder */
/* The slot is used anew. */
void recorder_begin(struct engine *engine, unsigned slot);
/* What came for SESSION, before its effects are carried out. STAMP as udp_packet_fn has it. */
void recorder_packet(struct engine *engine, const struct session *session, const uint8_t *data, size_t size,
		     const struct table_origin *origin, usec_t stamp, enum drop drop);
/* The gate takes packets that say DATA from now on. */
void recorder_steady(struct engine *engine, const struct session *session, const uint8_t *data);
/* What recording a packet of SESSION touches first is brought into the cache. */
void recorder_fetch_ahead(const struct engine *engine, const struct session *session);
/* A packet goes out that was DUE; USEC_NEVER: out of turn. */
void recorder_sent(struct engine *engine, const struct session *session, const uint8_t *data, usec_t due);
/* The effects have been carried out. */
void recorder_applied(struct engine *engine, const struct session *session,
		      const struct session_effects *effects);
/* This turn began LATE. */
void recorder_late(struct engine *engine, usec_t late);
/* End of a turn: notes what the kernel refused to send. */
void recorder_losses(struct engine *engine);
/* What the sockets lost was counted. */
void recorder_overflows(struct engine *engine);
void recorder_fetch(struct engine *engine, struct recording *recording);

/* filter.c: the gate is made, and begins */
void filter_begin(struct engine *engine, struct gate *gate);
void filter_slice(struct engine *engine);

/* front.c */
/* False: the ring is full. */
bool front_queue(struct engine *engine, const struct command *command);
void front_free_chunk(struct chunk *chunk);
/* False: the ring is full. */
bool front_queue(struct engine *engine, const struct command *command);
void front_free_slot(struct front *front, unsigned slot);

/* events.c: from the engine's thread to the main thread */
void events_push(struct engine *engine, const struct engine_event *event);
/* False, and nothing is lost that anybody must know of: there is no room. */
bool events_try(struct engine *engine, const struct engine_event *event);
void events_notice(struct engine *engine, struct notice *notice);
/* End of a turn: tells what waited, wakes the main thread. */
void events_publish(struct engine *engine);

/* doors.c: ways in that come and go */
void doors_change(struct engine *engine, struct door_change *change);
void doors_hand(struct door_change *change);
void doors_free(struct door_change *change);
void doors_vrfs(struct engine *engine, struct vrf_links *links);

/* carrier.c: what is seen of links before the kernel tells */
void carrier_change(struct engine *engine, struct carrier_links *links);
void carrier_look(struct engine *engine);
/* What was seen: the paths by IFINDEX, if it is one to look at, go or come. */
void carrier_set(struct engine *engine, uint32_t ifindex, bool lost);
bool carrier_is_lost(const struct engine *engine, uint32_t ifindex);

/* unsolicited.c: sessions that the peer asks for */
void unsolicited_change(struct engine *engine, struct unsolicited_rules *set);
/* What becomes of a PACKET that no session is for: DROP_NONE, one is asked for. */
enum drop unsolicited_packet(struct engine *engine, const struct packet *packet,
			     const struct table_origin *origin);

/* reflector.c: S-BFD's other end */
void reflector_change(struct engine *engine, struct reflector_change *change);
void reflector_packet(struct engine *engine, const uint8_t *data, size_t size,
		      const struct table_origin *origin);

/* snapshot.c */
void snapshot_begin(struct engine *engine, struct snapshot *snapshot);
void snapshot_slice(struct engine *engine);
void snapshot_policy(struct engine *engine, struct policy_snapshot *snapshot);

#endif
