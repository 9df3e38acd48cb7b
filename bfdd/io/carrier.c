// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links that lose their carrier. The kernel takes the routes by such a link away before it tells of it: with
 * 100,000 IPv6 routes most of a second before. Its flags tell at once, to who looks; and looking needs none
 * of the locks that are held meanwhile. So the engine looks, a hundred times a second, at those links on
 * which a service hangs. What it sees stands beside the main thread's word: a path is there as long as both
 * say so.
 */
#include <stdlib.h>

#include "io/engine_private.h"
#include "io/link_flags.h"

#define LOOK_EVERY (8 * ENGINE_TICK)

/* The main thread's. */

bool engine_links(struct engine *engine, const uint32_t *ifindexes, unsigned n)
{
	struct carrier_links *links = calloc(1, sizeof(*links) + n * sizeof(*links->links));
	struct command command = {.kind = COMMAND_LINKS, .object = links};

	if (!links)
		return false;
	links->notice = (struct notice){.kind = NOTICE_FREE};
	links->n = n;
	for (unsigned i = 0; i < n; i++)
		links->links[i].ifindex = ifindexes[i];
	if (front_queue(engine, &command))
		return true;
	free(links);
	return false;
}

/* The engine's. */

static struct carrier_link *listed(struct carrier_links *links, uint32_t ifindex)
{
	for (unsigned i = 0; links && i < links->n; i++)
		if (links->links[i].ifindex == ifindex)
			return &links->links[i];
	return NULL;
}

bool carrier_is_lost(const struct engine *engine, uint32_t ifindex)
{
	const struct carrier_link *link = listed(engine->back.carrier.links, ifindex);

	return link && link->lost;
}

void carrier_set(struct engine *engine, uint32_t ifindex, bool lost)
{
	struct carrier_link *link = listed(engine->back.carrier.links, ifindex);
	struct back *back = &engine->back;
	struct session_effects effects;

	if (!link || link->lost == lost)
		return;
	link->lost = lost;
	for (unsigned slot = 0; slot < back->high; slot++) {
		struct session *session = table_slot(&back->table, slot);

		if (!session || session->removing || session->key.ifindex != ifindex ||
		    !companion_of(back, session)->path_given)
			continue;
		sessions_hear(engine, session);
		session_path(session, !lost, back->clock.now, &effects);
		sessions_apply(engine, session, &effects);
	}
}

static void arm(struct back *back)
{
	wheel_arm(&back->wheel, &back->carrier_timer, (back->clock.now / LOOK_EVERY + 1) * LOOK_EVERY);
}

void carrier_look(struct engine *engine)
{
	struct carrier_links *links = engine->back.carrier.links;
	bool running;

	for (unsigned i = 0; i < links->n; i++)
		if (link_flags_running(engine->back.carrier.fd, links->links[i].ifindex, &running))
			carrier_set(engine, links->links[i].ifindex, !running);
	arm(&engine->back);
}

void carrier_change(struct engine *engine, struct carrier_links *links)
{
	struct back *back = &engine->back;
	struct carrier_links *before = back->carrier.links;

	for (unsigned i = 0; i < links->n; i++)
		links->links[i].lost = carrier_is_lost(engine, links->links[i].ifindex);
	for (unsigned i = 0; before && i < before->n; i++) /* then the main thread's word alone holds */
		if (!listed(links, before->links[i].ifindex))
			carrier_set(engine, before->links[i].ifindex, false);
	back->carrier.links = links;
	if (before)
		events_notice(engine, &before->notice);
	if (links->n)
		arm(back);
	else
		wheel_cancel(&back->wheel, &back->carrier_timer);
}
