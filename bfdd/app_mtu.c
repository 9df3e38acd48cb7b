// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Large packets (RFC 9764), as far as the main thread knows of them: whether an interface takes them at all,
 * and what routers say of those that they could not pass on. The engine only sends them; that they do not
 * arrive is for BFD to find out, and this says why.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app_private.h"
#include "io/icmp.h"

#define READ_MOST 64 /* messages at once: whoever floods us with them keeps us from nothing else */
#define HEARD_WITHIN \
	(2 * USEC_S) /* before the end of the peer's patience: what a router said may explain it */

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

static struct app_peer *peer_of(struct app *app, const struct icmp_too_big *told)
{
	for (unsigned i = 0; i < app->npeers; i++) {
		struct app_peer *peer = &app->peers[i];

		if (peer->slot != APP_NO_SLOT && app_mtu_needed(peer) &&
		    addr_equal(&peer->config->address, &told->peer) &&
		    addr_equal(&peer->local, &told->local) &&
		    session_port(peer->config->type) == told->port &&
		    engine_source_port(app->engine, peer->slot) == told->source_port)
			return peer;
	}
	return NULL;
}

static void hear(struct app *app, const struct icmp_too_big *told)
{
	struct app_peer *peer = peer_of(app, told);

	if (!peer || told->mtu >= app_mtu_needed(peer))
		return;
	peer->path_mtu = told->mtu;
	peer->path_mtu_router = told->router;
	peer->path_mtu_at = app_now();
}

static void on_icmp(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app *app = watcher->data;
	int family = watcher == &app->icmp_watcher[0] ? AF_INET : AF_INET6;
	struct icmp_too_big told;
	bool more = true;

	for (unsigned i = 0; more && i < READ_MOST; i++)
		if (icmp_read(watcher->fd, family, &told, &more))
			hear(app, &told);
}

static void close_socket(struct app *app, ev_io *watcher)
{
	if (!ev_is_active(watcher))
		return;
	ev_io_stop(app->loop, watcher);
	close(watcher->fd);
}

static void open_socket(struct app *app, ev_io *watcher, int family)
{
	int fd;

	if (ev_is_active(watcher))
		return;
	fd = icmp_open(family);
	if (fd < 0) {
		log_notice("no ICMP socket (%s): a path that is too narrow for padded packets is not told by "
			   "its routers' word",
			   strerror(errno));
		return;
	}
	ev_io_init(watcher, on_icmp, fd, EV_READ);
	watcher->data = app;
	ev_io_start(app->loop, watcher);
}

void app_mtu_update(struct app *app)
{
	bool wanted[2] = {false, false};

	for (unsigned i = 0; i < app->npeers; i++) {
		struct app_peer *peer = &app->peers[i];

		look_at(app, peer);
		if (app_mtu_needed(peer))
			wanted[peer->config->address.family == AF_INET6] = true;
	}
	for (unsigned i = 0; i < 2; i++)
		if (wanted[i])
			open_socket(app, &app->icmp_watcher[i], i ? AF_INET6 : AF_INET);
		else
			close_socket(app, &app->icmp_watcher[i]);
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
	for (unsigned i = 0; i < 2; i++)
		close_socket(app, &app->icmp_watcher[i]);
}
