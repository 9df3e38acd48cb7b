/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What systemd's file descriptor store is to a service: fdstore PIDFILE SOCKET COMMAND...
 * Runs COMMAND, keeps the sockets that it sends with FDSTORE=1 (sd_notify(3)) until they hang up, and runs it
 * again with them when it ends in whatever way. SIGTERM ends it, and the command with it. The command's
 * process id is in PIDFILE.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDS 128
#define FIRST 3 /* SD_LISTEN_FDS_START */

static int kept[FDS];
static char names[FDS][64];
static unsigned nkept;
static pid_t child;

static void terminate(int number)
{
	if (child > 0)
		kill(child, SIGTERM);
	while (wait(NULL) > 0)
		;
	_exit(0);
}

static void run(const char *pidfile, const char *notify, char **command)
{
	FILE *file;

	child = fork();
	if (child) {
		file = fopen(pidfile, "w");
		if (file) {
			fprintf(file, "%d\n", (int)child);
			fclose(file);
		}
		return;
	}
	char list[FDS * 64], *end = list, text[32];
	int high[FDS];

	for (unsigned i = 0; i < nkept; i++) /* out of the way of their places */
		high[i] = fcntl(kept[i], F_DUPFD, FIRST + FDS);
	for (unsigned i = 0; i < nkept; i++) {
		dup2(high[i], (int)(FIRST + i));
		*end++ = ':';
		end = stpcpy(end, names[i]);
	}
	for (int fd = (int)(FIRST + nkept); fd < 4096; fd++)
		close(fd);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	snprintf(text, sizeof(text), "%u", nkept);
	setenv("LISTEN_FDS", text, 1);
	*end = '\0';
	setenv("LISTEN_FDNAMES", nkept ? list + 1 : "", 1);
	setenv("NOTIFY_SOCKET", notify, 1);
	signal(SIGTERM, SIG_DFL);
	execvp(*command, command);
	_exit(127);
}

static void hear(int notify)
{
	char text[4096], *name;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vector = {text, sizeof(text) - 1};
	struct msghdr message = {.msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(notify, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	int fd = -1;

	if (n < 0)
		return;
	text[n] = '\0';
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	name = strstr(text, "FDNAME=");
	if (fd >= 0 && nkept < FDS && strstr(text, "FDSTORE=1")) {
		snprintf(names[nkept], sizeof(names[nkept]), "%.*s", name ? (int)strcspn(name + 7, "\n") : 6,
			 name ? name + 7 : "stored");
		kept[nkept++] = fd;
	} else if (fd >= 0) {
		close(fd);
	}
}

static void let_go(unsigned i)
{
	close(kept[i]);
	kept[i] = kept[--nkept];
	memmove(names[i], names[nkept], sizeof(names[i]));
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int notify;

	if (argc < 4 || strlen(argv[2]) >= sizeof(address.sun_path))
		return 2;
	signal(SIGTERM, terminate);
	strcpy(address.sun_path, argv[2]);
	unlink(argv[2]);
	notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify < 0 || bind(notify, (struct sockaddr *)&address, sizeof(address)))
		return 1;
	run(argv[1], argv[2], argv + 3);
	for (;;) {
		struct pollfd polls[FDS + 1] = {{.fd = notify, .events = POLLIN}};

		for (unsigned i = 0; i < nkept; i++)
			polls[i + 1].fd = kept[i];
		poll(polls, nkept + 1, 2);
		for (unsigned i = nkept; i-- > 0;)
			if (polls[i + 1].revents)
				let_go(i);
		if (polls[0].revents)
			hear(notify);
		if (waitpid(child, NULL, WNOHANG) != child)
			continue;
		while (poll(polls, 1, 0) > 0)
			hear(notify);
		run(argv[1], argv[2], argv + 3);
	}
}
