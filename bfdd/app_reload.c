/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reload: the new file is read and checked whole before anything of the old one is touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"

struct report {
	FILE *errors;
	json_t *warnings;
};

static void hear(void *context, const char *file, unsigned line, bool warning, const char *message)
{
	struct report *report = context;
	char text[1024];

	if (line)
		snprintf(text, sizeof(text), "%s:%u: %s", file, line, message);
	else
		snprintf(text, sizeof(text), "%s: %s", file, message);
	if (warning) {
		log_warning("%s", text);
		json_array_append_new(report->warnings, json_string(text));
		return;
	}
	log_error("%s", text);
	fprintf(report->errors, "%s%s", ftell(report->errors) > 0 ? "\n" : "", text);
}

static void count_change(void *context, enum config_change change, const struct config_peer *old,
			 const struct config_peer *new)
{
	unsigned *counts = context;

	counts[change]++;
}

/* What is replaced: swapped in, and back if the policy cannot be made. */
struct side {
	struct config *config;
	struct app_peer *peers;
	struct app_service *services; /* NULL: they stay */
};

static void swap(struct app *app, struct side *side)
{
	struct side was = {app->config, app->peers, side->services ? app->services : NULL};

	app->config = side->config;
	app->peers = side->peers;
	if (side->services)
		app->services = side->services;
	app->npeers = app->config->npeers;
	*side = was;
}

static bool take(struct app *app, struct side *side, bool policy)
{
	bool ok = false;

	if (side->peers) {
		swap(app, side);
		app_peers_find_gateways(app);
		ok = !policy || app_policy_build(app, "the configuration changed");
		if (ok)
			app_peers_tell(app, side->peers, side->config);
		else
			swap(app, side);
	}
	free(side->peers);
	free(side->services);
	config_free(side->config);
	return ok;
}

/* Those who know peers by their places. */
static void follow(struct app *app)
{
	app_marks_load(app);
	app_marks_update(app);
	app_bird_load(app);
	app_bgp_load(app);
}

bool app_take_peers(struct app *app, struct config *config)
{
	struct side side = {.config = config, .peers = app_peers_make(app, config, app->config)};
	bool policy = config_policy_differs(app->config, config);

	if (!take(app, &side, policy))
		return false;
	app_frr_peers(app);
	app_peers_resolve(app);
	follow(app);
	return true;
}

static json_t *apply(struct app *app, struct config *config, json_t *warnings)
{
	struct side side = {config, app_peers_make(app, config, app->config),
			    app_services_load(app->services, app->config, config)};
	const char *restart = config_needs_restart(app->config, config);
	bool policy = config_policy_differs(app->config, config);
	unsigned counts[CONFIG_MOVED + 1] = {0};
	char text[128];

	config_diff(app->config, config, count_change, counts);
	if (!side.services) {
		free(side.peers);
		config_free(config);
		return NULL;
	}
	if (!take(app, &side, true))
		return NULL;
	if (restart) {
		snprintf(text, sizeof(text), "%s takes effect at the next start only", restart);
		log_warning("%s: %s", app->options.config_file, text);
		json_array_append_new(warnings, json_string(text));
	}
	app->loaded_at = app_now();
	app_frr_configure(app);
	app_frr_peers(app);
	app_peers_resolve(app);
	follow(app);
	return json_pack("{s:i s:i s:i s:i s:i s:b}", "added", counts[CONFIG_ADDED], "removed",
			 counts[CONFIG_REMOVED], "retimed", counts[CONFIG_TIMERS], "moved",
			 counts[CONFIG_MOVED], "unchanged", counts[CONFIG_SAME], "services-changed", policy);
}

json_t *app_apply(struct app *app, char **error)
{
	size_t size = 0;
	struct report report = {.warnings = json_array()};
	struct config *config, *whole;
	json_t *changed = NULL;

	report.errors = open_memstream(error, &size);
	if (!report.errors || !report.warnings)
		return NULL;
	config = config_load(app->options.config_file, hear, &report);
	if (config && !app_keys_take(app, config)) {
		config_free(config);
		config = NULL;
		fputs("out of memory", report.errors);
	}
	whole = config ? app_dynamic_merge(app, config) : NULL;
	if (whole)
		changed = apply(app, whole, report.warnings);
	if (config && !changed)
		fputs("out of memory, or of numbers for tables and nexthops beside those in use; a restart "
		      "may do",
		      report.errors);
	fclose(report.errors);
	app_keys_sweep(app);
	if (changed) {
		events_add(app->events, LOG_LEVEL_NOTICE, "reload", app_now(), json_copy(changed));
		json_object_set(changed, "warnings", report.warnings);
	}
	json_decref(report.warnings);
	return changed;
}

void app_reload(struct app *app)
{
	char *error = NULL;
	json_t *changed = app_apply(app, &error);

	if (!changed)
		log_error("reload refused; everything stays as it was");
	json_decref(changed);
	free(error);
}
