/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A link's flags, at once: none of the kernel's locks that its routing holds for long is waited for. */
#ifndef IO_LINK_FLAGS_H
#define IO_LINK_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

/* IFF_RUNNING: set up, and RFC 2863's operational state is up, or unknown. FD is any socket. False: there is
 * no such link, or nothing is known of it. */
bool link_flags_running(int fd, uint32_t ifindex, bool *running);

#endif
