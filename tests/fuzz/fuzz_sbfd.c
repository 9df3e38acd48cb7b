/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * S-BFD, both ends: a reflector that anybody asks, and an initiator that anybody answers. An input is a list
 * of steps, each one byte and what belongs to it:
 *
 *   0-2  a packet to the reflector: flags (1: for a discriminator of ours, 2: D set, 4: from port 7784),
 * length, bytes 3-5  a packet to the initiator: flags (1: its discriminators are made to fit, 2: D cleared),
 * length, bytes 6    time passes: two bytes of milliseconds 7    new parameters: detect mult, two bytes of
 * the interval in ms, flags (1 shutdown, 2 path down)
 */
#include <string.h>

#include "core/sbfd.h"
#include "core/table.h"
#include "tests/fuzz/fuzz.h"

#define DISCR 1000u

struct reader {
	const uint8_t *at;
	size_t left;
};

static const struct sbfd_reflector reflector = {
	.n = 2, .discriminators = {DISCR, 0xc0000201}, .required_min_rx = 10000};
static struct table table;
static struct session chunk[TABLE_CHUNK], *session;
static usec_t now;

static uint8_t take(struct reader *reader)
{
	if (!reader->left)
		return 0;
	reader->left--;
	return *reader->at++;
}

static void put32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static size_t take_packet(struct reader *reader, uint8_t buf[PACKET_SIZE_MAX])
{
	size_t size = take(reader);

	if (size > reader->left)
		size = reader->left;
	memcpy(buf, reader->at, size);
	reader->at += size;
	reader->left -= size;
	return size;
}

static void start(void)
{
	const struct session_config config = {.desired_min_tx = 50000,
					      .required_min_rx = 50000,
					      .detect_mult = 3,
					      .min_ttl = 254,
					      .remote_discr = DISCR};
	const struct session_key key = {
		.peer = {AF_INET, {192, 0, 2, 1}}, .local = {AF_INET, {192, 0, 2, 2}}, .type = SESSION_SBFD};
	struct session_effects effects;

	now = USEC_S;
	table_init(&table, 1);
	table_chunk(&table, 0, chunk);
	session = table_memory(&table, 3);
	session_init(session, &config, &key, table_discr(3, 0x5a5a0000), 57784, now);
	promise(table_insert(&table, session));
	session_path(session, true, now, &effects);
}

static void check(void)
{
	struct packet packet, reply;

	promise(session->state != BFD_INIT && session->state <= BFD_UP);
	promise((session->state == BFD_ADMIN_DOWN) == session->config.shutdown);
	promise(session->remote_discr == DISCR);
	promise(!session->poll_active && !session->poll_pending);
	/* Whatever was answered: it goes on asking, and never waits for ever. */
	promise((session->tx_interval > 0) == (session->path_up && !session->config.shutdown));
	promise((session_detect_deadline(session) != USEC_NEVER) == (session->state == BFD_UP));
	promise(session->path_up || session->state <= BFD_DOWN);
	session_packet(session, false, &packet);
	promise(packet.demand && !packet.poll && !packet.final && !packet.required_min_rx);
	promise(packet.state == BFD_UP || packet.desired_min_tx >= SESSION_SLOW_TX);
	promise(sbfd_reflect(&reflector, &packet, 57784, &reply) == DROP_NONE);
}

static void check_effects(uint8_t before, const struct session_effects *effects)
{
	promise(!!(effects->what & EFFECT_STATE) == (session->state != before));
	promise(!(effects->what & EFFECT_SEND_FINAL));
	check();
}

static void ask(struct reader *reader)
{
	uint8_t flags = take(reader), buf[PACKET_SIZE_MAX], bytes[PACKET_SIZE];
	size_t size = take_packet(reader, buf);
	struct packet packet, reply, again;
	uint16_t port = flags & 4 ? BFD_PORT_SBFD : 50000;

	if (flags & 1 && size >= 12)
		put32(buf + 8, DISCR);
	if (flags & 2 && size >= 2)
		buf[1] |= 0x02;
	if (packet_decode(&packet, buf, size) || sbfd_reflect(&reflector, &packet, port, &reply))
		return;
	promise(packet.demand && port != BFD_PORT_SBFD && !packet.auth_present);
	promise(packet.your_discr == DISCR || packet.your_discr == 0xc0000201);
	promise(!reply.demand && !reply.poll && reply.state == BFD_UP && reply.final == packet.poll);
	promise(reply.my_discr == packet.your_discr && reply.your_discr == packet.my_discr);
	promise(packet_encode(&reply, bytes) == PACKET_SIZE);
	promise(packet_decode(&again, bytes, sizeof(bytes)) == DROP_NONE);
	/* Nobody answers it again. */
	promise(sbfd_reflect(&reflector, &again, 50000, &reply) != DROP_NONE);
}

static void answer(struct reader *reader)
{
	uint8_t flags = take(reader), buf[PACKET_SIZE_MAX], before = session->state;
	size_t size = take_packet(reader, buf);
	const struct table_origin origin = {.peer = session->key.peer,
					    .local = session->key.local,
					    .ifindex = 5,
					    .type = SESSION_SBFD,
					    .port = BFD_PORT_SBFD,
					    .ttl = flags & 8 ? 253 : 254};
	struct session_effects effects;
	struct session *found;
	struct packet packet;
	enum drop drop;

	if (flags & 1 && size >= 12) {
		put32(buf + 4, DISCR);
		put32(buf + 8, session->local_discr);
	}
	if (flags & 2 && size >= 2)
		buf[1] &= (uint8_t)~0x02;
	if (packet_decode(&packet, buf, size) || table_find(&table, &packet, &origin, &found))
		return;
	promise(found == session && origin.ttl == 254);
	drop = session_receive(session, &packet, now, &effects);
	promise(drop || (packet.my_discr == DISCR && !packet.demand &&
			 (packet.state == BFD_UP || packet.state == BFD_ADMIN_DOWN)));
	promise(drop == DROP_NONE || !effects.what);
	check_effects(before, &effects);
}

static void pass(struct reader *reader)
{
	uint8_t before = session->state;
	struct session_effects effects;
	unsigned high = take(reader);

	now += (high << 8 | take(reader)) * USEC_MS;
	session_detect_expired(session, now, &effects);
	check_effects(before, &effects);
	if (session->next_tx <= now)
		session_transmitted(session, now, (uint32_t)now * 2654435761u);
	promise(session->next_tx > now);
}

static void configure(struct reader *reader)
{
	struct session_config config = session->config;
	uint8_t before = session->state, flags;
	struct session_effects effects;
	unsigned high;

	config.detect_mult = take(reader) | 1;
	high = take(reader);
	config.desired_min_tx = (1 + (high << 8 | take(reader))) * (uint32_t)USEC_MS;
	flags = take(reader);
	config.shutdown = flags & 1;
	session_configure(session, &config, now, &effects);
	check_effects(before, &effects);
	before = session->state;
	session_path(session, !(flags & 2), now, &effects);
	check_effects(before, &effects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader reader = {data, size};

	start();
	while (reader.left) {
		switch (take(&reader) % 8) {
		case 6:
			pass(&reader);
			break;
		case 7:
			configure(&reader);
			break;
		case 3:
		case 4:
		case 5:
			answer(&reader);
			break;
		default:
			ask(&reader);
		}
	}
	return 0;
}
