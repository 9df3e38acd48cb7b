/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key chains at run time. The engine's sessions point to them: so one whose keys a reload leaves as they were
 * stays the same object, and one that no configuration has any more is freed when the engine has let go of
 * it. What of their keys holds now goes by the wall clock and is looked at each second.
 */
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

struct app_keys {
	struct auth_chain *chain; /* of which this is a user */
	bool retiring;		  /* the engine was asked to let go of it */
	struct app_keys *next;
};

static struct app_keys *find(struct app *app, const struct auth_chain *chain)
{
	for (struct app_keys *keys = app->keys; keys; keys = keys->next)
		if (!keys->retiring && auth_chain_equal(keys->chain, chain))
			return keys;
	return NULL;
}

/* Whatever of a configuration points to a chain is to be followed here. */
static void replace(struct config *config, unsigned index, struct auth_chain *known)
{
	struct auth_chain *fresh = config->chains[index];

	for (unsigned i = 0; i < config->npeers; i++)
		if (config->peers[i].session.auth == fresh)
			config->peers[i].session.auth = known;
	for (unsigned i = 0; i < config->nunsolicited; i++)
		if (config->unsolicited[i].session.auth == fresh)
			config->unsolicited[i].session.auth = known;
	known->users++;
	config->chains[index] = known;
	config_chain_drop(fresh);
}

bool app_keys_take(struct app *app, struct config *config)
{
	for (unsigned i = 0; i < config->nchains; i++) {
		struct app_keys *keys = find(app, config->chains[i]);

		if (keys && keys->chain != config->chains[i])
			replace(config, i, keys->chain);
		if (keys)
			continue;
		keys = calloc(1, sizeof(*keys));
		if (!keys)
			return false;
		keys->chain = config->chains[i];
		keys->chain->users++;
		keys->next = app->keys;
		app->keys = keys;
	}
	return true;
}

static bool configured(const struct app *app, const struct auth_chain *chain)
{
	for (unsigned i = 0; i < app->config->nchains; i++)
		if (app->config->chains[i] == chain)
			return true;
	return false;
}

void app_keys_sweep(struct app *app)
{
	app->keys_left = false;
	for (struct app_keys *keys = app->keys; keys; keys = keys->next) {
		if (keys->retiring || configured(app, keys->chain))
			continue;
		keys->retiring = engine_retire_keys(app->engine, keys->chain);
		app->keys_left |= !keys->retiring;
	}
}

static void forget(struct app_keys **at)
{
	struct app_keys *keys = *at;

	*at = keys->next;
	config_chain_drop(keys->chain);
	free(keys);
}

void app_keys_retired(struct app *app, const struct auth_chain *chain)
{
	for (struct app_keys **at = &app->keys; *at; at = &(*at)->next)
		if ((*at)->chain == chain) {
			forget(at);
			return;
		}
}

static void tell(struct app *app, const struct auth_chain *chain)
{
	const struct auth_key *key = auth_chain_sends(chain);

	events_add(app->events, LOG_LEVEL_NOTICE, "key", app_now(),
		   key ? json_pack("{s:s s:s s:i}", "key-chain", chain->name, "type",
				   auth_type_name(key->type), "key-id", key->id)
		       : json_pack("{s:s s:n s:n}", "key-chain", chain->name, "type", "key-id"));
	if (!key)
		log_error("key chain %s has no key to send now: its peers are sent nothing", chain->name);
}

void app_keys_second(struct app *app)
{
	struct timespec now;

	if (app->keys_left)
		app_keys_sweep(app);
	clock_gettime(CLOCK_REALTIME, &now);
	for (struct app_keys *keys = app->keys; keys; keys = keys->next)
		if (auth_chain_renew(keys->chain, now.tv_sec * USEC_S + now.tv_nsec / 1000) &&
		    !keys->retiring)
			tell(app, keys->chain);
}

void app_keys_close(struct app *app)
{
	while (app->keys)
		forget(&app->keys);
}
