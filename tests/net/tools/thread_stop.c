// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * thread_stop PID NAME: stops the thread of that name in PID, and no other, as a processor that does not come
 * back to it would. Says "stopped", and lets it go on at the end of its input.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_named(const char *pid, const char *thread, const char *name)
{
	char path[300], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/comm", pid, thread);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	return !strcmp(comm, name);
}

static pid_t find(const char *pid, const char *name)
{
	char path[64];
	struct dirent *entry;
	pid_t found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (is_named(pid, entry->d_name, name))
			found = atoi(entry->d_name);
	if (dir)
		closedir(dir);
	return found;
}

int main(int argc, char **argv)
{
	pid_t thread = argc == 3 ? find(argv[1], argv[2]) : 0;
	char byte;
	int status;

	if (!thread) {
		fprintf(stderr, "usage: thread_stop PID NAME of a thread that is there\n");
		return 2;
	}
	if (ptrace(PTRACE_SEIZE, thread, 0, 0) || ptrace(PTRACE_INTERRUPT, thread, 0, 0) ||
	    waitpid(thread, &status, __WALL) != thread) {
		fprintf(stderr, "thread %d: %s\n", (int)thread, strerror(errno));
		return 1;
	}
	puts("stopped");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	ptrace(PTRACE_DETACH, thread, 0, 0);
	return 0;
}
