/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which FRR is installed: its bfdd says so without a socket or rights. Only where packages put it, never what
 * runs behind the socket: whoever made that could have us run anything. */
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <unistd.h>

#include "app_private.h"
#include "routing/frr_version.h"

struct app_frr_version {
	struct ev_loop *loop;
	ev_io reader;
	ev_child child;
	int fd; /* -1: read to the end */
	size_t size;
	char text[256];
	void (*fn)(void *context, const char *version);
	void *context;
};

static void finish(struct app_frr_version *asked)
{
	char version[FRR_VERSION];

	ev_io_stop(asked->loop, &asked->reader);
	close(asked->fd);
	asked->fd = -1;
	if (frr_version_read(asked->text, version))
		asked->fn(asked->context, version);
}

static void on_text(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct app_frr_version *asked = watcher->data;
	ssize_t n = read(asked->fd, asked->text + asked->size, sizeof(asked->text) - 1 - asked->size);

	if (n > 0)
		asked->size += (size_t)n;
	if (n <= 0 || asked->size == sizeof(asked->text) - 1)
		finish(asked);
}

static void on_end(struct ev_loop *loop, ev_child *watcher, int revents)
{
	ev_child_stop(loop, watcher);
}

static const char *find_bfdd(void)
{
	static const char *const paths[] = {"/usr/lib/frr/bfdd", "/usr/libexec/frr/bfdd",
					    "/usr/sbin/frr/bfdd"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (!access(paths[i], X_OK))
			return paths[i];
	return NULL;
}

/* Its standard output goes into END. */
static pid_t run(const char *path, int end)
{
	char name[] = "bfdd", option[] = "--version", locale[] = "LC_ALL=C";
	char *const arguments[] = {name, option, NULL}, *const environment[] = {locale, NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	if (posix_spawn_file_actions_init(&actions))
		return -1;
	if (posix_spawn_file_actions_adddup2(&actions, end, STDOUT_FILENO) ||
	    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) ||
	    posix_spawn(&pid, path, &actions, NULL, arguments, environment))
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

struct app_frr_version *app_frr_version_ask(struct ev_loop *loop,
					    void (*fn)(void *context, const char *version), void *context)
{
	const char *path = find_bfdd();
	struct app_frr_version *asked;
	int ends[2];
	pid_t pid;

	if (!path || !ev_is_default_loop(loop))
		return NULL;
	asked = calloc(1, sizeof(*asked));
	if (!asked || pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
		free(asked);
		return NULL;
	}
	*asked = (struct app_frr_version){.loop = loop, .fd = ends[0], .fn = fn, .context = context};
	pid = run(path, ends[1]);
	close(ends[1]);
	ev_io_init(&asked->reader, on_text, ends[0], EV_READ);
	ev_child_init(&asked->child, on_end, pid, 0);
	asked->reader.data = asked;
	if (pid > 0)
		ev_child_start(loop, &asked->child);
	ev_io_start(loop, &asked->reader);
	return asked;
}

void app_frr_version_free(struct app_frr_version *asked)
{
	if (!asked)
		return;
	ev_io_stop(asked->loop, &asked->reader);
	ev_child_stop(asked->loop, &asked->child);
	if (asked->fd >= 0)
		close(asked->fd);
	free(asked);
}
