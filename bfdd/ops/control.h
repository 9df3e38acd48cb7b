/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket (AF_UNIX stream, mode 0660): a request is one line of JSON, {"command": "peer", "args":
 * ["ams-1"]}; an answer is one line, {"ok": true, "data": ...} or {"ok": false, "error": "..."}. A stream
 * ("events" with follow) goes on with one line an event: {"data": ...}. Clients are not trusted: a line above
 * CONTROL_LINE_MAX, garbage, or one that does not read its answers is told so (if it reads) and disconnected;
 * nobody waits for it.
 */
#ifndef OPS_CONTROL_H
#define OPS_CONTROL_H

#include <ev.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CONTROL_LINE_MAX 4096
#define CONTROL_BACKLOG_MAX (64 << 20) /* bytes waiting for one client before it is cut off */

struct control;
struct control_request; /* lives until answered, also when its client has gone meanwhile */

/* Answer now or later, exactly once, by control_reply(), control_fail() or control_stream(). ARGS is an array
 * of strings, borrowed until then. */
typedef void control_fn(void *context, struct control_request *request, const char *command,
			const json_t *args);

/* NULL with a message in ERROR. Replaces a stale socket file; refuses when a daemon answers on it. */
struct control *control_create(struct ev_loop *loop, const char *path, control_fn *fn, void *context,
			       char *error, size_t size);
void control_free(struct control *control); /* removes the socket file */

void control_reply(struct control_request *request, json_t *data); /* takes DATA over */
void control_fail(struct control_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* First answer DATA, then control_push() at will until CLOSED is called (once; the client went, or
 * control_free()). */
void control_stream(struct control_request *request, json_t *data, void (*closed)(void *context),
		    void *context);
void control_push(struct control_request *request, json_t *data); /* borrows DATA */

#endif
