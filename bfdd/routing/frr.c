/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/frr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "routing/frr_link.h"

/* All in seconds. */
#define RETRY_FIRST 0.01
#define RETRY_MOST 1.
#define RETRY_BAD 1. /* after garbage */
#define SETTLE 0.05  /* without news, before another connection looks for more sessions */
#define ECHO_EVERY 2.
#define ECHO_FIRST 0.01 /* behind counters, see send_counters() */

#define TOLD 16

#define STALLED_AFTER (5 * USEC_S)
#define STABLE_AFTER (10 * USEC_S) /* troubles are told anew */

struct connection {
	struct frr_link link;
	unsigned carried;
	bool answered;		  /* an echo */
	bool offered;		  /* sessions, before its first answer */
	usec_t opened, echo_sent; /* echo_sent 0: no answer is awaited */
};

struct frr {
	struct ev_loop *loop;
	struct frr_options options;
	struct frr_callbacks callbacks;
	struct frr_link_callbacks link_callbacks;
	struct connection connections[FRR_CONNECTIONS];
	int listener; /* -1: we connect */
	ev_io listen_watcher;
	ev_timer connect_timer, echo_timer, nudge_timer;
	int heirs[FRR_CONNECTIONS]; /* closed from the last on */
	unsigned nheirs, inherited;
	double retry;
	bool look;	     /* some sessions may have found no place */
	bool told_up;	     /* state() said connected */
	uint32_t told[TOLD]; /* reasons of losses, hashed: each once, until all was well for a while */
	unsigned ntold;
	struct frr_stats stats;
};

static usec_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * USEC_S + at.tv_nsec / 1000;
}

static struct connection *connection_of(struct frr_link *link)
{
	return (struct connection *)((char *)link - offsetof(struct connection, link));
}

static unsigned index_of(const struct frr *frr, const struct connection *connection)
{
	return (unsigned)(connection - frr->connections);
}

static bool transmit(struct frr *frr, struct connection *connection, const struct frr_message *message)
{
	if (!frr_link_send(&connection->link, message))
		return false;
	frr->stats.messages_out++;
	return true;
}

static void send_echo(struct frr *frr, struct connection *connection)
{
	usec_t at = now();
	const struct frr_message message = {.type = FRR_ECHO_REQUEST, .echo.data_plane_time = (uint64_t)at};

	/* One that stands still gets no more of them. */
	if (frr_link_idle(&connection->link) && transmit(frr, connection, &message) && !connection->echo_sent)
		connection->echo_sent = at;
}

/* How many connections there should be, and are. */

static unsigned count_open(const struct frr *frr)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FRR_CONNECTIONS; i++)
		n += frr_link_open(&frr->connections[i].link);
	return n;
}

/* One that is being made, or was not answered yet. */
static bool probing(const struct frr *frr)
{
	for (unsigned i = 0; i < FRR_CONNECTIONS; i++)
		if (frr->connections[i].link.fd >= 0 && !frr->connections[i].answered)
			return true;
	return false;
}

static unsigned wanted(const struct frr *frr)
{
	unsigned most = 0;

	for (unsigned i = 0; i < FRR_CONNECTIONS; i++)
		if (frr->connections[i].carried > most)
			most = frr->connections[i].carried;
	most = 1 + (most + FRR_BURST - 1) / FRR_BURST;
	if (frr->nheirs && most < frr->inherited)
		most = frr->inherited;
	return most < 2 ? 2 : most > FRR_CONNECTIONS ? FRR_CONNECTIONS : most;
}

static void connect_in(struct frr *frr, double seconds)
{
	if (frr->options.listen || ev_is_active(&frr->connect_timer))
		return;
	ev_timer_set(&frr->connect_timer, seconds, 0.);
	ev_timer_start(frr->loop, &frr->connect_timer);
}

static void close_heir(struct frr *frr)
{
	int fd = frr->heirs[--frr->nheirs];

	shutdown(fd, SHUT_RDWR);
	close(fd);
	frr->look = true; /* what it carried is offered to the others now, or to the next */
	connect_in(frr, SETTLE);
}

static void close_surplus(struct frr *frr)
{
	unsigned open = count_open(frr), want = wanted(frr);

	for (unsigned i = FRR_CONNECTIONS; i-- > 0 && open > want;) {
		if (!frr_link_open(&frr->connections[i].link) || frr->connections[i].carried)
			continue;
		frr_link_close(&frr->connections[i].link);
		open--;
	}
}

/* After anything that may ask for another connection, or for one less. */
static void review(struct frr *frr)
{
	if (frr->options.listen || probing(frr))
		return;
	if (frr->look)
		connect_in(frr, SETTLE);
	else if (count_open(frr) < wanted(frr))
		connect_in(frr, 0.);
	else if (frr->nheirs)
		close_heir(frr);
	else
		close_surplus(frr);
}

/* FNV-1a. True: not told yet, and noted. */
static bool is_news(struct frr *frr, const char *why)
{
	uint32_t hash = 0x811c9dc5;

	while (*why)
		hash = (hash ^ (uint8_t)*why++) * 0x01000193;
	for (unsigned i = 0; i < frr->ntold; i++)
		if (frr->told[i] == hash)
			return false;
	if (frr->ntold == TOLD)
		return false;
	frr->told[frr->ntold++] = hash;
	return true;
}

static void trouble(struct frr *frr, const char *why, bool bad)
{
	bool alone = !count_open(frr);

	if (bad)
		frr->stats.errors++;
	if ((alone || bad) && is_news(frr, why)) {
		frr->told_up = false;
		frr->callbacks.state(frr->callbacks.context, false, why);
	}
	frr->stats.connected &= !alone;
	frr->stats.stalled &= !alone;
	frr->look = true;
	if (!bad) {
		connect_in(frr, frr->retry);
		frr->retry = frr->retry * 2 < RETRY_MOST ? frr->retry * 2 : RETRY_MOST;
	} else {
		ev_timer_stop(frr->loop, &frr->connect_timer);
		connect_in(frr, RETRY_BAD);
	}
}

/* FRR lets nobody else write to its socket. */
static const char *refusal_text(int error)
{
	return error == EACCES ? "Permission denied (CAP_DAC_OVERRIDE is needed, see bfdd-frr(7))"
			       : strerror(error);
}

static void begin(struct frr *frr)
{
	struct connection *connection = frr->connections;
	int error;

	while (connection->link.fd >= 0)
		if (++connection == frr->connections + FRR_CONNECTIONS) {
			frr->look = false; /* no more can be done */
			return;
		}
	connection->answered = connection->offered = false;
	connection->carried = 0;
	connection->echo_sent = 0;
	error = frr_link_connect(&connection->link, (struct sockaddr *)&frr->options.address,
				 frr->options.size);
	if (error)
		trouble(frr, refusal_text(error), false);
}

static void on_connect(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	begin(watcher->data);
}

static void opened(void *context, struct frr_link *link)
{
	struct frr *frr = context;
	struct connection *connection = connection_of(link);

	connection->opened = now();
	frr->stats.connects++;
	if (frr->callbacks.opened && !frr->options.listen)
		frr->callbacks.opened(frr->callbacks.context, index_of(frr, connection), link->fd);
	send_echo(frr, connection);
}

static void lost(void *context, struct frr_link *link, const char *why, bool bad)
{
	struct frr *frr = context;
	struct connection *connection = connection_of(link);

	frr->stats.losses += !!connection->opened;
	if (connection->opened)
		frr->callbacks.lost(frr->callbacks.context, index_of(frr, connection));
	connection->carried = 0;
	connection->opened = 0;
	trouble(frr, why, bad);
}

/* Messages */

static void set_stalled(struct frr *frr, bool stalled)
{
	if (frr->stats.stalled == stalled)
		return;
	frr->stats.stalled = stalled;
	frr->callbacks.stalled(frr->callbacks.context, stalled);
}

static void echo_answered(struct frr *frr, struct connection *connection)
{
	connection->echo_sent = 0;
	frr->stats.connected = true;
	set_stalled(frr, false);
	if (!frr->told_up)
		frr->callbacks.state(frr->callbacks.context, true, NULL);
	frr->told_up = true;
	if (connection->answered)
		return;
	connection->answered = true;
	frr->retry = RETRY_FIRST;
	/* What was offered lies before the answer: with nothing there, all sessions have their place. */
	frr->look = connection->offered;
	if (frr->look && !probing(frr))
		connect_in(frr, 0.);
	else
		review(frr);
}

static const char *take(void *context, struct frr_link *link, const struct frr_message *message)
{
	struct frr *frr = context;
	struct connection *connection = connection_of(link);
	const struct frr_callbacks *callbacks = &frr->callbacks;
	unsigned index = index_of(frr, connection);

	frr->stats.messages_in++;
	switch (message->type) {
	case FRR_ADD_SESSION:
		connection->offered = true;
		callbacks->add(callbacks->context, index, &message->session);
		return NULL;
	case FRR_DELETE_SESSION:
		callbacks->remove(callbacks->context, index, &message->session);
		return NULL;
	case FRR_REQUEST_COUNTERS:
		callbacks->counters(callbacks->context, index, message->id, message->lid);
		return NULL;
	case FRR_ECHO_REPLY:
		echo_answered(frr, connection);
		return NULL;
	case FRR_ECHO_REQUEST:
		transmit(frr, connection,
			 &(struct frr_message){.type = FRR_ECHO_REPLY,
					       .id = message->id,
					       .echo = {message->echo.data_plane_time, (uint64_t)now()}});
		return NULL;
	default:
		return "a message that only a data plane sends";
	}
}

static void room(void *context, struct frr_link *link)
{
	struct frr *frr = context;

	frr->callbacks.room(frr->callbacks.context, index_of(frr, connection_of(link)));
}

bool frr_send(struct frr *frr, unsigned index, const struct frr_message *message)
{
	if (index >= FRR_CONNECTIONS || !transmit(frr, &frr->connections[index], message))
		return false;
	/* What bfdd reads together with counters it looks at only when more comes. */
	if (message->type == FRR_SESSION_COUNTERS)
		ev_timer_again(frr->loop, &frr->nudge_timer);
	return true;
}

void frr_carries(struct frr *frr, unsigned index, unsigned sessions)
{
	frr->connections[index].carried = sessions;
}

void frr_look_for_more(struct frr *frr)
{
	frr->look = true;
	if (frr->options.listen || probing(frr))
		return;
	ev_timer_stop(frr->loop, &frr->connect_timer);
	connect_in(frr, SETTLE);
}

static void echo_all(struct frr *frr)
{
	for (unsigned i = 0; i < FRR_CONNECTIONS; i++)
		if (frr_link_open(&frr->connections[i].link))
			send_echo(frr, &frr->connections[i]);
}

static void on_nudge(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	ev_timer_stop(loop, watcher);
	echo_all(watcher->data);
}

static void on_echo(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct frr *frr = watcher->data;
	usec_t at = now();

	for (unsigned i = 0; i < FRR_CONNECTIONS; i++) {
		const struct connection *connection = &frr->connections[i];

		if (!frr_link_open(&connection->link))
			continue;
		if (connection->echo_sent && at - connection->echo_sent > STALLED_AFTER)
			set_stalled(frr, true);
		if (connection->answered && at - connection->opened > STABLE_AFTER)
			frr->ntold = 0;
	}
	echo_all(frr);
	review(frr);
}

/* Where FRR connects to us. */

static void on_listener(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct frr *frr = watcher->data;
	int fd = accept4(frr->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *connection = frr->connections;

	if (fd < 0)
		return;
	while (connection->link.fd >= 0)
		if (++connection == frr->connections + FRR_CONNECTIONS) {
			close(fd);
			return;
		}
	connection->answered = connection->offered = false;
	connection->carried = 0;
	connection->echo_sent = 0;
	if (frr_link_accept(&connection->link, fd))
		close(fd);
	else
		opened(frr, &connection->link);
}

static int open_listener(struct frr *frr)
{
	const struct sockaddr *address = (const struct sockaddr *)&frr->options.address;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -1;
	frr->listener = fd;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->sa_family == AF_UNIX)
		unlink(((const struct sockaddr_un *)address)->sun_path);
	if (bind(fd, address, frr->options.size) || listen(fd, FRR_CONNECTIONS))
		return -1;
	ev_io_init(&frr->listen_watcher, on_listener, fd, EV_READ);
	frr->listen_watcher.data = frr;
	ev_io_start(frr->loop, &frr->listen_watcher);
	return 0;
}

struct frr *frr_create(struct ev_loop *loop, const struct frr_options *options,
		       const struct frr_callbacks *callbacks, char *error, size_t size)
{
	struct frr *frr = calloc(1, sizeof(*frr));

	if (!frr) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	frr->loop = loop;
	frr->options = *options;
	frr->callbacks = *callbacks;
	frr->link_callbacks = (struct frr_link_callbacks){opened, take, lost, room, frr};
	frr->listener = -1;
	frr->retry = RETRY_FIRST;
	frr->look = true;
	for (; frr->nheirs < options->nheirs && frr->nheirs < FRR_CONNECTIONS; frr->nheirs++)
		frr->heirs[frr->nheirs] = options->heirs[frr->nheirs];
	frr->inherited = frr->nheirs;
	for (unsigned i = 0; i < FRR_CONNECTIONS; i++)
		frr_link_init(&frr->connections[i].link, loop, &frr->link_callbacks);
	ev_timer_init(&frr->connect_timer, on_connect, 0., 0.);
	ev_timer_init(&frr->echo_timer, on_echo, ECHO_EVERY, ECHO_EVERY);
	ev_timer_init(&frr->nudge_timer, on_nudge, 0., ECHO_FIRST);
	frr->connect_timer.data = frr->echo_timer.data = frr->nudge_timer.data = frr;
	if (options->listen && open_listener(frr)) {
		snprintf(error, size, "cannot listen for FRR: %s", strerror(errno));
		frr_free(frr, false);
		return NULL;
	}
	ev_timer_start(loop, &frr->echo_timer);
	connect_in(frr, 0.);
	return frr;
}

void frr_free(struct frr *frr, bool leave)
{
	if (!frr)
		return;
	ev_timer_stop(frr->loop, &frr->connect_timer);
	ev_timer_stop(frr->loop, &frr->echo_timer);
	ev_timer_stop(frr->loop, &frr->nudge_timer);
	for (unsigned i = 0; i < FRR_CONNECTIONS; i++) {
		if (leave)
			frr_link_leave(&frr->connections[i].link);
		else
			frr_link_close(&frr->connections[i].link);
	}
	while (frr->nheirs)
		close(frr->heirs[--frr->nheirs]);
	if (frr->listener >= 0) {
		ev_io_stop(frr->loop, &frr->listen_watcher);
		close(frr->listener);
		if (frr->options.address.ss_family == AF_UNIX)
			unlink(((const struct sockaddr_un *)&frr->options.address)->sun_path);
	}
	free(frr);
}

void frr_stats(const struct frr *frr, struct frr_stats *stats)
{
	*stats = frr->stats;
	stats->connections = count_open(frr);
}
