/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PURE: IPv4 and IPv6 datagrams with UDP, put together by ourselves for the raw sockets, and taken apart for
 * packet sockets. */
#ifndef IO_DATAGRAM_H
#define IO_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

#define DATAGRAM_HEADERS 48 /* the larger of 20 + 8 and 40 + 8 */
#define DATAGRAM_TTL 255    /* RFC 5881 5 */
#define DATAGRAM_TOS 0xc0   /* CS6: network control: what datagram_build() writes */

/* Writes headers and payload to BUF (DATAGRAM_HEADERS + SIZE bytes are enough) and returns their length.
 * LOCAL and PEER are of one family, IPv4 or IPv6. The IPv4 identification and header checksum are left to the
 * kernel, which fills them with IP_HDRINCL (raw(7)). */
size_t datagram_build(uint8_t *buf, const struct addr *local, const struct addr *peer, uint16_t source_port,
		      uint16_t port, const uint8_t *payload, size_t size);
/* RFC 9764 3: EXTRA zero bytes follow the payload of the datagram at IP. They are not written here: only the
 * lengths and the UDP checksum change. Before datagram_seal_ipv4(). */
void datagram_pad(uint8_t *ip, size_t extra);
#define DATAGRAM_PAYLOAD_MAX 65507		     /* of UDP over IPv4 */
extern uint8_t datagram_zeros[DATAGRAM_PAYLOAD_MAX]; /* what to pad with; never written to */
/* Writes another DSCP (RFC 2474 3) into a datagram, before it is sealed. */
void datagram_mark(uint8_t *ip, uint8_t dscp);
/* Fills in the header checksum of an IPv4 datagram that no kernel will. The identification stays 0, as the
 * kernel leaves it for datagrams that must not be fragmented (RFC 6864 4.1). */
void datagram_seal_ipv4(uint8_t *ip);
/* What headers say. */
struct datagram {
	struct addr source, destination;
	uint16_t source_port, port;
	uint8_t ttl;
	const uint8_t *payload; /* in the buffer that was read */
	size_t size;
};

/* Reads an IP header of FAMILY and a UDP header from BUF, as a packet socket gave them: checks version,
 * lengths, that it is UDP, whole and no fragment, and the checksums; what lies behind the datagram is
 * padding. SEALED false: whoever sent it left the UDP checksum to hardware that it never passed (veth).
 * False: one of them is wrong. Options of IPv4 are passed over; extension headers of IPv6 are not accepted.
 */
bool datagram_parse(struct datagram *datagram, const uint8_t *buf, size_t size, uint8_t family, bool sealed);
/* The Internet checksum (RFC 1071) of SIZE bytes, with SUM carried in from earlier pieces of even length.
 * Folded, not complemented. */
uint16_t datagram_sum(uint32_t sum, const uint8_t *data, size_t size);

#endif
