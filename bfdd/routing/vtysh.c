/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/vtysh.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define READ_BYTES (64 << 10)
#define READS 16 /* in one turn of the loop */

extern char **environ;

struct vtysh {
	struct ev_loop *loop;
	char program[108], pathspace[64];
	usec_t timeout;
	vtysh_fn *fn;
	void *context;
	pid_t pid; /* 0: none runs */
	int fd;	   /* -1: nothing more to read */
	ev_io readable;
	ev_child ended;
	ev_timer deadline;
	char *text;
	size_t size, room;
	const char *why; /* it was given up; NULL */
};

struct vtysh *vtysh_create(struct ev_loop *loop, const char *program, const char *pathspace, usec_t timeout,
			   vtysh_fn *fn, void *context)
{
	struct vtysh *vtysh = calloc(1, sizeof(*vtysh));

	if (!vtysh)
		return NULL;
	vtysh->loop = loop;
	snprintf(vtysh->program, sizeof(vtysh->program), "%s", program);
	snprintf(vtysh->pathspace, sizeof(vtysh->pathspace), "%s", pathspace);
	vtysh->timeout = timeout;
	vtysh->fn = fn;
	vtysh->context = context;
	vtysh->fd = -1;
	return vtysh;
}

static void stop_reading(struct vtysh *vtysh)
{
	if (vtysh->fd < 0)
		return;
	ev_io_stop(vtysh->loop, &vtysh->readable);
	close(vtysh->fd);
	vtysh->fd = -1;
}

static void give_up(struct vtysh *vtysh, const char *why)
{
	if (!vtysh->why)
		vtysh->why = why;
	stop_reading(vtysh);
	if (vtysh->pid)
		kill(-vtysh->pid, SIGKILL);
}

/* Both the process and its output have ended. */
static void conclude(struct vtysh *vtysh)
{
	char *text = vtysh->text;
	size_t size = vtysh->size;

	if (vtysh->pid || vtysh->fd >= 0)
		return;
	ev_timer_stop(vtysh->loop, &vtysh->deadline);
	vtysh->text = NULL;
	vtysh->size = vtysh->room = 0;
	vtysh->fn(vtysh->context, vtysh->why ? NULL : text, size, vtysh->why);
	free(text);
}

static void on_ended(struct ev_loop *loop, ev_child *watcher, int revents)
{
	struct vtysh *vtysh = watcher->data;

	ev_child_stop(loop, watcher);
	vtysh->pid = 0;
	if (!vtysh->why && (!WIFEXITED(watcher->rstatus) || WEXITSTATUS(watcher->rstatus)))
		vtysh->why = "vtysh failed";
	conclude(vtysh);
}

static void on_deadline(struct ev_loop *loop, ev_timer *watcher, int revents)
{
	struct vtysh *vtysh = watcher->data;

	give_up(vtysh, "no answer within the time");
	conclude(vtysh);
}

static bool make_room(struct vtysh *vtysh)
{
	size_t room = vtysh->room ? 2 * vtysh->room : READ_BYTES;
	char *text;

	if (vtysh->room - vtysh->size > 1)
		return true;
	text = room <= VTYSH_MOST ? realloc(vtysh->text, room) : NULL;
	if (!text)
		return false;
	vtysh->text = text;
	vtysh->room = room;
	return true;
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct vtysh *vtysh = watcher->data;

	for (unsigned i = 0; i < READS; i++) {
		ssize_t n;

		if (!make_room(vtysh)) {
			give_up(vtysh, "its answer is too long");
			break;
		}
		n = read(vtysh->fd, vtysh->text + vtysh->size, vtysh->room - vtysh->size - 1);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			stop_reading(vtysh);
			break;
		}
		vtysh->size += (size_t)n;
		vtysh->text[vtysh->size] = '\0';
	}
	conclude(vtysh);
}

/* posix_spawn() and not fork(): our memory is locked and large. 0 or an errno. */
static int spawn(struct vtysh *vtysh, const char *command, int out)
{
	char *const plain[] = {vtysh->program, "-c", (char *)(uintptr_t)command, NULL};
	char *const spaced[] = {
		vtysh->program, "-N", vtysh->pathspace, "-c", (char *)(uintptr_t)command, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int err;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes,
				 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	err = posix_spawnp(&vtysh->pid, vtysh->program, &actions, &attributes,
			   *vtysh->pathspace ? spaced : plain, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (err)
		vtysh->pid = 0;
	return err;
}

bool vtysh_ask(struct vtysh *vtysh, const char *command)
{
	int fds[2] = {-1, -1}, err;

	if (vtysh->pid || vtysh->fd >= 0)
		return false;
	vtysh->why = NULL;
	err = pipe2(fds, O_CLOEXEC) ? errno : spawn(vtysh, command, fds[1]);
	if (fds[1] >= 0)
		close(fds[1]);
	if (err) {
		if (fds[0] >= 0)
			close(fds[0]);
		vtysh->fn(vtysh->context, NULL, 0, strerror(err));
		return true;
	}
	vtysh->fd = fds[0];
	fcntl(vtysh->fd, F_SETFL, O_NONBLOCK);
	ev_io_init(&vtysh->readable, on_readable, vtysh->fd, EV_READ);
	ev_child_init(&vtysh->ended, on_ended, vtysh->pid, 0);
	ev_timer_init(&vtysh->deadline, on_deadline, (double)vtysh->timeout / USEC_S, 0.);
	vtysh->readable.data = vtysh->ended.data = vtysh->deadline.data = vtysh;
	ev_io_start(vtysh->loop, &vtysh->readable);
	ev_child_start(vtysh->loop, &vtysh->ended);
	ev_timer_start(vtysh->loop, &vtysh->deadline);
	return true;
}

void vtysh_free(struct vtysh *vtysh)
{
	if (!vtysh)
		return;
	stop_reading(vtysh);
	if (vtysh->pid) {
		ev_child_stop(vtysh->loop, &vtysh->ended);
		kill(-vtysh->pid, SIGKILL);
		waitpid(vtysh->pid, NULL, 0);
	}
	if (vtysh->deadline.data)
		ev_timer_stop(vtysh->loop, &vtysh->deadline);
	free(vtysh->text);
	free(vtysh);
}
