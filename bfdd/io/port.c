// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/port.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool port_line(const char *line, uint16_t port, unsigned long *inode)
{
	unsigned local;

	/* sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ... */
	return sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*u %*u %lu", &local, inode) == 2 &&
	       local == port && *inode;
}

static bool find_inode(const char *file, uint16_t port, unsigned long *inode)
{
	char line[512];
	bool found = false;
	FILE *f = fopen(file, "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = port_line(line, port, inode);
	if (f)
		fclose(f);
	return found;
}

/* Whether process PID has the socket open. */
static bool has_socket(const char *pid, const char *socket)
{
	char path[300], link[64];
	struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		found = !strcmp(link, socket);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void name_process(const char *pid, char buf[PORT_HOLDER])
{
	char path[300], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(comm, sizeof(comm), f))
		comm[strcspn(comm, "\n")] = '\0';
	if (f)
		fclose(f);
	snprintf(buf, PORT_HOLDER, "%s (pid %.10s)", comm[0] ? comm : "a program", pid);
}

const char *port_holder(uint8_t family, uint16_t port, char buf[PORT_HOLDER])
{
	struct dirent *entry;
	unsigned long inode;
	bool found = false;
	char socket[64];
	DIR *proc;

	snprintf(buf, PORT_HOLDER, "another program");
	/* An IPv6 socket may hold the port for IPv4 as well. Ours of the other family is in nobody's way. */
	if (!(family == AF_INET && find_inode("/proc/net/udp", port, &inode)) &&
	    !find_inode("/proc/net/udp6", port, &inode))
		return buf;
	snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
	proc = opendir("/proc");
	while (proc && !found && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) && has_socket(entry->d_name, socket)) {
			name_process(entry->d_name, buf);
			found = true;
		}
	if (proc)
		closedir(proc);
	return buf;
}
