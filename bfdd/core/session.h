/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One BFD session (RFC 5880 6.8). Pure: the time is passed in, what is to be done comes back as effects, and
 * the owner carries them out. Variables bear the RFC's names. All times are microseconds.
 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "core/addr.h"
#include "core/extra.h"
#include "core/packet.h"
#include "core/usec.h"
#include "core/wheel.h"

#define SESSION_NO_PATH 0xffff /* struct session.path: no site uses this session */
#define SESSION_SLOW_TX USEC_S /* 6.8.3: not Up, no faster than this */

/* What kind of path a session is about. */
enum session_type {
	SESSION_SINGLE_HOP, /* RFC 5881 */
	SESSION_MULTIHOP,   /* RFC 5883 */
	SESSION_MICRO,	    /* RFC 7130: a member of a LAG */
	SESSION_SBFD,	    /* RFC 7880: we are the initiator */
	SESSION_ECHO,	    /* RFC 9747: the peer only loops our packets */
	SESSION_TYPES
};

/* Whether routers may be between: the TTL may be less, and packets come in wherever the way back leads. */
static inline bool session_routed(uint8_t type)
{
	return type == SESSION_MULTIHOP || type == SESSION_SBFD;
}

/* What the configuration says. */
struct session_config {
	uint32_t desired_min_tx, required_min_rx;
	uint8_t detect_mult;
	uint8_t min_ttl;	  /* 255 for single hop */
	bool passive;		  /* 6.1: silent until the peer speaks */
	bool shutdown;		  /* held in AdminDown */
	uint32_t padded_pdu_size; /* bfd.PaddedPduSize (RFC 9764 3): of the UDP payload; 0: as large as the
				     packet */
	struct auth_chain *auth;  /* NULL: none. The main thread's; needs a struct session_extra */
	/* Poll Sequences that announce nothing, see core/poll.h; 0: none */
	uint32_t rtt_interval;	       /* to measure the round-trip time */
	bool demand_mode;	       /* 6.6: the peer is to be silent once both are Up */
	uint32_t demand_poll_interval; /* to see whether it is there meanwhile */
	bool control_plane_independent;
	uint8_t dscp;
	uint32_t remote_discr; /* of S-BFD: the reflector's */
	bool echo;	       /* 6.4: send Echo packets, */
	uint32_t echo_tx;      /* no more often than this, */
	uint32_t echo_rx;      /* and send back the peer's, at most one in this time; 0: none */
	uint8_t minimum_up;    /* RFC 7130: as many of the sessions of its path must be Up for the path to be
				  usable; 0: it alone is its path */
};

#define SESSION_DSCP 48 /* CS6, network control: what is sent without another wish */

/* Where the session lives. Fixed for its life but for local and ifindex, which follow the interface. */
struct session_key {
	struct addr peer, local;
	uint32_t ifindex; /* 0: any */
	uint8_t type;	  /* enum session_type */
	uint32_t vrf;	  /* the index of the VRF's device; 0: in none */
};

struct session {
	/* hot: touched by each packet */
	uint32_t local_discr, remote_discr; /* remote 0: not heard of, or forgotten (6.8.1) */
	uint8_t state, remote_state, local_diag, remote_diag; /* bfd.SessionState, ... */
	uint8_t remote_detect_mult;
	bool remote_demand, remote_cpi;
	bool poll_active;  /* our Poll Sequence runs: P is set until F comes */
	bool poll_pending; /* values changed while it ran: another one follows */
	bool demand;	   /* D is said: bfd.DemandMode, and both ends are Up (6.8.7) */
	bool demand_used;  /* in force: the peer's silence is no failure (6.8.4) */
	bool tight;	   /* the peer may be counting on Detect Mult 1, by what we say or said last */
	bool path_up;	   /* interface, carrier and local address are there */
	bool echo_proven;  /* one came back once: from then on silence is failure */
	bool echo_able;	   /* the peer can be sent frames, see session_echo_able() */
	uint32_t remote_min_rx, remote_min_tx, remote_min_echo_rx;
	uint32_t tx_interval;	/* in force, before jitter: max(desired in force, remote_min_rx); 0: nothing
				   periodic */
	uint32_t echo_interval; /* of our Echo packets, now; 0: none */
	usec_t detection_time;	/* in force; 0: none. 255 * 2^32 us do not fit 32 bits */
	usec_t last_rx;		/* kernel's receive time of the last accepted packet */
	usec_t excused;		/* of SESSION_ECHO: so much of the silence since then is our own */
	usec_t next_tx;		/* USEC_NEVER: nothing periodic */
	struct timer tx_timer, detect_timer;

	/* negotiation: advertised differs from in-force while a change waits for the Final (6.8.3) */
	uint32_t desired_min_tx, required_min_rx;	    /* advertised: what packets say */
	uint32_t desired_min_tx_used, required_min_rx_used; /* in force for tx_interval and detection_time */
	usec_t poll_since;				    /* when the running Poll Sequence began */
	usec_t poll_earliest; /* the next one begins no sooner: Finals of the last one may be under way */
	usec_t poll_next;     /* when one is due that announces nothing; USEC_NEVER: not at all */
	usec_t poll_sent;     /* when its first P left; 0: none has, or none that counts in Demand mode */
	usec_t poll_answered; /* when the last one was; 0: never */
	uint32_t polls;	      /* P sent in the running one */
	bool poll_asks;	      /* it announces nothing: it is for the answer alone */
	bool poll_ordered;    /* by session_poll(), and not begun yet */
	usec_t last_tx;	      /* of the last periodic packet */
	uint32_t jitter;      /* the random value that next_tx was made with */
	uint32_t tx_late;     /* the owner's: the next packet may leave this much after next_tx */
	usec_t prompt;	      /* paces packets out of turn, see session_prompt_allowed() */

	struct session_extra *extra; /* the owner's memory, given after session_init(); NULL: nothing that is
					configured needs it */
	struct session_config config;
	struct session_key key;
	uint16_t source_port;
	uint16_t slot;		  /* in the table */
	struct session *key_next; /* the table's */
	uint16_t path;		  /* index in the site policy, or SESSION_NO_PATH */
	bool used;		  /* the slot is taken */
	bool removing;		  /* AdminDown is being told; the slot is freed when that is done */

	/* for people */
	usec_t since; /* of the last state change */
	usec_t created;
	usec_t resumed; /* taken over from a process that died or stopped; 0: never */
	uint64_t packets_in, packets_out;
	uint16_t rx_size; /* the owner's: the UDP payload of the last packet received; 0: none yet */
	uint32_t up_transitions, down_transitions;
	uint32_t downs, admin_downs; /* entered, from whichever state */
	usec_t last_up, last_down;   /* when; 0: never */
	uint32_t drops[DROP_COUNT];
};

enum {
	EFFECT_STATE = 1,	/* from, to and diag are set */
	EFFECT_SEND = 2,	/* transmit one packet at once, out of turn */
	EFFECT_SEND_FINAL = 4,	/* ... with F set (6.5); comes with EFFECT_SEND, and is one packet */
	EFFECT_TX = 8,		/* next_tx changed: arm tx_timer (or cancel at USEC_NEVER) */
	EFFECT_DETECT = 16,	/* detection deadline may be earlier than armed, or is gone */
	EFFECT_NEGOTIATED = 32, /* tx_interval, detection_time, or what the peer says of itself changed */
	EFFECT_ECHO = 64,	/* echo_interval changed, or how many may be lost */
};

struct session_effects {
	unsigned what;
	uint8_t from, to; /* enum bfd_state */
	uint8_t diag;	  /* bfd.LocalDiag after the change */
};

/* A session in Down (AdminDown with config.shutdown), path_up false: silent until session_path(). Overwrites
 * all of SESSION: its timers must not be armed. */
void session_init(struct session *session, const struct session_config *config, const struct session_key *key,
		  uint32_t local_discr, uint16_t source_port, usec_t now);

/* Right after session_init(), with the discriminator and port that RESUME has: the session goes on as it was
 * in a process that died or stopped a moment ago (resume_in_time()), on the same path. The peer gets a whole
 * detection time to be heard in, and a packet at once; what is configured otherwise now goes through a Poll
 * Sequence. */
struct resume;
void session_resume(struct session *session, const struct resume *resume, usec_t now,
		    struct session_effects *effects);

/* The rest of 6.8.6 for a packet that packet_decode() accepted and the table found to be this session's.
 * RECEIVED is the kernel's receive time. A reason returned is for the caller to count. EFFECTS is overwritten
 * by this and the following calls. */
enum drop session_receive(struct session *session, const struct packet *packet, usec_t received,
			  struct session_effects *effects);
/* Whether PACKET, just received without effects, would change nothing but the time if it came again. */
bool session_steady(const struct session *session, const struct packet *packet);
/* COUNT such packets came by another way, the last one at RECEIVED. */
void session_heard(struct session *session, uint64_t count, usec_t received);
/* Call when detect_timer fires. Before session_detect_deadline() nothing happens: rearm then (EFFECT_DETECT
 * says so). A detection time of silence takes Init and Up Down with DIAG_DETECTION_EXPIRED, and in any state
 * forgets the remote discriminator and what else the peer said (6.8.1). */
void session_detect_expired(struct session *session, usec_t now, struct session_effects *effects);
/* New parameters; while Up they go through a Poll Sequence and the state stays. */
void session_configure(struct session *session, const struct session_config *config, usec_t now,
		       struct session_effects *effects);
/* The UDP port that packets of sessions of this TYPE are sent to. */
uint16_t session_port(enum session_type type);
/* Whether a session configured so needs a struct session_extra. */
bool session_needs_extra(const struct session_config *config);
/* The name of a type in JSON: "single-hop", "multihop", "micro", "s-bfd", "unaffiliated-echo". */
const char *session_type_name(enum session_type type);

/* A Poll Sequence of its own as soon as may be. False: the session is not Up at both ends. */
bool session_poll(struct session *session, usec_t now, struct session_effects *effects);
/* session_authenticate() said DROP_AUTH_SEQUENCE: it is an old packet, or the peer began anew with other
 * numbers. In Demand mode nothing else would tell which, so a Poll Sequence is to. False: nothing changed. */
bool session_doubt(struct session *session, usec_t now, struct session_effects *effects);
/* Call when next_tx has come and tx_interval is 0: a Poll Sequence is due. False: nothing is to be sent after
 * all; next_tx is another. */
bool session_break_silence(struct session *session, usec_t now);
/* A packet with P left at NOW. In Demand mode the detection timer is to be armed again then. */
void session_polled(struct session *session, usec_t now);

/* The path came or went: interface, carrier, local address. Loss takes Up and Init Down with DIAG_PATH_DOWN
 * at once. */
void session_path(struct session *session, bool up, usec_t now, struct session_effects *effects);

/*
 * What need not happen at a moment of its own happens on a grid, so that many sessions share one wake-up: a
 * power of two of microseconds, at most a twelfth of the INTERVAL that it is for and 16.4 ms. The grids of
 * all sessions lie on each other.
 */
usec_t session_grid(usec_t interval);
/* The last moment of INTERVAL's grid that is not after AT. */
usec_t session_on_grid(usec_t at, usec_t interval);

/* Whether Echo packets could be sent: the peer's link-layer address is known. */
void session_echo_able(struct session *session, bool able, usec_t now, struct session_effects *effects);
/* One came back. */
void session_echo_proven(struct session *session, usec_t now, struct session_effects *effects);
/* Too many Echo packets did not come back (6.8.5). */
void session_echo_failed(struct session *session, usec_t now, struct session_effects *effects);

/* When the detection timer is due; USEC_NEVER when there is nothing to wait for. */
usec_t session_detect_deadline(const struct session *session);
/* How long the peer waits for us (6.8.4): our Detect Mult times the interval at which it expects us. */
usec_t session_patience(const struct session *session);
/* 6.7, for a packet that was found to be this session's, before session_receive(). */
enum drop session_authenticate(struct session *session, const struct packet *packet, const uint8_t *data,
			       usec_t received);
/* Fills PACKET with what 6.8.7 says now. Counts nothing. */
void session_packet(const struct session *session, bool final, struct packet *packet);
/* A periodic packet went out at NOW (not one that EFFECT_SEND asked for: those leave the schedule alone):
 * sets next_tx, jittered by RANDOM (6.8.7: 75-100 %, 75-90 % with Detect Mult 1, less what tx_late may add,
 * if the interval is long enough for that), on the interval's grid. */
void session_transmitted(struct session *session, usec_t now, uint32_t random);

#endif
