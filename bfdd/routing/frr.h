/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FRR's bfdd seen from its data plane. Several connections are kept to it, for two reasons of its making:
 *
 *  - When one closes, bfdd moves its sessions to the others and tells nobody; when the last one closes, it
 *    tells its clients that all is down.
 *  - It queues at most FRR_BURST sessions for a connection at once and forgets the rest, but offers those to
 *    the next connection that is made.
 *
 * The connections may outlive us where the service manager holds their sockets, too. A successor makes its
 * own and then closes those, one at a time: so it is offered all sessions, and no client of bfdd hears of it.
 *
 * So connections are made until a new one is offered nothing, and then as many are kept as it takes to have
 * the sessions of the fullest moved. Where FRR connects to us there is one, and none of this can be done.
 */
#ifndef ROUTING_FRR_H
#define ROUTING_FRR_H

#include <ev.h>
#include <sys/socket.h>

#include "core/usec.h"
#include "routing/frr_message.h"

#define FRR_CONNECTIONS 64 /* at most */
#define FRR_BURST 58	   /* messages of 140 bytes in 8 KiB */

struct frr;

struct frr_options {
	struct sockaddr_storage address;
	socklen_t size;
	bool listen;	  /* FRR connects to us */
	const int *heirs; /* a predecessor's connections, taken over; not where FRR connects */
	unsigned nheirs;
};

/* CONNECTION is an index below FRR_CONNECTIONS. */
struct frr_callbacks {
	void (*add)(void *context, unsigned connection, const struct frr_session *session);
	void (*remove)(void *context, unsigned connection, const struct frr_session *session);
	/* To be answered with FRR_SESSION_COUNTERS and this id, soon: bfdd stands still until then. */
	void (*counters)(void *context, unsigned connection, uint16_t id, uint32_t lid);
	void (*lost)(void *context, unsigned connection);
	/* After frr_send() refused: there is room again. */
	void (*room)(void *context, unsigned connection);
	/* FRR is there (it answered), or is not, and why not (NULL: it ended what was said of it before). */
	void (*state)(void *context, bool connected, const char *why);
	/* May be NULL: a new connection, for whoever is to have its socket, too. It is shut down in the end.
	 */
	void (*opened)(void *context, unsigned connection, int fd);
	/* It has not answered for some seconds, or does again. */
	void (*stalled)(void *context, bool stalled);
	void *context;
};

/* Begins at once. NULL with a message in ERROR: we cannot listen there, or no memory. */
struct frr *frr_create(struct ev_loop *loop, const struct frr_options *options,
		       const struct frr_callbacks *callbacks, char *error, size_t size);
/* LEAVE: connections are not ended for others who have their sockets. */
void frr_free(struct frr *frr, bool leave);
/* False: there is no such connection, or no room for now. Never blocks. */
bool frr_send(struct frr *frr, unsigned connection, const struct frr_message *message);
/* The connection carries so many sessions now. */
void frr_carries(struct frr *frr, unsigned connection, unsigned sessions);
/* A session came that was not known: there may be more than fitted. */
void frr_look_for_more(struct frr *frr);

struct frr_stats {
	bool connected, stalled;
	unsigned connections;
	uint64_t messages_in, messages_out, connects, losses, errors; /* errors: garbage */
};
void frr_stats(const struct frr *frr, struct frr_stats *stats);

#endif
