/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receiving BFD Control packets: UDP ports 3784 (single hop) and 4784 (multihop) of both families. */
#ifndef IO_UDP_H
#define IO_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "core/table.h"
#include "core/usec.h"

#define UDP_SOCKETS 4

struct udp;

/* ORIGIN is what the socket told; a TTL or interface that it kept back is 0 and fails the checks. STAMP: the
 * kernel's receive time in microseconds of CLOCK_REALTIME, 0 if there is none. */
typedef void udp_packet_fn(void *context, const uint8_t *data, size_t size, const struct table_origin *origin,
			   usec_t stamp);

/* NULL with a message for people in ERROR. A host without IPv6 gets two sockets, and a line in the log. */
struct udp *udp_open(char *error, size_t size);
void udp_close(struct udp *udp);
/* Of socket I below UDP_SOCKETS; -1: not open. */
int udp_fd(const struct udp *udp, unsigned i);
/* Hands to FN all packets that were queued in any socket when this was called, and those that come meanwhile,
 * within reason. Returns how many. */
unsigned udp_receive(struct udp *udp, udp_packet_fn *fn, void *context);
/* Packets that the kernel dropped at the sockets so far: because a queue was full, or a filter said so. NULL:
 * none. */
uint64_t udp_drops(struct udp *udp);

#endif
