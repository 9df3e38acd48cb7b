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

static const uint8_t words[] = {1, 2, 3, 4, 5};

/* A datagram from 192.0.2.1 or 2001:db8::1 as it is on the wire; returns its size. */
static size_t wire(uint8_t *buf, bool six)
{
	struct addr from = address(six ? "2001:db8::1" : "192.0.2.1"),
		    to = address(six ? "2001:db8::2" : "192.0.2.2");
	size_t size = datagram_build(buf, &from, &to, 49153, 3785, words, sizeof(words));

	if (!six)
		datagram_seal_ipv4(buf);
	return size;
}

static void what_was_built_is_read(void **state)
{
	for (int six = 0; six < 2; six++) {
		uint8_t family = six ? AF_INET6 : AF_INET, buf[DATAGRAM_HEADERS + sizeof(words) + 9];
		struct addr from = address(six ? "2001:db8::1" : "192.0.2.1"),
			    to = address(six ? "2001:db8::2" : "192.0.2.2");
		size_t size = wire(buf, six);
		struct datagram got;

		memset(buf + size, 0xee, 9); /* an Ethernet frame is filled up to 60 bytes */
		assert_true(datagram_parse(&got, buf, size + 9, family, true));
		assert_true(addr_equal(&got.source, &from) && addr_equal(&got.destination, &to));
		assert_int_equal(got.source_port, 49153);
		assert_int_equal(got.port, 3785);
		assert_int_equal(got.ttl, 255);
		assert_ptr_equal(got.payload, buf + size - sizeof(words));
		assert_int_equal(got.size, sizeof(words));
		assert_false(datagram_parse(&got, buf, size, six ? AF_INET : AF_INET6, true));
	}
}

static void nothing_shorter_is_read(void **state)
{
	uint8_t buf[DATAGRAM_HEADERS + sizeof(words)];
	struct datagram got;

	for (int six = 0; six < 2; six++)
		for (size_t size = wire(buf, six); size-- > 0;)
			assert_false(datagram_parse(&got, buf, size, six ? AF_INET6 : AF_INET, true));
}

/* Each bit counts but for those that no checksum covers: in IPv6 traffic class, flow label and hop limit. */
static void any_bit_that_is_wrong_is_found(void **state)
{
	uint8_t buf[DATAGRAM_HEADERS + sizeof(words)];
	struct datagram got;

	for (int six = 0; six < 2; six++) {
		size_t size = wire(buf, six);

		for (size_t bit = 0; bit < size * 8; bit++) {
			bool covered = !six || (bit >= 32 && bit / 8 != 7) || bit < 4;

			buf[bit / 8] ^= 0x80 >> bit % 8;
			assert_int_equal(datagram_parse(&got, buf, size, six ? AF_INET6 : AF_INET, true),
					 !covered);
			buf[bit / 8] ^= 0x80 >> bit % 8;
		}
	}
}

static void checksums_may_be_missing_where_they_may(void **state)
{
	uint8_t buf[DATAGRAM_HEADERS + sizeof(words)];
	struct datagram got;
	size_t size = wire(buf, false);

	buf[26] = buf[27] = 0;
	assert_true(datagram_parse(&got, buf, size, AF_INET, true));
	size = wire(buf, true);
	buf[46] = buf[47] = 0;
	assert_false(datagram_parse(&got, buf, size, AF_INET6, true));
	buf[47] = 1; /* the pseudo header's, as veth hands it on: no matter what, but something */
	assert_false(datagram_parse(&got, buf, size, AF_INET6, true));
	assert_true(datagram_parse(&got, buf, size, AF_INET6, false));
}

static void fragments_are_nothing_whole(void **state)
{
	static const uint8_t wrong[][2] = {{0x20, 0}, {0, 1}, {0x1f, 0xff}, {0x60, 0}};
	uint8_t buf[DATAGRAM_HEADERS + sizeof(words)];
	struct datagram got;
	size_t size = wire(buf, false);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(buf + 6, wrong[i], 2);
		datagram_seal_ipv4(buf);
		assert_false(datagram_parse(&got, buf, size, AF_INET, true));
	}
	buf[6] = buf[7] = 0;
	datagram_seal_ipv4(buf);
	assert_true(datagram_parse(&got, buf, size, AF_INET, true));
}

static void options_are_passed_over(void **state)
{
	uint8_t buf[DATAGRAM_HEADERS + sizeof(words) + 4], with[sizeof(buf)];
	size_t size = wire(buf, false);
	struct datagram got;

	memcpy(with, buf, 20);
	memset(with + 20, 1, 4); /* no operation */
	memcpy(with + 24, buf + 20, size - 20);
	with[0] = 0x46;
	with[3] += 4;
	with[10] = with[11] = 0;
	{
		uint16_t sum = (uint16_t)~datagram_sum(0, with, 24);

		with[10] = (uint8_t)(sum >> 8);
		with[11] = (uint8_t)sum;
	}
	assert_true(datagram_parse(&got, with, size + 4, AF_INET, true));
	assert_memory_equal(got.payload, words, sizeof(words));
	with[0] = 0x44; /* a header shorter than it can be */
	assert_false(datagram_parse(&got, with, size + 4, AF_INET, true));
}

/* RFC 9764 3: as if the zeros had been there from the beginning, at any size and with any checksum. */
static void padded(void **state)
{
	struct addr v4 = address("192.0.2.1"), v6 = address("2001:db8::1");
	static uint8_t payload[DATAGRAM_PAYLOAD_MAX], whole[DATAGRAM_HEADERS + DATAGRAM_PAYLOAD_MAX];
	uint8_t buf[DATAGRAM_HEADERS + 25];
	static const size_t sizes[] = {25, 26, 27, 256, 1473, 65506, DATAGRAM_PAYLOAD_MAX};

	for (unsigned byte = 0; byte < 256; byte++)
		for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
			const struct addr *addr = byte & 1 ? &v4 : &v6;
			size_t headers = byte & 1 ? 28 : 48, payload_size = 24 + (byte >> 1 & 1);

			memset(payload, (int)byte, payload_size);
			payload[24] = payload_size == 25 ? (uint8_t)byte : 0;
			datagram_build(whole, addr, addr, 49152, 3784, payload, sizes[n]);
			datagram_build(buf, addr, addr, 49152, 3784, payload, payload_size);
			datagram_pad(buf, sizes[n] - payload_size);
			assert_memory_equal(buf, whole, headers + payload_size);
		}
	for (size_t i = 0; i < DATAGRAM_PAYLOAD_MAX; i++)
		assert_int_equal(datagram_zeros[i], 0);
}

/* The sum that is all ones stays all ones, and is never sent as none. */
static void padded_checksum_is_never_zero(void **state)
{
	struct addr none = address("0.0.0.0");
	uint8_t payload[2], buf[DATAGRAM_HEADERS + 2];
	/* 17 + 10 + 10 + 2 * 100 + payload = 0xffff */
	uint16_t rest = 0xffff - 17 - 10 - 10 - 200;

	payload[0] = rest >> 8;
	payload[1] = rest & 0xff;
	datagram_build(buf, &none, &none, 0, 0, payload, 2);
	datagram_pad(buf, 100);
	assert_int_equal(buf[26] << 8 | buf[27], 0xffff);
}

/* RFC 2474 3; the two bits of ECN (RFC 3168 5) and the flow label stay 0. */
static void another_class_of_service(void **state)
{
	const struct addr v4 = {AF_INET, {192, 0, 2, 1}}, v6 = {AF_INET6, {0x20, 1}};
	uint8_t buf[DATAGRAM_HEADERS + 1] = {0};

	datagram_build(buf, &v4, &v4, 49152, 3784, buf, 0);
	datagram_mark(buf, 46);
	assert_int_equal(buf[0], 0x45);
	assert_int_equal(buf[1], 46 << 2);
	datagram_build(buf, &v6, &v6, 49152, 3784, buf, 0);
	for (uint8_t dscp = 0; dscp < 64; dscp++) {
		datagram_mark(buf, dscp);
		assert_int_equal(buf[0] << 8 | buf[1], 0x6000 | dscp << 6);
		assert_int_equal(buf[2] << 8 | buf[3], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_class_of_service),
		cmocka_unit_test(checksum_of_rfc_1071),
		cmocka_unit_test(ipv4_byte_by_byte),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(checksum_is_never_zero),
		cmocka_unit_test(what_was_built_is_read),
		cmocka_unit_test(nothing_shorter_is_read),
		cmocka_unit_test(any_bit_that_is_wrong_is_found),
		cmocka_unit_test(checksums_may_be_missing_where_they_may),
		cmocka_unit_test(fragments_are_nothing_whole),
		cmocka_unit_test(options_are_passed_over),
		cmocka_unit_test(padded),
		cmocka_unit_test(padded_checksum_is_never_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
