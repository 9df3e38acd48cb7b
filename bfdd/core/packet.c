/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/packet.h"
#include "core/wire.h"

#include <string.h>

#define BFD_VERSION 1

/* RFC 5880 4.1: the flags of the second byte. */
enum {
	FLAG_POLL = 0x20,
	FLAG_FINAL = 0x10,
	FLAG_CONTROL_PLANE_INDEPENDENT = 0x08,
	FLAG_AUTH = 0x04,
	FLAG_DEMAND = 0x02,
	FLAG_MULTIPOINT = 0x01,
};

/* The fixed sizes of 4.2 to 4.4; a type without a name only has to hold its own header. */
static bool auth_length_valid(uint8_t type, uint8_t length)
{
	switch (type) {
	case 1: /* simple password: key id and 1 to 16 bytes */
		return length >= 4 && length <= 19;
	case 2: /* keyed MD5, and meticulous */
	case 3:
		return length == 24;
	case 4: /* keyed SHA1, and meticulous */
	case 5:
		return length == 28;
	default:
		return length >= 2;
	}
}

static void packet_read(struct packet *packet, const uint8_t *buf)
{
	memset(packet, 0, sizeof(*packet));
	packet->diag = buf[0] & 0x1f;
	packet->state = buf[1] >> 6;
	packet->poll = buf[1] & FLAG_POLL;
	packet->final = buf[1] & FLAG_FINAL;
	packet->control_plane_independent = buf[1] & FLAG_CONTROL_PLANE_INDEPENDENT;
	packet->auth_present = buf[1] & FLAG_AUTH;
	packet->demand = buf[1] & FLAG_DEMAND;
	packet->multipoint = buf[1] & FLAG_MULTIPOINT;
	packet->detect_mult = buf[2];
	packet->length = buf[3];
	packet->my_discr = get32(buf + 4);
	packet->your_discr = get32(buf + 8);
	packet->desired_min_tx = get32(buf + 12);
	packet->required_min_rx = get32(buf + 16);
	packet->required_min_echo_rx = get32(buf + 20);
}

enum drop packet_decode(struct packet *packet, const uint8_t *buf, size_t size)
{
	if (size < PACKET_SIZE)
		return DROP_SHORT;
	packet_read(packet, buf);

	if (buf[0] >> 5 != BFD_VERSION)
		return DROP_VERSION;
	if (packet->length < (packet->auth_present ? PACKET_SIZE + 2 : PACKET_SIZE))
		return DROP_LENGTH;
	if (packet->length > size)
		return DROP_TRUNCATED;
	if (!packet->detect_mult)
		return DROP_DETECT_MULT_ZERO;
	if (packet->multipoint)
		return DROP_MULTIPOINT;
	if (!packet->my_discr)
		return DROP_MY_DISCR_ZERO;
	if (!packet->your_discr && packet->state != BFD_DOWN && packet->state != BFD_ADMIN_DOWN)
		return DROP_YOUR_DISCR_ZERO;
	if (packet->auth_present) {
		packet->auth_type = buf[PACKET_SIZE];
		packet->auth_length = buf[PACKET_SIZE + 1];
		if (packet->auth_length > packet->length - PACKET_SIZE ||
		    !auth_length_valid(packet->auth_type, packet->auth_length))
			return DROP_AUTH_LENGTH;
	}
	return DROP_NONE;
}

size_t packet_encode(const struct packet *packet, uint8_t buf[PACKET_SIZE])
{
	buf[0] = (uint8_t)(BFD_VERSION << 5 | (packet->diag & 0x1f));
	buf[1] = (uint8_t)(packet->state << 6);
	if (packet->poll)
		buf[1] |= FLAG_POLL;
	if (packet->final)
		buf[1] |= FLAG_FINAL;
	if (packet->control_plane_independent)
		buf[1] |= FLAG_CONTROL_PLANE_INDEPENDENT;
	if (packet->demand)
		buf[1] |= FLAG_DEMAND;
	buf[2] = packet->detect_mult;
	buf[3] = PACKET_SIZE;
	put32(buf + 4, packet->my_discr);
	put32(buf + 8, packet->your_discr);
	put32(buf + 12, packet->desired_min_tx);
	put32(buf + 16, packet->required_min_rx);
	put32(buf + 20, packet->required_min_echo_rx);
	return PACKET_SIZE;
}

const char *bfd_state_name(enum bfd_state state)
{
	static const char *const names[] = {"admin-down", "down", "init", "up"};

	return names[state & 3];
}

const char *bfd_diag_name(uint8_t diag)
{
	static const char *const names[] = {
		[DIAG_NONE] = "none",
		[DIAG_DETECTION_EXPIRED] = "control-expiry",
		[DIAG_ECHO_FAILED] = "echo-failed",
		[DIAG_NEIGHBOR_DOWN] = "neighbor-down",
		[DIAG_FORWARDING_RESET] = "forwarding-reset",
		[DIAG_PATH_DOWN] = "path-down",
		[DIAG_CONCATENATED_DOWN] = "concatenated-path-down",
		[DIAG_ADMIN_DOWN] = "admin-down",
		[DIAG_REVERSE_CONCATENATED_DOWN] = "reverse-concatenated-path-down",
	};

	return diag < sizeof(names) / sizeof(names[0]) ? names[diag] : "reserved";
}
