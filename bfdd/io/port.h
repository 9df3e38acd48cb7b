/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who holds a UDP port of this host. For error messages: slow, allocates, main thread only. */
#ifndef IO_PORT_H
#define IO_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PORT_HOLDER 64

/* Who is in the way of binding PORT of FAMILY: "bird (pid 1234)" or, when its owner cannot be seen from here,
 * "another program". Returns BUF. */
const char *port_holder(uint8_t family, uint16_t port, char buf[PORT_HOLDER]);
/* PURE: a line of /proc/net/udp or udp6. True with its socket's inode when the socket is bound to PORT. */
bool port_line(const char *line, uint16_t port, unsigned long *inode);

#endif
