// SPDX-License-Identifier: GPL-2.0-or-later
/* As in "SipHash: a fast short-input PRF" (Aumasson, Bernstein, 2012): words are little-endian. */
#include "core/siphash.h"

struct sip {
	uint64_t v0, v1, v2, v3;
};

static uint64_t load(const uint8_t *at, size_t size)
{
	uint64_t word = 0;

	for (size_t i = size; i-- > 0;)
		word = word << 8 | at[i];
	return word;
}

static uint64_t rotate(uint64_t word, unsigned by)
{
	return word << by | word >> (64 - by);
}

static void rounds(struct sip *s, unsigned n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v3;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 += s->v3;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v2 = rotate(s->v2, 32);
	}
}

static void compress(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	rounds(s, 2);
	s->v0 ^= word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY], const uint8_t *data, size_t size)
{
	uint64_t k0 = load(key, 8), k1 = load(key + 8, 8);
	struct sip s = {
		k0 ^ 0x736f6d6570736575,
		k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261,
		k1 ^ 0x7465646279746573,
	};
	size_t at;

	for (at = 0; at + 8 <= size; at += 8)
		compress(&s, load(data + at, 8));
	compress(&s, load(data + at, size - at) | (uint64_t)size << 56);
	s.v2 ^= 0xff;
	rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
