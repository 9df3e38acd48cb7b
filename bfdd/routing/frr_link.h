/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection to FRR's bfdd: whole messages in and out of bounded buffers, on the main loop. */
#ifndef ROUTING_FRR_LINK_H
#define ROUTING_FRR_LINK_H

#include <ev.h>
#include <sys/socket.h>

#include "core/usec.h"
#include "routing/frr_message.h"

#define FRR_LINK_IN 16384  /* bytes */
#define FRR_LINK_OUT 16384 /* beside what the kernel's buffer holds */

struct frr_link;

/* Links are not freed within these; frr_link_close() may be called. */
struct frr_link_callbacks {
	/* Connected. Not for a socket that was accepted. */
	void (*opened)(void *context, struct frr_link *link);
	/* What this returns, NULL or a static text that says what is wrong with MESSAGE, decides on more of
	 * them. */
	const char *(*message)(void *context, struct frr_link *link, const struct frr_message *message);
	/* The other end is gone, or spoke garbage (BAD); WHY is valid during the call. The socket is closed.
	 */
	void (*lost)(void *context, struct frr_link *link, const char *why, bool bad);
	/* After frr_link_send() refused: there is room again. */
	void (*room)(void *context, struct frr_link *link);
	void *context;
};

struct frr_link {
	struct ev_loop *loop;
	const struct frr_link_callbacks *callbacks;
	int fd; /* -1: closed */
	bool connecting, starved;
	ev_io reader, writer;
	uint8_t *in, *out; /* while open */
	size_t nin, nout;
};

void frr_link_init(struct frr_link *link, struct ev_loop *loop, const struct frr_link_callbacks *callbacks);
/* Begins to connect; the callbacks tell the rest, perhaps before this returns. 0, or the errno of a refusal
 * at once. */
int frr_link_connect(struct frr_link *link, const struct sockaddr *address, socklen_t size);
/* Takes FD (accepted, non-blocking) over. 0 or an errno; then FD is the caller's. */
int frr_link_accept(struct frr_link *link, int fd);
bool frr_link_open(const struct frr_link *link); /* connected */
/* False: there is no room. Never blocks. */
bool frr_link_send(struct frr_link *link, const struct frr_message *message);
bool frr_link_idle(const struct frr_link *link); /* nothing waits to be written */
/* Also for whoever else has the socket. */
void frr_link_close(struct frr_link *link);
/* Another holder of the socket keeps the connection. */
void frr_link_leave(struct frr_link *link);

#endif
