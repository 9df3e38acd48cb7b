// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whoever may begin a session that nobody configured (RFC 9468): the engine only asks the main thread to make
 * it, at a bounded rate, and the peer's next packet finds it. So what a flood from forged addresses can take
 * is that rate, and of the sessions as many as the main thread lets be.
 */
#include <stdlib.h>
#include <string.h>

#include "io/engine_private.h"

#define SINGLE_HOP_TTL 255
#define ASK_COST (USEC_S / 100) /* one in this time on average, */
#define ASK_BURST USEC_S	/* and as many at once as fit in here */
#define ASK_AGAIN (USEC_S / 2)	/* the main thread needs some time; a peer speaks once a second */

/* The main thread's side. */

bool engine_unsolicited(struct engine *engine, const struct engine_unsolicited_rule *rules, unsigned n)
{
	struct unsolicited_rules *set = calloc(1, sizeof(*set) + n * sizeof(*rules));
	struct command command = {.kind = COMMAND_UNSOLICITED, .object = set};

	if (!set)
		return false;
	set->notice.kind = NOTICE_FREE;
	set->n = n;
	if (n)
		memcpy(set->rules, rules, n * sizeof(*rules));
	if (front_queue(engine, &command))
		return true;
	free(set);
	return false;
}

/* The engine's. */

void unsolicited_change(struct engine *engine, struct unsolicited_rules *set)
{
	struct unsolicited_rules *before = engine->back.unsolicited.set;

	engine->back.unsolicited.set = set;
	if (before)
		events_notice(engine, &before->notice);
}

static const struct engine_unsolicited_rule *find(const struct unsolicited_rules *set,
						  const struct table_origin *origin)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->rules[i].ifindex == origin->ifindex && set->rules[i].vrf == origin->vrf &&
		    prefix_contains(&set->rules[i].prefix, &origin->peer))
			return &set->rules[i];
	return NULL;
}

/* Whether the main thread knows already; if not, it is taken to be told now. */
static bool asked(struct unsolicited *unsolicited, const struct table_origin *origin, usec_t now)
{
	uint32_t hash = origin->ifindex * 0x9e3779b1, word;
	struct unsolicited_asked *asked;

	for (size_t at = 0; at < sizeof(origin->peer.bytes); at += sizeof(word)) {
		memcpy(&word, origin->peer.bytes + at, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b1;
		hash ^= hash >> 15;
	}
	asked = &unsolicited->asked[hash % UNSOLICITED_ASKED];
	if (asked->ifindex == origin->ifindex && addr_equal(&asked->peer, &origin->peer) &&
	    now - asked->at < ASK_AGAIN)
		return true;
	*asked = (struct unsolicited_asked){origin->peer, origin->ifindex, now};
	return false;
}

static bool allowed(struct unsolicited *unsolicited, usec_t now)
{
	usec_t until = unsolicited->bucket > now ? unsolicited->bucket : now;

	if (until - now + ASK_COST > ASK_BURST)
		return false;
	unsolicited->bucket = until + ASK_COST;
	return true;
}

enum drop unsolicited_packet(struct engine *engine, const struct packet *packet,
			     const struct table_origin *origin)
{
	struct unsolicited *unsolicited = &engine->back.unsolicited;
	const struct engine_unsolicited_rule *rule;
	usec_t now = engine->back.clock.now;
	const struct engine_event event = {.kind = ENGINE_UNSOLICITED,
					   .slot = ENGINE_NO_SLOT,
					   .peer = origin->peer,
					   .local = origin->local,
					   .ifindex = origin->ifindex,
					   .at = now};

	/* RFC 9468 2: single hop, by GTSM, and what begins a session: Down, with no discriminator of ours. */
	if (!unsolicited->set || origin->type != SESSION_SINGLE_HOP || origin->ttl != SINGLE_HOP_TTL ||
	    origin->cast || packet->state != BFD_DOWN || packet->your_discr)
		return DROP_NO_SESSION;
	rule = find(unsolicited->set, origin);
	if (!rule)
		return DROP_NO_SESSION;
	if (rule->full)
		return DROP_UNSOLICITED;
	if (asked(unsolicited, origin, now))
		return DROP_NO_SESSION;
	return allowed(unsolicited, now) && events_try(engine, &event) ? DROP_NONE : DROP_UNSOLICITED;
}
