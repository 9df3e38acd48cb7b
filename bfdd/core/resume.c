// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/resume.h"

#include <string.h>

#define MAGIC "bfddsess"
#define SHORTEST_INTERVAL USEC_MS /* no configuration of ours asks for less */
#define DIAG_MOST 31		  /* RFC 5880 4.1: five bits */
#define NO_SLOT 0xffff		  /* ENGINE_NO_SLOT */

/* Offsets of the header. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 8,
	AT_RECORD = 12,
	AT_BOOT = 16,
	AT_DEVICE = 32,
	AT_INODE = 40,
	AT_FIXED_SUM = RESUME_FIXED - 8,
};

/* Offsets of a record. */
enum {
	AT_SUM = 0,
	AT_LOCAL_DISCR = 8,
	AT_REMOTE_DISCR = 12,
	AT_SOURCE_PORT = 16,
	AT_STATE = 18,
	AT_REMOTE_STATE = 19,
	AT_LOCAL_DIAG = 20,
	AT_REMOTE_DIAG = 21,
	AT_DETECT_MULT = 22,
	AT_REMOTE_DETECT_MULT = 23,
	AT_FLAGS = 24,
	AT_FAMILY = 25,
	AT_HAS_LOCAL = 26,
	AT_TYPE = 27,
	AT_IFINDEX = 28,
	AT_REMOTE_MIN_RX = 32,
	AT_REMOTE_MIN_TX = 36,
	AT_DESIRED = 40,
	AT_REQUIRED = 44,
	AT_DESIRED_USED = 48,
	AT_REQUIRED_USED = 52,
	AT_SINCE = 56,
	AT_CREATED = 64,
	AT_UPS = 72,
	AT_DOWNS = 76,
	AT_PEER = 80,
	AT_LOCAL = 96,
	AT_VRF = 112,
	AT_XMIT_SEQ = 116,
	AT_RCV_SEQ = 120,
	AT_CHAIN = 124,
};

_Static_assert(AT_CHAIN + 4 == RESUME_RECORD, "a record is full");

enum {
	FLAG_DEMAND = 1,
	FLAG_CPI = 2,
	FLAG_POLL = 4,
	FLAG_XMIT_SEQ = 8,
	FLAG_RCV_SEQ = 16,
	FLAG_OUR_DEMAND = 32
};

static void put32(uint8_t *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static void put64(uint8_t *to, uint64_t value)
{
	memcpy(to, &value, sizeof(value));
}

static uint32_t get32(const uint8_t *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static uint64_t get64(const uint8_t *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

/* Tells what is half written, not what is forged. SIZE is a multiple of 8; never 0, which is an empty
 * record's. */
static uint64_t checksum(const uint8_t *data, size_t size)
{
	uint64_t sum = 0x9e3779b97f4a7c15ull;

	for (size_t at = 0; at < size; at += 8) {
		sum = (sum ^ get64(data + at)) * 0xff51afd7ed558ccdull;
		sum ^= sum >> 32;
	}
	return sum ? sum : 1;
}

void resume_header_encode(const struct resume_owner *owner, uint8_t header[RESUME_FIXED])
{
	memset(header, 0, RESUME_FIXED);
	memcpy(header + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1);
	put32(header + AT_VERSION, RESUME_VERSION);
	put32(header + AT_RECORD, RESUME_RECORD);
	memcpy(header + AT_BOOT, owner->boot, RESUME_BOOT);
	put64(header + AT_DEVICE, owner->namespace_device);
	put64(header + AT_INODE, owner->namespace_inode);
	put64(header + AT_FIXED_SUM, checksum(header, AT_FIXED_SUM));
}

enum resume_refusal resume_header_check(const struct resume_owner *owner, const uint8_t *header, size_t size)
{
	uint8_t ours[RESUME_FIXED];

	if (size < RESUME_FIXED || memcmp(header + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1) != 0 ||
	    get64(header + AT_FIXED_SUM) != checksum(header, AT_FIXED_SUM))
		return RESUME_NO_STATE_FILE;
	if (get32(header + AT_VERSION) != RESUME_VERSION || get32(header + AT_RECORD) != RESUME_RECORD)
		return RESUME_OTHER_VERSION;
	if (memcmp(header + AT_BOOT, owner->boot, RESUME_BOOT) != 0)
		return RESUME_OTHER_BOOT;
	if (get64(header + AT_DEVICE) != owner->namespace_device ||
	    get64(header + AT_INODE) != owner->namespace_inode)
		return RESUME_OTHER_NAMESPACE;
	resume_header_encode(owner, ours);
	return memcmp(header, ours, RESUME_FIXED) != 0 ? RESUME_NO_STATE_FILE : RESUME_FINE;
}

const char *resume_refusal_text(enum resume_refusal refusal)
{
	switch (refusal) {
	case RESUME_FINE:
		break;
	case RESUME_NO_STATE_FILE:
		return "it is damaged, or no bfdd wrote it";
	case RESUME_OTHER_VERSION:
		return "another version of bfdd wrote it";
	case RESUME_OTHER_BOOT:
		return "it is from before the host started";
	case RESUME_OTHER_NAMESPACE:
		return "it is from another network namespace";
	}
	return "";
}

static void take_sequence(struct resume *resume, const struct auth_state *auth)
{
	resume->xmit_started = auth->started;
	resume->rcv_known = auth->known;
	resume->xmit_seq = auth->started ? auth->xmit_seq : 0;
	resume->rcv_seq = auth->known ? auth->rcv_seq : 0;
}

void resume_sequence(const struct resume *resume, struct auth_state *auth)
{
	auth->started = resume->xmit_started;
	auth->xmit_seq = resume->xmit_seq;
	auth->known = resume->rcv_known ? AUTH_RESUMED : AUTH_UNKNOWN;
	auth->rcv_seq = resume->rcv_seq;
}

void resume_take(struct resume *resume, const struct session *session)
{
	memset(resume, 0, sizeof(*resume));
	resume->key.peer.family = session->key.peer.family;
	memcpy(resume->key.peer.bytes, session->key.peer.bytes, sizeof(resume->key.peer.bytes));
	resume->key.local.family = session->key.local.family;
	memcpy(resume->key.local.bytes, session->key.local.bytes, sizeof(resume->key.local.bytes));
	resume->key.ifindex = session->key.ifindex;
	resume->key.vrf = session->key.vrf;
	resume->key.type = session->key.type;
	resume->local_discr = session->local_discr;
	resume->remote_discr = session->remote_discr;
	resume->source_port = session->source_port;
	resume->state = session->state;
	resume->remote_state = session->remote_state;
	resume->local_diag = session->local_diag;
	resume->remote_diag = session->remote_diag;
	resume->detect_mult = session->config.detect_mult;
	resume->remote_detect_mult = session->remote_detect_mult;
	resume->remote_demand = session->remote_demand;
	resume->remote_cpi = session->remote_cpi;
	resume->polling = (session->poll_active && !session->poll_asks) || session->poll_pending;
	resume->demand = session->demand_used;
	resume->remote_min_rx = session->remote_min_rx;
	resume->remote_min_tx = session->remote_min_tx;
	resume->desired_min_tx = session->desired_min_tx;
	resume->required_min_rx = session->required_min_rx;
	resume->desired_min_tx_used = session->desired_min_tx_used;
	resume->required_min_rx_used = session->required_min_rx_used;
	resume->since = session->since;
	resume->created = session->created;
	resume->up_transitions = session->up_transitions;
	resume->down_transitions = session->down_transitions;
	if (session->config.auth)
		resume->chain = session->config.auth->mark;
	if (session->extra)
		take_sequence(resume, &session->extra->auth);
}

void resume_encode(const struct resume *resume, uint8_t record[RESUME_RECORD])
{
	memset(record, 0, RESUME_RECORD);
	put32(record + AT_LOCAL_DISCR, resume->local_discr);
	put32(record + AT_REMOTE_DISCR, resume->remote_discr);
	memcpy(record + AT_SOURCE_PORT, &resume->source_port, sizeof(resume->source_port));
	record[AT_STATE] = resume->state;
	record[AT_REMOTE_STATE] = resume->remote_state;
	record[AT_LOCAL_DIAG] = resume->local_diag;
	record[AT_REMOTE_DIAG] = resume->remote_diag;
	record[AT_DETECT_MULT] = resume->detect_mult;
	record[AT_REMOTE_DETECT_MULT] = resume->remote_detect_mult;
	record[AT_FLAGS] =
		(uint8_t)((resume->remote_demand ? FLAG_DEMAND : 0) | (resume->remote_cpi ? FLAG_CPI : 0) |
			  (resume->polling ? FLAG_POLL : 0) | (resume->xmit_started ? FLAG_XMIT_SEQ : 0) |
			  (resume->rcv_known ? FLAG_RCV_SEQ : 0) | (resume->demand ? FLAG_OUR_DEMAND : 0));
	put32(record + AT_XMIT_SEQ, resume->xmit_seq);
	put32(record + AT_RCV_SEQ, resume->rcv_seq);
	put32(record + AT_CHAIN, resume->chain);
	record[AT_FAMILY] = (uint8_t)addr_size(resume->key.peer.family);
	record[AT_HAS_LOCAL] = resume->key.local.family != AF_UNSPEC;
	record[AT_TYPE] = resume->key.type;
	put32(record + AT_IFINDEX, resume->key.ifindex);
	put32(record + AT_VRF, resume->key.vrf);
	put32(record + AT_REMOTE_MIN_RX, resume->remote_min_rx);
	put32(record + AT_REMOTE_MIN_TX, resume->remote_min_tx);
	put32(record + AT_DESIRED, resume->desired_min_tx);
	put32(record + AT_REQUIRED, resume->required_min_rx);
	put32(record + AT_DESIRED_USED, resume->desired_min_tx_used);
	put32(record + AT_REQUIRED_USED, resume->required_min_rx_used);
	put64(record + AT_SINCE, (uint64_t)resume->since);
	put64(record + AT_CREATED, (uint64_t)resume->created);
	put32(record + AT_UPS, resume->up_transitions);
	put32(record + AT_DOWNS, resume->down_transitions);
	memcpy(record + AT_PEER, resume->key.peer.bytes, sizeof(resume->key.peer.bytes));
	memcpy(record + AT_LOCAL, resume->key.local.bytes, sizeof(resume->key.local.bytes));
	put64(record + AT_SUM, checksum(record + AT_LOCAL_DISCR, RESUME_RECORD - AT_LOCAL_DISCR));
}

static struct addr get_addr(const uint8_t *from, uint8_t family)
{
	struct addr addr = {.family = family};

	memcpy(addr.bytes, from, addr_size(family));
	return addr;
}

static bool decode_key(struct session_key *key, const uint8_t *record)
{
	uint8_t family = record[AT_FAMILY] == 4 ? AF_INET : AF_INET6;

	if ((record[AT_FAMILY] != 4 && record[AT_FAMILY] != 16) || record[AT_HAS_LOCAL] > 1)
		return false;
	key->peer = get_addr(record + AT_PEER, family);
	key->local = get_addr(record + AT_LOCAL, record[AT_HAS_LOCAL] ? family : AF_UNSPEC);
	key->ifindex = get32(record + AT_IFINDEX);
	key->vrf = get32(record + AT_VRF);
	key->type = record[AT_TYPE];
	return key->type < SESSION_TYPES && !addr_is_unspecified(&key->peer) &&
	       !addr_is_multicast(&key->peer);
}

static void decode_values(struct resume *resume, const uint8_t *record)
{
	resume->local_discr = get32(record + AT_LOCAL_DISCR);
	resume->remote_discr = get32(record + AT_REMOTE_DISCR);
	memcpy(&resume->source_port, record + AT_SOURCE_PORT, sizeof(resume->source_port));
	resume->state = record[AT_STATE];
	resume->remote_state = record[AT_REMOTE_STATE];
	resume->local_diag = record[AT_LOCAL_DIAG];
	resume->remote_diag = record[AT_REMOTE_DIAG];
	resume->detect_mult = record[AT_DETECT_MULT];
	resume->remote_detect_mult = record[AT_REMOTE_DETECT_MULT];
	resume->remote_demand = record[AT_FLAGS] & FLAG_DEMAND;
	resume->remote_cpi = record[AT_FLAGS] & FLAG_CPI;
	resume->polling = record[AT_FLAGS] & FLAG_POLL;
	resume->xmit_started = record[AT_FLAGS] & FLAG_XMIT_SEQ;
	resume->rcv_known = record[AT_FLAGS] & FLAG_RCV_SEQ;
	resume->xmit_seq = get32(record + AT_XMIT_SEQ);
	resume->rcv_seq = get32(record + AT_RCV_SEQ);
	resume->chain = get32(record + AT_CHAIN);
	resume->demand = record[AT_FLAGS] & FLAG_OUR_DEMAND;
	resume->remote_min_rx = get32(record + AT_REMOTE_MIN_RX);
	resume->remote_min_tx = get32(record + AT_REMOTE_MIN_TX);
	resume->desired_min_tx = get32(record + AT_DESIRED);
	resume->required_min_rx = get32(record + AT_REQUIRED);
	resume->desired_min_tx_used = get32(record + AT_DESIRED_USED);
	resume->required_min_rx_used = get32(record + AT_REQUIRED_USED);
	resume->since = (usec_t)get64(record + AT_SINCE);
	resume->created = (usec_t)get64(record + AT_CREATED);
	resume->up_transitions = get32(record + AT_UPS);
	resume->down_transitions = get32(record + AT_DOWNS);
}

/* S-BFD begins anew: its first answer brings it up. Who loops our own packets is never asked to be silent. */
static bool goes_on(const struct resume *resume)
{
	return resume->key.type != SESSION_SBFD && !(resume->demand && resume->key.type == SESSION_ECHO);
}

/* A session of ours can be so. */
static bool sensible(const struct resume *resume, usec_t now)
{
	bool met = resume->remote_discr && resume->remote_detect_mult;

	return goes_on(resume) && resume->source_port >= BFD_SOURCE_PORT_MIN && resume->state <= BFD_UP &&
	       resume->remote_state <= BFD_UP && resume->local_diag <= DIAG_MOST &&
	       resume->remote_diag <= DIAG_MOST && resume->detect_mult && (met || resume->state < BFD_INIT) &&
	       resume->desired_min_tx >= SHORTEST_INTERVAL &&
	       resume->desired_min_tx_used >= SHORTEST_INTERVAL &&
	       resume->required_min_rx >= SHORTEST_INTERVAL &&
	       resume->required_min_rx_used >= SHORTEST_INTERVAL && resume->created > 0 &&
	       resume->since >= resume->created && resume->since <= now;
}

bool resume_decode(struct resume *resume, const uint8_t from[RESUME_RECORD], uint16_t slot, usec_t now)
{
	uint8_t record[RESUME_RECORD], again[RESUME_RECORD];

	memcpy(record, from, sizeof(record)); /* somebody may be writing there */
	memset(resume, 0, sizeof(*resume));
	if (!decode_key(&resume->key, record))
		return false;
	decode_values(resume, record);
	/* Just what we would write, checksum and spare bytes included. */
	resume_encode(resume, again);
	return !memcmp(record, again, sizeof(record)) && slot != NO_SLOT && resume->local_discr &&
	       (uint16_t)resume->local_discr == slot && sensible(resume, now);
}

bool resume_in_time(const struct resume *resume, usec_t silent)
{
	uint32_t interval = resume->desired_min_tx_used;

	if (interval < resume->remote_min_rx)
		interval = resume->remote_min_rx;
	return resume->state >= BFD_INIT && silent >= 0 && silent < (usec_t)resume->detect_mult * interval;
}

bool resume_failed(const struct resume *resume)
{
	return resume->down_transitions && (resume->state == BFD_DOWN || resume->state == BFD_INIT) &&
	       (resume->local_diag == DIAG_DETECTION_EXPIRED || resume->local_diag == DIAG_PATH_DOWN);
}

struct session_config resume_config(const struct resume *resume)
{
	return (struct session_config){
		.desired_min_tx = resume->desired_min_tx,
		.required_min_rx = resume->required_min_rx,
		.detect_mult = resume->detect_mult,
		.min_ttl = resume->key.type == SESSION_MULTIHOP ? 1 : 255,
		.dscp = SESSION_DSCP,
	};
}

static int addr_compare(const struct addr *a, const struct addr *b)
{
	return a->family != b->family ? a->family - b->family : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

int resume_key_compare(const struct session_key *a, const struct session_key *b)
{
	int order = addr_compare(&a->peer, &b->peer);

	if (!order)
		order = addr_compare(&a->local, &b->local);
	if (!order)
		order = a->type - b->type;
	if (!order)
		order = a->vrf < b->vrf ? -1 : a->vrf > b->vrf;
	/* A multihop session is the same on whatever interface (core/table.c). */
	if (!order && !session_routed(a->type))
		order = a->ifindex < b->ifindex ? -1 : a->ifindex > b->ifindex;
	return order;
}
