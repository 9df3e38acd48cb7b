/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains and packets for the tests of authentication. */
#ifndef TESTS_UNIT_AUTH_FIXTURE_H
#define TESTS_UNIT_AUTH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/auth.h"
#include "core/wire.h"

#define WIRE_MAX (PACKET_SIZE + AUTH_SECTION)
#define AT_SEQUENCE (PACKET_SIZE + 4)
#define AT_DIGEST (PACKET_SIZE + 8)

union chain_memory {
	struct auth_chain chain;
	uint8_t bytes[sizeof(struct auth_chain) + 4 * sizeof(struct auth_key)];
};

static inline struct auth_key make_key(uint8_t id, enum auth_type type, const char *secret)
{
	struct auth_key made = {.id = id,
				.type = type,
				.size = (uint8_t)strlen(secret),
				.send_start = AUTH_ALWAYS,
				.send_end = AUTH_EVER,
				.accept_start = AUTH_ALWAYS,
				.accept_end = AUTH_EVER};

	assert_true(made.size <= auth_secret_most(type));
	memcpy(made.secret, secret, made.size);
	return made;
}

/* With these keys, as they hold at time 0. */
static inline struct auth_chain *make_chain(union chain_memory *memory, const struct auth_key *keys,
					    unsigned n)
{
	memset(memory, 0, sizeof(*memory));
	strcpy(memory->chain.name, "test");
	memory->chain.mark = auth_chain_mark("test");
	memory->chain.nkeys = n;
	memcpy(memory->chain.keys, keys, n * sizeof(*keys));
	auth_chain_renew(&memory->chain, 0);
	return &memory->chain;
}

static inline struct auth_chain *one_key(union chain_memory *memory, uint8_t id, enum auth_type type,
					 const char *secret)
{
	struct auth_key made = make_key(id, type, secret);

	return make_chain(memory, &made, 1);
}

#endif
