// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which way a packet takes: through the kernel's routing, or as a frame of our own. Frames only repeat what
 * went the long way before: a packet that says anything new is routed, and so is one in each second. By that
 * one the kernel sees its neighbour entry used and probes it, and shows us what has changed in its rules: as
 * long as it refuses our packets (no route, a firewall) all of them are routed, and none gets past it. When
 * the packet filter changes that is found out at once: then all packets are routed for a while.
 */
#include <string.h>

#include "io/engine_private.h"

#define ROUTED_EVERY USEC_S
#define POLL_OR_FINAL 0x30 /* in the second byte, RFC 5880 4.1 */
#define STATE_SHIFT 6

_Static_assert(sizeof((struct companion){0}.link.peer) == FRAME_ADDRESS, "an Ethernet address");

static bool repeats(struct companion *companion, const uint8_t *payload)
{
	bool same = !memcmp(companion->said, payload, sizeof(companion->said));

	memcpy(companion->said, payload, sizeof(companion->said));
	return same && !(payload[1] & POLL_OR_FINAL) && payload[1] >> STATE_SHIFT == BFD_UP;
}

void transmit_send(struct engine *engine, const struct session *session, struct raw_path *path,
		   const uint8_t *payload, size_t size)
{
	struct back *back = &engine->back;
	struct companion *companion = companion_of(back, session);
	/* The next one may be an interval away. */
	usec_t now = back->clock.now, due = companion->next_routed - session->tx_interval;

	path->refused = &companion->refused;
	if (session->key.type == SESSION_ECHO)
		path->peer = path->local; /* by way of the peer: no routing leads there */
	if (session->key.type == SESSION_ECHO || session->key.type == SESSION_MICRO) {
		/* By this link, whatever routing or the bond would choose. */
		if (companion->link.known && back->frame)
			frame_send(back->frame, companion->link.peer, companion->link.own, path, payload,
				   size);
		return;
	}
	if (repeats(companion, payload) && companion->link.known && companion->link.control &&
	    !companion->refused && now < due && now >= back->route_until && back->frame) {
		frame_send(back->frame, companion->link.peer, companion->link.own, path, payload, size);
		return;
	}
	companion->next_routed = now + ROUTED_EVERY;
	raw_send(back->raw, path, payload, size);
}

void transmit_flush(struct engine *engine)
{
	/* A frame says what its session said before: a routed packet of this turn may say something newer. */
	if (engine->back.frame)
		frame_flush(engine->back.frame);
	raw_flush(engine->back.raw);
}

uint64_t transmit_errors(const struct engine *engine)
{
	return raw_errors(engine->back.raw) + (engine->back.frame ? frame_errors(engine->back.frame) : 0);
}
