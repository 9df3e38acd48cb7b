/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: a capture file as Wireshark reads it, with nanosecond times and packets that begin with their IP
 * header (LINKTYPE_RAW). The headers are put together here; what nobody recorded is said so by what stands
 * for it: identification 0 and, for IPv4, no UDP checksum where bytes are missing.
 */
#ifndef OPS_PCAP_H
#define OPS_PCAP_H

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/usec.h"

#define PCAP_HEADER 24
#define PCAP_HEADERS (16 + 40 + 8) /* of a packet, at most */

struct pcap_packet {
	usec_t wall;	      /* Unix time */
	struct addr from, to; /* of one family, IPv4 or IPv6 */
	uint16_t from_port, to_port;
	uint8_t ttl, tos;
	const uint8_t *bytes; /* after the UDP header */
	size_t size, kept;    /* KEPT of SIZE bytes are there */
};

/* Writes PCAP_HEADER bytes, and returns that. */
size_t pcap_begin(uint8_t *buf);
/* Writes at most PCAP_HEADERS + KEPT bytes; returns how many. */
size_t pcap_put(uint8_t *buf, const struct pcap_packet *packet);

#endif
