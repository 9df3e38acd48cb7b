/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What routers say of packets that they could not pass on because the next link is too narrow: "fragmentation
 * needed" (RFC 792, RFC 1191 4) and "packet too big" (RFC 4443 3.2). Whoever sees our packets can say so too:
 * it explains a failure, and decides nothing. Main thread only. */
#ifndef IO_ICMP_H
#define IO_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

struct icmp_too_big {
	struct addr router;	    /* who says it */
	struct addr local, peer;    /* of the UDP packet that it is about */
	uint16_t source_port, port; /* of that */
	uint32_t mtu;		    /* 0: it does not know the field (RFC 1191 5) */
};

/* A raw socket that hears these of FAMILY; -1 with errno. */
int icmp_open(int family);
/* The next one that waits in FD, a socket for FAMILY. False: there is none that is of this kind. *MORE: call
 * again. */
bool icmp_read(int fd, int family, struct icmp_too_big *told, bool *more);
/* PURE: what a raw socket of FAMILY gives: for IPv4 with the IP header. False: it is something else, or
 * broken. The router of IPv6 is not in it. */
bool icmp_parse(int family, const uint8_t *data, size_t size, struct icmp_too_big *told);

#endif
