/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transmitting BFD Control packets: one raw socket for each family, batches by sendmmsg(). */
#ifndef IO_RAW_H
#define IO_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

struct raw;

struct raw_path {
	struct addr local, peer; /* one family */
	uint32_t ifindex;	 /* the way out; 0: as the routing table says */
	uint16_t source_port, port;
	uint8_t dscp;	  /* 0-63 */
	uint8_t ttl;	  /* of frames; 0: 255 */
	uint16_t padded;  /* the payload is followed by zero bytes up to this size (RFC 9764 3) */
	uint8_t *refused; /* NULL, or where the flush tells what became of the packet. Must live till then */
};

/* What becomes of a packet. */
enum raw_fate {
	RAW_SENT,
	RAW_REFUSED, /* by the kernel */
	RAW_TOO_BIG, /* ... because it is larger than the interface's MTU */
};

/* NULL with a message for people in ERROR: without CAP_NET_RAW it says what to do. Without IPv6 on the host,
 * IPv4 only. */
struct raw *raw_open(char *error, size_t size);
void raw_close(struct raw *raw);
/* Puts a packet of at most PACKET_SIZE_MAX bytes into the batch; a full batch goes out at once. */
void raw_send(struct raw *raw, const struct raw_path *path, const uint8_t *payload, size_t size);
/* Sends what the batches hold. A packet that the kernel refuses is counted and left out; the rest goes. */
void raw_flush(struct raw *raw);
/* Priority and buffer of a socket that packets are sent by, of whatever kind. */
void raw_tune(int fd);
/* Of a packet whose sending failed with this errno. */
enum raw_fate raw_fate(int error);
uint64_t raw_errors(const struct raw *raw);

#endif
