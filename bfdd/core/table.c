/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/table.h"

#include <string.h>

#define SINGLE_HOP_TTL 255 /* RFC 5881 5 */

void table_init(struct table *table, uint32_t seed)
{
	memset(table, 0, sizeof(*table));
	table->seed = seed;
}

void table_chunk(struct table *table, unsigned chunk, struct session *memory)
{
	memset(memory, 0, TABLE_CHUNK * sizeof(*memory));
	table->chunks[chunk] = memory;
}

struct session *table_memory(const struct table *table, uint16_t slot)
{
	struct session *chunk = table->chunks[slot / TABLE_CHUNK];

	return chunk ? &chunk[slot % TABLE_CHUNK] : NULL;
}

struct session *table_slot(const struct table *table, uint16_t slot)
{
	struct session *session = table_memory(table, slot);

	return session && session->used ? session : NULL;
}

uint32_t table_discr(uint16_t slot, uint32_t random)
{
	uint32_t discr = (random & 0xffff0000) | slot;

	return discr ? discr : 0x10000;
}

struct session *table_by_discr(const struct table *table, uint32_t discr)
{
	struct session *session = table_slot(table, (uint16_t)discr);

	return session && session->local_discr == discr ? session : NULL;
}

/* The interface takes no part in a multihop session's key. */
static uint32_t key_ifindex(const struct session_key *key)
{
	return session_routed(key->type) ? 0 : key->ifindex;
}

static bool key_findable(const struct session_key *key)
{
	return key_ifindex(key) || !addr_is_link_local(&key->peer) || session_routed(key->type);
}

static bool key_equal(const struct session_key *a, const struct session_key *b)
{
	return a->type == b->type && a->vrf == b->vrf && key_ifindex(a) == key_ifindex(b) &&
	       addr_equal(&a->peer, &b->peer) && addr_equal(&a->local, &b->local);
}

static uint32_t hash_mix(uint32_t hash, uint32_t word)
{
	hash = (hash ^ word) * 0x9e3779b1;
	return hash ^ hash >> 15;
}

/* The local address stays out: a session without one is found by any. */
static unsigned table_bucket(const struct table *table, const struct addr *peer, uint32_t ifindex,
			     uint8_t type)
{
	uint32_t hash = hash_mix(table->seed, ifindex), word;
	size_t at, size = addr_size(peer->family);

	for (at = 0; at < size; at += sizeof(word)) {
		memcpy(&word, peer->bytes + at, sizeof(word));
		hash = hash_mix(hash, word);
	}
	return hash_mix(hash, type) % TABLE_BUCKETS;
}

static unsigned key_bucket(const struct table *table, const struct session_key *key)
{
	return table_bucket(table, &key->peer, key_ifindex(key), key->type);
}

static struct session **key_chain(struct table *table, const struct session_key *key)
{
	return &table->buckets[key_bucket(table, key)];
}

struct session *table_holder(const struct table *table, const struct session *except,
			     const struct session_key *key)
{
	struct session *other;

	if (!key_findable(key))
		return NULL;
	other = table->buckets[key_bucket(table, key)];
	while (other && (other == except || !key_equal(&other->key, key)))
		other = other->key_next;
	return other;
}

static void key_enter(struct table *table, struct session *session)
{
	struct session **chain = key_chain(table, &session->key);

	session->key_next = NULL;
	if (!key_findable(&session->key))
		return;
	session->key_next = *chain;
	*chain = session;
}

static void key_leave(struct table *table, struct session *session)
{
	struct session **at;

	for (at = key_chain(table, &session->key); *at; at = &(*at)->key_next)
		if (*at == session) {
			*at = session->key_next;
			break;
		}
	session->key_next = NULL;
}

bool table_insert(struct table *table, struct session *session)
{
	if (table_holder(table, session, &session->key))
		return false;
	session->slot = (uint16_t)session->local_discr;
	session->used = true;
	key_enter(table, session);
	table->count++;
	return true;
}

void table_remove(struct table *table, struct session *session)
{
	key_leave(table, session);
	session->used = false;
	table->count--;
}

bool table_rekey(struct table *table, struct session *session, const struct session_key *key)
{
	if (table_holder(table, session, key))
		return false;
	key_leave(table, session);
	session->key = *key;
	key_enter(table, session);
	return true;
}

/* A session with the packet's own local address goes before one that takes any. */
static struct session *table_by_key(const struct table *table, const struct table_origin *origin,
				    uint32_t ifindex)
{
	struct session *session, *any = NULL;

	session = table->buckets[table_bucket(table, &origin->peer, ifindex, origin->type)];
	for (; session; session = session->key_next) {
		const struct session_key *key = &session->key;

		if (key->type != origin->type || key->vrf != origin->vrf || key_ifindex(key) != ifindex ||
		    !addr_equal(&key->peer, &origin->peer))
			continue;
		if (addr_equal(&key->local, &origin->local))
			return session;
		if (addr_is_unspecified(&key->local))
			any = session;
	}
	return any;
}

struct session *table_by_origin(const struct table *table, const struct table_origin *origin)
{
	struct session *found = table_by_key(table, origin,
					     session_routed(origin->type) ? 0 : origin->ifindex);

	if (!found && !session_routed(origin->type) && origin->ifindex)
		found = table_by_key(table, origin, 0);
	return found;
}

struct session *table_by_peer(const struct table *table, const struct addr *addr, uint32_t ifindex,
			      uint8_t type)
{
	struct session *session = table->buckets[table_bucket(table, addr, ifindex, type)];

	while (session && (session->key.type != type || session->key.ifindex != ifindex ||
			   !addr_equal(&session->key.peer, addr)))
		session = session->key_next;
	return session;
}

/* RFC 5881 3, RFC 5883 4: a discriminator alone does not say who is speaking. */
static enum drop table_check(const struct session *session, const struct table_origin *origin)
{
	const struct session_key *key = &session->key;

	if (!addr_equal(&key->peer, &origin->peer))
		return DROP_WRONG_PEER;
	if (!addr_is_unspecified(&key->local) && !addr_equal(&key->local, &origin->local))
		return DROP_WRONG_PEER;
	if (key_ifindex(key) && key->ifindex != origin->ifindex)
		return DROP_WRONG_INTERFACE;
	if (key->vrf != origin->vrf)
		return DROP_WRONG_INTERFACE;
	if (key->type != origin->type || (key->type == SESSION_SBFD && origin->port != BFD_PORT_SBFD))
		return DROP_WRONG_PORT;
	if (origin->ttl < (session_routed(key->type) ? session->config.min_ttl : SINGLE_HOP_TTL))
		return DROP_TTL;
	return DROP_NONE;
}

enum drop table_find(const struct table *table, const struct packet *packet,
		     const struct table_origin *origin, struct session **session)
{
	*session = packet->your_discr ? table_by_discr(table, packet->your_discr) : NULL;
	if (*session)
		return table_check(*session, origin);
	*session = table_by_origin(table, origin);
	if (packet->your_discr)
		return DROP_UNKNOWN_DISCR;
	return *session ? table_check(*session, origin) : DROP_NO_SESSION;
}
