/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers that come and go while we run become peers of the configuration in force, whoever asks for them. What
 * comes together is applied together.
 */
#include <stdlib.h>

#include "app_frr.h"
#include "app_private.h"

#define BATCH 0.01 /* s */

/* In the order in which config_merge() lets them have a place. */
static const struct source {
	/* How many sessions it has for FILE, and these. */
	unsigned (*count)(const struct app *app, const struct config *file);
	void (*list)(const struct app *app, const struct config *file, struct config_session *into);
	/* They are in force. NULL: it does not care. */
	void (*applied)(struct app *app);
} sources[] = {
	{app_frr_count, app_frr_list, app_frr_applied},
	{app_lag_count, app_lag_list, NULL},
	{app_unsolicited_count, app_unsolicited_list, app_unsolicited_applied},
};
#define SOURCES (sizeof(sources) / sizeof(*sources))

static struct config *file_of(const struct app *app)
{
	return app->config->base ? app->config->base : app->config;
}

static unsigned count(const struct app *app, const struct config *file)
{
	unsigned n = 0;

	for (size_t i = 0; i < SOURCES; i++)
		n += sources[i].count(app, file);
	return n;
}

static struct config *merge(const struct app *app, struct config *file)
{
	unsigned n = count(app, file), at = 0;
	struct config_session *list = calloc(n + 1, sizeof(*list));
	struct config *config;

	for (size_t i = 0; list && i < SOURCES; i++) {
		sources[i].list(app, file, list + at);
		at += sources[i].count(app, file);
	}
	config = list ? config_merge(file, list, n) : NULL;
	free(list);
	return config;
}

struct config *app_dynamic_merge(struct app *app, struct config *file)
{
	struct config *config;

	if (!count(app, file))
		return file;
	config = merge(app, file);
	config_free(file);
	return config;
}

static void on_apply(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct app *app = watcher->data;
	struct config *config = merge(app, file_of(app));

	if (config && app_take_peers(app, config)) {
		for (size_t i = 0; i < SOURCES; i++)
			if (sources[i].applied)
				sources[i].applied(app);
		return;
	}
	log_error("out of memory for further peers; another try follows");
	ev_timer_set(watcher, 1., 0.);
	ev_timer_start(loop, watcher);
}

void app_dynamic_within(struct app *app, double seconds)
{
	if (ev_is_active(&app->dynamic_timer) &&
	    ev_timer_remaining(app->loop, &app->dynamic_timer) <= seconds)
		return;
	ev_timer_stop(app->loop, &app->dynamic_timer);
	ev_timer_set(&app->dynamic_timer, seconds, 0.);
	ev_timer_start(app->loop, &app->dynamic_timer);
}

void app_dynamic_soon(struct app *app)
{
	app_dynamic_within(app, BATCH);
}

void app_dynamic_start(struct app *app)
{
	struct config *config;

	ev_timer_init(&app->dynamic_timer, on_apply, BATCH, 0.);
	app->dynamic_timer.data = app;
	app_frr_start(app);
	app_unsolicited_start(app);
	config = count(app, app->config) ? merge(app, app->config) : NULL;
	if (!config)
		return;
	config_free(app->config);
	app->config = config;
}

void app_dynamic_close(struct app *app)
{
	ev_timer_stop(app->loop, &app->dynamic_timer);
	app_frr_close(app);
	app_unsolicited_close(app);
}
