/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authentication of packets from anybody. The first byte says how the session stands, the second what is done
 * with the rest, which is a packet: whether a right digest is put into it, under which key. Then the next
 * such packet follows, 64 bytes on.
 *
 * What is promised: who does not know the secret is never believed; a number is believed once at most by the
 * meticulous types; what is refused moves nothing.
 */
#include <string.h>

#include "core/auth.h"
#include "core/wire.h"
#include "tests/fuzz/fuzz.h"

#define STEP 64
#define KEYS 7
#define SIGN 8 /* of the second byte; the low bits: by which key */

static union {
	struct auth_chain chain;
	uint8_t bytes[sizeof(struct auth_chain) + KEYS * sizeof(struct auth_key)];
} memory;
static struct auth_chain *chain = &memory.chain;
static usec_t now;

/* One key of each type; the last one does not hold any more. */
static void make_chain(void)
{
	memset(&memory, 0, sizeof(memory));
	chain->nkeys = KEYS;
	for (unsigned i = 0; i < KEYS; i++) {
		struct auth_key *key = &chain->keys[i];

		key->id = (uint8_t)(i * 40);
		key->type = (uint8_t)(AUTH_SIMPLE + i);
		key->size = (uint8_t)auth_secret_most(key->type);
		memset(key->secret, 0xa0 + (int)i, key->size);
		key->send_start = key->accept_start = AUTH_ALWAYS;
		key->send_end = key->accept_end = i == KEYS - 1 ? 0 : AUTH_EVER;
	}
	auth_chain_renew(chain, 1);
}

/* Whether the digest or password in PACKET is that of a key that holds, found out by signing it again. */
static bool is_right(const uint8_t *packet, size_t size)
{
	for (unsigned i = 0; i < KEYS - 1; i++) {
		uint8_t again[PACKET_SIZE + AUTH_SECTION];
		struct auth_state state = {.started = true, .xmit_seq = get32(packet + PACKET_SIZE + 4) - 1};

		atomic_store(&chain->sends, (unsigned char)i);
		memcpy(again, packet, PACKET_SIZE);
		if (chain->keys[i].type == AUTH_SIMPLE)
			memset(&state, 0, sizeof(state));
		if (auth_sign(chain, &state, again, now, 0) != size)
			continue;
		/* But for the reserved byte, which is signed and not looked at: 0 in ours. */
		if (!memcmp(again, packet, size))
			return true;
	}
	return false;
}

static size_t sign(uint8_t *packet, unsigned key)
{
	struct auth_state state = {.started = true, .xmit_seq = get32(packet + PACKET_SIZE + 4) - 1};

	atomic_store(&chain->sends, (unsigned char)(key % KEYS));
	return auth_sign(chain, &state, packet, now, 0);
}

static void receive(struct auth_state *state, const uint8_t *packet, size_t size)
{
	const struct auth_state before = *state;
	struct packet decoded;
	bool meticulous, reserved;
	enum drop drop;

	if (packet_decode(&decoded, packet, size) != DROP_NONE)
		return;
	drop = auth_verify(chain, state, &decoded, packet, now);
	promise(drop < DROP_COUNT);
	if (drop) {
		promise(state->rcv_seq == before.rcv_seq && state->received_key == before.received_key);
		promise(state->known == before.known || !state->known);
		promise(state->refused <= now + USEC_S);
		return;
	}
	reserved = decoded.auth_type != AUTH_SIMPLE && packet[PACKET_SIZE + 3];
	promise(decoded.auth_present && (reserved || is_right(packet, decoded.length)));
	promise(state->xmit_seq == before.xmit_seq);
	auth_heard(state, now, USEC_S);
	if (decoded.auth_type == AUTH_SIMPLE)
		return;
	promise(state->known == AUTH_KNOWN && state->rcv_seq == get32(packet + PACKET_SIZE + 4));
	meticulous = decoded.auth_type == AUTH_METICULOUS_MD5 || decoded.auth_type == AUTH_METICULOUS_SHA1;
	promise(auth_verify(chain, state, &decoded, packet, now) ==
		(meticulous ? DROP_AUTH_SEQUENCE : DROP_NONE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auth_state state = {0};

	if (size < 2)
		return 0;
	now = 1000 * USEC_S;
	make_chain();
	state.known = data[0] % 3;
	state.known_until = data[0] & 0x80 ? now : now + USEC_S;
	state.rcv_seq = data[0] & 0x40 ? UINT32_MAX - 2 : 0;
	for (size_t at = 1; at + 1 < size; at += STEP) {
		size_t left = size - at - 1, used = left < STEP - 1 ? left : STEP - 1;
		uint8_t packet[STEP + AUTH_SECTION] = {0}, *exact;

		memcpy(packet, data + at + 1, used);
		if (data[at] & SIGN && used >= PACKET_SIZE)
			used = sign(packet, data[at]);
		/* Of just that size: reading beyond it is seen. */
		exact = malloc(used ? used : 1);
		if (!exact)
			abort();
		memcpy(exact, packet, used);
		receive(&state, exact, used);
		free(exact);
		now += data[at] >> 4;
	}
	return 0;
}
