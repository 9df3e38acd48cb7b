/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The messages byte by byte, written by hand from what FRR puts on its socket; and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "routing/frr_message.h"

static const uint8_t add_v4[140] = {
	1,	     0,	   0,	 2,    0,	   0,	0,    140,  /* version, zero, ADD, id, length */
	0,	     0,	   0,	 0x60,				    /* passive, shutdown */
	192,	     0,	   2,	 0,    [28] = 192, 0,	2,    1,    /* from, to */
	[44] = 0x12, 0x34, 0x56, 0x78,				    /* lid */
	0,	     0,	   0xc3, 0x50,				    /* 50 ms */
	0,	     0,	   0x9c, 0x40,				    /* 40 ms */
	0,	     0,	   0xea, 0x60, 0,	   1,	0x11, 0x70, /* echo: 60 ms, 70 ms */
	0,	     0,	   0,	 0,    255,	   3,	0,    0,    /* hold time, TTL, multiplier */
	0,	     0,	   0,	 7,    'e',	   't', 'h',  '1',
};

static const uint8_t delete_v6[140] = {
	1,    0, 0,    3,    0,	       0,    0, 140,  0,    0,	      0,	0x11, /* multihop, IPv6 */
	0x20, 1, 0x0d, 0xb8, [27] = 2, 0x20, 1, 0x0d, 0xb8, [43] = 1, [44] = 0, 0,    0, 9, [68] = 250, 5,
};

static struct addr addr(const char *text)
{
	struct addr parsed;

	assert_true(addr_parse(&parsed, text));
	return parsed;
}

static void assert_addr(const struct addr *got, const char *wanted)
{
	struct addr other = addr(wanted);

	assert_true(addr_equal(got, &other));
}

static void a_session_is_read(void **state)
{
	struct frr_message message;
	const struct frr_session *s = &message.session;

	assert_int_equal(frr_decode(add_v4, sizeof(add_v4), &message), 140);
	assert_int_equal(message.type, FRR_ADD_SESSION);
	assert_int_equal(s->flags, FRR_SESSION_PASSIVE | FRR_SESSION_SHUTDOWN);
	assert_addr(&s->local, "192.0.2.0");
	assert_addr(&s->peer, "192.0.2.1");
	assert_int_equal(s->lid, 0x12345678);
	assert_int_equal(s->min_tx, 50000);
	assert_int_equal(s->min_rx, 40000);
	assert_int_equal(s->min_echo_tx, 60000);
	assert_int_equal(s->min_echo_rx, 70000);
	assert_int_equal(s->ttl, 255);
	assert_int_equal(s->detect_mult, 3);
	assert_int_equal(s->ifindex, 7);
	assert_string_equal(s->interface, "eth1");
}

static void an_ipv6_session_is_read(void **state)
{
	struct frr_message message;
	const struct frr_session *s = &message.session;

	assert_int_equal(frr_decode(delete_v6, sizeof(delete_v6), &message), 140);
	assert_int_equal(message.type, FRR_DELETE_SESSION);
	assert_int_equal(s->flags, FRR_SESSION_MULTIHOP | FRR_SESSION_IPV6);
	assert_addr(&s->local, "2001:db8::2");
	assert_addr(&s->peer, "2001:db8::1");
	assert_int_equal(s->lid, 9);
	assert_int_equal(s->ttl, 250);
	assert_int_equal(s->detect_mult, 5);
	assert_string_equal(s->interface, "");
}

static void a_request_is_read(void **state)
{
	static const uint8_t bytes[] = {1, 0, 0, 5, 0xab, 0xcd, 0, 12, 0, 0, 1, 2};
	struct frr_message message;

	assert_int_equal(frr_decode(bytes, sizeof(bytes), &message), 12);
	assert_int_equal(message.type, FRR_REQUEST_COUNTERS);
	assert_int_equal(message.id, 0xabcd);
	assert_int_equal(message.lid, 0x102);
}

static void an_echo_is_read_and_written(void **state)
{
	static const uint8_t bytes[] = {1, 0, 0, 1, 0, 0, 0,  24, 0,  1,  2,  3,
					4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t buf[FRR_ENCODED_MAX];
	struct frr_message message;

	assert_int_equal(frr_decode(bytes, sizeof(bytes), &message), 24);
	assert_int_equal(message.type, FRR_ECHO_REPLY);
	assert_true(message.echo.data_plane_time == 0x0001020304050607);
	assert_true(message.echo.bfdd_time == 0x08090a0b0c0d0e0f);
	assert_int_equal(frr_encode(&message, buf), 24);
	assert_memory_equal(buf, bytes, 24);
}

static void a_state_is_written(void **state)
{
	static const uint8_t wanted[] = {
		1, 0, 0, 4, 0,	  0,	0, 36, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0, 0,
		0, 3, 0, 0, 0xc3, 0x50, 0, 0,  0x9c, 0x40, 0,	 1,    0x11, 0x70, 3,	 7,    5, 0,
	};
	const struct frr_message message = {
		.type = FRR_STATE_CHANGE,
		.state = {.lid = 0x12345678,
			  .remote_discr = 0x9abcdef0,
			  .remote_flags = FRR_REMOTE_CBIT | FRR_REMOTE_DEMAND,
			  .remote_min_tx = 50000,
			  .remote_min_rx = 40000,
			  .remote_min_echo_rx = 70000,
			  .state = 3,
			  .remote_diag = 7,
			  .remote_detect_mult = 5},
	};
	uint8_t buf[FRR_ENCODED_MAX];

	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(frr_encode(&message, buf), sizeof(wanted));
	assert_memory_equal(buf, wanted, sizeof(wanted));
	assert_int_equal(buf[sizeof(wanted)], 0xff);
}

static void counters_are_written_with_their_padding(void **state)
{
	static const uint8_t wanted[80] = {
		1,	  0,   0,	  6,	    0, 5,	 0, 80, 0,	   0,	     0, 9, 0,
		0,	  0,   0,	  0,	    0, 0,	 0, 0,	0,	   1,	     0, /* in: bytes
												 */
		0,	  0,   0,	  0,	    0, 0,	 0, 11, [39] = 48, [47] = 2,	/* echo: */
		[54] = 2, 128, [63] = 20, [70] = 1, 0, [79] = 8,
	};
	const struct frr_message message = {
		.type = FRR_SESSION_COUNTERS,
		.id = 5,
		.counters = {.lid = 9,
			     .in_bytes = 256,
			     .in_packets = 11,
			     .out_bytes = 48,
			     .out_packets = 2,
			     .echo_in_bytes = 640,
			     .echo_in_packets = 20,
			     .echo_out_bytes = 256,
			     .echo_out_packets = 8},
	};
	uint8_t buf[FRR_ENCODED_MAX];

	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(frr_encode(&message, buf), 80);
	assert_memory_equal(buf, wanted, 80);
}

static void a_part_asks_for_more(void **state)
{
	struct frr_message message;

	for (size_t size = 0; size < sizeof(add_v4); size++)
		assert_int_equal(frr_decode(add_v4, size, &message), 0);
}

static void a_longer_message_is_skipped_whole(void **state)
{
	uint8_t bytes[200] = {0};
	struct frr_message message;

	memcpy(bytes, add_v4, sizeof(add_v4));
	bytes[7] = 200;
	assert_int_equal(frr_decode(bytes, 199, &message), 0);
	assert_int_equal(frr_decode(bytes, 200, &message), 200);
	assert_string_equal(message.session.interface, "eth1");
}

static int decode(uint8_t version, uint16_t type, uint16_t length, size_t size)
{
	uint8_t bytes[FRR_MESSAGE_MAX] = {version, 0, (uint8_t)(type >> 8),   (uint8_t)type,
					  0,	   0, (uint8_t)(length >> 8), (uint8_t)length};
	struct frr_message message;

	return frr_decode(bytes, size, &message);
}

static void garbage_is_told_as_early_as_can_be(void **state)
{
	assert_int_equal(decode(0, 2, 140, 1), FRR_BAD_VERSION);
	assert_int_equal(decode(2, 2, 140, 140), FRR_BAD_VERSION);
	assert_int_equal(decode(1, 7, 24, 8), FRR_BAD_TYPE);
	assert_int_equal(decode(1, 0x0200, 140, 8), FRR_BAD_TYPE);
	assert_int_equal(decode(1, 2, 0, 8), FRR_BAD_LENGTH);
	assert_int_equal(decode(1, 2, 139, 8), FRR_BAD_LENGTH);
	assert_int_equal(decode(1, 0, 8, 8), FRR_BAD_LENGTH);
	assert_int_equal(decode(1, 2, FRR_MESSAGE_MAX + 1, 8), FRR_BAD_LENGTH);
	assert_int_equal(decode(1, 2, 0xffff, 8), FRR_BAD_LENGTH);
	assert_int_equal(decode(1, 2, FRR_MESSAGE_MAX, 8), 0);
	assert_int_equal(decode(1, 2, FRR_MESSAGE_MAX, FRR_MESSAGE_MAX), FRR_MESSAGE_MAX);
	for (int error = -4; error < 0; error++)
		assert_string_not_equal(frr_error_text(error), "no error");
}

static void an_interface_name_has_an_end(void **state)
{
	uint8_t bytes[140];
	struct frr_message message;

	memcpy(bytes, add_v4, sizeof(bytes));
	memset(bytes + 76, 'x', 15);
	assert_int_equal(frr_decode(bytes, sizeof(bytes), &message), 140);
	assert_string_equal(message.session.interface, "xxxxxxxxxxxxxxx");
	bytes[76 + 15] = 'x';
	assert_int_equal(frr_decode(bytes, sizeof(bytes), &message), FRR_BAD_SESSION);
	memset(bytes + 76, 'x', 64);
	assert_int_equal(frr_decode(bytes, sizeof(bytes), &message), FRR_BAD_SESSION);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_read),
		cmocka_unit_test(an_ipv6_session_is_read),
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(an_echo_is_read_and_written),
		cmocka_unit_test(a_state_is_written),
		cmocka_unit_test(counters_are_written_with_their_padding),
		cmocka_unit_test(a_part_asks_for_more),
		cmocka_unit_test(a_longer_message_is_skipped_whole),
		cmocka_unit_test(garbage_is_told_as_early_as_can_be),
		cmocka_unit_test(an_interface_name_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
