// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/mute.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/port.h"

static int try(int fd, uint8_t family, uint16_t port)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog drop_all = {1, &none};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &drop_all, sizeof(drop_all)))
		return -1;
	if (family == AF_INET)
		return bind(fd, (struct sockaddr *)&v4, sizeof(v4));
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		return -1;
	return bind(fd, (struct sockaddr *)&v6, sizeof(v6));
}

int mute_open(uint8_t family, uint16_t port, char *error, size_t size)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char holder[PORT_HOLDER];

	if (fd >= 0 && !try(fd, family, port))
		return fd;
	if (errno == EADDRINUSE)
		snprintf(error, size, "UDP port %u is held by %s", port, port_holder(family, port, holder));
	else
		snprintf(error, size, "UDP port %u: %s", port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}
