// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Large packets (RFC 9764), as far as the main thread knows of them: whether an interface takes them at all,
 * and what routers say of those that they could not pass on. The engine only sends them; that they do not
 * arrive is for BFD to find out, and this says why.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_padded.h"
#include "app_private.h"

/* Whoever floods us with messages keeps us from nothing else: so many are read, and what comes within this
 * time waits, or is dropped by the kernel. */
#define READ_MOST 64
#define REST 0.01 /* s */
#define HEARD_WITHIN \
	(2 * USEC_S) /* before the end of the peer's patience: what a router said may explain it */

struct app_mtu {
	ev_io sockets[2]; /* IPv4, IPv6 */
	bool open[2];
	ev_timer rest;
	struct app_padded padded;
};

static unsigned headers(const struct addr *peer)
{
	return peer->family == AF_INET ? 28 : 48;
}

uint32_t app_mtu_needed(const struct app_peer *peer)
{
	uint32_t padded = peer->config->session.padded_pdu_size;

	return padded > PACKET_SIZE ? padded + headers(&peer->config->address) : 0;
}

uint32_t app_mtu_interface(const struct app *app, const struct app_peer *peer)
{
	const struct monitor_link *link = monitor_link_by_index(app->monitor, peer->ifindex);

	return link ? link->mtu : 0;
}

/* Told when it becomes so. */
static void look_at(struct app *app, struct app_peer *peer)
{
	uint32_t needed = app_mtu_needed(peer), mtu = app_mtu_interface(app, peer);
	bool narrow = needed && mtu && mtu < needed;

	if (narrow && !peer->narrow)
		events_add(app->events, LOG_LEVEL_WARNING, "mtu", app_now(),
			   json_pack("{s:s s:o s:i s:i s:s}", "peer", peer->config->name, "interface",
				     view_text(monitor_link_by_index(app->monitor, peer->ifindex)->name),
				     "interface-mtu", (int)mtu, "needed", (int)needed, "sentence",
				     "its padded packets are larger than the interface's MTU, and cannot be "
				     "sent"));
	peer->narrow = narrow;
}

static void hear(struct app *app, const struct icmp_too_big *told)
{
	const struct app_padded_peer *found = app_padded_find(&app->mtu->padded, told);
	struct app_peer *peer = found ? &app->peers[found->index] : NULL;

	if (!peer || told->mtu >= app_mtu_needed(peer))
		return;
	peer->path_mtu = told->mtu;
	peer->path_mtu_router = told->router;
	peer->path_mtu_at = app_now();
}

static void on_icmp(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app *app = watcher->data;
	int family = watcher == &app->mtu->sockets[0] ? AF_INET : AF_INET6;
	struct icmp_too_big told;
	bool more = true;

	for (unsigned i = 0; more && i < READ_MOST; i++)
		if (icmp_read(watcher->fd, family, &told, &more))
			hear(app, &told);
	if (!more)
		return;
	ev_io_stop(loop, watcher);
	if (!ev_is_active(&app->mtu->rest)) {
		ev_timer_set(&app->mtu->rest, REST, 0.);
		ev_timer_start(loop, &app->mtu->rest);
	}
}

static void on_rest(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct app *app = watcher->data;

	for (unsigned i = 0; i < 2; i++)
		if (app->mtu->open[i])
			ev_io_start(loop, &app->mtu->sockets[i]);
}

static void close_socket(struct app *app, unsigned which)
{
	if (!app->mtu->open[which])
		return;
	ev_io_stop(app->loop, &app->mtu->sockets[which]);
	close(app->mtu->sockets[which].fd);
	app->mtu->open[which] = false;
}

static void open_socket(struct app *app, unsigned which)
{
	ev_io *watcher = &app->mtu->sockets[which];
	int fd;

	if (app->mtu->open[which])
		return;
	fd = icmp_open(which ? AF_INET6 : AF_INET);
	if (fd < 0) {
		log_notice("no ICMP socket (%s): a path that is too narrow for padded packets is not told by "
			   "its routers' word",
			   strerror(errno));
		return;
	}
	ev_io_init(watcher, on_icmp, fd, EV_READ);
	watcher->data = app;
	ev_io_start(app->loop, watcher);
	app->mtu->open[which] = true;
}

/* Whom routers may mean, of all N that are padded. */
static void list_padded(struct app *app, unsigned n)
{
	struct app_padded_peer *list = n ? calloc(n, sizeof(*list)) : NULL;
	unsigned at = 0;

	for (unsigned i = 0; list && i < app->npeers; i++) {
		const struct app_peer *peer = &app->peers[i];

		if (peer->slot == APP_NO_SLOT || !app_mtu_needed(peer))
			continue;
		list[at++] = (struct app_padded_peer){
			.peer = peer->config->address,
			.local = peer->local,
			.source_port = engine_source_port(app->engine, (uint16_t)peer->slot),
			.port = session_port(peer->config->type),
			.index = i,
		};
	}
	app_padded_set(&app->mtu->padded, list, at);
}

void app_mtu_update(struct app *app)
{
	bool wanted[2] = {false, false};
	unsigned n = 0;

	for (unsigned i = 0; i < app->npeers; i++) {
		struct app_peer *peer = &app->peers[i];

		look_at(app, peer);
		if (!app_mtu_needed(peer))
			continue;
		wanted[peer->config->address.family == AF_INET6] = true;
		n++;
	}
	if (!app->mtu && !n)
		return;
	if (!app->mtu && (app->mtu = calloc(1, sizeof(*app->mtu)))) {
		ev_timer_init(&app->mtu->rest, on_rest, REST, 0.);
		app->mtu->rest.data = app;
	}
	if (!app->mtu)
		return;
	list_padded(app, n);
	for (unsigned i = 0; i < 2; i++)
		if (wanted[i])
			open_socket(app, i);
		else
			close_socket(app, i);
}

void app_mtu_explain(struct app *app, struct postmortem *postmortem)
{
	const struct record *record = &postmortem->record;
	usec_t since = record->fall.at - record->terms.patience - HEARD_WITHIN;
	const struct app_peer *peer = app_peer_by_name(app, postmortem->peer);

	if (!peer || !peer->path_mtu || peer->path_mtu_at <= since)
		return;
	postmortem->path_mtu = peer->path_mtu;
	postmortem->router = peer->path_mtu_router;
}

void app_mtu_close(struct app *app)
{
	if (!app->mtu)
		return;
	for (unsigned i = 0; i < 2; i++)
		close_socket(app, i);
	ev_timer_stop(app->loop, &app->mtu->rest);
	app_padded_set(&app->mtu->padded, NULL, 0);
	free(app->mtu);
	app->mtu = NULL;
}
