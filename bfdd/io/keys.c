// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Key chains are the main thread's memory, and sessions of this engine use them, some for a while after they
 * were taken away, while they say goodbye. So users are counted here, and who wants to free a chain asks to
 * be told when there are none.
 */
#include <stdlib.h>

#include "io/engine_private.h"

/* The main thread's side. */

bool engine_retire_keys(struct engine *engine, struct auth_chain *chain)
{
	struct keys_retirement *retirement = calloc(1, sizeof(*retirement));

	if (!retirement)
		return false;
	*retirement = (struct keys_retirement){.notice.kind = ENGINE_KEYS_RETIRED, .chain = chain};
	if (front_queue(engine, &(struct command){.kind = COMMAND_KEYS, .object = retirement}))
		return true;
	free(retirement);
	return false;
}

/* The engine's. */

void keys_hold(const struct session *session)
{
	if (session->config.auth)
		session->config.auth->holders++;
}

void keys_release(struct engine *engine, struct auth_chain *chain)
{
	struct keys_retirement *retirement;

	if (!chain || --chain->holders || !chain->retirement)
		return;
	retirement = chain->retirement;
	events_notice(engine, &retirement->notice);
}

void keys_retire(struct engine *engine, struct keys_retirement *retirement)
{
	if (retirement->chain->holders)
		retirement->chain->retirement = retirement;
	else
		events_notice(engine, &retirement->notice);
}
