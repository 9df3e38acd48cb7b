/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real bfdctl against tests/net/tools/control_fake: exit statuses, JSON, what hostile names do to a
 * terminal, and `watch` in a pseudo-terminal. Both programs are looked for in $BUILD, or where this one was
 * built.
 */
#ifndef UNIT_BFDCTL_FIXTURE_H
#define UNIT_BFDCTL_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include <cmocka.h>
#include <jansson.h>

#include "ops/escape.h"

#define PATIENCE 20 /* s that anything may take */
#define OUTPUT (1 << 20)

static char bfdctl[PATH_MAX + 64], fake[PATH_MAX + 64], folder[] = "/tmp/bfdctl-XXXXXX", path[128];
static pid_t daemon_pid;

static inline void find_programs(void)
{
	char self[PATH_MAX] = "";
	const char *build = getenv("BUILD");

	if (!build) {
		assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
		for (int i = 0; i < 3; i++) /* BUILD/tests/unit/test_bfdctl */
			*strrchr(self, '/') = '\0';
		build = self;
	}
	snprintf(bfdctl, sizeof(bfdctl), "%s/bfdctl", build);
	snprintf(fake, sizeof(fake), "%s/tests/net/tools/control_fake", build);
}

static inline int dial(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline void start_daemon(const char *peers)
{
	time_t end = time(NULL) + PATIENCE;
	int fd;

	daemon_pid = fork();
	if (daemon_pid == 0) {
		execl(fake, fake, path, peers, NULL);
		fprintf(stderr, "%s: %s\n", fake, strerror(errno));
		_exit(127);
	}
	while ((fd = dial()) < 0) {
		assert_true(time(NULL) < end);
		assert_int_equal(waitpid(daemon_pid, NULL, WNOHANG), 0);
		usleep(1000);
	}
	close(fd);
}

static inline void stop_daemon(void)
{
	if (!daemon_pid)
		return;
	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
}

static inline int setup(void **state)
{
	start_daemon("5");
	return 0;
}

static inline int teardown(void **state)
{
	stop_daemon();
	return 0;
}

static inline int exit_status(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads until FD's end, or until TEXT was seen among what came (then true). */
static inline bool read_until(int fd, char *out, size_t *used, const char *text)
{
	time_t end = time(NULL) + PATIENCE;
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	ssize_t n;

	while (!text || !strstr(out, text)) {
		assert_true(time(NULL) < end);
		if (poll(&pfd, 1, 1000) <= 0)
			continue;
		n = read(fd, out + *used, OUTPUT - 1 - *used);
		if (n <= 0)
			return false;
		*used += (size_t)n;
		out[*used] = '\0';
	}
	return true;
}

static inline pid_t spawn(const char *const *words, int out, int err)
{
	const char *argv[16] = {bfdctl, "-s", path};
	pid_t pid;

	for (int i = 0; words[i]; i++)
		argv[3 + i] = words[i];
	pid = fork();
	if (pid == 0) {
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execv(bfdctl, (char **)(uintptr_t)argv);
		_exit(127);
	}
	return pid;
}

static char output[OUTPUT], errors[OUTPUT];

/* Runs bfdctl; what it wrote is in output and errors. Returns its exit status. */
static inline int run(const char *const *words)
{
	size_t used = 0;
	int out[2];
	FILE *file = tmpfile();
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = spawn(words, out[1], fileno(file));
	close(out[1]);
	output[0] = '\0';
	read_until(out[0], output, &used, NULL);
	close(out[0]);
	rewind(file);
	errors[fread(errors, 1, sizeof(errors) - 1, file)] = '\0';
	fclose(file);
	return exit_status(pid);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static inline void assert_safe(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t length = *p == '\n' ? 1 : escape_plain(p);

		if (!length)
			fail_msg("byte %02x in: %s", *p, text);
		p += length;
	}
}

static inline size_t lines_in(const char *text)
{
	size_t lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

static inline bool prepare(void)
{
	find_programs();
	if (!mkdtemp(folder))
		return false;
	snprintf(path, sizeof(path), "%s/control", folder);
	unsetenv("NO_COLOR");
	return true;
}

static inline int cleaned(int failed)
{
	unlink(path);
	rmdir(folder);
	return failed;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
