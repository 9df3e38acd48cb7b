/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for FRR's bfdd at its data plane socket, and misbehaves:
 *
 *   frr_fake [-s SESSIONS] [-n TIMES] [-a ADDRESS] [-l LOCAL] [-i INTERFACE] PATH BEHAVIOUR
 *
 * BEHAVIOUR of the first TIMES connections (default: all): "version", "length-0", "huge", "type", "short",
 * "direction" and "name" send such garbage at once; "close" answers the first echo and closes; "deaf" reads
 * nothing; "good" does as FRR does. All the others do as FRR does: SESSIONS (default: 1) are asked for on the
 * first connection that lives, 10.0.0.1 (or ADDRESS) and following, from 10.0.255.1 (or LOCAL) on lo (or
 * INTERFACE), in pieces of one to three bytes; echoes are answered. One line is printed for each connection
 * made and lost, and for each state heard, and one of what the peer says of itself: its flags and the
 * interval at which it takes Echo packets.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "routing/frr_message.h"

#define CONNECTIONS 128

struct connection {
	int fd; /* -1: none */
	bool bad;
	uint8_t in[4096];
	size_t nin;
};

static struct connection connections[CONNECTIONS];
static const char *behaviour;
static unsigned sessions = 1, made, times = ~0u;
static struct addr first, local;
static const char *interface = "lo";
static int owner = -1; /* the connection that has the sessions */

static void drop(struct connection *connection)
{
	unsigned index = (unsigned)(connection - connections);

	close(connection->fd);
	connection->fd = -1;
	if (owner == (int)index)
		owner = -1;
	printf("lost %u\n", index);
}

/* FRR's sockets are blocking, too. */
static void put(struct connection *connection, const uint8_t *data, size_t size, size_t piece)
{
	for (size_t done = 0; done < size;) {
		size_t n = size - done < piece ? size - done : piece;
		ssize_t sent = send(connection->fd, data + done, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		done += (size_t)sent;
	}
}

static void put_message(struct connection *connection, const struct frr_message *message, size_t piece)
{
	uint8_t buf[FRR_ENCODED_MAX];

	put(connection, buf, frr_encode(message, buf), piece);
}

static void add_sessions(struct connection *connection)
{
	for (unsigned i = 0; i < sessions; i++) {
		struct frr_message message = {
			.type = FRR_ADD_SESSION,
			.session = {.lid = 1000 + i,
				    .local = local,
				    .peer = first,
				    .min_tx = 300000,
				    .min_rx = 300000,
				    .ttl = 255,
				    .detect_mult = 3},
		};
		unsigned low = first.bytes[3] + i;

		strncpy(message.session.interface, interface, IFNAMSIZ - 1);
		message.session.peer.bytes[3] = (uint8_t)low;
		message.session.peer.bytes[2] = (uint8_t)(first.bytes[2] + (low >> 8));
		put_message(connection, &message, 1 + i % 3);
	}
}

/* Each wrong in its own way. */
static void put_garbage(struct connection *connection)
{
	uint8_t buf[FRR_ENCODED_MAX] = {1, 0, 0, FRR_ADD_SESSION, 0, 0, 0, 140};

	if (!strcmp(behaviour, "version"))
		buf[0] = 9;
	else if (!strcmp(behaviour, "length-0"))
		buf[7] = 0;
	else if (!strcmp(behaviour, "huge"))
		buf[6] = 0xff;
	else if (!strcmp(behaviour, "type"))
		buf[3] = 77;
	else if (!strcmp(behaviour, "short"))
		buf[7] = 139;
	else if (!strcmp(behaviour, "direction"))
		buf[3] = FRR_STATE_CHANGE;
	else if (!strcmp(behaviour, "name"))
		memset(buf + 76, 'x', 64);
	else
		return;
	put(connection, buf, sizeof(buf), sizeof(buf));
}

static void answer(struct connection *connection, const struct frr_message *message)
{
	struct frr_message reply = *message;

	switch (message->type) {
	case FRR_ECHO_REQUEST:
		if (owner < 0 && !connection->bad) {
			owner = (int)(connection - connections);
			add_sessions(connection);
		}
		reply.type = FRR_ECHO_REPLY;
		put_message(connection, &reply, FRR_ENCODED_MAX);
		if (connection->bad && !strcmp(behaviour, "close"))
			drop(connection);
		break;
	case FRR_STATE_CHANGE:
		printf("state %u %u\n", message->state.lid, message->state.state);
		printf("remote %u %u %u\n", message->state.lid, message->state.remote_flags,
		       message->state.remote_min_echo_rx);
		break;
	}
}

static void take(struct connection *connection)
{
	ssize_t n = read(connection->fd, connection->in + connection->nin,
			 sizeof(connection->in) - connection->nin);
	struct frr_message message;
	size_t at = 0;
	int size;

	if (n <= 0) {
		drop(connection);
		return;
	}
	connection->nin += (size_t)n;
	while (connection->fd >= 0 &&
	       (size = frr_decode(connection->in + at, connection->nin - at, &message)) > 0) {
		answer(connection, &message);
		at += (size_t)size;
	}
	memmove(connection->in, connection->in + at, connection->nin - at);
	connection->nin -= at;
}

static void make(int listener)
{
	struct connection *connection = connections;
	int fd = accept(listener, NULL, NULL);

	while (fd >= 0 && connection->fd >= 0)
		if (++connection == connections + CONNECTIONS)
			exit(1);
	if (fd < 0)
		return;
	*connection = (struct connection){.fd = fd, .bad = made++ < times && strcmp(behaviour, "good") != 0};
	printf("made %u\n", (unsigned)(connection - connections));
	if (connection->bad)
		put_garbage(connection);
}

static void serve(int listener)
{
	for (;;) {
		struct pollfd polls[CONNECTIONS + 1] = {{.fd = listener, .events = POLLIN}};

		for (unsigned i = 0; i < CONNECTIONS; i++) {
			bool deaf = connections[i].bad && !strcmp(behaviour, "deaf");

			polls[i + 1] = (struct pollfd){.fd = deaf ? -1 : connections[i].fd, .events = POLLIN};
		}
		if (poll(polls, CONNECTIONS + 1, -1) < 0)
			exit(1);
		for (unsigned i = 0; i < CONNECTIONS; i++)
			if (connections[i].fd >= 0 && polls[i + 1].revents)
				take(&connections[i]);
		if (polls[0].revents)
			make(listener);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int option, listener;

	addr_parse(&first, "10.0.0.1");
	addr_parse(&local, "10.0.255.1");
	while ((option = getopt(argc, argv, "s:n:a:l:i:")) != -1) {
		if (option == 's')
			sessions = (unsigned)atoi(optarg);
		else if (option == 'n')
			times = (unsigned)atoi(optarg);
		else if (option == 'i')
			interface = optarg;
		else if (option == 'l' ? !addr_parse(&local, optarg)
				       : option != 'a' || !addr_parse(&first, optarg))
			return 2;
	}
	if (optind + 2 != argc || strlen(argv[optind]) >= sizeof(address.sun_path))
		return 2;
	strcpy(address.sun_path, argv[optind]);
	behaviour = argv[optind + 1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		connections[i].fd = -1;
	unlink(address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, CONNECTIONS)) {
		perror(address.sun_path);
		return 1;
	}
	serve(listener);
	return 0;
}
