// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reflector of S-BFD (RFC 7880 7.2, RFC 7881): answers what comes in by its doors, remembers nothing, and
 * sends no more than it may: neither in all, nor to one address, so that who floods from one does not silence
 * it for others.
 */
#include <stdlib.h>
#include <string.h>

#include "io/engine_private.h"

#define BURST (USEC_S / 10) /* of the rate */
#define SHARE 4		    /* of it for one address (of those with the same hash) */

/* The main thread's side. */

bool engine_reflector(struct engine *engine, const struct sbfd_reflector *reflector, uint32_t rate)
{
	struct reflector_change *change = calloc(1, sizeof(*change));
	struct command command = {.kind = COMMAND_REFLECTOR, .object = change};

	if (!change)
		return false;
	change->notice.kind = NOTICE_FREE;
	if (reflector)
		change->reflector = *reflector;
	change->rate = reflector ? rate : 0;
	if (front_queue(engine, &command))
		return true;
	free(change);
	return false;
}

/* The engine's. */

void reflector_change(struct engine *engine, struct reflector_change *change)
{
	engine->back.reflector.now = change->reflector;
	engine->back.reflector.cost = change->rate ? USEC_S * REFLECTOR_UNIT / change->rate : 0;
	events_notice(engine, &change->notice);
}

/* BUCKET is filled until that time, in REFLECTOR_UNITs of a microsecond. */
static bool room(usec_t *bucket, usec_t now, usec_t cost)
{
	if (*bucket < now)
		*bucket = now;
	return *bucket - now + cost <= BURST * REFLECTOR_UNIT;
}

static bool allowed(struct engine *engine, const struct addr *peer)
{
	struct reflector *reflector = &engine->back.reflector;
	usec_t now = engine->back.clock.now * REFLECTOR_UNIT, *one;
	uint32_t hash = engine->back.table.seed, word;

	for (size_t at = 0; at < sizeof(peer->bytes); at += sizeof(word)) {
		memcpy(&word, peer->bytes + at, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b1;
		hash ^= hash >> 15;
	}
	one = &reflector->buckets[hash % REFLECTOR_BUCKETS];
	if (!reflector->cost || !room(one, now, SHARE * reflector->cost) ||
	    !room(&reflector->bucket, now, reflector->cost))
		return false;
	*one += SHARE * reflector->cost;
	reflector->bucket += reflector->cost;
	return true;
}

static enum drop answer(struct engine *engine, const uint8_t *data, size_t size,
			const struct table_origin *origin)
{
	struct raw_path path = {
		.local = origin->local,
		.peer = origin->peer,
		.ifindex = addr_is_link_local(&origin->peer) ? origin->ifindex : origin->vrf,
		.source_port = BFD_PORT_SBFD,
		.port = origin->port,
		.dscp = SESSION_DSCP,
	};
	struct packet request, reply;
	uint8_t payload[PACKET_SIZE];
	enum drop drop = packet_decode(&request, data, size);

	if (!drop)
		drop = sbfd_reflect(&engine->back.reflector.now, &request, origin->port, &reply);
	if (drop)
		return drop;
	if (origin->cast || !origin->port || addr_is_multicast(&origin->local))
		return DROP_NO_INITIATOR;
	if (!allowed(engine, &origin->peer))
		return DROP_RATE;
	raw_send(engine->back.raw, &path, payload, packet_encode(&reply, payload));
	counter_add(&engine->counters.packets_out, 1);
	counter_add(&engine->counters.reflected, 1);
	return DROP_NONE;
}

void reflector_packet(struct engine *engine, const uint8_t *data, size_t size,
		      const struct table_origin *origin)
{
	enum drop drop = answer(engine, data, size, origin);

	if (drop)
		counter_add(&engine->counters.drops[drop], 1);
	sessions_breathe(engine);
}
