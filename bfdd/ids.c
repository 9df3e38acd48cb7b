/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ids.h"

struct named {
	char *name;
	uint32_t index;
	bool asked;
};

struct ids {
	uint32_t first, size, lowest; /* no index below lowest is free */
	struct named **entries;	      /* by index; NULL: free */
	void *tree;		      /* by name */
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

struct ids *ids_create(uint32_t first, uint32_t size)
{
	struct ids *ids = calloc(1, sizeof(*ids));

	if (!ids)
		return NULL;
	ids->first = first;
	ids->size = size;
	ids->entries = calloc(size, sizeof(*ids->entries));
	if (!ids->entries) {
		free(ids);
		return NULL;
	}
	return ids;
}

static void forget(struct ids *ids, uint32_t index)
{
	struct named *entry = ids->entries[index];

	tdelete(entry, &ids->tree, compare);
	free(entry->name);
	free(entry);
	ids->entries[index] = NULL;
	if (index < ids->lowest)
		ids->lowest = index;
}

void ids_free(struct ids *ids)
{
	if (!ids)
		return;
	for (uint32_t i = 0; i < ids->size; i++)
		if (ids->entries[i])
			forget(ids, i);
	free(ids->entries);
	free(ids);
}

static struct named *enter(struct ids *ids, const char *name, uint32_t index)
{
	struct named *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->name = strdup(name);
	entry->index = index;
	if (!entry->name || !tsearch(entry, &ids->tree, compare)) {
		free(entry->name);
		free(entry);
		return NULL;
	}
	ids->entries[index] = entry;
	if (index == ids->lowest)
		ids->lowest++;
	return entry;
}

uint32_t ids_get(struct ids *ids, const char *name)
{
	struct named key = {.name = strdupa(name)}, *entry;
	void *found = tfind(&key, &ids->tree, compare);

	if (found) {
		entry = *(struct named **)found;
	} else {
		while (ids->lowest < ids->size && ids->entries[ids->lowest])
			ids->lowest++;
		if (ids->lowest == ids->size)
			return 0;
		entry = enter(ids, name, ids->lowest);
		if (!entry)
			return 0;
	}
	entry->asked = true;
	return ids->first + entry->index;
}

bool ids_has(const struct ids *ids, const char *name)
{
	struct named key = {.name = strdupa(name)};

	return tfind(&key, &ids->tree, compare);
}

bool ids_put(struct ids *ids, const char *name, uint32_t number)
{
	uint32_t index = number - ids->first;

	return index < ids->size && !ids->entries[index] && !ids_has(ids, name) && enter(ids, name, index);
}

void ids_each(const struct ids *ids, void (*fn)(void *context, const char *name, uint32_t number),
	      void *context)
{
	for (uint32_t i = 0; i < ids->size; i++)
		if (ids->entries[i])
			fn(context, ids->entries[i]->name, ids->first + i);
}

void ids_sweep(struct ids *ids)
{
	for (uint32_t i = 0; i < ids->size; i++) {
		if (!ids->entries[i])
			continue;
		if (!ids->entries[i]->asked)
			forget(ids, i);
		else
			ids->entries[i]->asked = false;
	}
}
