// SPDX-License-Identifier: GPL-2.0-or-later
/* Post-mortems: when a peer leaves Up the engine's record of it is fetched, judged and kept. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "ops/view.h"

/* What is known at the time of the Down; the peer may be gone when the record comes. */
struct inquest {
	struct app *app;
	char peer[CONFIG_NAME], interface[IFNAMSIZ];
	char why[APP_WAITING];
};

static void keep(void *context, const struct engine_recording *recording)
{
	struct inquest *inquest = context;
	struct app *app = inquest->app;
	const struct postmortem *kept = NULL;
	struct postmortem *fresh = recording ? calloc(1, sizeof(*fresh)) : NULL;
	char text[VERDICT_TEXT];

	if (fresh) {
		snprintf(fresh->peer, sizeof(fresh->peer), "%s", inquest->peer);
		snprintf(fresh->interface, sizeof(fresh->interface), "%s", inquest->interface);
		snprintf(fresh->why, sizeof(fresh->why), "%s", inquest->why);
		fresh->key = recording->session.key;
		fresh->source_port = recording->session.source_port;
		fresh->local_discr = recording->session.local_discr;
		fresh->record = recording->record;
		fresh->delays = recording->delays;
		app_mtu_explain(app, fresh);
		kept = postmortems_add(app->postmortems, fresh);
	}
	if (kept)
		events_add(app->events, LOG_LEVEL_NOTICE, "postmortem", kept->record.fall.at,
			   json_pack("{s:s s:s s:o}", "peer", kept->peer, "verdict",
				     verdict_name(kept->verdict.kind), "sentence",
				     view_text(verdict_text(&kept->verdict, kept->why, text))));
	free(fresh);
	free(inquest);
}

void app_postmortem_ask(struct app *app, const struct app_peer *peer)
{
	const struct monitor_link *link = monitor_link_by_index(app->monitor, peer->ifindex);
	struct inquest *inquest = app->postmortems ? calloc(1, sizeof(*inquest)) : NULL;

	if (!inquest)
		return;
	inquest->app = app;
	snprintf(inquest->peer, sizeof(inquest->peer), "%s", peer->config->name);
	snprintf(inquest->interface, sizeof(inquest->interface), "%s",
		 link ? link->name : peer->config->interface);
	app_peer_waiting(app, peer, inquest->why);
	if (peer->path_up &&
	    link) /* if the path went nevertheless, the engine saw it first (engine_links()) */
		snprintf(inquest->why, sizeof(inquest->why), "link on %s", link->name);
	/* With the ring full thousands go down at once, and this one's record is counted with its next. */
	if (!engine_fetch_recording(app->engine, peer->slot, keep, inquest))
		free(inquest);
}

static void answer_pcap(struct control_request *request, const struct postmortem *postmortem)
{
	size_t size = 0;
	uint8_t *file = postmortem_pcap(postmortem, &size);
	char *hex = file ? malloc(2 * size + 1) : NULL;

	if (!hex) {
		control_fail(request, "out of memory");
	} else {
		for (size_t i = 0; i < size; i++)
			snprintf(hex + 2 * i, 3, "%02x", file[i]);
		control_reply(request, json_pack("{s:s s:s}", "peer", postmortem->peer, "pcap", hex));
	}
	free(hex);
	free(file);
}

/* 1 to POSTMORTEMS_PEER; 0: no such number. */
static unsigned read_number(const char *text)
{
	return text[0] >= '1' && text[0] <= '0' + POSTMORTEMS_PEER && !text[1] ? (unsigned)(text[0] - '0')
									       : 0;
}

void app_postmortem(struct app *app, struct control_request *request, const json_t *args)
{
	const char *name = json_string_value(json_array_get(args, 0));
	const char *number = json_string_value(json_array_get(args, 1));
	const char *form = json_string_value(json_array_get(args, 2));
	unsigned n = number ? read_number(number) : 1;
	const struct postmortem *postmortem;

	if (!app->postmortems) {
		control_fail(request, "the flight recorder is off (flight-recorder = false)");
		return;
	}
	if (!name) {
		control_reply(request, postmortems_list(app->postmortems));
		return;
	}
	if (!n) {
		control_fail(request, "at most %d are kept of a peer: the number is 1 to %d, 1 the newest",
			     POSTMORTEMS_PEER, POSTMORTEMS_PEER);
		return;
	}
	postmortem = postmortems_find(app->postmortems, name, n);
	if (!postmortem && n == 1 && !app_peer_by_name(app, name))
		control_fail(request, "no peer is called %s", name);
	else if (!postmortem)
		control_fail(request, "%s has not left Up%s since the daemon started", name,
			     n == 1 ? "" : " so often");
	else if (form && !strcmp(form, "pcap"))
		answer_pcap(request, postmortem);
	else
		control_reply(request, postmortem_view(postmortem, n));
}
