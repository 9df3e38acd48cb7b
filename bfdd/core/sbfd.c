// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet can be caught between two ends that answer each other for ever: so a reflector answers only what
 * has the D bit set and came from no reflector's port, and what it sends has D clear; an initiator takes only
 * that (7.2, 7.3; RFC 7881 4).
 */
#include "core/sbfd.h"

#include <string.h>

static bool is_ours(const struct sbfd_reflector *reflector, uint32_t discr)
{
	for (unsigned i = 0; i < reflector->n; i++)
		if (reflector->discriminators[i] == discr)
			return true;
	return false;
}

enum drop sbfd_reflect(const struct sbfd_reflector *reflector, const struct packet *request,
		       uint16_t source_port, struct packet *reply)
{
	if (request->auth_present)
		return DROP_AUTH_UNEXPECTED;
	if (!request->your_discr || !is_ours(reflector, request->your_discr))
		return DROP_UNKNOWN_DISCR;
	if (!request->demand || source_port == BFD_PORT_SBFD)
		return DROP_NO_INITIATOR;
	memset(reply, 0, sizeof(*reply));
	reply->state = reflector->admin_down ? BFD_ADMIN_DOWN : BFD_UP;
	reply->diag = reflector->admin_down ? DIAG_ADMIN_DOWN : DIAG_NONE;
	reply->final = request->poll;
	reply->detect_mult = request->detect_mult;
	reply->length = PACKET_SIZE;
	reply->my_discr = request->your_discr;
	reply->your_discr = request->my_discr;
	reply->desired_min_tx = request->desired_min_tx;
	reply->required_min_rx = reflector->required_min_rx;
	return DROP_NONE;
}

enum drop sbfd_accept(const struct session *session, const struct packet *packet)
{
	bool known = packet->state == BFD_UP || packet->state == BFD_ADMIN_DOWN;

	return packet->demand || !known || packet->my_discr != session->config.remote_discr
		       ? DROP_NO_REFLECTION
		       : DROP_NONE;
}

struct fsm_step sbfd_step(const struct session *session, const struct packet *packet)
{
	if (packet->state == BFD_UP)
		return (struct fsm_step){BFD_UP, session->state == BFD_UP ? FSM_DIAG_KEEP : DIAG_NONE};
	return (struct fsm_step){BFD_DOWN, session->state == BFD_UP ? DIAG_NEIGHBOR_DOWN : FSM_DIAG_KEEP};
}
