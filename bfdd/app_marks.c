/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Marks: unreachable routes to the peers that failed, in the table in which BIRD resolves its next hops. They
 * are written by the main thread as soon as it hears of the failure: BIRD takes tens of milliseconds to move
 * its routes, and the services that must be quicker are moved by the engine itself.
 *
 * A peer has failed from the time that it left Up without anybody's telling us so until it is up again. One
 * that a predecessor marked has failed, too: its mark stands until its session comes up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

#define REPEAT_FOR (5 * USEC_S)

struct marks {
	struct unreachable *unreachable; /* NULL: not to be had */
	unsigned *order;		 /* indices of peers, by address */
	unsigned n;
	bool dirty; /* the kernel may not have what is wanted */
	usec_t repeat_until;
	unsigned lost, refusals;
};

/* What the kernel has. */
struct found {
	struct {
		uint32_t table;
		struct addr addr;
	} * marks;
	size_t n, room;
	bool out_of_memory;
};

static int compare_addr(const struct addr *a, const struct addr *b)
{
	int order = a->family - b->family;

	return order ? order : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static int by_address(const void *a, const void *b, void *context)
{
	const struct app *app = context;

	return compare_addr(&app->peers[*(const unsigned *)a].config->address,
			    &app->peers[*(const unsigned *)b].config->address);
}

/* The peers with ADDR stand from the place returned on. */
static unsigned first_of(const struct app *app, const struct addr *addr)
{
	const struct marks *marks = app->marks;
	unsigned low = 0, high = marks->n;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (compare_addr(&app->peers[marks->order[middle]].config->address, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct app_peer *app_peer_by_address(struct app *app, const struct addr *addr, struct app_peer *after)
{
	const struct marks *marks = app->marks;

	for (unsigned i = first_of(app, addr); i < marks->n; i++) {
		struct app_peer *peer = &app->peers[marks->order[i]];

		if (!addr_equal(&peer->config->address, addr))
			return NULL;
		if (!after)
			return peer;
		if (after == peer)
			after = NULL;
	}
	return NULL;
}

/* Several peers may have the address, on different links: one that is up is a way to it. */
static bool wanted(struct app *app, const struct addr *addr)
{
	struct app_peer *peer = NULL;
	bool failed = false;

	while ((peer = app_peer_by_address(app, addr, peer))) {
		if (!(peer->config->bird_method & CONFIG_BIRD_TABLE))
			continue;
		if (peer->state == BFD_UP)
			return false;
		failed |= peer->failed;
	}
	return failed;
}

static void write_mark(struct app *app, const struct addr *addr, bool set)
{
	struct marks *marks = app->marks;
	uint32_t table = app->config->bird.table;
	char text[ADDR_TEXT];
	int err = set ? unreachable_add(marks->unreachable, table, addr)
		      : unreachable_del(marks->unreachable, table, addr);

	if (!err)
		return;
	marks->dirty = true;
	if (!marks->refusals++)
		log_error("bird: the kernel refuses to %s \"unreachable %s\" in table %u: %s; tried again "
			  "each second",
			  set ? "add" : "delete", addr_format(addr, text), table,
			  err == -EEXIST ? "somebody else's route is there"
					 : unreachable_words(marks->unreachable));
}

void app_marks_peer(struct app *app, struct app_peer *peer)
{
	const struct addr *addr = &peer->config->address;

	if (!app->marks->unreachable || !(peer->config->bird_method & CONFIG_BIRD_TABLE))
		return;
	write_mark(app, addr, wanted(app, addr));
	if (peer->failed)
		app->marks->repeat_until = app_now() + REPEAT_FOR;
}

/* BIRD's socket overflows when it moves many routes, and what it missed it looks for a minute later: so what
 * is new is said again for some seconds. */
static void repeat(struct app *app)
{
	struct marks *marks = app->marks;
	usec_t now = app_now();

	if (now > marks->repeat_until)
		return;
	for (unsigned i = 0; i < app->npeers; i++) {
		const struct app_peer *peer = &app->peers[i];

		if (peer->failed && now - peer->state_since < REPEAT_FOR &&
		    wanted(app, &peer->config->address) &&
		    unreachable_repeat(marks->unreachable, app->config->bird.table, &peer->config->address))
			marks->dirty = true;
	}
}

static void take(void *context, uint32_t table, const struct addr *addr)
{
	struct found *found = context;
	void *more;

	if (found->n == found->room) {
		more = reallocarray(found->marks, 2 * found->room + 16, sizeof(*found->marks));
		found->out_of_memory |= !more;
		if (!more)
			return;
		found->marks = more;
		found->room = 2 * found->room + 16;
	}
	found->marks[found->n].table = table;
	found->marks[found->n++].addr = *addr;
}

/* False: told, and to be tried again. */
static bool find(struct app *app, struct found *found)
{
	int err = unreachable_each(app->marks->unreachable, take, found);

	if (!err && !found->out_of_memory)
		return true;
	if (!app->marks->refusals++)
		log_error("bird: cannot read the unreachable routes: %s",
			  err ? unreachable_words(app->marks->unreachable) : "out of memory");
	return false;
}

/* The kernel gets what is wanted, and loses what is not. */
static void settle(struct app *app)
{
	struct marks *marks = app->marks;
	struct found found = {0};
	bool *there = calloc(marks->n + 1, sizeof(*there));

	marks->dirty = !there || !find(app, &found);
	for (size_t i = 0; !marks->dirty && i < found.n; i++) {
		const struct addr *addr = &found.marks[i].addr;

		if (found.marks[i].table == app->config->bird.table && wanted(app, addr))
			there[first_of(app, addr)] = true;
		else if (unreachable_del(marks->unreachable, found.marks[i].table, addr))
			marks->dirty = true;
	}
	for (unsigned i = 0; there && i < marks->n; i++) {
		const struct app_peer *peer = &app->peers[marks->order[i]];

		if (peer->failed && !there[first_of(app, &peer->config->address)] &&
		    wanted(app, &peer->config->address))
			write_mark(app, &peer->config->address, true);
	}
	if (!marks->dirty)
		marks->refusals = 0;
	free(there);
	free(found.marks);
}

bool app_marks_load(struct app *app)
{
	struct marks *marks = app->marks;
	unsigned *order = reallocarray(marks->order, app->npeers + 1, sizeof(*order));

	marks->n = 0; /* what there was means other peers now */
	if (!order) {
		log_error("bird: out of memory for the peers' addresses");
		return false;
	}
	marks->order = order;
	marks->n = app->npeers;
	for (unsigned i = 0; i < app->npeers; i++)
		order[i] = i;
	qsort_r(order, marks->n, sizeof(*order), by_address, app);
	return true;
}

void app_marks_update(struct app *app)
{
	if (app->marks->unreachable)
		settle(app);
}

/* What a predecessor marked has failed. */
static void inherit(struct app *app)
{
	struct found found = {0};
	unsigned n = 0;

	if (find(app, &found))
		for (size_t i = 0; i < found.n; i++) {
			struct app_peer *peer = NULL;

			while ((peer = app_peer_by_address(app, &found.marks[i].addr, peer)))
				if (peer->config->bird_method & CONFIG_BIRD_TABLE) {
					peer->failed = peer->state != BFD_UP;
					n += peer->failed;
				}
		}
	if (found.n)
		log_notice("bird: found %zu unreachable routes of a predecessor; %u peers are taken for down "
			   "until they are up",
			   found.n, n);
	free(found.marks);
}

int app_marks_open(struct app *app, char *error, size_t size)
{
	app->marks = calloc(1, sizeof(*app->marks));
	if (app->marks)
		app->marks->unreachable = unreachable_create(app->range.protocol, error, size);
	if (!app->marks || !app->marks->unreachable || !app_marks_load(app)) {
		snprintf(error, size, "no memory or no socket for unreachable routes");
		return -1;
	}
	inherit(app);
	settle(app);
	return 0;
}

void app_marks_lost(struct app *app, uint32_t table, const struct prefix *prefix)
{
	struct marks *marks = app->marks;

	/* Our own deletions come by here as well. */
	if (!marks->unreachable || !app->config->bird.wanted || table != app->config->bird.table ||
	    prefix->length != 8 * addr_size(prefix->addr.family) || !wanted(app, &prefix->addr))
		return;
	if (!marks->lost++)
		log_warning("bird: somebody deleted unreachable routes of ours in table %u; they are written "
			    "again",
			    table);
	write_mark(app, &prefix->addr, true);
}

void app_marks_second(struct app *app)
{
	app->marks->lost = 0;
	if (app->marks->dirty)
		app_marks_update(app);
	else if (app->marks->unreachable)
		repeat(app);
}

unsigned app_marks_count(struct app *app)
{
	const struct addr *before = NULL;
	unsigned n = 0;

	for (unsigned i = 0; i < app->marks->n; i++) {
		const struct addr *addr = &app->peers[app->marks->order[i]].config->address;

		n += (!before || !addr_equal(addr, before)) && wanted(app, addr);
		before = addr;
	}
	return n;
}

void app_marks_stop(struct app *app)
{
	for (unsigned i = 0; i < app->npeers && !app->config->steering.hold_on_stop; i++)
		app->peers[i].failed = false;
	if (!app->config->steering.hold_on_stop)
		settle(app);
	unreachable_free(app->marks->unreachable); /* the sessions' goodbyes change nothing any more */
	app->marks->unreachable = NULL;
}

void app_marks_free(struct app *app)
{
	if (!app->marks)
		return;
	unreachable_free(app->marks->unreachable);
	free(app->marks->order);
	free(app->marks);
	app->marks = NULL;
}
