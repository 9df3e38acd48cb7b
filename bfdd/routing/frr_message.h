/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages of FRR's distributed BFD: between its bfdd, which keeps configuration and clients, and a data
 * plane (us), which speaks BFD. PURE: by offset from and into buffers, network byte order there. Whatever
 * comes from the socket is hostile.
 */
#ifndef ROUTING_FRR_MESSAGE_H
#define ROUTING_FRR_MESSAGE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

#define FRR_MESSAGE_MAX 1024 /* bytes: far above any known message; what claims more is none */
#define FRR_ENCODED_MAX 140  /* bytes that frr_encode() writes, at most */

enum frr_type {
	FRR_ECHO_REQUEST,
	FRR_ECHO_REPLY,
	FRR_ADD_SESSION,    /* to us; with a known lid it changes that session */
	FRR_DELETE_SESSION, /* to us */
	FRR_STATE_CHANGE,   /* from us */
	FRR_REQUEST_COUNTERS,
	FRR_SESSION_COUNTERS, /* from us, with the request's id */
};

struct frr_echo {
	uint64_t data_plane_time, bfdd_time; /* us; any clock of its sender */
};

enum {
	FRR_SESSION_MULTIHOP = 1,
	FRR_SESSION_DEMAND = 2,
	FRR_SESSION_CBIT = 4,
	FRR_SESSION_ECHO = 8,
	FRR_SESSION_IPV6 = 0x10,
	FRR_SESSION_PASSIVE = 0x20,
	FRR_SESSION_SHUTDOWN = 0x40,
};

struct frr_session {
	uint32_t flags;
	struct addr local, peer;	   /* local: perhaps the unspecified address */
	uint32_t lid;			   /* FRR's name for the session */
	uint32_t min_tx, min_rx;	   /* us */
	uint32_t min_echo_tx, min_echo_rx; /* us; said whether or not there is to be echo */
	uint8_t ttl;			   /* the least that packets may arrive with */
	uint8_t detect_mult;
	uint32_t ifindex; /* as FRR knew it; it does not follow changes */
	char interface[IFNAMSIZ];
};

enum {
	FRR_REMOTE_CBIT = 1,
	FRR_REMOTE_DEMAND = 2,
};

struct frr_state {
	uint32_t lid, remote_discr, remote_flags;
	uint32_t remote_min_tx, remote_min_rx, remote_min_echo_rx; /* us */
	uint8_t state;						   /* enum bfd_state: ours */
	uint8_t remote_diag, remote_detect_mult;
};

struct frr_counters {
	uint32_t lid;
	uint64_t in_bytes, in_packets, out_bytes, out_packets; /* of control packets */
	uint64_t echo_in_bytes, echo_in_packets, echo_out_bytes, echo_out_packets;
};

struct frr_message {
	uint16_t type; /* enum frr_type */
	uint16_t id;   /* 0: nobody waits for an answer */
	union {
		struct frr_echo echo;
		struct frr_session session;
		struct frr_state state;
		uint32_t lid; /* FRR_REQUEST_COUNTERS */
		struct frr_counters counters;
	};
};

enum frr_error {
	FRR_BAD_VERSION = -1,
	FRR_BAD_LENGTH = -2, /* shorter than its type, or beyond FRR_MESSAGE_MAX */
	FRR_BAD_TYPE = -3,
	FRR_BAD_SESSION = -4, /* an interface name without end */
};

/* How many bytes the first message of DATA takes, which is then in MESSAGE; 0: more are needed; or enum
 * frr_error, as early as it can be told. A message may be longer than we know it: the rest is skipped. */
int frr_decode(const uint8_t *data, size_t size, struct frr_message *message);
/* Bytes written into BUF. */
size_t frr_encode(const struct frr_message *message, uint8_t buf[FRR_ENCODED_MAX]);
bool frr_state_equal(const struct frr_state *a, const struct frr_state *b);
const char *frr_error_text(int error);

#endif
