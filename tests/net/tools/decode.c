/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode    what our own decoder says of BFD Control packets, in the form that tshark has its fields in
 * Each line of the input is a payload in hexadecimal; each one of the output the fields, or "dropped REASON".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/packet.h"
#include "core/wire.h"

#define PAYLOAD_MAX 65536

static bool read_hex(const char *text, uint8_t *bytes, size_t *size)
{
	*size = 0;
	for (; text[0] && text[0] != '\n'; text += 2) {
		char pair[3] = {text[0], text[1], '\0'}, *end;

		bytes[*size] = (uint8_t)strtoul(pair, &end, 16);
		if (end != pair + 2 || ++*size == PAYLOAD_MAX)
			return false;
	}
	return *size;
}

/* RFC 5880 4.2 to 4.4. */
static void print_auth(const struct packet *packet, const uint8_t *section)
{
	if (!packet->auth_present) {
		puts(" - - - -");
		return;
	}
	printf(" %u %u %u", packet->auth_type, packet->auth_length, section[2]);
	if (packet->auth_type >= 2 && packet->auth_type <= 5)
		printf(" %u\n", get32(section + 4));
	else
		puts(" -");
}

static void print_packet(const uint8_t *bytes, size_t size)
{
	struct packet packet;
	enum drop drop = packet_decode(&packet, bytes, size);

	if (drop) {
		printf("dropped %s\n", drop_name(drop));
		return;
	}
	printf("%u %u %u %d %d %d %d %d %d %u %u %u %u %u %u %u", bytes[0] >> 5, packet.diag, packet.state,
	       packet.poll, packet.final, packet.control_plane_independent, packet.auth_present,
	       packet.demand, packet.multipoint, packet.detect_mult, packet.length, packet.my_discr,
	       packet.your_discr, packet.desired_min_tx, packet.required_min_rx, packet.required_min_echo_rx);
	print_auth(&packet, bytes + PACKET_SIZE);
}

int main(void)
{
	static uint8_t bytes[PAYLOAD_MAX];
	static char line[2 * PAYLOAD_MAX + 2];
	size_t size;

	while (fgets(line, sizeof(line), stdin)) {
		if (!read_hex(line, bytes, &size)) {
			fprintf(stderr, "decode: not hexadecimal: %s", line);
			return 2;
		}
		print_packet(bytes, size);
	}
	return 0;
}
