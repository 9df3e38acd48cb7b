// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/auth.h"

#include <string.h>

#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>
#include <nettle/sha1.h>

#include "core/wire.h"

#define FLAG_AUTH 0x04
#define FIXED 8	    /* of a section with a digest: type, length, key id, reserved, sequence number */
#define STEP USEC_S /* a number is sent no longer than this */
/*
 * Who sends wrong digests makes us compute. Each one fills the bucket by REFUSAL, and time empties it. When
 * it is full only what has a fitting sequence number is looked at, so that who cannot listen to the session
 * cannot hinder it either; and when it is twice as full, nothing is.
 */
#define REFUSAL (USEC_S / 2000)
#define BUCKET (USEC_S / 10)

static const struct {
	const char *name;
	uint8_t wire; /* Auth Type */
	uint8_t digest, most;
	bool meticulous;
} types[AUTH_TYPES] = {
	[AUTH_NONE] = {"none", 0, 0, 0, false},
	[AUTH_SIMPLE] = {"simple-password", 1, 0, 16, false},
	[AUTH_MD5] = {"keyed-md5", 2, MD5_DIGEST_SIZE, 16, false},
	[AUTH_METICULOUS_MD5] = {"meticulous-keyed-md5", 3, MD5_DIGEST_SIZE, 16, true},
	[AUTH_SHA1] = {"keyed-sha1", 4, SHA1_DIGEST_SIZE, 20, false},
	[AUTH_METICULOUS_SHA1] = {"meticulous-keyed-sha1", 5, SHA1_DIGEST_SIZE, 20, true},
	[AUTH_HMAC_SHA1] = {"hmac-sha1", 4, SHA1_DIGEST_SIZE, AUTH_SECRET_MAX, false},
	[AUTH_METICULOUS_HMAC_SHA1] = {"meticulous-hmac-sha1", 5, SHA1_DIGEST_SIZE, AUTH_SECRET_MAX, true},
};

_Static_assert(FIXED + SHA1_DIGEST_SIZE == AUTH_SECTION, "the longest section is SHA1's");
_Static_assert(AUTH_KEYS <= 64 && AUTH_KEYS < AUTH_NO_KEY, "bits and indices");

const char *auth_type_name(enum auth_type type)
{
	return types[type < AUTH_TYPES ? type : AUTH_NONE].name;
}

enum auth_type auth_type_find(const char *name)
{
	for (unsigned type = AUTH_NONE + 1; type < AUTH_TYPES; type++)
		if (!strcmp(types[type].name, name))
			return type;
	return AUTH_NONE;
}

unsigned auth_secret_most(enum auth_type type)
{
	return types[type].most;
}

bool auth_meticulous(const struct auth_key *key)
{
	return types[key->type].meticulous;
}

/* FNV-1a. */
uint32_t auth_chain_mark(const char *name)
{
	uint32_t mark = 0x811c9dc5;

	for (; *name; name++)
		mark = (mark ^ (uint8_t)*name) * 0x01000193;
	return mark ? mark : 1;
}

static bool key_equal(const struct auth_key *a, const struct auth_key *b)
{
	return a->id == b->id && a->type == b->type && a->size == b->size &&
	       !memcmp(a->secret, b->secret, sizeof(a->secret)) && a->send_start == b->send_start &&
	       a->send_end == b->send_end && a->accept_start == b->accept_start &&
	       a->accept_end == b->accept_end;
}

bool auth_chain_equal(const struct auth_chain *a, const struct auth_chain *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->nkeys != b->nkeys || strcmp(a->name, b->name) != 0)
		return false;
	for (unsigned i = 0; i < a->nkeys; i++)
		if (!key_equal(&a->keys[i], &b->keys[i]))
			return false;
	return true;
}

bool auth_chain_renew(struct auth_chain *chain, int64_t now)
{
	uint8_t sends = AUTH_NO_KEY, before = atomic_load_explicit(&chain->sends, memory_order_relaxed);
	uint64_t accepts = 0;

	for (unsigned i = 0; i < chain->nkeys; i++) {
		const struct auth_key *key = &chain->keys[i];

		if (key->accept_start <= now && now < key->accept_end)
			accepts |= 1ull << i;
		if (key->send_start <= now && now < key->send_end &&
		    (sends == AUTH_NO_KEY || key->send_start > chain->keys[sends].send_start))
			sends = (uint8_t)i;
	}
	atomic_store_explicit(&chain->accepts, accepts, memory_order_relaxed);
	atomic_store_explicit(&chain->sends, sends, memory_order_relaxed);
	return sends != before;
}

const struct auth_key *auth_chain_sends(const struct auth_chain *chain)
{
	uint8_t sends = atomic_load_explicit(&chain->sends, memory_order_relaxed);

	return sends < chain->nkeys ? &chain->keys[sends] : NULL;
}

static void digest_md5(const struct auth_key *key, const uint8_t *packet, size_t size, uint8_t *digest)
{
	struct md5_ctx md5;

	md5_init(&md5);
	md5_update(&md5, size, packet);
	md5_update(&md5, MD5_DIGEST_SIZE, key->secret);
	md5_digest(&md5, MD5_DIGEST_SIZE, digest);
}

static void digest_sha1(const struct auth_key *key, const uint8_t *packet, size_t size, uint8_t *digest)
{
	struct sha1_ctx sha1;

	sha1_init(&sha1);
	sha1_update(&sha1, size, packet);
	sha1_update(&sha1, SHA1_DIGEST_SIZE, key->secret);
	sha1_digest(&sha1, SHA1_DIGEST_SIZE, digest);
}

static void digest_hmac(const struct auth_key *key, const uint8_t *packet, size_t size, uint8_t *digest)
{
	static const uint8_t empty[SHA1_DIGEST_SIZE];
	struct hmac_sha1_ctx hmac;

	hmac_sha1_set_key(&hmac, key->size, key->secret);
	hmac_sha1_update(&hmac, size, packet);
	hmac_sha1_update(&hmac, sizeof(empty), empty);
	hmac_sha1_digest(&hmac, SHA1_DIGEST_SIZE, digest);
}

/* 6.7.3, 6.7.4: of PACKET up to the digest, in the place of which stands the secret; FRR has zeros there. */
static void compute(const struct auth_key *key, const uint8_t *packet, uint8_t digest[SHA1_DIGEST_SIZE])
{
	if (key->type == AUTH_MD5 || key->type == AUTH_METICULOUS_MD5)
		digest_md5(key, packet, PACKET_SIZE + FIXED, digest);
	else if (key->type == AUTH_SHA1 || key->type == AUTH_METICULOUS_SHA1)
		digest_sha1(key, packet, PACKET_SIZE + FIXED, digest);
	else
		digest_hmac(key, packet, PACKET_SIZE + FIXED, digest);
}

/* Meticulous: with each packet. The others: with each that says something new, and now and then, so that
 * nobody can repeat an old one for ever. */
static void step(struct auth_state *state, const struct auth_key *key, const uint8_t *packet, usec_t now,
		 uint32_t random)
{
	bool news = memcmp(state->said, packet, PACKET_SIZE) != 0 || state->sent_key != key->id ||
		    state->sent_type != key->type;

	if (!state->started)
		state->xmit_seq = random;
	else if (types[key->type].meticulous || news || now - state->stepped >= STEP)
		state->xmit_seq++;
	else
		return;
	state->started = true;
	state->stepped = now;
	memcpy(state->said, packet, PACKET_SIZE);
}

size_t auth_sign(const struct auth_chain *chain, struct auth_state *state,
		 uint8_t packet[PACKET_SIZE + AUTH_SECTION], usec_t now, uint32_t random)
{
	const struct auth_key *key = auth_chain_sends(chain);
	uint8_t *section = packet + PACKET_SIZE, size;

	state->silent = !key;
	if (!key)
		return 0;
	size = key->type == AUTH_SIMPLE ? 3 + key->size : FIXED + types[key->type].digest;
	packet[1] |= FLAG_AUTH;
	packet[3] = PACKET_SIZE + size;
	section[0] = types[key->type].wire;
	section[1] = size;
	section[2] = key->id;
	if (key->type == AUTH_SIMPLE) {
		memcpy(section + 3, key->secret, key->size);
	} else {
		step(state, key, packet, now, random);
		section[3] = 0;
		put32(section + 4, state->xmit_seq);
		compute(key, packet, section + FIXED);
	}
	state->sent_type = key->type;
	state->sent_key = key->id;
	return PACKET_SIZE + size;
}

/* By type and id, among those that hold now. */
static enum drop find(const struct auth_chain *chain, uint8_t type, uint8_t id, const struct auth_key **found)
{
	uint64_t accepts = atomic_load_explicit(&chain->accepts, memory_order_relaxed);
	enum drop drop = DROP_AUTH_TYPE;

	for (unsigned i = 0; i < chain->nkeys; i++) {
		const struct auth_key *key = &chain->keys[i];

		if (types[key->type].wire != type)
			continue;
		drop = DROP_AUTH_UNKNOWN_KEY;
		*found = key;
		if (key->id == id && accepts >> i & 1)
			return DROP_NONE;
	}
	return drop;
}

static enum drop verify_password(const struct auth_key *key, const uint8_t *section)
{
	uint8_t given[AUTH_SECRET_MAX] = {0};
	unsigned size = section[1] - 3u;
	bool same;

	memcpy(given, section + 3, size);
	same = memeql_sec(given, key->secret, sizeof(given));
	return same && size == key->size ? DROP_NONE : DROP_AUTH_PASSWORD;
}

/* 6.7.3: within 3 times Detect Mult, in a circular space. */
static bool fits(const struct auth_state *state, bool meticulous, uint32_t seq, uint8_t detect_mult)
{
	uint32_t ahead = seq - state->rcv_seq,
		 most = state->known == AUTH_RESUMED ? INT32_MAX : 3u * detect_mult;

	return state->known == AUTH_UNKNOWN || (ahead <= most && (ahead || !meticulous));
}

static enum drop verify_digest(const struct auth_key *key, struct auth_state *state,
			       const struct packet *packet, const uint8_t *data, usec_t received)
{
	const uint8_t *section = data + PACKET_SIZE;
	uint8_t digest[SHA1_DIGEST_SIZE];
	uint32_t seq = get32(section + 4);
	bool right, in_order;

	if (state->known && received >= state->known_until)
		state->known = AUTH_UNKNOWN;
	in_order = fits(state, types[key->type].meticulous, seq, packet->detect_mult);
	if (state->refused < received)
		state->refused = received;
	if (state->refused - received > (in_order ? 2 * BUCKET : BUCKET))
		return DROP_RATE;
	compute(key, data, digest);
	right = memeql_sec(digest, section + FIXED, types[key->type].digest);
	if (!right)
		state->refused += REFUSAL;
	if (!right || !in_order)
		return right ? DROP_AUTH_SEQUENCE : DROP_AUTH_DIGEST;
	state->rcv_seq = seq;
	state->known = AUTH_KNOWN;
	return DROP_NONE;
}

enum drop auth_verify(const struct auth_chain *chain, struct auth_state *state, const struct packet *packet,
		      const uint8_t *data, usec_t received)
{
	const uint8_t *section = data + PACKET_SIZE;
	const struct auth_key *key = NULL;
	enum drop drop;

	if (!packet->auth_present)
		return DROP_AUTH_MISSING;
	if (packet->auth_type < 1 || packet->auth_type > 5)
		return DROP_AUTH_TYPE;
	/* What lies behind the section would not be covered by the digest. */
	if (packet->length != PACKET_SIZE + packet->auth_length)
		return DROP_AUTH_LENGTH;
	drop = find(chain, packet->auth_type, section[2], &key);
	if (!drop)
		drop = key->type == AUTH_SIMPLE ? verify_password(key, section)
						: verify_digest(key, state, packet, data, received);
	if (drop)
		return drop;
	state->received_type = key->type;
	state->received_key = key->id;
	return DROP_NONE;
}

void auth_heard(struct auth_state *state, usec_t received, usec_t time)
{
	state->known_until = time == USEC_NEVER ? USEC_NEVER : received + 2 * time;
}
