/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/frr_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READS 16 /* at once: others of the loop want to live */

bool frr_link_open(const struct frr_link *link)
{
	return link->fd >= 0 && !link->connecting;
}

bool frr_link_idle(const struct frr_link *link)
{
	return !link->nout;
}

void frr_link_leave(struct frr_link *link)
{
	if (link->fd < 0)
		return;
	ev_io_stop(link->loop, &link->reader);
	ev_io_stop(link->loop, &link->writer);
	close(link->fd);
	link->fd = -1;
	free(link->in);
	free(link->out);
	link->in = link->out = NULL;
	link->nin = link->nout = 0;
	link->connecting = link->starved = false;
}

void frr_link_close(struct frr_link *link)
{
	if (link->fd >= 0)
		shutdown(link->fd, SHUT_RDWR);
	frr_link_leave(link);
}

static void lose(struct frr_link *link, const char *why, bool bad)
{
	frr_link_close(link);
	link->callbacks->lost(link->callbacks->context, link, why, bad);
}

/* Writes what waits. The errno of a connection that is lost. */
static int flush(struct frr_link *link)
{
	size_t done = 0;

	while (done < link->nout) {
		ssize_t n = send(link->fd, link->out + done, link->nout - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return errno;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	memmove(link->out, link->out + done, link->nout - done);
	link->nout -= done;
	if (link->nout)
		ev_io_start(link->loop, &link->writer);
	else
		ev_io_stop(link->loop, &link->writer);
	return 0;
}

static void finish_connecting(struct frr_link *link)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		error = errno;
	if (error) {
		lose(link, strerror(error), false);
		return;
	}
	link->connecting = false;
	ev_io_stop(link->loop, &link->writer);
	ev_io_start(link->loop, &link->reader);
	link->callbacks->opened(link->callbacks->context, link);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct frr_link *link = watcher->data;
	int error;

	if (link->connecting) {
		finish_connecting(link);
		return;
	}
	error = flush(link);
	if (error) {
		lose(link, strerror(error), false);
	} else if (link->starved && link->nout <= FRR_LINK_OUT / 2) {
		link->starved = false;
		link->callbacks->room(link->callbacks->context, link);
	}
}

/* Hands out the whole messages that are there. False: lost or closed. */
static bool take(struct frr_link *link)
{
	struct frr_message message;
	size_t at = 0;
	int n;

	while ((n = frr_decode(link->in + at, link->nin - at, &message)) > 0) {
		const char *wrong = link->callbacks->message(link->callbacks->context, link, &message);

		if (link->fd < 0)
			return false;
		if (wrong) {
			lose(link, wrong, true);
			return false;
		}
		at += (size_t)n;
	}
	if (n < 0) {
		lose(link, frr_error_text(n), true);
		return false;
	}
	memmove(link->in, link->in + at, link->nin - at);
	link->nin -= at;
	return true;
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct frr_link *link = watcher->data;

	for (unsigned i = 0; i < READS; i++) {
		ssize_t n = recv(link->fd, link->in + link->nin, FRR_LINK_IN - link->nin, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			lose(link, n ? strerror(errno) : "closed by FRR", false);
			return;
		}
		link->nin += (size_t)n;
		if (!take(link))
			return;
	}
}

void frr_link_init(struct frr_link *link, struct ev_loop *loop, const struct frr_link_callbacks *callbacks)
{
	*link = (struct frr_link){.loop = loop, .callbacks = callbacks, .fd = -1};
}

static int adopt(struct frr_link *link, int fd)
{
	int on = 1;

	link->in = malloc(FRR_LINK_IN);
	link->out = malloc(FRR_LINK_OUT);
	if (!link->in || !link->out) {
		free(link->in);
		free(link->out);
		link->in = link->out = NULL;
		return ENOMEM;
	}
	/* For TCP, and no matter if it is none. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	link->fd = fd;
	ev_io_init(&link->reader, on_readable, fd, EV_READ);
	ev_io_init(&link->writer, on_writable, fd, EV_WRITE);
	link->reader.data = link->writer.data = link;
	return 0;
}

int frr_link_accept(struct frr_link *link, int fd)
{
	int error = adopt(link, fd);

	if (!error)
		ev_io_start(link->loop, &link->reader);
	return error;
}

int frr_link_connect(struct frr_link *link, const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int error = fd < 0 ? errno : 0;

	if (!error && connect(fd, address, size) && errno != EINPROGRESS)
		error = errno;
	if (!error)
		error = adopt(link, fd);
	if (error) {
		if (fd >= 0)
			close(fd);
		return error;
	}
	/* Also one that is connected already is writable. */
	link->connecting = true;
	ev_io_start(link->loop, &link->writer);
	return 0;
}

bool frr_link_send(struct frr_link *link, const struct frr_message *message)
{
	uint8_t buf[FRR_ENCODED_MAX];
	size_t size;
	bool waits = link->nout;

	if (!frr_link_open(link))
		return false;
	size = frr_encode(message, buf);
	if (size > FRR_LINK_OUT - link->nout) {
		link->starved = true;
		return false;
	}
	memcpy(link->out + link->nout, buf, size);
	link->nout += size;
	/* The caller is not told of a loss from here: the watcher finds the same. */
	if (!waits && flush(link))
		ev_io_start(link->loop, &link->writer);
	return true;
}
