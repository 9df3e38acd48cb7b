/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames byte by byte, batches, refusals; and that the raw sockets send the same. The sockets' calls are
 * replaced by those below when linking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/packet.h"
#include "io/datagram.h"
#include "io/frame.h"

#define SENT_MOST 1024
#define RAW_FD_V4 1001
#define RAW_FD_V6 1002
#define FRAME_FD 1003

static struct {
	int fd;
	size_t size;
	uint8_t data[2048];
	struct sockaddr_ll to;
} sent[SENT_MOST];
static unsigned nsent;
static unsigned refuse_from, refuse_count, calls; /* by the number of the packet */
static unsigned tried;
static int refuse_with = ENXIO;
static int protocol_asked;

int socket(int family, int type, int protocol)
{
	if (family != AF_PACKET)
		return family == AF_INET ? RAW_FD_V4 : RAW_FD_V6;
	protocol_asked = protocol;
	return FRAME_FD;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	return 0;
}

int close(int fd)
{
	return 0;
}

static bool refused(void)
{
	return tried >= refuse_from && tried < refuse_from + refuse_count;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	unsigned done = 0;

	calls++;
	for (; done < count && !refused(); done++, tried++) {
		const struct msghdr *m = &messages[done].msg_hdr;

		assert_in_range(m->msg_iovlen, 1, 2);
		assert_in_range(nsent, 0, SENT_MOST - 1);
		sent[nsent].fd = fd;
		sent[nsent].size = 0;
		for (size_t i = 0; i < m->msg_iovlen; i++) {
			assert_in_range(m->msg_iov[i].iov_len, 1, sizeof(sent->data) - sent[nsent].size);
			memcpy(sent[nsent].data + sent[nsent].size, m->msg_iov[i].iov_base,
			       m->msg_iov[i].iov_len);
			sent[nsent].size += m->msg_iov[i].iov_len;
		}
		if (fd == FRAME_FD)
			memcpy(&sent[nsent].to, m->msg_name, sizeof(sent[nsent].to));
		nsent++;
	}
	if (done)
		return (int)done;
	tried++;
	errno = refuse_with;
	return -1;
}

static const uint8_t theirs[6] = {0x02, 1, 2, 3, 4, 5}, ours[6] = {0x02, 0xff, 0xee, 0xdd, 0xcc, 0xbb};

static struct frame *frame;
static struct raw *raw;

static int setup(void **state)
{
	char error[128];

	nsent = refuse_from = refuse_count = calls = tried = 0;
	protocol_asked = -1;
	frame = frame_open(error, sizeof(error));
	raw = raw_open(error, sizeof(error));
	return !frame || !raw;
}

static int teardown(void **state)
{
	frame_close(frame);
	raw_close(raw);
	return 0;
}

static struct raw_path path(const char *local, const char *peer)
{
	struct raw_path path = {.ifindex = 7, .source_port = 49153, .port = BFD_PORT_SINGLE_HOP, .dscp = 48};

	assert_true(addr_parse(&path.local, local));
	assert_true(addr_parse(&path.peer, peer));
	return path;
}

static void ipv4_byte_by_byte(void **state)
{
	struct raw_path v4 = path("192.0.2.1", "192.0.2.2");
	static const uint8_t payload[] = {1, 2, 3, 4};
	/* Header checksum: 0x45c0 + 32 + 0x4000 + 0xff11 + 0xc000 + 0x0201 + 0xc000 + 0x0202, folded,
	 * complemented; UDP's as in test_datagram.c, with port 3784. */
	static const uint8_t wanted[] = {
		0x02, 1,    2, 3,  4,	 5,    0x02, 0xff, 0xee, 0xdd, 0xcc, 0xbb, 0x08, 0x00, /* Ethernet */
		0x45, 0xc0, 0, 32, 0,	 0,    0x40, 0,	   255,	 17,   0xf7, 0x08, 192,	 0,    2, 1,
		192,  0,    2, 2,  0xc0, 0x01, 0x0e, 0xc8, 0,	 12,   0xa9, 0x02, 1,	 2,    3, 4,
	};

	assert_int_equal(protocol_asked, 0); /* it receives nothing */
	frame_send(frame, theirs, ours, &v4, payload, sizeof(payload));
	assert_int_equal(nsent, 0);
	frame_flush(frame);
	assert_int_equal(nsent, 1);
	assert_int_equal(sent[0].fd, FRAME_FD);
	assert_int_equal(sent[0].size, sizeof(wanted));
	assert_memory_equal(sent[0].data, wanted, sizeof(wanted));
	assert_int_equal(sent[0].to.sll_family, AF_PACKET);
	assert_int_equal(sent[0].to.sll_ifindex, 7);
	assert_int_equal(sent[0].to.sll_protocol, htons(ETH_P_IP));
}

/* Of IPv4's header the kernel fills in the checksum. */
static void raw_sockets_send_the_same(void **state)
{
	struct raw_path paths[] = {path("192.0.2.1", "192.0.2.2"), path("2001:db8::1", "2001:db8::2"),
				   path("fe80::1", "fe80::2")};
	uint8_t payload[PACKET_SIZE];

	memset(payload, 0xa5, sizeof(payload));
	for (unsigned i = 0; i < 3; i++) {
		bool v4 = paths[i].peer.family == AF_INET;

		nsent = 0;
		frame_send(frame, theirs, ours, &paths[i], payload, sizeof(payload));
		raw_send(raw, &paths[i], payload, sizeof(payload));
		frame_flush(frame);
		raw_flush(raw);
		assert_int_equal(nsent, 2);
		assert_int_equal(sent[0].data[12] << 8 | sent[0].data[13], v4 ? ETH_P_IP : ETH_P_IPV6);
		assert_int_equal(sent[0].size, ETH_HLEN + sent[1].size);
		if (v4)
			memset(sent[0].data + ETH_HLEN + 10, 0, 2);
		assert_memory_equal(sent[0].data + ETH_HLEN, sent[1].data, sent[1].size);
	}
}

static void the_longest_packet_fits(void **state)
{
	struct raw_path v6 = path("2001:db8::1", "2001:db8::2");
	uint8_t payload[PACKET_SIZE_MAX];

	memset(payload, 0x5a, sizeof(payload));
	frame_send(frame, theirs, ours, &v6, payload, sizeof(payload));
	frame_flush(frame);
	assert_int_equal(sent[0].size, ETH_HLEN + 48 + PACKET_SIZE_MAX);
	assert_memory_equal(sent[0].data + ETH_HLEN + 48, payload, sizeof(payload));
}

static void a_full_batch_goes_out_and_a_flush_is_one_call(void **state)
{
	struct raw_path v4 = path("192.0.2.1", "192.0.2.2");

	for (uint8_t i = 0; i < 44; i++)
		frame_send(frame, theirs, ours, &v4, &i, 1);
	frame_flush(frame);
	assert_int_equal(calls, 1);
	assert_int_equal(nsent, 44);
	for (unsigned i = 0; i < 600; i++) {
		uint8_t payload = (uint8_t)i;

		frame_send(frame, theirs, ours, &v4, &payload, 1);
	}
	assert_in_range(nsent, 44 + 1, 44 + 600);
	frame_flush(frame);
	assert_int_equal(nsent, 44 + 600);
	for (unsigned i = 0; i < 600; i++)
		assert_int_equal(sent[44 + i].data[ETH_HLEN + 28], (uint8_t)i);
	frame_flush(frame);
	assert_int_equal(nsent, 44 + 600);
}

static void what_the_kernel_refuses_is_counted_and_the_rest_goes(void **state)
{
	struct raw_path v4 = path("192.0.2.1", "192.0.2.2");

	refuse_from = 3;
	refuse_count = 2;
	for (uint8_t i = 0; i < 10; i++)
		frame_send(frame, theirs, ours, &v4, &i, 1);
	frame_flush(frame);
	assert_int_equal(nsent, 8);
	assert_int_equal(sent[3].data[ETH_HLEN + 28], 5);
	assert_int_equal(frame_errors(frame), 2);
}

static void raw_sockets_tell_whom_the_kernel_refused(void **state)
{
	struct raw_path v4 = path("192.0.2.1", "192.0.2.2");
	uint8_t told[10];

	for (unsigned round = 0; round < 2; round++) {
		refuse_from = tried + 3;
		refuse_count = round ? 0 : 2;
		for (unsigned i = 0; i < 10; i++) {
			told[i] = i == 9;
			v4.refused = i == 8 ? NULL : &told[i];
			raw_send(raw, &v4, (const uint8_t *)"x", 1);
		}
		raw_flush(raw);
		for (unsigned i = 0; i < 10; i++)
			assert_int_equal(told[i], !round && (i == 3 || i == 4));
	}
	assert_int_equal(raw_errors(raw), 2);
}

/* What is padded is what the same payload with the zeros in it would be; and the next one is not. */
static void padded_with_zeros(void **state)
{
	struct raw_path paths[] = {path("192.0.2.1", "192.0.2.2"), path("2001:db8::1", "2001:db8::2")};
	static const uint16_t sizes[] = {0, 23, 24, 25, 26, 255, 256, 1472, 1900};
	uint8_t payload[2000] = {0};

	memset(payload, 0xa5, PACKET_SIZE);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
			size_t size = sizes[n] > PACKET_SIZE ? sizes[n] : PACKET_SIZE;
			uint8_t wanted[DATAGRAM_HEADERS + sizeof(payload)];
			size_t length = datagram_build(wanted, &paths[i].local, &paths[i].peer, 49153,
						       BFD_PORT_SINGLE_HOP, payload, size);

			nsent = 0;
			paths[i].padded = sizes[n];
			raw_send(raw, &paths[i], payload, PACKET_SIZE);
			frame_send(frame, theirs, ours, &paths[i], payload, PACKET_SIZE);
			paths[i].padded = 0;
			raw_send(raw, &paths[i], payload, PACKET_SIZE);
			raw_flush(raw);
			frame_flush(frame);
			assert_int_equal(nsent, 3);
			assert_int_equal(sent[0].size, length);
			assert_memory_equal(sent[0].data, wanted, length);
			assert_int_equal(sent[1].size, length - size + PACKET_SIZE);
			assert_int_equal(sent[2].size, ETH_HLEN + length);
			if (!i)
				datagram_seal_ipv4(wanted);
			assert_memory_equal(sent[2].data + ETH_HLEN, wanted, length);
		}
}

static void too_big_for_the_interface_is_told(void **state)
{
	struct raw_path v4 = path("192.0.2.1", "192.0.2.2");
	uint8_t fates[2] = {RAW_SENT, RAW_SENT};

	refuse_with = EMSGSIZE;
	refuse_from = tried;
	refuse_count = 2;
	v4.padded = 1472;
	v4.refused = &fates[0];
	raw_send(raw, &v4, (const uint8_t *)"x", 1);
	v4.refused = &fates[1];
	frame_send(frame, theirs, ours, &v4, (const uint8_t *)"x", 1);
	raw_flush(raw);
	frame_flush(frame);
	assert_int_equal(fates[0], RAW_TOO_BIG);
	assert_int_equal(fates[1], RAW_TOO_BIG);
	v4.refused = &fates[0];
	raw_send(raw, &v4, (const uint8_t *)"x", 1);
	raw_flush(raw);
	assert_int_equal(fates[0], RAW_SENT);
	refuse_with = ENXIO;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ipv4_byte_by_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(raw_sockets_send_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(the_longest_packet_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_batch_goes_out_and_a_flush_is_one_call, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_the_kernel_refuses_is_counted_and_the_rest_goes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(raw_sockets_tell_whom_the_kernel_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(padded_with_zeros, setup, teardown),
		cmocka_unit_test_setup_teardown(too_big_for_the_interface_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
