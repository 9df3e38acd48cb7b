/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All sessions: by discriminator (index and compare) and by key (for packets with Your Discriminator 0).
 * Nothing here allocates: memory comes in chunks from the caller, who may hand over a further one at any
 * time.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include "core/session.h"

#define TABLE_SLOTS 65536
#define TABLE_CHUNK 256 /* sessions a chunk */
#define TABLE_BUCKETS 16384

struct table {
	struct session *chunks[TABLE_SLOTS / TABLE_CHUNK];
	uint32_t count;
	struct session *buckets[TABLE_BUCKETS]; /* by key, chained through key_next */
	uint32_t seed;
};

/* SEED makes the hash unguessable for who chooses addresses. */
void table_init(struct table *table, uint32_t seed);
/* MEMORY: TABLE_CHUNK sessions for slots CHUNK * TABLE_CHUNK and up. Zeroed here; stays the caller's. */
void table_chunk(struct table *table, unsigned chunk, struct session *memory);
/* The session of a slot that is used; NULL otherwise. */
struct session *table_slot(const struct table *table, uint16_t slot);
/* A discriminator for SLOT: nonzero, RANDOM in its high bits. */
uint32_t table_discr(uint16_t slot, uint32_t random);
/* Takes the slot of SESSION's discriminator into use and enters its key. False when another session has that
 * key: peer, local address, type, VRF and, but for multihop, interface. A link-local peer whose interface is
 * not known yet (ifindex 0) has no key to be found by, and collides with nobody. The session lies in its
 * chunk already (table_memory()). */
bool table_insert(struct table *table, struct session *session);
void table_remove(struct table *table, struct session *session);
/* Local address or ifindex changed. False (and unchanged) when another session has the key. */
bool table_rekey(struct table *table, struct session *session, const struct session_key *key);
/* The memory for SLOT, used or not; NULL without its chunk. */
struct session *table_memory(const struct table *table, uint16_t slot);

/* The session other than EXCEPT that has KEY, in whose way it would be; NULL: none. */
struct session *table_holder(const struct table *table, const struct session *except,
			     const struct session_key *key);

#define TABLE_REFLECTOR SESSION_TYPES /* by the door of RFC 7881's reflector: for no session */

/* Where a packet came from, as the socket told. */
struct table_origin {
	struct addr peer, local;
	uint32_t ifindex;
	uint8_t type; /* enum session_type, by the door it came in, or TABLE_REFLECTOR */
	uint8_t ttl;
	uint16_t port; /* the source's; says nothing (RFC 5880 6.8.6) but for S-BFD */
	bool cast;     /* it was sent to many: a broadcast or multicast address */
	uint32_t vrf;  /* as in struct session_key */
	uint16_t size; /* of the UDP payload, with what follows the packet */
};

/* The session whose peer, local address, interface, VRF and type these are: whom to expect when Your
 * Discriminator is 0, and whom to blame for what cannot be understood. NULL: nobody's. */
struct session *table_by_origin(const struct table *table, const struct table_origin *origin);

/* The session of TYPE whose peer ADDR is, whatever its local address. NULL: none. */
struct session *table_by_peer(const struct table *table, const struct addr *addr, uint32_t ifindex,
			      uint8_t type);
/* The session that has this discriminator; NULL: none. */
struct session *table_by_discr(const struct table *table, uint32_t discr);

/* 6.8.6 and RFC 5881/5883: by Your Discriminator, or by key when that is 0; then peer, local address,
 * interface, port and TTL must agree. A session without local address or interface takes any; the interface
 * is not checked for multihop and S-BFD, whose packets may come back another way. On a drop *SESSION is the
 * one to blame it on, if any, else NULL. */
enum drop table_find(const struct table *table, const struct packet *packet,
		     const struct table_origin *origin, struct session **session);

#endif
