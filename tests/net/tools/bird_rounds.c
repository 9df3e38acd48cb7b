/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bird_rounds SOCKET PROTOCOL ROUNDS    disables and enables by the daemon's own client, each twice in a
 * round's place; prints {"rounds":, "disabled":, "enabled":, "descriptors":, "bytes":}: what grew while it
 * did.
 */
#include <dirent.h>
#include <ev.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "routing/bird.h"

#define WARM_UP 10
#define LIMIT 200. /* s */

static struct {
	struct bird *bird;
	const char *protocol;
	unsigned wanted, done, disabled, enabled, descriptors;
	size_t bytes;
	bool began;
} rounds;

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

static void die(const char *why)
{
	fprintf(stderr, "bird_rounds: %s\n", why);
	exit(1);
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
	else
		ev_break(ev_default_loop(0), EVBREAK_ALL);
}

static void protocol(void *context, const struct bird_protocol *told) {}

static void told(void *context)
{
	if (!rounds.began)
		order();
	rounds.began = true;
}

static void lost(void *context)
{
	die("the connection was lost");
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

	if (argc != 4)
		die("SOCKET PROTOCOL ROUNDS");
	rounds.protocol = argv[2];
	rounds.wanted = (unsigned)atoi(argv[3]);
	rounds.bird = bird_create(loop, argv[1], 5 * USEC_S, &callbacks);
	ev_timer_init(&timer, limit, LIMIT, 0.);
	ev_timer_start(loop, &timer);
	ev_run(loop, 0);
	printf("{\"rounds\":%u,\"disabled\":%u,\"enabled\":%u,\"descriptors\":%d,\"bytes\":%ld}\n",
	       rounds.wanted, rounds.disabled, rounds.enabled, (int)(descriptors() - rounds.descriptors),
	       (long)(mallinfo2().uordblks - rounds.bytes));
	bird_free(rounds.bird);
	return 0;
}
