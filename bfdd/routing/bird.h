/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of BIRD's control socket on the main loop. One command is under way at a time, each has a
 * deadline, and nothing ever waits: a BIRD that is absent, restarts, hangs or refuses costs its callers
 * nothing but its answers. What BIRD has is asked for again and again; whoever wants it otherwise says so
 * whenever he hears that it is not.
 */
#ifndef ROUTING_BIRD_H
#define ROUTING_BIRD_H

#include "core/usec.h"
#include "routing/bird_message.h"

struct bird;
struct ev_loop;

struct bird_callbacks {
	/* Of each protocol, once for each time that BIRD was asked. May order. */
	void (*protocol)(void *context, const struct bird_protocol *protocol);
	/* All of them were told. */
	void (*told)(void *context);
	/* The connection went: what was told holds no longer. */
	void (*lost)(void *context);
	/* BIRD did as it was ordered (CODE below 1000), or says why not. */
	void (*done)(void *context, const char *name, bool enable, unsigned code, const char *text);
	void *context;
};

/* Connects from the loop, and again for as long as it lives. SOCKET and CALLBACKS are copied; TIMEOUT is for
 * each answer. NULL: no memory. */
struct bird *bird_create(struct ev_loop *loop, const char *socket, usec_t timeout,
			 const struct bird_callbacks *callbacks);
void bird_free(struct bird *bird); /* NULL is fine */
/* Waits, which nothing else here does, up to LINGER until the orders are done. False: they are not. */
bool bird_finish(struct bird *bird, usec_t linger);

/* Orders; the last one for NAME holds. False: not connected, NAME is not valid, or too much waits already: to
 * be ordered again when BIRD has told. */
bool bird_disable(struct bird *bird, const char *name, const char *reason);
bool bird_enable(struct bird *bird, const char *name);
/* Asks at once. */
void bird_ask(struct bird *bird);

struct bird_status {
	bool connected;	   /* greeted, and not lost since */
	char version[32];  /* "2.0.12"; "": not known */
	char trouble[128]; /* why it is not connected, or what it refuses; "": nothing */
	uint64_t connections, timeouts, orders, refusals;
	usec_t told; /* when it told last of its protocols, by CLOCK_MONOTONIC; 0: never */
	usec_t took; /* from the question to the end of the answer */
};
void bird_status(const struct bird *bird, struct bird_status *status);

#endif
