/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bird_rounds SOCKET PROTOCOL ROUNDS RECONNECTS    disables and enables by the daemon's own client, then
 * loses the connection as often as RECONNECTS says, each time after all was told; prints {"rounds":,
 * "disabled":, "enabled":, "reconnects":, "descriptors":, "bytes":}: what grew while it did.
 */
#include <dirent.h>
#include <ev.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "routing/bird.h"

#define WARM_UP 10
#define LIMIT(orders, reconnects) (60 + .01 * (orders) + .4 * (reconnects)) /* s */

static struct {
	struct bird *bird;
	const char *protocol;
	unsigned wanted, done, disabled, enabled, reconnects, lost, descriptors;
	size_t bytes;
	bool began;
} rounds;

static void die(const char *why)
{
	fprintf(stderr, "bird_rounds: %s\n", why);
	exit(1);
}

/* Ends the client's connection, whose descriptor it alone knows, as if BIRD had. */
static void cut(void)
{
	struct sockaddr_storage peer;
	socklen_t size;
	int fd, cut = 0;

	for (fd = 3; fd < 64; fd++) {
		size = sizeof(peer);
		if (!getpeername(fd, (struct sockaddr *)&peer, &size) && peer.ss_family == AF_UNIX)
			cut += !shutdown(fd, SHUT_RDWR);
	}
	if (cut != 1)
		die("there is not one connection");
}

static unsigned descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

static void order(void)
{
	if (!(rounds.done % 2 ? bird_enable(rounds.bird, rounds.protocol)
			      : bird_disable(rounds.bird, rounds.protocol, BIRD_OURS "a round")))
		die("not taken");
}

static void done(void *context, const char *name, bool enable, unsigned code, const char *text)
{
	if (code != (enable ? BIRD_ENABLED : BIRD_DISABLED))
		die(*text ? text : "not done");
	rounds.disabled += !enable;
	rounds.enabled += enable;
	if (++rounds.done == 2 * WARM_UP) {
		rounds.descriptors = descriptors();
		rounds.bytes = mallinfo2().uordblks;
	}
	if (rounds.done < 2 * (rounds.wanted + WARM_UP))
		order();
	else if (rounds.reconnects)
		cut();
	else
		ev_break(ev_default_loop(0), EVBREAK_ALL);
}

static void protocol(void *context, const struct bird_protocol *told) {}

static void told(void *context)
{
	if (!rounds.began)
		order();
	else if (rounds.lost && rounds.lost < rounds.reconnects)
		cut();
	else if (rounds.lost)
		ev_break(ev_default_loop(0), EVBREAK_ALL);
	rounds.began = true;
}

static void lost(void *context)
{
	if (rounds.done < 2 * (rounds.wanted + WARM_UP))
		die("the connection was lost");
	rounds.lost++;
}

static void limit(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	die("not within time");
}

int main(int argc, char **argv)
{
	static const struct bird_callbacks callbacks = {
		.protocol = protocol, .told = told, .lost = lost, .done = done};
	struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
	ev_timer timer;

	if (argc != 5)
		die("SOCKET PROTOCOL ROUNDS RECONNECTS");
	rounds.protocol = argv[2];
	rounds.wanted = (unsigned)atoi(argv[3]);
	rounds.reconnects = (unsigned)atoi(argv[4]);
	rounds.bird = bird_create(loop, argv[1], 5 * USEC_S, &callbacks);
	ev_timer_init(&timer, limit, LIMIT(2 * rounds.wanted, rounds.reconnects), 0.);
	ev_timer_start(loop, &timer);
	ev_run(loop, 0);
	printf("{\"rounds\":%u,\"disabled\":%u,\"enabled\":%u,\"reconnects\":%u,\"descriptors\":%d,\"bytes\":"
	       "%ld}\n",
	       rounds.wanted, rounds.disabled, rounds.enabled, rounds.lost,
	       (int)(descriptors() - rounds.descriptors), (long)(mallinfo2().uordblks - rounds.bytes));
	bird_free(rounds.bird);
	return 0;
}
