/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket (AF_UNIX stream, mode 0660): a request is one line of JSON, {"command": "peer", "args":
 * ["ams-1"]}; an answer is one line, {"ok": true, "data": ...} or {"ok": false, "error": "..."}. A stream
 * ("events" with follow) goes on with one line an event: {"data": ...}, until the client closes its side.
 * Several requests may be sent at once; each is answered when the client has taken the answer before it.
 *
 * Clients are not trusted: a line above CONTROL_LINE_MAX or garbage is told so and disconnected, as is one
 * client more than CONTROL_CLIENTS_MAX; who does not read, or is silent for long, is disconnected; nobody
 * waits for it.
 */
#ifndef OPS_CONTROL_H
#define OPS_CONTROL_H

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "ops/writer.h"

#define CONTROL_LINE_MAX 4096	       /* bytes of a request, without the newline */
#define CONTROL_CLIENTS_MAX 64	       /* at a time */
#define CONTROL_BACKLOG_MAX (64 << 20) /* bytes of one answer */
#define CONTROL_STREAM_MAX \
	(1 << 20)	 /* bytes of a stream, beyond its first answer, that wait for one client */
#define CONTROL_STUCK 30 /* s without taking a byte of what waits for it */
#define CONTROL_IDLE 300 /* s without a request */

struct control;
struct control_request; /* lives until answered, also when its client has gone meanwhile */

/* Answer now or later, exactly once, by control_reply(), control_fail() or control_stream(). ARGS is an array
 * of strings, borrowed until then. */
typedef void control_fn(void *context, struct control_request *request, const char *command,
			const json_t *args);

/* NULL with a message in ERROR. Makes the socket's directory if only that is missing. Replaces a stale socket
 * file; refuses when a daemon answers on it. */
struct control *control_create(struct ev_loop *loop, const char *path, control_fn *fn, void *context,
			       char *error, size_t size);
/* Removes the socket file. Requests that are still to be answered may be, before or after: nobody hears it.
 */
void control_free(struct control *control);

void control_reply(struct control_request *request, json_t *data); /* takes DATA over */
/* An answer that may be long: WRITE writes it, one value, before this returns; not called when the client has
 * gone. */
typedef void control_write_fn(void *context, struct writer *out);
void control_reply_written(struct control_request *request, control_write_fn *write, void *context);
void control_fail(struct control_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* First answer DATA (taken over), then control_push() at will until CLOSED is called: once, when the client
 * went or was cut off, or by control_free(); never from inside control_stream() (unless control_free() was
 * called before) or control_push(). */
void control_stream(struct control_request *request, json_t *data, void (*closed)(void *context),
		    void *context);
void control_push(struct control_request *request, json_t *data); /* borrows DATA */

#endif
