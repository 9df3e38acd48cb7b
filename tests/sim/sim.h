/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two sessions on a virtual clock, joined by wires that lose, delay, reorder and duplicate. Each node runs
 * what the daemon runs: packets through packet_decode(), table_find() and session_receive(), timers through
 * the wheel. A node may wake on ticks only, and may oversleep; packets bear the time of their arrival, as the
 * kernel stamps them. sim_watch.c checks all that a node does against rules of its own.
 *
 * Everything follows from the seed.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/table.h"

#define SIM_FLIGHTS 4096
#define SIM_TAPE 64

struct sim;

/* One direction. */
struct sim_wire {
	usec_t delay, jitter;	  /* each packet takes delay + [0, jitter] */
	unsigned loss, duplicate; /* per mille */
	bool fifo;		  /* a packet never overtakes another */
	bool cut;
	usec_t last_arrival;
};

struct sim_flight {
	usec_t at;
	uint64_t order;
	uint8_t bytes[PACKET_SIZE + AUTH_SECTION];
	uint8_t size, to;
};

/* What the watcher knows of a node: from the outside, and by its own book-keeping. */
struct sim_watch {
	usec_t heard; /* arrival of the last accepted packet */
	uint32_t heard_min_tx;
	uint32_t heard_min_rx;
	uint8_t heard_mult, heard_state;
	bool heard_demand;
	bool demanding;		  /* 6.8.4's other rule holds */
	usec_t asked;		  /* when the first P left that no F has come for; 0: none */
	usec_t patience;	  /* after which it is Down by that rule */
	bool listening;		  /* heard is worth something: the session should be alive on it */
	uint32_t min_rx_in_force; /* 6.8.3, the least that it may be */
	uint32_t min_rx_configured;
	bool min_rx_polled; /* a P with the configured Required Min RX was sent */
	bool owes_final;
	usec_t last_periodic; /* 0: the schedule was begun anew since */
	usec_t interval;      /* in force then */
	uint8_t mult;	      /* ours, then */
	bool interval_changed;
	unsigned prompts, changes;
	usec_t since;
};

struct sim_node {
	struct sim *sim;
	unsigned index;
	struct table table;
	struct wheel wheel;
	struct session memory[TABLE_CHUNK];
	struct session *session;
	struct session_extra extra;
	struct sim_flight inbox[SIM_FLIGHTS];
	unsigned ninbox;
	usec_t tick;	     /* wakes at multiples of this; 0: at once */
	usec_t asleep_until; /* a pause of its own */
	struct sim_watch watch;
};

struct sim {
	uint64_t seed, random, order;
	usec_t now;
	bool no_down; /* nothing may take a session out of Up */
	struct sim_node nodes[2];
	struct sim_wire wires[2]; /* by receiver */
	struct sim_flight flights[SIM_FLIGHTS];
	unsigned nflights;
	unsigned replays; /* per mille of the packets sent: somebody sends an old one again to its receiver */
	struct sim_flight tape[SIM_TAPE];
	unsigned ntape;
	/* What was seen, over all scenarios: a simulation in which nothing happens proves nothing. */
	struct sim_seen {
		unsigned long packets, ups, timeouts, finals, polls, lost, drops, demands, unanswered,
			replayed, stale, doubts;
	} seen;
};

enum sim_send { SIM_PERIODIC, SIM_PROMPT, SIM_FINAL };

void sim_init(struct sim *sim, uint64_t seed);
uint32_t sim_random(struct sim *sim);
/* Within [least, most]. */
uint32_t sim_range(struct sim *sim, uint32_t least, uint32_t most);
/* Prints seed, time and what is wrong, and fails the test. */
void sim_fail(const struct sim_node *node, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* A new session with a new discriminator, in place of the one before. */
void sim_start(struct sim_node *node, const struct session_config *config);
void sim_configure(struct sim_node *node, const struct session_config *config);
void sim_path(struct sim_node *node, bool up);
/* Carries out what a call for NODE's session asked for. */
void sim_effects(struct sim_node *node, const struct session_effects *effects);
void sim_run(struct sim *sim, usec_t until);
/* Somebody sends one of the last SIM_TAPE packets again, to whom it was sent. */
void sim_replay(struct sim *sim);

/* The watcher: called by sim.c at each thing that a node does. */
void watch_started(struct sim_node *node);
void watch_configured(struct sim_node *node);
void watch_path(struct sim_node *node);
void watch_sent(struct sim_node *node, const struct packet *packet, enum sim_send kind);
void watch_accepted(struct sim_node *node, const struct packet *packet, usec_t received,
		    const struct session_effects *effects);
void watch_effects(struct sim_node *node, const struct session_effects *effects);
void watch_woken(struct sim_node *node);
/* When nothing has disturbed them for long: both Up, all values agreed. */
void watch_settled(struct sim *sim);

#endif
