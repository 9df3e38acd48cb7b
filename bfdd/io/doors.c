// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Ways in that come and go: the main thread opens and closes the sockets, which may take its time, and the
 * engine's thread only begins and ends to look at them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/engine_private.h"
#include "ops/log.h"

/* The main thread's side. */

static bool order(struct engine *engine, const struct udp_door *door, bool open)
{
	struct door_change *change = calloc(1, sizeof(*change));
	struct command command = {.kind = COMMAND_DOOR, .object = change};

	if (!change)
		return false;
	*change = (struct door_change){.notice.kind = NOTICE_DOOR, .door = *door, .open = open};
	if (front_queue(engine, &command))
		return true;
	free(change);
	return false;
}

bool engine_open_door(struct engine *engine, struct udp_door *door, char *error, size_t size)
{
	int failed;

	udp_share(engine->back.udp, true);
	failed = udp_open_door(door, error, size);
	udp_share(engine->back.udp, false);
	if (failed) {
		if (door->fd >= 0)
			close(door->fd);
		return false;
	}
	if (door->fd < 0 || order(engine, door, true))
		return true;
	snprintf(error, size, "UDP port %u: out of memory, or the engine is busy", door->port);
	close(door->fd);
	return false;
}

bool engine_close_door(struct engine *engine, const struct udp_door *door)
{
	return door->fd < 0 || order(engine, door, false);
}

bool engine_vrfs(struct engine *engine, const struct udp_member *members, unsigned n)
{
	struct vrf_links *links = malloc(sizeof(*links) + n * sizeof(*members));
	struct command command = {.kind = COMMAND_VRFS, .object = links};

	if (!links)
		return false;
	links->notice = (struct notice){.kind = NOTICE_FREE};
	links->n = n;
	if (n)
		memcpy(links->members, members, n * sizeof(*members));
	if (front_queue(engine, &command))
		return true;
	free(links);
	return false;
}

void doors_hand(struct door_change *change)
{
	if (change->door.fd >= 0) {
		if (change->open)
			log_error("UDP port %u: there are too many sockets", change->door.port);
		close(change->door.fd);
	}
	free(change);
}

/* Of a command that nobody carried out. */
void doors_free(struct door_change *change)
{
	if (change->open)
		close(change->door.fd);
	free(change);
}

/* The engine's. */

/* What is done with comes back in any case: here nothing is freed. */
void doors_change(struct engine *engine, struct door_change *change)
{
	if (!change->open)
		udp_release(engine->back.udp, change->door.fd);
	else if (udp_adopt(engine->back.udp, &change->door))
		change->door.fd = -1;
	events_notice(engine, &change->notice);
}

void doors_vrfs(struct engine *engine, struct vrf_links *links)
{
	struct vrf_links *before = engine->back.vrfs;

	engine->back.vrfs = links;
	for (unsigned slot = 0; slot < engine->back.high; slot++) /* what may be armed has changed */
		gate_disarm(engine->back.gate, slot);
	udp_members(engine->back.udp, links->members, links->n);
	if (before)
		events_notice(engine, &before->notice);
}
