/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory that the gate's program in the kernel (gate.bpf.c) and the daemon (gate.c) share. Plain types
 * only: both compilers read it. */
#ifndef IO_GATE_LAYOUT_H
#define IO_GATE_LAYOUT_H

#define GATE_SLOTS 16384 /* sessions in higher slots of the table go without */
#define GATE_TIMES 14
#define GATE_PACKET 24
#define GATE_LINKS 8	/* told apart; a power of two */
#define GATE_REASONS 64 /* room for enum drop */

/* One session, by the low bits of its discriminator. The first 64 bytes are written by the engine's thread
 * only, the others by the program only. */
struct gate_slot {
	/* Your Discriminator (at 8) is ours at all times; the rest counts while armed: what the peer is
	 * expected to say again. */
	unsigned char packet[GATE_PACKET];
	unsigned char peer[16], local[16]; /* IPv4: in the first four bytes; local all zero: any */
	unsigned int ifindex;		   /* 0: any */
	unsigned char family;		   /* 4 or 6; 0: no session here */
	unsigned char multihop;
	unsigned char min_ttl;
	unsigned char armed; /* 0: no; else a number that differs from arming to arming */

	unsigned long long count;	      /* packets taken, ever */
	unsigned long long times[GATE_TIMES]; /* of packet n, at n % GATE_TIMES: CLOCK_MONOTONIC, ns */
	unsigned long long bucket;	      /* of packets let through, see gate.bpf.c */
};

/* Whoever may begin a session, speaking with Your Discriminator 0: the hash's key and value. */
struct gate_peer {
	unsigned char addr[16];
	unsigned char family, multihop; /* as in struct gate_slot */
	unsigned char zero[2];
};

struct gate_peer_state {
	/* The program's, by interface: who is on another link has none of the peer's. */
	unsigned long long buckets[GATE_LINKS];
	unsigned int sessions; /* how many have this peer */
	unsigned int min_ttl;  /* the lowest that one of them takes */
};

/* One for all. */
struct gate_totals {
	unsigned long long dropped; /* shed or taken: what the sockets count as dropped */
	unsigned long long bucket;  /* the program's, of packets that the daemon only counts */
	unsigned int beyond;	    /* the engine's: there were sessions in slots that the gate has not */
};

#endif
