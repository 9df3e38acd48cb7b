// SPDX-License-Identifier: GPL-2.0-or-later
#include "ops/control_listen.h"

#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool make_directory(const char *path, char *error, size_t size)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const char *directory;
	struct stat st;

	strcpy(copy, path); /* its length was checked */
	directory = dirname(copy);
	if (stat(directory, &st) == 0)
		return true; /* bind() says what else is wrong */
	if (mkdir(directory, 0755) == 0 || errno == EEXIST)
		return true;
	snprintf(error, size, "cannot make the control socket's directory %s: %s", directory,
		 strerror(errno));
	return false;
}

/* Takes away a socket file on which nobody answers. */
static bool make_way(const struct sockaddr_un *addr, char *error, size_t size)
{
	struct stat st;
	int fd, result;

	if (lstat(addr->sun_path, &st) < 0)
		return true;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(error, size, "control socket %s: something that is no socket is in the way",
			 addr->sun_path);
		return false;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		snprintf(error, size, "control socket: %s", strerror(errno));
		return false;
	}
	result = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? errno : 0;
	close(fd);
	if (result == 0 || result == EAGAIN) {
		snprintf(error, size, "a daemon already answers on %s", addr->sun_path);
		return false;
	}
	if (result == ENOENT || (result == ECONNREFUSED && (unlink(addr->sun_path) == 0 || errno == ENOENT)))
		return true;
	snprintf(error, size, "control socket %s is in the way: %s", addr->sun_path,
		 strerror(result == ECONNREFUSED ? errno : result));
	return false;
}

int control_listen(const char *path, char *error, size_t size)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, result;

	if (strlen(path) >= sizeof(addr.sun_path) || !*path) {
		snprintf(error, size, "control socket %s: a path of 1 to %zu bytes is needed", path,
			 sizeof(addr.sun_path) - 1);
		return -1;
	}
	strcpy(addr.sun_path, path);
	if (!make_directory(path, error, size) || !make_way(&addr, error, size))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		mask = umask(0117);
		result = bind(fd, (const struct sockaddr *)&addr, sizeof(addr));
		umask(mask);
		if (result == 0 && listen(fd, SOMAXCONN) == 0)
			return fd;
	}
	snprintf(error, size, "control socket %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}
