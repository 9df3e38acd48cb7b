/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What routers say of packets that are too big: byte by byte, cut off everywhere, and whatever else comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire.h"
#include "io/datagram.h"
#include "io/icmp.h"

#define MTU 1400
#define PAYLOAD 24

static struct addr address(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(&addr, text));
	return addr;
}

/* The packet that was too big, as its sender built it. */
static size_t put_inner(uint8_t *to, int family)
{
	struct addr local = address(family == AF_INET ? "10.1.0.1" : "2001:db8::1"),
		    peer = address(family == AF_INET ? "10.2.0.1" : "2001:db8::2");
	const uint8_t payload[PAYLOAD] = {0x20, 0xc0};

	return datagram_build(to, &local, &peer, 50001, 4784, payload, PAYLOAD);
}

static void seal(uint8_t *icmp, size_t size)
{
	put16(icmp + 2, 0);
	put16(icmp + 2, ~datagram_sum(0, icmp, size));
}

/* RFC 792 and RFC 1191 4, in an IP header with OPTIONS bytes of options. */
static size_t needed_ipv4(uint8_t *ip, size_t options)
{
	size_t header = 20 + options, size;
	uint8_t *icmp = ip + header;

	memset(ip, 0, header + 8);
	ip[0] = (uint8_t)(0x40 | header / 4);
	ip[9] = 1;
	memcpy(ip + 12, "\x0a\x01\x00\x02", 4);
	icmp[0] = 3;
	icmp[1] = 4;
	put16(icmp + 6, MTU);
	size = 8 + put_inner(icmp + 8, AF_INET);
	seal(icmp, size);
	return header + size;
}

/* RFC 4443 3.2; the kernel has checked its checksum. */
static size_t too_big_ipv6(uint8_t *icmp)
{
	memset(icmp, 0, 8);
	icmp[0] = 2;
	put32(icmp + 4, MTU);
	return 8 + put_inner(icmp + 8, AF_INET6);
}

static void assert_told(const struct icmp_too_big *told, const char *local, const char *peer)
{
	struct addr a = address(local), b = address(peer);

	assert_true(addr_equal(&told->local, &a));
	assert_true(addr_equal(&told->peer, &b));
	assert_int_equal(told->source_port, 50001);
	assert_int_equal(told->port, 4784);
	assert_int_equal(told->mtu, MTU);
}

static void a_router_says_so(void **state)
{
	struct addr router = address("10.1.0.2");
	struct icmp_too_big told;
	uint8_t buf[256];

	for (size_t options = 0; options <= 40; options += 4) {
		size_t size = needed_ipv4(buf, options);

		assert_true(icmp_parse(AF_INET, buf, size, &told));
		assert_told(&told, "10.1.0.1", "10.2.0.1");
		assert_true(addr_equal(&told.router, &router));
	}
	assert_true(icmp_parse(AF_INET6, buf, too_big_ipv6(buf), &told));
	assert_told(&told, "2001:db8::1", "2001:db8::2");
}

/* A router need not quote more than the header and eight bytes. */
static void a_short_quote_is_enough(void **state)
{
	struct icmp_too_big told;
	uint8_t buf[256];

	needed_ipv4(buf, 0);
	seal(buf + 20, 8 + 20 + 8);
	assert_true(icmp_parse(AF_INET, buf, 20 + 8 + 20 + 8, &told));
	assert_told(&told, "10.1.0.1", "10.2.0.1");
	too_big_ipv6(buf);
	assert_true(icmp_parse(AF_INET6, buf, 8 + 40 + 8, &told));
	assert_told(&told, "2001:db8::1", "2001:db8::2");
}

static void cut_off_anywhere(void **state)
{
	struct icmp_too_big told;
	uint8_t buf[256], *exact;

	for (size_t size = 0; size < 20 + 8 + 20 + 4; size++) {
		needed_ipv4(buf, 0);
		if (size > 28)
			seal(buf + 20, size - 20);
		exact = malloc(size + 1); /* so that a sanitizer sees what is read beyond */
		assert_non_null(exact);
		memcpy(exact, buf, size);
		assert_false(icmp_parse(AF_INET, exact, size, &told));
		free(exact);
	}
	for (size_t size = 0; size < 8 + 40 + 4; size++) {
		too_big_ipv6(buf);
		exact = malloc(size + 1);
		assert_non_null(exact);
		memcpy(exact, buf, size);
		assert_false(icmp_parse(AF_INET6, exact, size, &told));
		free(exact);
	}
}

/* One byte that says something else, with a right checksum. */
static void anything_else_is_not_this(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} v4[] = {{0, 0x65}, {0, 0x44}, {9, 17}, {20, 11}, {21, 3}, {28, 0x65}, {28, 0x44}, {37, 6}, {35, 1}},
	  v6[] = {{0, 1}, {0, 3}, {8, 0x40}, {14, 58}};
	struct icmp_too_big told;
	uint8_t buf[256];

	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
		size_t size = needed_ipv4(buf, 0);

		buf[v4[i].at] = v4[i].byte;
		seal(buf + 20, size - 20);
		assert_false(icmp_parse(AF_INET, buf, size, &told));
	}
	for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++) {
		size_t size = too_big_ipv6(buf);

		buf[v6[i].at] = v6[i].byte;
		assert_false(icmp_parse(AF_INET6, buf, size, &told));
	}
}

/* The kernel gives raw sockets what it has not checked. */
static void a_wrong_checksum(void **state)
{
	struct icmp_too_big told;
	uint8_t buf[256];
	size_t size = needed_ipv4(buf, 0);

	buf[27]++;
	assert_false(icmp_parse(AF_INET, buf, size, &told));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_router_says_so), cmocka_unit_test(a_short_quote_is_enough),
		cmocka_unit_test(cut_off_anywhere), cmocka_unit_test(anything_else_is_not_this),
		cmocka_unit_test(a_wrong_checksum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
