/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/owned.h"

#include <stdlib.h>
#include <string.h>

void owned_free(struct owned *owned)
{
	free(owned->objects);
	*owned = (struct owned){0};
}

static void put(struct owned *owned, const struct owned_object *object)
{
	struct owned_object *objects;
	size_t i = 0;

	while (i < owned->n && owned->objects[i].id != object->id)
		i++;
	if (i == owned->n) {
		objects = reallocarray(owned->objects, owned->n + 1, sizeof(*objects));
		if (!objects)
			return;
		owned->objects = objects;
		owned->n++;
	}
	owned->objects[i] = *object;
	owned->objects[i].round = owned->round;
}

void owned_nexthop(struct owned *owned, const struct object_nexthop *nexthop)
{
	struct owned_object object = {.id = nexthop->id, .ifindex = nexthop->ifindex};

	put(owned, &object);
}

void owned_group(struct owned *owned, const struct object_group *group)
{
	struct owned_object object = {.id = group->id, .is_group = true, .nmembers = group->nmembers};

	memcpy(object.members, group->members, sizeof(object.members));
	put(owned, &object);
}

static void remove_at(struct owned *owned, size_t i)
{
	owned->objects[i] = owned->objects[--owned->n];
}

void owned_remove(struct owned *owned, uint32_t id)
{
	for (size_t i = 0; i < owned->n; i++) {
		if (owned->objects[i].id == id) {
			remove_at(owned, i);
			return;
		}
	}
}

/* Takes the member out. True when none is left. */
static bool member_remove(struct owned_object *group, uint32_t id)
{
	unsigned kept = 0;

	if (!group->nmembers)
		return false;
	for (unsigned i = 0; i < group->nmembers; i++)
		if (group->members[i] != id)
			group->members[kept++] = group->members[i];
	group->nmembers = kept;
	return !kept;
}

uint32_t owned_link_lost(struct owned *owned, uint32_t ifindex)
{
	for (size_t i = 0; i < owned->n; i++) {
		struct owned_object *object = &owned->objects[i];
		uint32_t id = object->id;

		if (object->is_group || object->ifindex != ifindex)
			continue;
		/* A group's last member goes after its group, so that each call finds one thing. */
		for (size_t j = 0; j < owned->n; j++) {
			struct owned_object *group = &owned->objects[j];

			if (group->is_group && member_remove(group, id)) {
				id = group->id;
				remove_at(owned, j);
				return id;
			}
		}
		remove_at(owned, i);
		return id;
	}
	return 0;
}

uint32_t owned_sweep(struct owned *owned)
{
	for (size_t i = 0; i < owned->n; i++) {
		uint32_t id = owned->objects[i].id;

		if (owned->objects[i].round == owned->round)
			continue;
		remove_at(owned, i);
		return id;
	}
	return 0;
}
