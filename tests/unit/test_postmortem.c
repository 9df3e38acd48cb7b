/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store of post-mortems, their timeline and JSON, and the bytes of their capture files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/events.h"
#include "ops/pcap.h"
#include "ops/postmortem.h"
#include "ops/timeline.h"

#define DOWN (1000 * USEC_S)

static struct postmortem dead;
static struct postmortems *store;

static const uint8_t payload[PACKET_SIZE] = {0x20, 0xc0, 3, 24, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
					     0x77, 0x88, 0, 1,	0,    0,    0,	  2,	0,    0};

/* Silent: two packets in, one dropped, one taken in the kernel, two out. */
static int setup(void **state)
{
	struct session session = {.state = BFD_DOWN, .local_diag = DIAG_DETECTION_EXPIRED};

	memset(&dead, 0, sizeof(dead));
	strcpy(dead.peer, "ams-1");
	strcpy(dead.interface, "eth1");
	dead.key = (struct session_key){.peer = {AF_INET, {192, 0, 2, 1}},
					.local = {AF_INET, {192, 0, 2, 2}}};
	dead.source_port = 49152;
	dead.local_discr = 0x55667788;
	record_reset(&dead.record, DOWN - USEC_S);
	dead.record.terms = (struct record_terms){.detection_time = 30 * USEC_MS,
						  .patience = 40 * USEC_MS,
						  .rx_interval = 10 * USEC_MS,
						  .tx_interval = 13 * USEC_MS + 333};
	memcpy(dead.record.steady, payload, PACKET_SIZE);
	record_in(&dead.record, payload, PACKET_SIZE, DOWN - 50000, DOWN - 49990, 255, 50001, DROP_NONE);
	record_in(&dead.record, payload, PACKET_SIZE, DOWN - 40000, DOWN - 38000, 255, 50001, DROP_NONE);
	record_in(&dead.record, payload, 60, DOWN - 10000, DOWN - 10000, 17, 50002, DROP_TTL);
	record_out(&dead.record, payload, DOWN - 45000, DOWN - 45100);
	session.last_rx = DOWN - 30100;
	record_seal(&dead.record, &session, DOWN, (usec_t[]){DOWN - 30100}, 1);
	dead.record.sealed = false; /* the packet that tells the peer of the Down comes before the seal */
	record_out(&dead.record, payload, DOWN + 20, USEC_NEVER);
	dead.record.sealed = true;
	record_late(&dead.delays, DOWN - 35000, 700);
	record_late(&dead.delays, DOWN - 60000, 900); /* before the first packet */
	record_late(&dead.delays, DOWN, 600);
	record_late(&dead.delays, DOWN + 1, 800); /* after the Down */
	record_overflow(&dead.delays, DOWN - 200000, DOWN - 200000, 5);
	record_error(&dead.delays, DOWN - 20000, 4);
	store = postmortems_create();
	return 0;
}

static int teardown(void **state)
{
	postmortems_free(store);
	return 0;
}

static void timeline_is_in_order(void **state)
{
	static const struct {
		enum moment_kind kind;
		int at;
	} wanted[] = {
		{MOMENT_IN, -50000}, {MOMENT_OUT, -45000},   {MOMENT_IN, -40000}, {MOMENT_LATE, -35000},
		{MOMENT_IN, -30100}, {MOMENT_ERROR, -20000}, {MOMENT_IN, -10000}, {MOMENT_LATE, 0},
		{MOMENT_DOWN, 0},    {MOMENT_OUT, 20},
	};
	struct moment moments[TIMELINE_MAX];
	unsigned n = timeline_make(moments, &dead.record, &dead.delays);

	assert_int_equal(n, sizeof(wanted) / sizeof(wanted[0]));
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(moments[i].kind, wanted[i].kind);
		assert_int_equal(moments[i].at - DOWN, wanted[i].at);
	}
	assert_true(moments[4].packet.unseen);
	assert_int_equal(moments[3].amount, 700);
}

/* Every ring full, everything at one time or another in the span: no more than there is room for. */
static void timeline_is_bounded(void **state)
{
	struct moment moments[TIMELINE_MAX];

	dead.record.sealed = false;
	for (unsigned i = 0; i < 500; i++) {
		record_in(&dead.record, payload, 24, DOWN - i, DOWN, 255, 1, i % 2 ? DROP_NONE : DROP_TTL);
		record_out(&dead.record, payload, DOWN - i, DOWN);
		record_late(&dead.delays, DOWN - i % 10, 500);
		record_overflow(&dead.delays, DOWN - i % 10, DOWN - i % 10, 1);
		record_error(&dead.delays, DOWN - i % 10, 1);
	}
	dead.record.ntimes = RECORD_TIMES;
	for (unsigned i = 0; i < RECORD_TIMES; i++)
		dead.record.times[i] = DOWN - 1000 + i;
	assert_int_equal(timeline_make(moments, &dead.record, &dead.delays), TIMELINE_MAX);
	memset(&dead.record, 0, sizeof(dead.record));
	memset(&dead.delays, 0, sizeof(dead.delays));
	assert_int_equal(timeline_make(moments, &dead.record, &dead.delays), 1);
	assert_int_equal(moments[0].kind, MOMENT_DOWN);
}

static json_t *get(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	assert_non_null(value);
	return value;
}

static void view_says_what_was_recorded(void **state)
{
	const struct postmortem *kept = postmortems_add(store, &dead);
	json_t *view = postmortem_view(kept, 1), *timeline = get(view, "timeline"), *moment;
	char at[EVENTS_TIME];

	assert_string_equal(json_string_value(get(view, "peer")), "ams-1");
	assert_string_equal(json_string_value(get(view, "verdict")), "unclear"); /* one stray packet */
	assert_string_equal(json_string_value(get(view, "at")), events_time(DOWN, at));
	assert_string_equal(json_string_value(get(view, "last-packet")), events_time(DOWN - 30100, at));
	assert_float_equal(json_number_value(get(view, "transmit-interval")), 13.333, 1e-9);
	assert_int_equal(json_integer_value(get(view, "remote-detection-time")), 40);
	assert_int_equal(json_array_size(timeline), 10);

	moment = json_array_get(timeline, 0);
	assert_string_equal(json_string_value(get(moment, "what")), "in");
	assert_float_equal(json_number_value(get(moment, "ms")), -50, 1e-9);
	assert_string_equal(json_string_value(get(moment, "at")), events_time(DOWN - 50000, at));
	assert_string_equal(json_string_value(get(moment, "state")), "up");
	assert_int_equal(json_integer_value(get(moment, "handled-after-us")), 10);
	assert_int_equal(json_integer_value(get(moment, "my-discriminator")), 0x11223344);
	assert_int_equal(json_integer_value(get(moment, "source-port")), 50001);
	assert_int_equal(json_integer_value(get(moment, "destination-port")), 3784);
	assert_true(json_is_null(get(moment, "dropped")));
	assert_string_equal(json_string_value(get(moment, "bytes")),
			    "20c003181122334455667788000100000002000000000000");
	moment = json_array_get(timeline, 4);
	assert_true(json_is_true(get(moment, "taken-in-kernel")));
	assert_null(json_object_get(moment, "handled-after-us"));
	moment = json_array_get(timeline, 6);
	assert_string_equal(json_string_value(get(moment, "dropped")), "ttl");
	assert_int_equal(json_integer_value(get(moment, "size")), 60);
	moment = json_array_get(timeline, 9);
	assert_string_equal(json_string_value(get(moment, "what")), "out");
	assert_true(json_is_true(get(moment, "out-of-turn")));
	assert_int_equal(json_integer_value(get(moment, "source-port")), 49152);
	json_decref(view);
}

static void of_a_peer_the_last_few_are_kept(void **state)
{
	json_t *list;

	assert_null(postmortems_find(store, "ams-1", 1));
	for (unsigned i = 0; i < 20; i++) {
		dead.record.fall.at = DOWN + i;
		strcpy(dead.peer, i % 2 ? "ams-1" : "fra-1");
		assert_non_null(postmortems_add(store, &dead));
	}
	for (unsigned n = 1; n <= POSTMORTEMS_PEER; n++)
		assert_int_equal(postmortems_find(store, "ams-1", n)->record.fall.at,
				 DOWN + 19 - 2 * (n - 1));
	assert_null(postmortems_find(store, "ams-1", POSTMORTEMS_PEER + 1));
	assert_null(postmortems_find(store, "ams", 1));
	list = postmortems_list(store);
	assert_int_equal(json_array_size(list), 2 * POSTMORTEMS_PEER);
	assert_string_equal(json_string_value(get(json_array_get(list, 0), "peer")), "ams-1");
	assert_int_equal(json_integer_value(get(json_array_get(list, 0), "number")), 1);
	assert_string_equal(json_string_value(get(json_array_get(list, 3), "peer")), "fra-1");
	assert_int_equal(json_integer_value(get(json_array_get(list, 3), "number")), 2);
	json_decref(list);
}

static void all_are_bounded(void **state)
{
	json_t *list;

	for (unsigned i = 0; i < POSTMORTEMS_ALL + 100; i++) {
		snprintf(dead.peer, sizeof(dead.peer), "peer-%u", i);
		postmortems_add(store, &dead);
	}
	list = postmortems_list(store);
	assert_int_equal(json_array_size(list), POSTMORTEMS_ALL);
	json_decref(list);
	assert_null(postmortems_find(store, "peer-99", 1));
	assert_non_null(postmortems_find(store, "peer-100", 1));
}

static void capture_bytes_ipv4(void **state)
{
	/* Put together by hand from RFC 791, 768 and the pcap file format; checksums by another program. */
	static const uint8_t wanted[] = {
		0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0,
		/* record: 1700000000.123456 s, 52 of 52 bytes */
		0x00, 0xf1, 0x53, 0x65, 0x00, 0xca, 0x5b, 0x07, 52, 0, 0, 0, 52, 0, 0, 0,
		/* IPv4 */
		0x45, 0xc0, 0, 52, 0, 0, 0x40, 0, 255, 17, 0xf6, 0xf4, 192, 0, 2, 2, 192, 0, 2, 1,
		/* UDP */
		0xc0, 0x00, 0x0e, 0xc8, 0, 32, 0x77, 0xb1};
	uint8_t buf[PCAP_HEADER + PCAP_HEADERS + PACKET_SIZE];
	struct pcap_packet packet = {
		.wall = 1700000000 * USEC_S + 123456,
		.from = {AF_INET, {192, 0, 2, 2}},
		.to = {AF_INET, {192, 0, 2, 1}},
		.from_port = 49152,
		.to_port = 3784,
		.ttl = 255,
		.tos = 0xc0,
		.bytes = payload,
		.size = PACKET_SIZE,
		.kept = PACKET_SIZE,
	};
	size_t size = pcap_begin(buf);

	size += pcap_put(buf + size, &packet);
	assert_int_equal(size, sizeof(wanted) + PACKET_SIZE);
	for (size_t i = 0; i < sizeof(wanted); i++)
		if (buf[i] != wanted[i])
			fail_msg("byte %zu is %02x, not %02x", i, buf[i], wanted[i]);
	assert_memory_equal(buf + sizeof(wanted), payload, PACKET_SIZE);
}

static void capture_of_ipv6_and_of_less_than_all(void **state)
{
	uint8_t buf[PCAP_HEADERS + PACKET_SIZE];
	struct pcap_packet packet = {
		.from = {AF_INET6, {0xfe, 0x80, [15] = 1}},
		.to = {AF_INET6, {0xfe, 0x80, [15] = 2}},
		.from_port = 50000,
		.to_port = 4784,
		.ttl = 64,
		.bytes = payload,
		.size = PACKET_SIZE,
		.kept = PACKET_SIZE,
	};
	const uint8_t *ip = buf + 16, *udp = ip + 40;

	assert_int_equal(pcap_put(buf, &packet), 16 + 40 + 8 + PACKET_SIZE);
	assert_int_equal(ip[0], 0x60);
	assert_int_equal(ip[5], 32);
	assert_int_equal(ip[6], 17);
	assert_int_equal(ip[7], 64);
	assert_memory_equal(ip + 8, packet.from.bytes, 16);
	assert_memory_equal(ip + 24, packet.to.bytes, 16);
	assert_true(udp[6] || udp[7]);

	packet.size = 60; /* more than is kept: lengths tell, and no checksum is made up */
	assert_int_equal(pcap_put(buf, &packet), 16 + 40 + 8 + PACKET_SIZE);
	assert_int_equal(buf[8], 40 + 8 + PACKET_SIZE);
	assert_int_equal(buf[12], 40 + 8 + 60);
	assert_int_equal(udp[5], 68);
	assert_int_equal(udp[6] | udp[7], 0);

	packet.size = packet.kept = 3; /* odd and short */
	assert_int_equal(pcap_put(buf, &packet), 16 + 40 + 8 + 3);
}

static void capture_has_all_packets(void **state)
{
	size_t size, at = PCAP_HEADER;
	uint8_t *file = postmortem_pcap(&dead, &size);
	unsigned packets = 0;

	while (at < size) {
		size_t length = file[at + 8];

		assert_int_equal(length, 52);
		assert_int_equal(file[at + 12], packets == 4 ? 28 + 60 : 52); /* the dropped one is longer */
		assert_int_equal(file[at + 16 + 8], packets == 4 ? 17 : 255); /* TTL */
		at += 16 + length;
		packets++;
	}
	assert_int_equal(at, size);
	assert_int_equal(packets, 6);
	free(file);
}

/* A multihop session's peer that speaks to the wrong port. */
static void capture_has_the_port_that_it_came_to(void **state)
{
	size_t size;
	uint8_t *file, *udp;

	dead.key.type = SESSION_MULTIHOP;
	dead.record.in[0].drop = DROP_WRONG_PORT;
	file = postmortem_pcap(&dead, &size);
	udp = file + PCAP_HEADER + 16 + 20;
	assert_int_equal(udp[2] << 8 | udp[3], BFD_PORT_SINGLE_HOP);
	udp += 52 + 16;
	assert_int_equal(udp[2] << 8 | udp[3], BFD_PORT_MULTIHOP);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timeline_is_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(timeline_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(view_says_what_was_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(of_a_peer_the_last_few_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(all_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(capture_bytes_ipv4, setup, teardown),
		cmocka_unit_test_setup_teardown(capture_of_ipv6_and_of_less_than_all, setup, teardown),
		cmocka_unit_test_setup_teardown(capture_has_all_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(capture_has_the_port_that_it_came_to, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
