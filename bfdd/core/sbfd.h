/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seamless BFD (RFC 7880). The initiator's end is a session (core/session.c), which differs from others in
 * what is here; the reflector has no sessions: it answers each packet by what that says. Pure.
 */
#ifndef CORE_SBFD_H
#define CORE_SBFD_H

#include "core/fsm.h"
#include "core/session.h"

#define SBFD_DISCRIMINATORS 64

struct sbfd_reflector {
	unsigned n;
	uint32_t discriminators[SBFD_DISCRIMINATORS]; /* of the entities that are ours to answer for */
	uint32_t required_min_rx;		      /* us: no initiator is to send faster */
	bool admin_down;			      /* they are out of service (7.2.3) */
};

/* 7.2: what to answer to REQUEST, which came from SOURCE_PORT. A reason: REPLY is not to be sent. */
enum drop sbfd_reflect(const struct sbfd_reflector *reflector, const struct packet *request,
		       uint16_t source_port, struct packet *reply);
/* 7.3: whether PACKET is what the reflector of SESSION, an initiator's, may answer. */
enum drop sbfd_accept(const struct session *session, const struct packet *packet);
/* Its state machine: 7.3.1, Figure 2. Of PACKET, which was accepted. */
struct fsm_step sbfd_step(const struct session *session, const struct packet *packet);

#endif
