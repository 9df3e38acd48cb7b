/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authentication of BFD Control packets (RFC 5880 6.7), and FRR's HMAC-SHA1, which is none of the RFC's forms
 * but says that it is. Pure. What is unknown, missing or in doubt is refused; the sequence number is looked
 * at only when the digest was right.
 *
 * A chain is made by the main thread and shared by sessions. It never changes but for the marks of which keys
 * hold now, which that thread renews as the wall clock goes on.
 */
#ifndef CORE_AUTH_H
#define CORE_AUTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/packet.h"
#include "core/usec.h"

#define AUTH_KEYS 64	   /* of a chain */
#define AUTH_SECRET_MAX 64 /* bytes; a block of SHA1's */
#define AUTH_SECTION 28	   /* the longest authentication section that we send */
#define AUTH_NAME 64
#define AUTH_NO_KEY 0xff
#define AUTH_ALWAYS INT64_MIN /* the beginning of a lifetime that has none */
#define AUTH_EVER INT64_MAX

enum auth_type {
	AUTH_NONE,
	/* RFC 5880 4.1's numbers */
	AUTH_SIMPLE,
	AUTH_MD5,
	AUTH_METICULOUS_MD5,
	AUTH_SHA1,
	AUTH_METICULOUS_SHA1,
	/* ours: FRR 10.7 sends these as 4 and 5 */
	AUTH_HMAC_SHA1,
	AUTH_METICULOUS_HMAC_SHA1,
	AUTH_TYPES
};

struct auth_key {
	uint8_t id, type; /* enum auth_type */
	uint8_t size;
	uint8_t secret[AUTH_SECRET_MAX]; /* zeros behind SIZE */
	/* Unix time, us: from the start, before the end */
	int64_t send_start, send_end, accept_start, accept_end;
};

struct auth_chain {
	char name[AUTH_NAME];
	uint32_t mark; /* of the name: auth_chain_mark() */
	/* Which keys hold now. */
	atomic_uchar sends;	       /* index; AUTH_NO_KEY: none, so nothing is sent */
	atomic_uint_least64_t accepts; /* bits */
	unsigned users;		       /* the main thread's count; the last one wipes and frees */
	unsigned holders;	       /* the engine's count of sessions */
	void *retirement;	       /* the engine's: what is told when there are no more */
	unsigned nkeys;
	struct auth_key keys[];
};

enum auth_known {
	AUTH_UNKNOWN,
	AUTH_KNOWN,
	AUTH_RESUMED, /* by a predecessor: who knows how many packets came since */
};

/* What a session knows and did: of no secret. */
struct auth_state {
	uint32_t xmit_seq;		     /* bfd.XmitAuthSeq: of the last packet */
	uint32_t rcv_seq;		     /* bfd.RcvAuthSeq */
	uint8_t known;			     /* bfd.AuthSeqKnown: enum auth_known */
	bool started;			     /* xmit_seq counts */
	bool silent;			     /* the last packet could not be sent for want of a key */
	uint8_t sent_type, sent_key;	     /* enum auth_type; AUTH_NONE: nothing was sent yet */
	uint8_t received_type, received_key; /* of the last packet that was right */
	usec_t known_until;		     /* 6.8.1: two detection times behind the last packet */
	usec_t stepped;			     /* when xmit_seq did last */
	usec_t refused;			     /* wrong digests fill this time, see auth.c */
	uint8_t said[PACKET_SIZE];	     /* the last packet sent */
};

/* "keyed-sha1"; "none" for AUTH_NONE. */
const char *auth_type_name(enum auth_type type);
/* AUTH_NONE: no type is called so. */
enum auth_type auth_type_find(const char *name);
/* How long a secret for TYPE may be, at least 1. */
unsigned auth_secret_most(enum auth_type type);

/* Stands for a chain of this name, in 32 bits; never 0. */
uint32_t auth_chain_mark(const char *name);
/* Whether the sequence number rises with each packet, so that none may come twice. */
bool auth_meticulous(const struct auth_key *key);

/* The same keys under the same name. NULL is a chain, too: none. */
bool auth_chain_equal(const struct auth_chain *a, const struct auth_chain *b);
/* Main thread: renews the marks for Unix time NOW in microseconds. True: another key is sent, or none. Of
 * several that might be sent it is the one whose time began last; of those, the first. */
bool auth_chain_renew(struct auth_chain *chain, int64_t now);
/* The key that is sent now; NULL: none. */
const struct auth_key *auth_chain_sends(const struct auth_chain *chain);

/* Writes the authentication section behind the mandatory section in PACKET and sets A and Length. RANDOM is
 * where sequence numbers begin. Returns the length of the whole, or 0: there is no key, and nothing may be
 * sent. */
size_t auth_sign(const struct auth_chain *chain, struct auth_state *state,
		 uint8_t packet[PACKET_SIZE + AUTH_SECTION], usec_t now, uint32_t random);

/* Of a packet that packet_decode() took from DATA and that is for this session. DROP_NONE: it is the peer's;
 * a later one must follow it. Computes a digest for no more than some thousands of wrong ones a second. */
enum drop auth_verify(const struct auth_chain *chain, struct auth_state *state, const struct packet *packet,
		      const uint8_t *data, usec_t received);
/* It was accepted, and the detection time is now TIME; USEC_NEVER: however long the peer is silent, its next
 * packet must go on behind this one. */
void auth_heard(struct auth_state *state, usec_t received, usec_t time);

#endif
