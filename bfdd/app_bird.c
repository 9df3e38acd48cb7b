/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BIRD by its control socket: which protocol is whose, what is disabled and enabled, and what BIRD tells of
 * BGP. What is disabled is not remembered here: BIRD keeps the reason, and by the reason what we disabled is
 * known, over our restarts and BIRD's. So each answer of BIRD is compared with what the sessions say, and a
 * failure is acted upon at once.
 */
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "routing/bird.h"

#define FINISH USEC_S		      /* for a clean stop */
#define FINISH_RELOAD (100 * USEC_MS) /* when a reload ends it */

/* A peer's protocol, as BIRD told last. */
struct follow {
	char name[BIRD_NAME]; /* "": none is known */
	uint32_t round;	      /* in which it was told */
	bool down, ours;
	bool missing_told; /* the configured one is not there */
};

struct app_bird {
	struct bird *client;	   /* NULL: BIRD is not spoken with */
	struct config_bird config; /* it was made for */
	struct follow *follows;	   /* by peer */
	unsigned n;
	unsigned *named, nnamed; /* peers whose protocol is configured */
	uint32_t round;
	unsigned disabled, disabled_now; /* by us; in the last round, and in this one */
	bool ending;
};

/* What the peers of one protocol want of it. */
struct wish {
	const struct app_peer *failed;
	bool up, wanted;
};

/* The configured one; "": none. */
static const char *configured(const struct app_peer *peer)
{
	return peer->config->bird_protocol ? peer->config->bird_protocol : "";
}

static struct follow *follow_of(const struct app *app, const struct app_peer *peer)
{
	return &app->bird->follows[peer - app->peers];
}

static void disable(struct app *app, const struct app_peer *peer, const char *name)
{
	char reason[160] = BIRD_OURS;

	app_peer_cause(peer, peer->state, peer->diag, reason + strlen(BIRD_OURS),
		       sizeof(reason) - strlen(BIRD_OURS));
	bird_disable(app->bird->client, name, reason);
}

static void take_peer(struct app *app, struct app_peer *peer, const struct bird_protocol *protocol,
		      struct wish *wish)
{
	struct follow *follow = follow_of(app, peer);
	struct bgp_view view = {.established = !strcmp(protocol->bgp_state, "Established"),
				.neighbour_restarts = protocol->neighbour_restarts,
				.prefixes = protocol->imported};

	/* Of several with this neighbour, the one that is not disabled. */
	if (follow->round != app->bird->round || follow->down || !protocol->down) {
		*follow = (struct follow){
			.round = app->bird->round, .down = protocol->down, .ours = protocol->ours};
		memcpy(follow->name, protocol->name, sizeof(follow->name));
	}
	if (protocol->bgp && *protocol->bgp_state) {
		bgp_word(protocol->bgp_state, view.text);
		app_bgp_hear(app, peer, BGP_BIRD, &view);
	}
	if (!(peer->config->bird_method & CONFIG_BIRD_DISABLE))
		return;
	wish->wanted = true;
	wish->up |= peer->state == BFD_UP || peer->state == BFD_ADMIN_DOWN;
	if (peer->failed)
		wish->failed = peer;
}

static bool is_its(const struct app_peer *peer, const struct bird_protocol *protocol)
{
	return !*configured(peer) &&
	       (!*protocol->interface || !strcmp(protocol->interface, peer->config->interface));
}

static void on_protocol(void *context, const struct bird_protocol *protocol)
{
	struct app *app = context;
	struct app_bird *bird = app->bird;
	struct app_peer *peer = NULL;
	struct wish wish = {0};

	if (!*protocol->name || bird->ending)
		return;
	for (unsigned i = 0; i < bird->nnamed; i++)
		if (!strcmp(configured(&app->peers[bird->named[i]]), protocol->name))
			take_peer(app, &app->peers[bird->named[i]], protocol, &wish);
	if (protocol->bgp && protocol->neighbour.family != AF_UNSPEC)
		while ((peer = app_peer_by_address(app, &protocol->neighbour, peer)))
			if (is_its(peer, protocol))
				take_peer(app, peer, protocol, &wish);
	bird->disabled_now += protocol->down && protocol->ours;
	/* What nobody of ours follows any more would stay disabled for good. */
	if (wish.failed && !wish.up && !protocol->down)
		disable(app, wish.failed, protocol->name);
	else if (protocol->down && protocol->ours && (wish.up || !wish.wanted))
		bird_enable(bird->client, protocol->name);
}

static void on_told(void *context)
{
	struct app *app = context;
	struct app_bird *bird = app->bird;

	for (unsigned i = 0; i < bird->nnamed && !bird->ending; i++) {
		const struct app_peer *peer = &app->peers[bird->named[i]];
		struct follow *follow = follow_of(app, peer);

		if (follow->round == bird->round || follow->missing_told)
			continue;
		log_warning("peer %s: BIRD has no protocol %s", peer->config->name, configured(peer));
		*follow = (struct follow){.missing_told = true};
	}
	bird->disabled = bird->disabled_now;
	bird->disabled_now = 0;
	bird->round++;
	app_bgp_told(app, BGP_BIRD);
}

static void on_lost(void *context)
{
	struct app *app = context;

	app->bird->disabled_now = 0;
	app_bgp_lost(app, BGP_BIRD);
}

static void on_done(void *context, const char *name, bool enable, unsigned code, const char *text)
{
	struct app *app = context;

	if (code == BIRD_DISABLED || code == BIRD_ENABLED)
		events_add(app->events, LOG_LEVEL_NOTICE, "bird", app_now(),
			   json_pack("{s:s s:s}", "protocol", name, "done", enable ? "enabled" : "disabled"));
	if (!app->bird->ending && code < 1000)
		bird_ask(app->bird->client);
}

/* Several peers of one protocol: BIRD's answer brings them together. */
static bool alone(struct app *app, struct app_peer *peer)
{
	return !*configured(peer) && app_peer_by_address(app, &peer->config->address, NULL) == peer &&
	       !app_peer_by_address(app, &peer->config->address, peer);
}

void app_bird_peer(struct app *app, struct app_peer *peer)
{
	struct app_bird *bird = app->bird;
	const struct follow *follow;

	if (!bird || !bird->client || bird->ending || !(peer->config->bird_method & CONFIG_BIRD_DISABLE))
		return;
	follow = follow_of(app, peer);
	if (peer->failed && *follow->name && !follow->down && alone(app, peer))
		disable(app, peer, follow->name);
	else
		bird_ask(bird->client);
}

static void end(struct app *app, usec_t linger, bool enable)
{
	struct app_bird *bird = app->bird;
	usec_t until = app_now() + linger, left = linger;

	bird->ending = true;
	for (unsigned i = 0; enable && bird->client && i < bird->n && left > 0; left = until - app_now()) {
		const struct follow *follow = &bird->follows[i];

		if (!*follow->name || !follow->ours || bird_enable(bird->client, follow->name))
			i++;
		else if (!bird_finish(bird->client, left))
			break;
	}
	if (bird->client)
		bird_finish(bird->client, left);
	bird_free(bird->client);
	bird->client = NULL;
	bird->ending = false;
	app_bgp_lost(app, BGP_BIRD);
}

static bool load_follows(struct app *app)
{
	struct app_bird *bird = app->bird;
	struct follow *follows = calloc(app->npeers + 1, sizeof(*follows));
	unsigned *named = calloc(app->npeers + 1, sizeof(*named));

	if (!follows || !named) {
		free(follows);
		free(named);
		return false;
	}
	free(bird->follows);
	free(bird->named);
	bird->follows = follows;
	bird->named = named;
	bird->n = app->npeers;
	bird->nnamed = 0;
	bird->round++;
	for (unsigned i = 0; i < app->npeers; i++)
		if (*configured(&app->peers[i]))
			named[bird->nnamed++] = i;
	return true;
}

static bool same(const struct config_bird *a, const struct config_bird *b)
{
	return a->wanted == b->wanted && a->timeout == b->timeout && !strcmp(a->socket, b->socket);
}

void app_bird_load(struct app *app)
{
	const struct bird_callbacks callbacks = {
		.protocol = on_protocol, .told = on_told, .lost = on_lost, .done = on_done, .context = app};
	const struct config_bird *config = &app->config->bird;

	if (!app->bird) {
		if (!config->wanted)
			return;
		app->bird = calloc(1, sizeof(*app->bird));
	}
	if (app->bird && app->bird->client && !same(&app->bird->config, config))
		end(app, FINISH_RELOAD, !config->wanted);
	if (!app->bird || !load_follows(app)) {
		log_error("bird: out of memory; it is not followed");
		if (app->bird)
			end(app, 0, false);
		return;
	}
	app->bird->config = *config;
	if (config->wanted && !app->bird->client)
		app->bird->client = bird_create(app->loop, config->socket, config->timeout, &callbacks);
	else if (config->wanted)
		bird_ask(app->bird->client);
}

void app_bird_stop(struct app *app)
{
	if (app->bird)
		end(app, FINISH, !app->config->steering.hold_on_stop);
}

void app_bird_free(struct app *app)
{
	if (!app->bird)
		return;
	bird_free(app->bird->client);
	free(app->bird->follows);
	free(app->bird->named);
	free(app->bird);
	app->bird = NULL;
}

const char *app_bird_protocol(const struct app *app, const struct app_peer *peer)
{
	const struct follow *follow = app->bird && app->bird->client ? follow_of(app, peer) : NULL;

	return follow && *follow->name ? follow->name : NULL;
}

json_t *app_bird_status(struct app *app)
{
	struct bird_status status;
	char told[EVENTS_TIME];

	if (!app->bird || !app->bird->client)
		return json_null();
	bird_status(app->bird->client, &status);
	return json_pack("{s:o s:b s:o s:o s:i s:i s:I s:I s:I s:I s:o s:o}", "socket",
			 view_text(app->config->bird.socket), "connected", status.connected, "version",
			 view_text(status.version), "trouble", view_text(status.trouble),
			 "unreachable-routes", (int)app_marks_count(app), "disabled-protocols",
			 (int)app->bird->disabled, "connections", (json_int_t)status.connections, "timeouts",
			 (json_int_t)status.timeouts, "orders", (json_int_t)status.orders, "refusals",
			 (json_int_t)status.refusals, "last-answer",
			 view_text(status.told ? events_time(status.told, told) : NULL), "answer-time",
			 view_ms(status.took));
}
