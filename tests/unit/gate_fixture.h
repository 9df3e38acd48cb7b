/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gate in front of real sockets: two namespaces of our own with two links between them. What the gate does
 * with a packet is compared with what core/packet.c and core/table.c say to it.
 */
#ifndef TESTS_GATE_FIXTURE_H
#define TESTS_GATE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/table.h"
#include "io/clock.h"
#include "io/datagram.h"
#include "io/gate.h"
#include "io/udp.h"

#define LINKS 2
#define SKIPPED 77

/* One datagram as it is on the wire. */
struct sent {
	struct addr peer, local;
	unsigned link; /* 0 or 1 */
	bool multihop;
	uint8_t ttl;
	uint8_t data[64];
	size_t size;
};

static int home, away;		 /* the namespaces; sockets are at home, packets come from away */
static int ifindex[LINKS];	 /* at home */
static int wire, wire_to[LINKS]; /* a packet socket away, and its interfaces */
static struct udp *udp;
static struct gate *gate;
static struct table table;
static struct session *chunks[TABLE_SLOTS / TABLE_CHUNK];

static uint64_t sent, passed;				    /* in this test */
static uint64_t sent_as[DROP_COUNT], passed_as[DROP_COUNT]; /* by what the daemon says to them */
static uint8_t last_passed[256];

static void not_here(const char *why)
{
	puts(why);
	exit(SKIPPED);
}

static void run(int where, const char *command)
{
	if (setns(where, CLONE_NEWNET) || system(command) || setns(home, CLONE_NEWNET)) {
		fprintf(stderr, "failed: %s\n", command);
		abort();
	}
}

static int new_namespace(void)
{
	if (unshare(CLONE_NEWNET))
		not_here("no network namespaces here");
	return open("/proc/self/ns/net", O_RDONLY);
}

static void build_links(void)
{
	char command[1024];

	for (int i = 0; i < LINKS; i++) {
		snprintf(command, sizeof(command),
			 "ip link add x%d address 02:00:00:00:00:0%d type veth peer name y%d netns "
			 "/proc/self/fd/%d && "
			 "ip addr add 192.0.%d.1/24 dev x%d && ip link set x%d up && "
			 "ip addr add 2001:db8:%d::1/64 dev x%d nodad && ip addr add fe80::1/64 dev x%d "
			 "nodad && "
			 "ip addr add c000:%d01::/128 dev x%d nodad && " /* the bytes of 192.0.X.1 */
			 "echo 0 >/proc/sys/net/ipv4/conf/x%d/rp_filter",
			 i, i, i, away, i, i, i, i, i, i, i, i, i);
		run(home, command);
		snprintf(command, sizeof(command), "ip link set y%d up", i);
		run(away, command);
		snprintf(command, sizeof(command), "x%d", i);
		ifindex[i] = (int)if_nametoindex(command);
	}
}

static void open_wire(void)
{
	char name[IF_NAMESIZE];

	setns(away, CLONE_NEWNET);
	wire = socket(AF_PACKET, SOCK_DGRAM, 0);
	for (int i = 0; i < LINKS; i++) {
		snprintf(name, sizeof(name), "y%d", i);
		wire_to[i] = (int)if_nametoindex(name);
	}
	setns(home, CLONE_NEWNET);
}

static int build_lab(void **state)
{
	char error[256];

	gate = gate_open(error, sizeof(error));
	if (!gate)
		not_here(error);
	gate_close(gate);
	away = new_namespace();
	home = new_namespace();
	run(home, "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter");
	build_links();
	open_wire();
	return 0;
}

static int setup(void **state)
{
	char error[256];

	gate = gate_open(error, sizeof(error));
	assert_non_null(gate);
	udp = udp_open(error, sizeof(error));
	assert_non_null(udp);
	for (unsigned i = 0; i < UDP_SOCKETS; i++)
		assert_int_equal(gate_attach(gate, udp_fd(udp, i)), 0);
	table_init(&table, 1);
	sent = passed = 0;
	memset(sent_as, 0, sizeof(sent_as));
	memset(passed_as, 0, sizeof(passed_as));
	return 0;
}

static int teardown(void **state)
{
	gate_close(gate);
	udp_close(udp);
	for (unsigned i = 0; i < TABLE_SLOTS / TABLE_CHUNK; i++) {
		free(chunks[i]);
		chunks[i] = NULL;
	}
	return 0;
}

static struct addr address(const char *text)
{
	struct addr addr = {0};

	assert_true(!*text || addr_parse(&addr, text));
	return addr;
}

/* The session of SLOT, in the table and known to the gate. An empty LOCAL takes any. */
static struct session *add(uint16_t slot, const char *peer, const char *local, int interface, uint8_t min_ttl)
{
	struct session_config config = {
		.desired_min_tx = USEC_S, .required_min_rx = USEC_S, .detect_mult = 3, .min_ttl = min_ttl};
	struct session_key key = {.peer = address(peer),
				  .local = address(local),
				  .ifindex = (uint32_t)interface,
				  .type = min_ttl != 255};
	struct session **chunk = &chunks[slot / TABLE_CHUNK], *session;

	if (!*chunk) {
		*chunk = calloc(TABLE_CHUNK, sizeof(**chunk));
		assert_non_null(*chunk);
		table_chunk(&table, slot / TABLE_CHUNK, *chunk);
	}
	if (!key.local.family)
		key.local.family = key.peer.family;
	session = table_memory(&table, slot);
	session_init(session, &config, &key, table_discr(slot, (uint32_t)rand() << 16), 49152, USEC_S);
	assert_true(table_insert(&table, session));
	gate_session(gate, session);
	return session;
}

static void forget(struct session *session)
{
	table_remove(&table, session);
	gate_forget(gate, session->slot);
}

/* What SESSION's peer says while it is Up; LOCAL is where to, if the session takes any. */
static struct sent from_peer(const struct session *session, const char *local)
{
	struct packet packet = {
		.state = BFD_UP,
		.detect_mult = 3,
		.my_discr = 77,
		.your_discr = session->local_discr,
		.desired_min_tx = 50000,
		.required_min_rx = 50000,
	};
	struct sent s = {
		.peer = session->key.peer,
		.local = *local ? address(local) : session->key.local,
		.link = session->key.ifindex == (uint32_t)ifindex[1],
		.multihop = session->key.type == SESSION_MULTIHOP,
		.ttl = 255,
	};

	s.size = packet_encode(&packet, s.data);
	return s;
}

static enum drop judge(const struct sent *s)
{
	struct table_origin origin = {.peer = s->peer,
				      .local = s->local,
				      .ifindex = (uint32_t)ifindex[s->link],
				      .type = s->multihop ? SESSION_MULTIHOP : SESSION_SINGLE_HOP,
				      .ttl = s->ttl};
	struct session *session;
	struct packet packet;
	enum drop drop = packet_decode(&packet, s->data, s->size);

	return drop ? drop : table_find(&table, &packet, &origin, &session);
}

/* Counts nothing: other threads may use it. */
static void put(const struct sent *s)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = wire_to[s->link], .sll_halen = 6};
	uint8_t ip[DATAGRAM_HEADERS + sizeof(s->data)];
	bool v4 = s->peer.family == AF_INET;
	size_t size;
	uint16_t sum;

	size = datagram_build(ip, &s->peer, &s->local, 49152, s->multihop ? 4784 : 3784, s->data, s->size);
	ip[v4 ? 8 : 7] = s->ttl;
	if (v4) {
		sum = ~datagram_sum(0, ip, 20);
		ip[10] = sum >> 8;
		ip[11] = sum & 0xff;
	}
	to.sll_protocol = htons(v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	memcpy(to.sll_addr, (uint8_t[]){2, 0, 0, 0, 0, (uint8_t)s->link}, 6);
	assert_int_equal(sendto(wire, ip, size, 0, (struct sockaddr *)&to, sizeof(to)), size);
}

static void send_one(const struct sent *s)
{
	sent++;
	sent_as[judge(s)]++;
	put(s);
}

static void on_passed(void *context, const uint8_t *data, size_t size, const struct table_origin *origin,
		      usec_t stamp)
{
	struct session *session;
	struct packet packet;
	enum drop drop = packet_decode(&packet, data, size);

	passed++;
	passed_as[drop ? drop : table_find(&table, &packet, origin, &session)]++;
	memset(last_passed, 0, sizeof(last_passed));
	memcpy(last_passed, data, size < sizeof(last_passed) ? size : sizeof(last_passed));
}

/* Until each packet is accounted for: every one that was sent was queued or dropped, and none twice. */
static void settle(void)
{
	usec_t limit = clock_now() + 60 * USEC_S;

	do
		udp_receive(udp, on_passed, NULL);
	while (passed + gate_dropped(gate) < sent && clock_now() < limit);
	assert_int_equal(passed + gate_dropped(gate), sent);
}

/* How many of the packets sent by this came through. */
static uint64_t passes(const struct sent *s)
{
	uint64_t before = passed;

	send_one(s);
	settle();
	return passed - before;
}

static uint64_t taken(const struct session *session)
{
	usec_t last = 0;

	return gate_taken(gate, session->slot, &last);
}

#endif
