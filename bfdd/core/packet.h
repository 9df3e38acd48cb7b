/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BFD Control packet (RFC 5880 4.1): decoded and encoded by offset, checked in the RFC's order (6.8.6).
 */
#ifndef CORE_PACKET_H
#define CORE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/drop.h"

#define PACKET_SIZE 24	    /* the mandatory section */
#define PACKET_SIZE_MAX 255 /* Length is one byte */
#define BFD_PORT_SINGLE_HOP 3784
#define BFD_PORT_MULTIHOP 4784
#define BFD_PORT_ECHO 3785	  /* RFC 5881 4 */
#define BFD_PORT_MICRO 6784	  /* RFC 7130 2.2 */
#define BFD_PORT_SBFD 7784	  /* RFC 7881 2 */
#define BFD_SOURCE_PORT_MIN 49152 /* RFC 5881 4 */

enum bfd_state { BFD_ADMIN_DOWN = 0, BFD_DOWN = 1, BFD_INIT = 2, BFD_UP = 3 };

/* RFC 5880 4.1, Diagnostic. */
enum bfd_diag {
	DIAG_NONE = 0,
	DIAG_DETECTION_EXPIRED = 1,
	DIAG_ECHO_FAILED = 2,
	DIAG_NEIGHBOR_DOWN = 3,
	DIAG_FORWARDING_RESET = 4,
	DIAG_PATH_DOWN = 5,
	DIAG_CONCATENATED_DOWN = 6,
	DIAG_ADMIN_DOWN = 7,
	DIAG_REVERSE_CONCATENATED_DOWN = 8,
};

struct packet {
	uint8_t diag; /* 0-31, also those that have no name yet */
	uint8_t state;
	bool poll, final, control_plane_independent, auth_present, demand, multipoint;
	uint8_t detect_mult;
	uint8_t length;
	uint32_t my_discr, your_discr;
	uint32_t desired_min_tx, required_min_rx, required_min_echo_rx; /* microseconds */
	uint8_t auth_type, auth_length; /* valid with auth_present; the section begins at PACKET_SIZE */
};

/* DROP_NONE and a filled PACKET, or the first check of 6.8.6 that BUF fails. Reads nothing beyond SIZE. */
enum drop packet_decode(struct packet *packet, const uint8_t *buf, size_t size);
/* Writes the mandatory section with Length 24 and no authentication. Returns PACKET_SIZE. */
size_t packet_encode(const struct packet *packet, uint8_t buf[PACKET_SIZE]);

/* Words for people and JSON: "admin-down", "down", "init", "up". */
const char *bfd_state_name(enum bfd_state state);
/* RFC 9314's words: "none", "control-expiry", "echo-failed", "neighbor-down", "forwarding-reset",
 * "path-down", "concatenated-path-down", "admin-down", "reverse-concatenated-path-down"; "reserved" for the
 * others. */
const char *bfd_diag_name(uint8_t diag);

#endif
