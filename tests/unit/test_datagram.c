/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/datagram.h"

static struct addr address(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(&addr, text));
	return addr;
}

static void checksum_of_rfc_1071(void **state)
{
	/* The example of RFC 1071 section 3: sum 0x2ddf0 folds to 0xddf2. */
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(datagram_sum(0, data, sizeof(data)), 0xddf2);
	assert_int_equal(datagram_sum(datagram_sum(0, data, 4), data + 4, 4), 0xddf2);
	assert_int_equal(datagram_sum(0, data, 3), 0x0001 + 0xf200);
	assert_int_equal(datagram_sum(0xffff, data, 0), 0xffff);
}

static void ipv4_byte_by_byte(void **state)
{
	struct addr local = address("192.0.2.1"), peer = address("192.0.2.2");
	static const uint8_t payload[] = {1, 2, 3, 4};
	/* 0xc000 + 0x0201 + 0xc000 + 0x0202 + 17 + 12 + 0xc001 + 0x0ec8 + 12 + 0x0102 + 0x0304, folded,
	 * complemented */
	static const uint8_t wanted[] = {
		0x45, 0xc0, 0, 32, 0,	 0,    0x40, 0,	   255, 17, 0,	  0,	192, 0, 2, 1,
		192,  0,    2, 2,  0xc0, 0x01, 0x0e, 0xc8, 0,	12, 0xa9, 0x02, 1,   2, 3, 4,
	};
	uint8_t buf[DATAGRAM_HEADERS + 4];

	assert_int_equal(datagram_build(buf, &local, &peer, 49153, 3784, payload, 4), 32);
	assert_memory_equal(buf, wanted, sizeof(wanted));
	datagram_seal_ipv4(buf);
	assert_int_equal(datagram_sum(0, buf, 20), 0xffff);
	datagram_seal_ipv4(buf); /* what stands there does not matter */
	assert_int_equal(datagram_sum(0, buf, 20), 0xffff);
	buf[10] = buf[11] = 0;
	assert_memory_equal(buf, wanted, sizeof(wanted));
}

/* What a receiver checks: with the checksum in it, everything sums up to 0xffff. */
static uint16_t verify(const uint8_t *udp, size_t size, const struct addr *local, const struct addr *peer)
{
	uint32_t sum = 17 + size;

	sum = datagram_sum(sum, local->bytes, addr_size(local->family));
	sum = datagram_sum(sum, peer->bytes, addr_size(peer->family));
	return datagram_sum(sum, udp, size);
}

static void ipv6(void **state)
{
	struct addr local = address("fe80::1"), peer = address("2001:db8::ffff");
	uint8_t payload[25], buf[DATAGRAM_HEADERS + 25];

	memset(payload, 0xa5, sizeof(payload));
	assert_int_equal(datagram_build(buf, &local, &peer, 65535, 4784, payload, 25), 40 + 8 + 25);
	assert_int_equal(buf[0], 0x6c); /* version 6, traffic class 0xc0, flow label 0 */
	assert_int_equal(buf[1], 0x00);
	assert_int_equal(buf[2] | buf[3], 0);
	assert_int_equal(buf[4] << 8 | buf[5], 33);
	assert_int_equal(buf[6], 17);
	assert_int_equal(buf[7], 255);
	assert_memory_equal(buf + 8, local.bytes, 16);
	assert_memory_equal(buf + 24, peer.bytes, 16);
	assert_int_equal(buf[40] << 8 | buf[41], 65535);
	assert_int_equal(buf[42] << 8 | buf[43], 4784);
	assert_int_equal(verify(buf + 40, 33, &local, &peer), 0xffff);
	assert_memory_equal(buf + 48, payload, 25);
}

static void checksum_is_never_zero(void **state)
{
	struct addr local = address("0.0.0.0"), peer = address("0.0.0.0");
	uint8_t payload[2], buf[DATAGRAM_HEADERS + 2];
	/* 17 + 10 + 0 + 0 + 10 + payload = 0xffff */
	uint16_t rest = 0xffff - 17 - 10 - 10;

	payload[0] = rest >> 8;
	payload[1] = rest & 0xff;
	datagram_build(buf, &local, &peer, 0, 0, payload, 2);
	assert_int_equal(buf[26], 0xff);
	assert_int_equal(buf[27], 0xff);
	assert_int_equal(verify(buf + 20, 10, &local, &peer), 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_of_rfc_1071),
		cmocka_unit_test(ipv4_byte_by_byte),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(checksum_is_never_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
