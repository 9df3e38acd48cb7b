// SPDX-License-Identifier: GPL-2.0-or-later
#include "ops/events.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ops/view.h"

struct subscriber {
	unsigned handle;
	events_fn *fn; /* NULL: free */
	void *context;
};

struct events {
	unsigned keep, count, next; /* of the ring */
	char **ring;		    /* as text: a tenth of the memory. NULL: there was none for it */
	json_int_t id;
	unsigned nsubscribers, handle;
	struct subscriber *subscribers;
};

struct events *events_create(unsigned keep)
{
	struct events *events = calloc(1, sizeof(*events));

	if (!events)
		return NULL;
	events->keep = keep;
	events->ring = calloc(keep ? keep : 1, sizeof(events->ring[0]));
	if (!events->ring) {
		free(events);
		return NULL;
	}
	return events;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	for (unsigned i = 0; i < events->count; i++)
		free(events->ring[i]);
	free(events->ring);
	free(events->subscribers);
	free(events);
}

static bool is_word(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (!isgraph((unsigned char)*text) || *text == '"' || *text == '=')
			return false;
	return true;
}

static void events_log(enum log_level level, const char *kind, json_t *fields)
{
	char line[LOG_MESSAGE_MAX] = "";
	size_t used = 0;
	const char *key;
	json_t *value;

	json_object_foreach(fields, key, value)
	{
		bool word = json_is_string(value) && is_word(json_string_value(value));
		char *text = word ? NULL : json_dumps(value, JSON_ENCODE_ANY | VIEW_DUMP);

		used += (size_t)snprintf(line + used, sizeof(line) - used, " %s=%s", key,
					 word	? json_string_value(value)
					 : text ? text
						: "?");
		free(text);
		if (used >= sizeof(line))
			break;
	}
	log_write(level, "%s%s", kind, line);
}

static void events_keep(struct events *events, json_t *event)
{
	if (!events->keep)
		return;
	if (events->count == events->keep)
		free(events->ring[events->next]);
	else
		events->count++;
	events->ring[events->next] = json_dumps(event, VIEW_DUMP);
	events->next = (events->next + 1) % events->keep;
}

void events_add(struct events *events, enum log_level level, const char *kind, usec_t at, json_t *fields)
{
	char time[EVENTS_TIME];
	json_t *event = json_pack("{s:I, s:s, s:s}", "id", ++events->id, "at", events_time(at, time), "event",
				  kind);

	events_log(level, kind, fields);
	if (event) {
		json_object_update_missing(event, fields);
		events_keep(events, event);
		for (unsigned i = 0; i < events->nsubscribers; i++)
			if (events->subscribers[i].fn)
				events->subscribers[i].fn(events->subscribers[i].context, event);
		json_decref(event);
	}
	json_decref(fields);
}

json_t *events_all(const struct events *events)
{
	json_t *all = json_array();
	unsigned first = events->count == events->keep ? events->next : 0;

	for (unsigned i = 0; i < events->count; i++) {
		const char *text = events->ring[(first + i) % events->keep];

		json_array_append_new(all, json_loads(text ? text : "", 0, NULL));
	}
	return all;
}

unsigned events_subscribe(struct events *events, events_fn *fn, void *context)
{
	struct subscriber *grown;
	unsigned i = 0;

	while (i < events->nsubscribers && events->subscribers[i].fn)
		i++;
	if (i == events->nsubscribers) {
		grown = reallocarray(events->subscribers, i + 1, sizeof(*grown));
		if (!grown)
			return 0;
		events->subscribers = grown;
		events->nsubscribers++;
	}
	events->subscribers[i] = (struct subscriber){++events->handle, fn, context};
	return events->handle;
}

void events_unsubscribe(struct events *events, unsigned handle)
{
	for (unsigned i = 0; i < events->nsubscribers; i++)
		if (events->subscribers[i].handle == handle)
			events->subscribers[i].fn = NULL;
}

static usec_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

/* Both clocks are slewed alike, so their distance changes only when the wall clock is set. Kept, because each
 * reading of it is some microseconds off, and an instant of the past should not be told differently each
 * time. Who is held up between two readings has read nothing. */
static usec_t wall_offset(void)
{
	static usec_t offset;
	static bool known;
	usec_t before, after, fresh;

	do {
		before = read_clock(CLOCK_MONOTONIC);
		fresh = read_clock(CLOCK_REALTIME);
		after = read_clock(CLOCK_MONOTONIC);
	} while (!known && after - before > USEC_MS);
	fresh -= after;
	if (!known || (after - before <= USEC_MS && llabs(fresh - offset) > 2 * USEC_MS))
		offset = fresh;
	known = true;
	return offset;
}

usec_t events_wall(usec_t at)
{
	return at + wall_offset();
}

const char *events_time(usec_t at, char buf[EVENTS_TIME])
{
	usec_t wall = events_wall(at);
	time_t seconds = wall / USEC_S;
	struct tm tm;
	size_t length;

	gmtime_r(&seconds, &tm);
	length = strftime(buf, EVENTS_TIME, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + length, EVENTS_TIME - length, ".%06uZ", (unsigned)(wall % USEC_S));
	return buf;
}
