/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets from anybody: decoding, finding the session, receiving. An input is a list of steps, each one byte
 * and what belongs to it:
 *
 *   0-2  a packet: flags (low bits: from where; 4: Your Discriminator is made to fit), its length, its bytes
 *   3    time passes: two bytes of milliseconds; timers that are due fire
 *   4    new parameters: detect mult, two bytes of intervals in ms, flags (1 shutdown, 2 passive, 4 demand,
 *        8 C bit, 16 round-trip times, 32 polls in Demand mode, 64 a poll is ordered)
 *   5    the path comes or goes: one byte
 */
#include <string.h>

#include "core/table.h"
#include "tests/fuzz/fuzz.h"

#define SESSIONS 6

static struct table table;
static struct session chunk[TABLE_CHUNK];
static struct session *sessions[SESSIONS];
static struct session_extra extras[SESSIONS];
static usec_t now;

struct reader {
	const uint8_t *at;
	size_t left;
};

static uint8_t take(struct reader *reader)
{
	if (!reader->left)
		return 0;
	reader->left--;
	return *reader->at++;
}

static unsigned take16(struct reader *reader)
{
	unsigned high = take(reader);

	return high << 8 | take(reader);
}

static struct addr make_addr(unsigned last)
{
	struct addr addr = {.family = AF_INET, .bytes = {192, 0, 2, (uint8_t)last}};

	return addr;
}

/* Single hop, passive, multihop, shut down, Demand mode, round-trip times. */
static void start(void)
{
	now = USEC_S;
	memset(&table, 0, sizeof(table));
	table_init(&table, 1);
	table_chunk(&table, 0, chunk);
	for (unsigned i = 0; i < SESSIONS; i++) {
		const struct session_config config = {
			.desired_min_tx = 50000,
			.required_min_rx = 50000,
			.detect_mult = 3,
			.min_ttl = i == 2 ? 250 : 255,
			.passive = i == 1,
			.shutdown = i == 3,
			.demand_mode = i == 4,
			.demand_poll_interval = i == 4 ? 500000 : 0,
			.control_plane_independent = i == 4,
			.rtt_interval = i == 5 ? 200000 : 0,
		};
		const struct session_key key = {
			.peer = make_addr(10 + i),
			.local = make_addr(1),
			.ifindex = i == 2 ? 0 : 5,
			.type = i == 2,
		};
		struct session_effects effects;

		sessions[i] = table_memory(&table, (uint16_t)i);
		session_init(sessions[i], &config, &key, table_discr((uint16_t)i, 0x5a5a0000), 49152, now);
		sessions[i]->slot = (uint16_t)i;
		extras[i] = (struct session_extra){0};
		sessions[i]->extra = &extras[i];
		promise(table_insert(&table, sessions[i]));
		session_path(sessions[i], true, now, &effects);
	}
}

/* What holds for a session at any time, whatever came. */
static void check(struct session *session)
{
	uint8_t buf[PACKET_SIZE];
	struct packet packet, again;

	promise(session->state <= BFD_UP);
	promise((session->state == BFD_ADMIN_DOWN) == session->config.shutdown);
	promise(session->detection_time >= 0);
	promise(session_detect_deadline(session) > 0);
	for (unsigned final = 0; final < 2; final++) {
		session_packet(session, final, &packet);
		promise(!(packet.poll && packet.final));
		promise(packet.my_discr == session->local_discr && packet.my_discr);
		promise(packet.state == BFD_UP || packet.desired_min_tx >= SESSION_SLOW_TX);
		promise(!packet.demand || (session->state == BFD_UP && session->remote_state == BFD_UP));
		promise(packet_encode(&packet, buf) == PACKET_SIZE);
		/* 6.8.6 of a correct peer accepts it. */
		promise(packet_decode(&again, buf, sizeof(buf)) == DROP_NONE);
		promise(again.your_discr == packet.your_discr && again.state == packet.state);
	}
}

static void check_effects(const struct session *session, uint8_t before,
			  const struct session_effects *effects)
{
	bool changed = effects->what & EFFECT_STATE;

	promise(changed == (session->state != before));
	promise(!changed || (effects->from == before && effects->to == session->state));
}

/* What was decoded and written again is what came, but for Length and the A bit. */
static void check_decoded(const struct packet *packet, const uint8_t *buf)
{
	uint8_t again[PACKET_SIZE];

	packet_encode(packet, again);
	promise(again[0] == buf[0]);
	promise((again[1] | 0x04) == (buf[1] | 0x04));
	promise(again[2] == buf[2]);
	promise(memcmp(again + 4, buf + 4, PACKET_SIZE - 4) == 0);
}

static void receive(struct session *session, const struct packet *packet)
{
	struct session_effects effects;
	uint8_t before = session->state;
	uint64_t packets_in = session->packets_in;
	enum drop drop = session_receive(session, packet, now, &effects);

	promise(drop < DROP_COUNT);
	promise(session->packets_in == packets_in + (drop == DROP_NONE));
	check_effects(session, before, &effects);
	promise(drop == DROP_NONE || !effects.what);
	promise(!(effects.what & EFFECT_SEND_FINAL) || packet->poll);
	check(session);
}

static void step_packet(struct reader *reader)
{
	uint8_t flags = take(reader), size = take(reader), buf[PACKET_SIZE_MAX];
	struct table_origin origin = {
		.peer = make_addr(10 + flags % SESSIONS),
		.local = make_addr(1),
		.ifindex = 5,
		.type = flags % SESSIONS == 2,
		.ttl = flags & 8 ? 254 : 255,
	};
	struct session *session;
	struct packet packet;
	enum drop drop;

	if (size > reader->left)
		size = (uint8_t)reader->left;
	memcpy(buf, reader->at, size);
	reader->at += size;
	reader->left -= size;
	if (flags & 4 && size >= 12) {
		uint32_t discr = sessions[flags % SESSIONS]->local_discr;

		for (unsigned i = 0; i < 4; i++)
			buf[8 + i] = (uint8_t)(discr >> (24 - 8 * i));
	}
	drop = packet_decode(&packet, buf, size);
	promise(drop < DROP_COUNT);
	if (drop != DROP_NONE)
		return;
	promise(size >= PACKET_SIZE && packet.length <= size);
	check_decoded(&packet, buf);
	if (table_find(&table, &packet, &origin, &session) != DROP_NONE)
		return;
	promise(session && session->used && addr_equal(&session->key.peer, &origin.peer));
	receive(session, &packet);
}

static void step_send(struct session *session)
{
	struct packet packet;

	if (!session->tx_interval && !session_break_silence(session, now))
		return;
	session_packet(session, false, &packet);
	promise(packet.poll || !session->remote_demand || session->state != BFD_UP ||
		session->remote_state != BFD_UP);
	if (packet.poll)
		session_polled(session, now);
	session_transmitted(session, now, (uint32_t)now * 2654435761u);
}

static void step_time(struct reader *reader)
{
	struct session_effects effects;

	now += take16(reader) * USEC_MS;
	for (unsigned i = 0; i < SESSIONS; i++) {
		struct session *session = sessions[i];
		uint8_t before = session->state;

		session_detect_expired(session, now, &effects);
		check_effects(session, before, &effects);
		if (session->next_tx <= now)
			step_send(session);
		promise(session->next_tx > now);
		promise(extras[i].rtt.count <= session->packets_in);
		check(session);
	}
}

static void step_configure(struct reader *reader)
{
	struct session *session = sessions[take(reader) % SESSIONS];
	struct session_config config = session->config;
	struct session_effects effects;
	uint8_t before = session->state, flags;

	config.detect_mult = (uint8_t)(take(reader) | 1);
	config.desired_min_tx = (uint32_t)((1 + take16(reader)) * USEC_MS);
	config.required_min_rx = (uint32_t)((1 + take16(reader)) * USEC_MS);
	flags = take(reader);
	config.shutdown = flags & 1;
	config.passive = flags & 2;
	config.demand_mode = flags & 4;
	config.control_plane_independent = flags & 8;
	config.rtt_interval = flags & 16 ? 150000 : 0;
	config.demand_poll_interval = flags & 32 ? 300000 : 0;
	session_configure(session, &config, now, &effects);
	check_effects(session, before, &effects);
	before = session->state;
	if (flags & 64 && session_poll(session, now, &effects)) {
		promise(before == BFD_UP);
		check_effects(session, before, &effects);
	}
	check(session);
}

static void step_path(struct reader *reader)
{
	uint8_t what = take(reader);
	struct session *session = sessions[what % SESSIONS];
	struct session_effects effects;
	uint8_t before = session->state;

	session_path(session, what & 0x80, now, &effects);
	check_effects(session, before, &effects);
	promise(session->path_up || session->state <= BFD_DOWN);
	check(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader reader = {.at = data, .left = size};

	start();
	while (reader.left) {
		switch (take(&reader) % 6) {
		case 3:
			step_time(&reader);
			break;
		case 4:
			step_configure(&reader);
			break;
		case 5:
			step_path(&reader);
			break;
		default:
			step_packet(&reader);
		}
	}
	return 0;
}
