// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What Echo packets need of the main thread. The sockets that they come in by, one for each interface and
 * family where a session echoes: such a socket is shown all that comes in there, so it is closed as soon as
 * nobody does. Whether the kernel forwards the peers' packets, so that they are not sent back twice. And for
 * peers that know no BFD (RFC 9747) the neighbour entry, which nobody else's packets keep alive.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "io/udp.h"

#define DOORS 256 /* of UDP_DOORS */
#define LINGER \
	(10 * USEC_S) /* who is told that its Echo packets are not sent back any more hears of it by then */

struct app_echo {
	unsigned ndoors;
	struct udp_door doors[DOORS];
	bool wanted[DOORS];
	bool full, failed; /* it was told */
};

static bool configured(const struct app_peer *peer)
{
	const struct config_peer *config = peer->config;

	return config->type == SESSION_ECHO ||
	       (config->type == SESSION_SINGLE_HOP && (config->session.echo || config->session.echo_rx));
}

static bool echoes(const struct app_peer *peer)
{
	return configured(peer) || (peer->echoed && app_now() - peer->echoed < LINGER);
}

bool app_echo_needs_frames(const struct app_peer *peer)
{
	return echoes(peer);
}

/* A session that is Up echoes; one that is nearly so is to find the door open. */
static bool wants_door(const struct app_peer *peer)
{
	return echoes(peer) && peer->slot != APP_NO_SLOT && peer->path_up && peer->ifindex &&
	       (peer->config->type == SESSION_ECHO || peer->state >= BFD_INIT);
}

static void open_door(struct app *app, const struct app_peer *peer)
{
	struct app_echo *echo = app->echo;
	struct udp_door door = {
		.fd = -1,
		.port = BFD_PORT_ECHO,
		.family = peer->config->address.family,
		.type = SESSION_ECHO,
		.ifindex = peer->ifindex,
	};
	char error[256];

	if (echo->ndoors == DOORS) {
		if (!echo->full)
			log_error("Echo packets are taken in on %d interfaces at most", DOORS);
		echo->full = true;
		return;
	}
	if (engine_open_door(app->engine, &door, error, sizeof(error))) {
		echo->wanted[echo->ndoors] = true;
		echo->doors[echo->ndoors++] = door;
		return;
	}
	if (!echo->failed)
		log_error("peer %s: no Echo packets: %s", peer->config->name, error);
	echo->failed = true;
}

static void want(struct app *app, const struct app_peer *peer)
{
	struct app_echo *echo = app->echo;

	for (unsigned i = 0; i < echo->ndoors; i++)
		if (echo->doors[i].ifindex == peer->ifindex &&
		    echo->doors[i].family == peer->config->address.family) {
			echo->wanted[i] = true;
			return;
		}
	open_door(app, peer);
}

static void close_unwanted(struct app *app)
{
	struct app_echo *echo = app->echo;

	for (unsigned i = echo->ndoors; i-- > 0;) {
		if (echo->wanted[i] || !engine_close_door(app->engine, &echo->doors[i]))
			continue;
		echo->ndoors--;
		echo->doors[i] = echo->doors[echo->ndoors];
		echo->wanted[i] = echo->wanted[echo->ndoors];
	}
}

/* The kernel forwards what comes in by an interface for which this says so. */
static bool forwards(const char *interface, uint8_t family)
{
	char path[128];
	FILE *file;
	int value;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv%c/conf/%s/forwarding", family == AF_INET ? '4' : '6',
		 interface);
	file = fopen(path, "re");
	if (!file)
		return false;
	value = fgetc(file);
	fclose(file);
	return value != EOF && value != '0';
}

/* Link-local addresses nobody forwards. */
static void tell_who_reflects(struct app *app, struct app_peer *peer)
{
	const struct monitor_link *link = monitor_link_by_index(app->monitor, peer->ifindex);
	const struct addr *addr = &peer->config->address;
	bool told = peer->reflects == peer->slot + 1, by_kernel;

	if (!link)
		return;
	by_kernel = !addr_is_link_local(addr) && forwards(link->name, addr->family);
	if (by_kernel != told && engine_reflected(app->engine, peer->slot, by_kernel))
		peer->reflects = by_kernel ? peer->slot + 1 : 0;
}

void app_echo_update(struct app *app)
{
	struct app_echo *echo = app->echo;

	for (unsigned i = 0; echo && i < echo->ndoors; i++)
		echo->wanted[i] = false;
	for (unsigned i = 0; i < app->npeers; i++) {
		struct app_peer *peer = &app->peers[i];

		if (configured(peer))
			peer->echoed = app_now();
		if (!wants_door(peer))
			continue;
		if (!app->echo)
			app->echo = calloc(1, sizeof(*app->echo));
		if (!app->echo)
			return;
		want(app, peer);
		tell_who_reflects(app, peer);
	}
	if (app->echo)
		close_unwanted(app);
}

void app_echo_peer(struct app *app, const struct app_peer *peer)
{
	if (echoes(peer))
		app_echo_update(app);
}

void app_echo_second(struct app *app)
{
	if (!app->echo)
		return;
	app_echo_update(app);
	for (unsigned i = 0; i < app->npeers; i++) {
		const struct app_peer *peer = &app->peers[i];

		if (peer->config->type == SESSION_ECHO && peer->path_up)
			neighbours_probe(&(struct neighbours_key){.addr = peer->config->address,
								  .ifindex = peer->ifindex});
	}
}

/* The engine has gone, and its sockets with it. */
void app_echo_free(struct app *app)
{
	free(app->echo);
	app->echo = NULL;
}
