/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a session left Up, as far as its record tells. The rule is to blame nobody without evidence: what we
 * ourselves may have caused is not called the peer's silence, and where two explanations are left the verdict
 * is that it is unclear. Pure.
 */
#ifndef CORE_VERDICT_H
#define CORE_VERDICT_H

#include "core/record.h"

enum verdict_kind {
	VERDICT_UNCLEAR,
	VERDICT_PEER_SILENT,	/* nothing came, and we were awake */
	VERDICT_PEER_SAID,	/* it told us: its state and diagnostic */
	VERDICT_NOT_HEARD,	/* it told us that it does not hear us, though we sent */
	VERDICT_DROPPED_HERE,	/* it spoke, but what came was dropped here */
	VERDICT_AUTHENTICATION, /* ... for its authentication, or the lack of it */
	VERDICT_LOCAL_STALL,	/* we did not read, or not send, for long enough to explain it */
	VERDICT_PATH_DOWN,	/* carrier, interface or address went away here */
	VERDICT_SHUT_DOWN,	/* by our own configuration */
	VERDICT_ECHO_LOST,	/* what it was to send back did not come back, and we were awake */
	VERDICT_TOO_BIG,	/* the path towards the peer has become too narrow for our padded packets */
	VERDICT_KINDS
};

struct verdict {
	enum verdict_kind kind;
	struct record_terms terms;
	uint8_t remote_state, remote_diag; /* the peer's last word */
	bool restarted;			   /* with it came another discriminator than before */
	/* silence of the peer */
	usec_t silence;	    /* from its last accepted packet, or the first Poll that it should have answered,
			       to the Down; 0: not what it fell for */
	usec_t stalled;	    /* for so long of it our turns were late */
	usec_t forgotten;   /* of it, or of the time before our recorded packets: late turns would not be
			       remembered */
	unsigned dropped;   /* packets with its addresses, in the silence; RECORD_DROPS: or more */
	enum drop reason;   /* of most of these */
	uint32_t strangers; /* packets that named our discriminator, from other addresses */
	struct addr stranger; /* the last one's address */
	uint32_t overflows;   /* packets of anybody that found no room in our sockets meanwhile */
	/* silence of ours, as the peer says */
	usec_t gap;	 /* the longest between two packets that we sent before its word */
	usec_t late;	 /* the latest turn of ours before these, whose packets are not recorded any more */
	uint32_t errors; /* packets of any session that the kernel refused to send meanwhile */
	/* large packets (RFC 9764): UDP payloads, and the headers in front of them */
	uint16_t padded, remote_padded; /* of ours, of the peer's; 0: not padded */
	uint8_t headers;
	uint32_t path_mtu;  /* a router on the way said so; 0: none did */
	struct addr router; /* that one */
};

/* RECORD is sealed. */
void verdict_find(struct verdict *verdict, const struct record *record, const struct record_delays *delays);
/* A router told, between the last packet that the peer can have heard and the Down, that it does not pass on
 * more than MTU bytes to the peer. Says something only where our packets are larger, and were not heard. */
void verdict_path_mtu(struct verdict *verdict, uint32_t mtu, const struct addr *router);
/* "peer-silent" and so on. */
const char *verdict_name(enum verdict_kind kind);
/* One sentence without a full stop. WHY: what the path waits for ("carrier on eth1"); may be NULL. Returns
 * BUF. */
#define VERDICT_TEXT 480
const char *verdict_text(const struct verdict *verdict, const char *why, char buf[VERDICT_TEXT]);

#endif
