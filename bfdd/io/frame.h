/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transmitting BFD Control packets as complete Ethernet frames, in batches: saves the kernel the search for
 * route and neighbour that it makes for each packet of a raw socket. What leaves is the same to the byte. The
 * frames pass the interface's queueing discipline and are seen by tcpdump there; netfilter's output hooks and
 * IPsec policies do not see them.
 */
#ifndef IO_FRAME_H
#define IO_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "io/raw.h"

#define FRAME_ADDRESS 6

struct frame;

/* NULL with a message for people in ERROR. */
struct frame *frame_open(char *error, size_t size);
void frame_close(struct frame *frame); /* NULL is fine */
/* Puts a packet of at most PACKET_SIZE_MAX bytes, as a frame from SOURCE to DESTINATION that leaves by
 * path->ifindex, into the batch; a full batch goes out at once. */
void frame_send(struct frame *frame, const uint8_t destination[FRAME_ADDRESS],
		const uint8_t source[FRAME_ADDRESS], const struct raw_path *path, const uint8_t *payload,
		size_t size);
/* Sends what the batch holds. A frame that the kernel refuses (the interface is down, or gone) is counted and
 * left out, and path->refused told; the rest goes. */
void frame_flush(struct frame *frame);
uint64_t frame_errors(const struct frame *frame);

#endif
