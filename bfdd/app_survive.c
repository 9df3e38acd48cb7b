/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a predecessor that was killed, or stopped for a restart, left of its sessions. One whose peer cannot
 * have given it up yet goes on as it was; any other session with a record keeps discriminator and source port
 * (a peer that still takes the old one for alive would not listen to a stranger: BIRD). A peer that is not
 * configured any more is told AdminDown, as by a reload.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "core/table.h"
#include "io/state_file.h"
#include "ops/view.h"

static int compare(const void *a, const void *b)
{
	return resume_key_compare(&((const struct app_kept *)a)->resume.key,
				  &((const struct app_kept *)b)->resume.key);
}

static unsigned read_records(struct app_survive *survive, usec_t now, struct app_kept *into)
{
	unsigned n = 0;

	for (unsigned slot = 0; slot < state_file_slots(survive->file); slot++) {
		const uint8_t *records = state_file_chunk(survive->file, slot / TABLE_CHUNK);
		struct resume resume;

		if (!records || !resume_decode(&resume, records + slot % TABLE_CHUNK * RESUME_RECORD,
					       (uint16_t)slot, now))
			continue;
		if (into)
			into[n].resume = resume;
		n++;
	}
	return n;
}

void app_survive_open(struct app *app)
{
	struct app_survive *survive = &app->survive;
	usec_t now = app_now();

	survive->file = state_file_open(app->options.state_dir, survive->refused, sizeof(survive->refused));
	if (!survive->file)
		log_warning("sessions will not outlive this process: %s", survive->refused);
	else if (survive->refused[0])
		log_warning("%s; it is replaced, and all sessions begin anew", survive->refused);
	if (!survive->file)
		return;
	survive->alive = state_file_alive_before(survive->file);
	if (survive->alive > now)
		return;
	survive->silent = survive->alive ? now - survive->alive : 0;
	survive->nrecords = read_records(survive, now, NULL);
	survive->records = calloc(survive->nrecords + 1, sizeof(*survive->records));
	if (!survive->records) {
		survive->nrecords = 0;
		return;
	}
	survive->nrecords = survive->nleft = read_records(survive, now, survive->records);
	qsort(survive->records, survive->nrecords, sizeof(*survive->records), compare);
}

void app_survive_reserve(struct app *app)
{
	struct app_survive *survive = &app->survive;
	uint16_t *slots = calloc(survive->nrecords + 1, sizeof(*slots));

	for (unsigned i = 0; slots && i < survive->nrecords; i++)
		slots[i] = (uint16_t)survive->records[i].resume.local_discr;
	if (slots)
		engine_reserve(app->engine, slots, survive->nrecords);
	free(slots);
}

static bool in_time(const struct app_survive *survive, const struct resume *resume)
{
	return resume_in_time(resume, app_now() - survive->alive);
}

static struct app_kept *find(struct app_survive *survive, const struct session_key *key)
{
	const struct app_kept wanted = {.resume.key = *key};
	struct app_kept *kept = bsearch(&wanted, survive->records, survive->nrecords, sizeof(wanted),
					compare);

	return kept && !kept->taken ? kept : NULL;
}

int app_survive_add(struct app *app, struct app_peer *peer, const struct session_key *key)
{
	struct app_survive *survive = &app->survive;
	const struct session_config *config = &peer->config->session;
	struct app_kept *kept = survive->nleft ? find(survive, key) : NULL;
	const struct resume *resume;
	bool goes_on;
	int slot;

	if (!kept)
		return engine_add(app->engine, config, key, peer->path);
	resume = &kept->resume;
	goes_on = in_time(survive, resume);
	slot = engine_resume(app->engine, config, key, peer->path, resume->local_discr, resume->source_port,
			     goes_on);
	if (slot == -EAGAIN)
		return slot;
	kept->taken = true;
	survive->nleft--;
	if (slot < 0)
		return engine_add(app->engine, config, key, peer->path);
	survive->resumed += goes_on;
	survive->late += !goes_on && resume->state >= BFD_INIT;
	peer->failed |= resume_failed(resume);
	peer->was_up = !goes_on && resume->state == BFD_UP;
	if (goes_on) {
		peer->state = resume->state;
		peer->diag = resume->local_diag;
		peer->state_since = resume->since;
	}
	return slot;
}

/* Its path may still come, or FRR bring it. */
static bool awaited(const struct app *app, const struct resume *resume)
{
	if (app->frr)
		return true;
	for (unsigned i = 0; i < app->npeers; i++)
		if (app->peers[i].slot == APP_NO_SLOT &&
		    addr_equal(&app->peers[i].config->address, &resume->key.peer))
			return true;
	return false;
}

static bool path_there(const struct app *app, const struct session_key *key)
{
	const struct monitor_link *link = monitor_link_by_index(app->monitor, key->ifindex);

	return (!key->ifindex || (link && link->up && link->carrier)) &&
	       monitor_holder(app->monitor, key->vrf, &key->local);
}

/* The keys that it had, as they are now; NULL: it had none, or they are gone with it. */
static struct auth_chain *chain_of(const struct app *app, const struct resume *resume)
{
	for (unsigned i = 0; resume->chain && i < app->config->nchains; i++)
		if (app->config->chains[i]->mark == resume->chain)
			return app->config->chains[i];
	return NULL;
}

/* Nobody is configured for it. False: its peer would not believe us, or we cannot speak. */
static bool say_goodbye(struct app *app, const struct resume *resume)
{
	struct session_config config = resume_config(resume);
	int slot;

	config.auth = chain_of(app, resume);
	if (resume->chain && !config.auth)
		return false;
	slot = engine_resume(app->engine, &config, &resume->key, SESSION_NO_PATH, resume->local_discr,
			     resume->source_port, true);
	if (slot < 0)
		return false;
	APP_UNTIL_TAKEN(engine_remove(app->engine, (uint16_t)slot));
	app->survive.gone++;
	return true;
}

/* What no peer has asked for is let go, unless its peer still waits for a path that may come in time. */
static void let_go(struct app *app)
{
	struct app_survive *survive = &app->survive;

	for (unsigned i = 0; i < survive->nrecords; i++) {
		struct app_kept *kept = &survive->records[i];
		bool waits = in_time(survive, &kept->resume);

		if (kept->taken || (waits && awaited(app, &kept->resume)))
			continue;
		kept->taken = true;
		survive->nleft--;
		if (!waits || !path_there(app, &kept->resume.key) || !say_goodbye(app, &kept->resume))
			engine_release(app->engine, (uint16_t)kept->resume.local_discr);
	}
	if (survive->nleft)
		return;
	free(survive->records);
	survive->records = NULL;
	survive->nrecords = 0;
}

void app_survive_started(struct app *app)
{
	struct app_survive *survive = &app->survive;

	if (!survive->nrecords)
		return;
	let_go(app);
	events_add(app->events, LOG_LEVEL_NOTICE, "resume", app_now(),
		   json_pack("{s:i s:i s:i s:o}", "resumed", (int)survive->resumed, "too-late",
			     (int)survive->late, "removed", (int)survive->gone, "silent",
			     view_ms(survive->silent)));
}

/* Who was up before us, and has had the time to be so again. */
static void give_up(struct app *app)
{
	for (unsigned i = 0; i < app->npeers; i++)
		if (app->peers[i].was_up)
			app_peer_lost(app, &app->peers[i]);
}

void app_survive_second(struct app *app)
{
	struct app_survive *survive = &app->survive;

	if (survive->late && app_now() - app->started > APP_PRESUME_FOR)
		give_up(app);
	if (survive->records)
		let_go(app);
	if (!survive->file || survive->lost || !state_file_lost(survive->file))
		return;
	survive->lost = true;
	log_warning("somebody has cut %s short: sessions will not outlive this process",
		    state_file_path(survive->file));
}

json_t *app_survive_status(const struct app *app)
{
	const struct app_survive *survive = &app->survive;
	const char *path = survive->file && !survive->lost ? state_file_path(survive->file) : NULL;

	return json_pack("{s:o s:o s:i s:i s:i s:o}", "file", view_text(path), "refused",
			 view_text(survive->refused), "resumed", (int)survive->resumed, "too-late",
			 (int)survive->late, "removed", (int)survive->gone, "silent",
			 survive->alive ? view_ms(survive->silent) : json_null());
}

void app_survive_close(struct app *app, bool hold)
{
	struct app_survive *survive = &app->survive;

	state_file_close(survive->file, !hold);
	survive->file = NULL;
	free(survive->records);
}
