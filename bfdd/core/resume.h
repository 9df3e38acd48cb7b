/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a session outlives its process, and the form that it has in the state file: a page of header, then
 * a record for each slot of the table. Numbers are in the host's byte order, as the file is of no use on any
 * other host. Whoever reads it believes nothing that is not checked here. Pure.
 */
#ifndef CORE_RESUME_H
#define CORE_RESUME_H

#include "core/session.h"

#define RESUME_VERSION 5 /* of the form: to be counted up with every change of it */
#define RESUME_HEADER 4096
#define RESUME_FIXED 64 /* bytes of the header that are written once */
#define RESUME_ALIVE 64 /* where in the header: usec_t, when the process was last at work */
#define RESUME_RECORD 128
#define RESUME_BOOT 16

/* Who may go on with a file: the same boot of the same host (CLOCK_MONOTONIC means the same) in the same
 * network namespace (so do interface indices). */
struct resume_owner {
	uint8_t boot[RESUME_BOOT];
	uint64_t namespace_device, namespace_inode;
};

enum resume_refusal {
	RESUME_FINE,
	RESUME_NO_STATE_FILE, /* not one of ours, or damaged */
	RESUME_OTHER_VERSION,
	RESUME_OTHER_BOOT,
	RESUME_OTHER_NAMESPACE,
};

struct resume {
	struct session_key key;
	uint32_t local_discr, remote_discr;
	uint16_t source_port;
	uint8_t state, remote_state, local_diag, remote_diag;
	uint8_t detect_mult, remote_detect_mult; /* ours: what packets said, not what is configured now */
	bool remote_demand, remote_cpi, polling;
	bool demand; /* ours, in force */
	uint32_t remote_min_rx, remote_min_tx;
	uint32_t desired_min_tx, required_min_rx;
	uint32_t desired_min_tx_used, required_min_rx_used;
	usec_t since, created;
	uint32_t up_transitions, down_transitions;
	uint32_t xmit_seq, rcv_seq; /* authentication's */
	bool xmit_started, rcv_known;
	uint32_t chain; /* whose keys it had: auth_chain_mark(); 0: no authentication */
};

void resume_header_encode(const struct resume_owner *owner, uint8_t header[RESUME_FIXED]);
/* SIZE bytes at HEADER may be fewer than RESUME_FIXED. */
enum resume_refusal resume_header_check(const struct resume_owner *owner, const uint8_t *header, size_t size);
/* "it is from before the last boot" */
const char *resume_refusal_text(enum resume_refusal refusal);

/* All of RESUME is set, padding included, so that two of them can be compared as memory. */
void resume_take(struct resume *resume, const struct session *session);
void resume_encode(const struct resume *resume, uint8_t record[RESUME_RECORD]);
/* STATE goes on behind the numbers that RESUME has: with the next one that we send, and any later one of the
 * peer, of whose packets some came to nobody. */
void resume_sequence(const struct resume *resume, struct auth_state *state);
/* The record of SLOT. False: it holds no session, or was half written when its process died, or makes no
 * sense. NOW is CLOCK_MONOTONIC's. */
bool resume_decode(struct resume *resume, const uint8_t record[RESUME_RECORD], uint16_t slot, usec_t now);
/* Whether the peer still takes the session for alive, so that it may go on: nobody has spoken for it since
 * SILENT microseconds. */
bool resume_in_time(const struct resume *resume, usec_t silent);
/* Whether it had left Up because its peer fell silent or its path was gone, and nothing has come since. */
bool resume_failed(const struct resume *resume);
/* A configuration as the session had it, but for its key chain. */
struct session_config resume_config(const struct resume *resume);
/* A total order. */
int resume_key_compare(const struct session_key *a, const struct session_key *b);

#endif
