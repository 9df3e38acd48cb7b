/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/frr_message.h"
#include "core/wire.h"

#include <string.h>
#include <sys/socket.h>

#define VERSION 1
#define HEADER 8

/* Header */
#define AT_VERSION 0
#define AT_TYPE 2
#define AT_ID 4
#define AT_LENGTH 6

/* Session */
#define AT_FLAGS 8
#define AT_SOURCE 12
#define AT_DESTINATION 28
#define AT_SESSION_LID 44
#define AT_MIN_TX 48
#define AT_MIN_RX 52
#define AT_MIN_ECHO_TX 56
#define AT_MIN_ECHO_RX 60
#define AT_TTL 68
#define AT_DETECT_MULT 69
#define AT_IFINDEX 72
#define AT_IFNAME 76
#define IFNAME_SIZE 64

/* State */
#define AT_STATE_LID 8
#define AT_REMOTE_DISCR 12
#define AT_REMOTE_FLAGS 16
#define AT_REMOTE_MIN_TX 20
#define AT_REMOTE_MIN_RX 24
#define AT_REMOTE_MIN_ECHO_RX 28
#define AT_STATE 32
#define AT_REMOTE_DIAG 33
#define AT_REMOTE_DETECT_MULT 34

/* Counters: the compiler's padding lies behind the lid. */
#define AT_COUNTERS_LID 8
#define AT_IN_BYTES 16
#define AT_IN_PACKETS 24
#define AT_OUT_BYTES 32
#define AT_OUT_PACKETS 40
#define AT_ECHO_IN_BYTES 48
#define AT_ECHO_IN_PACKETS 56
#define AT_ECHO_OUT_BYTES 64
#define AT_ECHO_OUT_PACKETS 72

/* Echo */
#define AT_DATA_PLANE_TIME 8
#define AT_BFDD_TIME 16

static const uint16_t lengths[] = {
	[FRR_ECHO_REQUEST] = 24,     [FRR_ECHO_REPLY] = 24,   [FRR_ADD_SESSION] = 140,
	[FRR_DELETE_SESSION] = 140,  [FRR_STATE_CHANGE] = 36, [FRR_REQUEST_COUNTERS] = 12,
	[FRR_SESSION_COUNTERS] = 80,
};

#define TYPES (sizeof(lengths) / sizeof(*lengths))

static struct addr get_addr(const uint8_t *data, uint8_t family)
{
	struct addr addr = {.family = family};

	memcpy(addr.bytes, data, addr_size(family));
	return addr;
}

static bool decode_session(const uint8_t *data, struct frr_session *session)
{
	const char *name = (const char *)data + AT_IFNAME;
	size_t length = strnlen(name, IFNAME_SIZE);
	uint8_t family;

	session->flags = get32(data + AT_FLAGS);
	family = session->flags & FRR_SESSION_IPV6 ? AF_INET6 : AF_INET;
	session->local = get_addr(data + AT_SOURCE, family);
	session->peer = get_addr(data + AT_DESTINATION, family);
	session->lid = get32(data + AT_SESSION_LID);
	session->min_tx = get32(data + AT_MIN_TX);
	session->min_rx = get32(data + AT_MIN_RX);
	session->min_echo_tx = get32(data + AT_MIN_ECHO_TX);
	session->min_echo_rx = get32(data + AT_MIN_ECHO_RX);
	session->ttl = data[AT_TTL];
	session->detect_mult = data[AT_DETECT_MULT];
	session->ifindex = get32(data + AT_IFINDEX);
	if (length >= sizeof(session->interface))
		return false;
	memcpy(session->interface, name, length);
	return true;
}

static void decode_state(const uint8_t *data, struct frr_state *state)
{
	state->lid = get32(data + AT_STATE_LID);
	state->remote_discr = get32(data + AT_REMOTE_DISCR);
	state->remote_flags = get32(data + AT_REMOTE_FLAGS);
	state->remote_min_tx = get32(data + AT_REMOTE_MIN_TX);
	state->remote_min_rx = get32(data + AT_REMOTE_MIN_RX);
	state->remote_min_echo_rx = get32(data + AT_REMOTE_MIN_ECHO_RX);
	state->state = data[AT_STATE];
	state->remote_diag = data[AT_REMOTE_DIAG];
	state->remote_detect_mult = data[AT_REMOTE_DETECT_MULT];
}

static void decode_counters(const uint8_t *data, struct frr_counters *counters)
{
	counters->lid = get32(data + AT_COUNTERS_LID);
	counters->in_bytes = get64(data + AT_IN_BYTES);
	counters->in_packets = get64(data + AT_IN_PACKETS);
	counters->out_bytes = get64(data + AT_OUT_BYTES);
	counters->out_packets = get64(data + AT_OUT_PACKETS);
	counters->echo_in_bytes = get64(data + AT_ECHO_IN_BYTES);
	counters->echo_in_packets = get64(data + AT_ECHO_IN_PACKETS);
	counters->echo_out_bytes = get64(data + AT_ECHO_OUT_BYTES);
	counters->echo_out_packets = get64(data + AT_ECHO_OUT_PACKETS);
}

int frr_decode(const uint8_t *data, size_t size, struct frr_message *message)
{
	uint16_t length;

	if (size > AT_VERSION && data[AT_VERSION] != VERSION)
		return FRR_BAD_VERSION;
	if (size < HEADER)
		return 0;
	*message = (struct frr_message){.type = get16(data + AT_TYPE), .id = get16(data + AT_ID)};
	length = get16(data + AT_LENGTH);
	if (message->type >= TYPES)
		return FRR_BAD_TYPE;
	if (length < lengths[message->type] || length > FRR_MESSAGE_MAX)
		return FRR_BAD_LENGTH;
	if (size < length)
		return 0;
	switch (message->type) {
	case FRR_ECHO_REQUEST:
	case FRR_ECHO_REPLY:
		message->echo.data_plane_time = get64(data + AT_DATA_PLANE_TIME);
		message->echo.bfdd_time = get64(data + AT_BFDD_TIME);
		break;
	case FRR_ADD_SESSION:
	case FRR_DELETE_SESSION:
		if (!decode_session(data, &message->session))
			return FRR_BAD_SESSION;
		break;
	case FRR_STATE_CHANGE:
		decode_state(data, &message->state);
		break;
	case FRR_REQUEST_COUNTERS:
		message->lid = get32(data + HEADER);
		break;
	case FRR_SESSION_COUNTERS:
		decode_counters(data, &message->counters);
		break;
	}
	return length;
}

static void encode_session(const struct frr_session *session, uint8_t *buf)
{
	put32(buf + AT_FLAGS, session->flags);
	memcpy(buf + AT_SOURCE, session->local.bytes, addr_size(session->local.family));
	memcpy(buf + AT_DESTINATION, session->peer.bytes, addr_size(session->peer.family));
	put32(buf + AT_SESSION_LID, session->lid);
	put32(buf + AT_MIN_TX, session->min_tx);
	put32(buf + AT_MIN_RX, session->min_rx);
	put32(buf + AT_MIN_ECHO_TX, session->min_echo_tx);
	put32(buf + AT_MIN_ECHO_RX, session->min_echo_rx);
	buf[AT_TTL] = session->ttl;
	buf[AT_DETECT_MULT] = session->detect_mult;
	put32(buf + AT_IFINDEX, session->ifindex);
	memcpy(buf + AT_IFNAME, session->interface, strnlen(session->interface, IFNAMSIZ - 1));
}

static void encode_state(const struct frr_state *state, uint8_t *buf)
{
	put32(buf + AT_STATE_LID, state->lid);
	put32(buf + AT_REMOTE_DISCR, state->remote_discr);
	put32(buf + AT_REMOTE_FLAGS, state->remote_flags);
	put32(buf + AT_REMOTE_MIN_TX, state->remote_min_tx);
	put32(buf + AT_REMOTE_MIN_RX, state->remote_min_rx);
	put32(buf + AT_REMOTE_MIN_ECHO_RX, state->remote_min_echo_rx);
	buf[AT_STATE] = state->state;
	buf[AT_REMOTE_DIAG] = state->remote_diag;
	buf[AT_REMOTE_DETECT_MULT] = state->remote_detect_mult;
}

static void encode_counters(const struct frr_counters *counters, uint8_t *buf)
{
	put32(buf + AT_COUNTERS_LID, counters->lid);
	put64(buf + AT_IN_BYTES, counters->in_bytes);
	put64(buf + AT_IN_PACKETS, counters->in_packets);
	put64(buf + AT_OUT_BYTES, counters->out_bytes);
	put64(buf + AT_OUT_PACKETS, counters->out_packets);
	put64(buf + AT_ECHO_IN_BYTES, counters->echo_in_bytes);
	put64(buf + AT_ECHO_IN_PACKETS, counters->echo_in_packets);
	put64(buf + AT_ECHO_OUT_BYTES, counters->echo_out_bytes);
	put64(buf + AT_ECHO_OUT_PACKETS, counters->echo_out_packets);
}

size_t frr_encode(const struct frr_message *message, uint8_t buf[FRR_ENCODED_MAX])
{
	size_t length = lengths[message->type];

	memset(buf, 0, length);
	buf[AT_VERSION] = VERSION;
	put16(buf + AT_TYPE, message->type);
	put16(buf + AT_ID, message->id);
	put16(buf + AT_LENGTH, (uint16_t)length);
	switch (message->type) {
	case FRR_ECHO_REQUEST:
	case FRR_ECHO_REPLY:
		put64(buf + AT_DATA_PLANE_TIME, message->echo.data_plane_time);
		put64(buf + AT_BFDD_TIME, message->echo.bfdd_time);
		break;
	case FRR_ADD_SESSION:
	case FRR_DELETE_SESSION:
		encode_session(&message->session, buf);
		break;
	case FRR_STATE_CHANGE:
		encode_state(&message->state, buf);
		break;
	case FRR_REQUEST_COUNTERS:
		put32(buf + HEADER, message->lid);
		break;
	case FRR_SESSION_COUNTERS:
		encode_counters(&message->counters, buf);
		break;
	}
	return length;
}

bool frr_state_equal(const struct frr_state *a, const struct frr_state *b)
{
	return a->lid == b->lid && a->remote_discr == b->remote_discr && a->remote_flags == b->remote_flags &&
	       a->remote_min_tx == b->remote_min_tx && a->remote_min_rx == b->remote_min_rx &&
	       a->remote_min_echo_rx == b->remote_min_echo_rx && a->state == b->state &&
	       a->remote_diag == b->remote_diag && a->remote_detect_mult == b->remote_detect_mult;
}

const char *frr_error_text(int error)
{
	switch (error) {
	case FRR_BAD_VERSION:
		return "a version other than 1";
	case FRR_BAD_LENGTH:
		return "a message with an impossible length";
	case FRR_BAD_TYPE:
		return "a message of an unknown type";
	case FRR_BAD_SESSION:
		return "a session whose interface name has no end";
	default:
		return "no error";
	}
}
