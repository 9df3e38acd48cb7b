/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of bench_peer share. It plays the far end of many sessions towards a program under test and
 * sees each packet, in both directions, with the kernel's timestamp. All times are nanoseconds of
 * CLOCK_REALTIME, because those timestamps are.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MS 1000000ll
#define SECOND (1000 * MS)
#define MULTIPLIER 3
#define SESSIONS_MAX 4000

enum { STATE_ADMIN_DOWN, STATE_DOWN, STATE_INIT, STATE_UP };
enum { DIAG_EXPIRED = 1, DIAG_NEIGHBOR = 3 };

struct packet {
	int64_t at;
	unsigned session;
	bool ours; /* sent by bench_peer */
	uint8_t state, diag;
	bool poll, final;
	uint32_t my_discr, your_discr;
	uint32_t min_tx, min_rx; /* us */
};

struct wire {
	int udp;     /* sends */
	int closed;  /* holds the BFD port, so that the kernel refuses nothing, and takes nothing */
	int capture; /* sees */
	unsigned sessions;
};

int64_t now_ns(void);

/* peer_wire.c. The addresses are those of tests/bench/lib.sh: bench_peer is side b. Ends the process on an
 * error. */
void wire_open(struct wire *wire, const char *interface, unsigned sessions);
/* PACKET's session, state, diag, flags, discriminators and intervals are sent. */
void wire_send(struct wire *wire, const struct packet *packet);
/* Packets seen until now, at most ROOM; what is no BFD packet of one of the sessions is passed over. False
 * when there is nothing left to see. */
bool wire_read(struct wire *wire, struct packet *packets, size_t room, size_t *count);
/* Packets that the kernel had no place for, since the start. */
unsigned wire_lost(struct wire *wire);

/* peer_stat.c */
struct samples {
	int64_t *values; /* ns */
	size_t count, room;
};

void samples_add(struct samples *samples, int64_t value);
void samples_sort(struct samples *samples);
/* Of sorted samples, the smallest that PERCENT of all do not exceed; 0 when there are none. */
int64_t samples_percentile(const struct samples *samples, double percent);
double samples_mean(const struct samples *samples);
/* How many of sorted samples are below VALUE. */
size_t samples_below(const struct samples *samples, int64_t value);
/* "NAME": VALUE in ms with six digits after the point, behind a comma. */
void print_ms(const char *name, double ns);

#endif
