/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/packet.h"

/* Written down from RFC 5880 4.1 by hand: Up, Poll, C, diagnostic 3, multiplier 5. */
static const uint8_t golden[PACKET_SIZE] = {0x23, 0xe8, 0x05, 0x18, 0x01, 0x02, 0x03, 0x04,
					    0x05, 0x06, 0x07, 0x08, 0x00, 0x0f, 0x42, 0x40,
					    0x00, 0x00, 0xc3, 0x50, 0x00, 0x00, 0x27, 0x10};

/* Decodes from a block of exactly SIZE bytes, so that reading beyond it is seen by the sanitizer. */
static enum drop decode(struct packet *packet, const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);
	enum drop drop;

	assert_non_null(exact);
	memcpy(exact, bytes, size);
	drop = packet_decode(packet, exact, size);
	free(exact);
	return drop;
}

static void fields_are_where_the_rfc_has_them(void **state)
{
	struct packet p;

	assert_int_equal(decode(&p, golden, sizeof(golden)), DROP_NONE);
	assert_int_equal(p.diag, 3);
	assert_int_equal(p.state, BFD_UP);
	assert_true(p.poll);
	assert_false(p.final);
	assert_true(p.control_plane_independent);
	assert_false(p.auth_present);
	assert_false(p.demand);
	assert_false(p.multipoint);
	assert_int_equal(p.detect_mult, 5);
	assert_int_equal(p.length, 24);
	assert_int_equal(p.my_discr, 0x01020304);
	assert_int_equal(p.your_discr, 0x05060708);
	assert_int_equal(p.desired_min_tx, 1000000);
	assert_int_equal(p.required_min_rx, 50000);
	assert_int_equal(p.required_min_echo_rx, 10000);
}

static void each_flag_has_its_bit(void **state)
{
	uint8_t bytes[PACKET_SIZE];
	struct packet p;

	memcpy(bytes, golden, sizeof(bytes));
	bytes[1] = 0x40 | 0x10;
	assert_int_equal(decode(&p, bytes, sizeof(bytes)), DROP_NONE);
	assert_true(p.final && !p.poll && !p.demand && !p.control_plane_independent && p.state == BFD_DOWN);
	bytes[1] = 0x80 | 0x02;
	assert_int_equal(decode(&p, bytes, sizeof(bytes)), DROP_NONE);
	assert_true(p.demand && !p.final && !p.poll && !p.control_plane_independent && p.state == BFD_INIT);
	/* 6.5 forbids sending P with F, but 6.8.6 does not have it discarded. */
	bytes[1] = 0xc0 | 0x30;
	assert_int_equal(decode(&p, bytes, sizeof(bytes)), DROP_NONE);
	assert_true(p.final && p.poll);
}

static void encoding_writes_the_same_bytes(void **state)
{
	uint8_t bytes[PACKET_SIZE];
	struct packet p;

	assert_int_equal(decode(&p, golden, sizeof(golden)), DROP_NONE);
	memset(bytes, 0xaa, sizeof(bytes));
	assert_int_equal(packet_encode(&p, bytes), PACKET_SIZE);
	assert_memory_equal(bytes, golden, sizeof(bytes));
}

struct fault {
	enum drop drop;
	size_t at;
	uint8_t mask, value; /* bytes[at] = bytes[at] & ~mask | value */
};

/* 6.8.6 in its order. */
static const struct fault faults[] = {
	{DROP_VERSION, 0, 0xe0, 0x00},	{DROP_VERSION, 0, 0xe0, 0x40},	     {DROP_VERSION, 0, 0xe0, 0xe0},
	{DROP_LENGTH, 3, 0xff, 23},	{DROP_LENGTH, 3, 0xff, 0},	     {DROP_TRUNCATED, 3, 0xff, 25},
	{DROP_TRUNCATED, 3, 0xff, 255}, {DROP_DETECT_MULT_ZERO, 2, 0xff, 0}, {DROP_MULTIPOINT, 1, 0x01, 0x01},
};

static void a_broken_packet_is_dropped_with_its_reason(void **state)
{
	uint8_t bytes[PACKET_SIZE];
	struct packet p;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];

		memcpy(bytes, golden, sizeof(bytes));
		bytes[f->at] = (uint8_t)((bytes[f->at] & ~f->mask) | f->value);
		assert_int_equal(decode(&p, bytes, sizeof(bytes)), f->drop);
	}
	for (i = 0; i < PACKET_SIZE; i++)
		assert_int_equal(decode(&p, golden, i), DROP_SHORT);
}

static void the_first_failing_check_gives_the_reason(void **state)
{
	static const uint8_t repaired[][2] = {/* at, value: in the order of the checks */
					      {0, 0x20}, {3, 24}, {2, 3}, {1, 0xc0}, {7, 1}, {11, 1}};
	static const enum drop then[] = {DROP_VERSION,	  DROP_LENGTH,	      DROP_DETECT_MULT_ZERO,
					 DROP_MULTIPOINT, DROP_MY_DISCR_ZERO, DROP_YOUR_DISCR_ZERO};
	uint8_t bytes[PACKET_SIZE] = {0};
	struct packet p;
	size_t i;

	bytes[1] = 0xc0 | 0x01;
	for (i = 0; i < sizeof(then) / sizeof(then[0]); i++) {
		assert_int_equal(decode(&p, bytes, sizeof(bytes)), then[i]);
		bytes[repaired[i][0]] = repaired[i][1];
	}
	assert_int_equal(decode(&p, bytes, sizeof(bytes)), DROP_NONE);
}

static void trailing_bytes_are_none_of_ours(void **state)
{
	uint8_t bytes[PACKET_SIZE + 40];
	struct packet p;

	memset(bytes, 0xff, sizeof(bytes));
	memcpy(bytes, golden, PACKET_SIZE);
	assert_int_equal(decode(&p, bytes, sizeof(bytes)), DROP_NONE);
	assert_int_equal(p.length, PACKET_SIZE);
}

static void your_discriminator_zero_only_in_down_and_admin_down(void **state)
{
	static const enum drop expected[] = {DROP_NONE, DROP_NONE, DROP_YOUR_DISCR_ZERO,
					     DROP_YOUR_DISCR_ZERO};
	uint8_t bytes[PACKET_SIZE];
	struct packet p;
	unsigned s;

	for (s = BFD_ADMIN_DOWN; s <= BFD_UP; s++) {
		memcpy(bytes, golden, sizeof(bytes));
		bytes[1] = (uint8_t)(s << 6);
		memset(bytes + 8, 0, 4);
		assert_int_equal(decode(&p, bytes, sizeof(bytes)), expected[s]);
		memset(bytes + 4, 0, 4);
		assert_int_equal(decode(&p, bytes, sizeof(bytes)), DROP_MY_DISCR_ZERO);
	}
}

static enum drop decode_auth(uint8_t type, uint8_t auth_length, uint8_t length, size_t size)
{
	uint8_t bytes[PACKET_SIZE_MAX] = {0};
	struct packet p;
	enum drop drop;

	memcpy(bytes, golden, PACKET_SIZE);
	bytes[1] |= 0x04;
	bytes[3] = length;
	bytes[24] = type;
	bytes[25] = auth_length;
	drop = decode(&p, bytes, size);
	if (drop == DROP_NONE) {
		assert_true(p.auth_present);
		assert_int_equal(p.auth_type, type);
		assert_int_equal(p.auth_length, auth_length);
	}
	return drop;
}

static void an_authentication_section_fits_type_and_packet(void **state)
{
	static const struct {
		uint8_t type, min, max;
	} types[] = {{1, 4, 19},  {2, 24, 24}, {3, 24, 24},  {4, 28, 28},
		     {5, 28, 28}, {0, 2, 231}, {200, 2, 231}};
	unsigned i, length;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (length = 0; length <= 255; length++) {
			bool fits = length >= types[i].min && length <= types[i].max;

			assert_int_equal(decode_auth(types[i].type, (uint8_t)length, 255, 255),
					 fits ? DROP_NONE : DROP_AUTH_LENGTH);
		}
	assert_int_equal(decode_auth(4, 28, 24 + 28, 24 + 28), DROP_NONE);
	assert_int_equal(decode_auth(4, 28, 24 + 27, 24 + 28), DROP_AUTH_LENGTH);
	assert_int_equal(decode_auth(4, 28, 24 + 28, 24 + 27), DROP_TRUNCATED);
	assert_int_equal(decode_auth(4, 28, 24, 24), DROP_LENGTH);
	assert_int_equal(decode_auth(4, 28, 25, 60), DROP_LENGTH);
	assert_int_equal(decode_auth(0, 2, 26, 26), DROP_NONE);
}

/* What is accepted keeps to the rules, and encodes to what it was. */
static void random_bytes_do_no_harm(void **state)
{
	uint8_t bytes[80], again[PACKET_SIZE];
	struct packet p;
	unsigned round, accepted = 0;

	srand(5880);
	for (round = 0; round < 200000; round++) {
		size_t size = (size_t)rand() % sizeof(bytes), i;

		for (i = 0; i < size; i++)
			bytes[i] = (uint8_t)rand();
		if (size > 3 && round % 2) { /* past the first checks */
			bytes[0] = (uint8_t)(0x20 | (bytes[0] & 0x1f));
			bytes[3] = (uint8_t)(24 + rand() % 40);
			bytes[1] &= (uint8_t)~0x01;
		}
		if (decode(&p, bytes, size) != DROP_NONE)
			continue;
		accepted++;
		assert_true(p.length >= PACKET_SIZE && p.length <= size);
		assert_true(p.my_discr && p.detect_mult && !p.multipoint);
		assert_true(p.your_discr || p.state <= BFD_DOWN);
		assert_true(!p.auth_present || p.auth_length + PACKET_SIZE <= p.length);
		packet_encode(&p, again);
		bytes[1] &= (uint8_t)~0x04;
		bytes[3] = PACKET_SIZE;
		assert_memory_equal(again, bytes, PACKET_SIZE);
	}
	assert_true(accepted > 1000);
}

static void names_are_the_contract(void **state)
{
	assert_string_equal(bfd_state_name(BFD_ADMIN_DOWN), "admin-down");
	assert_string_equal(bfd_state_name(BFD_DOWN), "down");
	assert_string_equal(bfd_state_name(BFD_INIT), "init");
	assert_string_equal(bfd_state_name(BFD_UP), "up");
	assert_string_equal(bfd_diag_name(0), "none");
	assert_string_equal(bfd_diag_name(1), "control-expiry");
	assert_string_equal(bfd_diag_name(2), "echo-failed");
	assert_string_equal(bfd_diag_name(3), "neighbor-down");
	assert_string_equal(bfd_diag_name(4), "forwarding-reset");
	assert_string_equal(bfd_diag_name(5), "path-down");
	assert_string_equal(bfd_diag_name(6), "concatenated-path-down");
	assert_string_equal(bfd_diag_name(7), "admin-down");
	assert_string_equal(bfd_diag_name(8), "reverse-concatenated-path-down");
	assert_string_equal(bfd_diag_name(9), "reserved");
	assert_string_equal(bfd_diag_name(255), "reserved");
	assert_string_equal(drop_name(DROP_NONE), "none");
	assert_string_equal(drop_name(DROP_SHORT), "short");
	assert_string_equal(drop_name(DROP_NO_PATH), "no-path");
	assert_string_equal(drop_name(DROP_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_where_the_rfc_has_them),
		cmocka_unit_test(each_flag_has_its_bit),
		cmocka_unit_test(encoding_writes_the_same_bytes),
		cmocka_unit_test(a_broken_packet_is_dropped_with_its_reason),
		cmocka_unit_test(the_first_failing_check_gives_the_reason),
		cmocka_unit_test(trailing_bytes_are_none_of_ours),
		cmocka_unit_test(your_discriminator_zero_only_in_down_and_admin_down),
		cmocka_unit_test(an_authentication_section_fits_type_and_packet),
		cmocka_unit_test(random_bytes_do_no_harm),
		cmocka_unit_test(names_are_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
