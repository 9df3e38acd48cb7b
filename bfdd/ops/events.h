/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history of what happened: the last N events as JSON objects, each with "id" (rising), "at" (RFC 3339,
 * microseconds, UTC), "event" (kind) and fields of its kind; also written to the log as one line. Main thread
 * only. */
#ifndef OPS_EVENTS_H
#define OPS_EVENTS_H

#include <jansson.h>
#include <stdint.h>

#include "core/usec.h"
#include "ops/log.h"

struct events;
typedef void events_fn(void *context, json_t *event); /* borrowed */

/* KEEP may be 0: then only subscribers and the log hear of events. NULL: no memory. */
struct events *events_create(unsigned keep);
void events_free(struct events *events);
/* Adds an event that happened at AT (CLOCK_MONOTONIC). FIELDS is an object and is taken over. Logs "KIND
 * key=value ..." */
void events_add(struct events *events, enum log_level level, const char *kind, usec_t at, json_t *fields);
/* The kept ones, oldest first: a new array, the caller's. */
json_t *events_all(const struct events *events);
/* FN hears each new event until unsubscribed, which it may do itself. Returns a handle for
 * events_unsubscribe(), 0: no memory. */
unsigned events_subscribe(struct events *events, events_fn *fn, void *context);
void events_unsubscribe(struct events *events, unsigned handle);

/* "2026-01-31T12:34:56.123456Z" for a monotonic instant. Returns BUF. The same instant gives the same text
 * until the wall clock is set. */
usec_t events_wall(usec_t at); /* the same as Unix time */
#define EVENTS_TIME 32
const char *events_time(usec_t at, char buf[EVENTS_TIME]);

#endif
