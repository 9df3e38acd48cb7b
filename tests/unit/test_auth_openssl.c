/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The digests that we send, computed again by the openssl program from RFC 5880's words. */
#include "auth_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 8

static union chain_memory memory;

/* DIGEST of SIZE bytes at DATA, by openssl dgst with OPTIONS. */
static size_t openssl(const char *options, const uint8_t *data, size_t size, uint8_t digest[64])
{
	char name[] = "/tmp/bfdd-auth-XXXXXX", command[640];
	int fd = mkstemp(name);
	size_t got;
	FILE *pipe;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
	snprintf(command, sizeof(command), "openssl dgst -binary %s %s", options, name);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	got = fread(digest, 1, 64, pipe);
	assert_int_equal(pclose(pipe), 0);
	unlink(name);
	return got;
}

static void agree(enum auth_type type, const char *options, size_t length, bool keyed)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct auth_state state = {0};
		uint8_t wire[WIRE_MAX], filled[WIRE_MAX], digest[64];
		char secret[AUTH_SECRET_MAX + 1] = "", with[512], *hex;
		unsigned size = 1 + (unsigned)rand() % auth_secret_most(type);
		struct auth_chain *chain;

		for (unsigned i = 0; i < size; i++)
			secret[i] = (char)(1 + rand() % 255);
		chain = one_key(&memory, (uint8_t)rand(), type, secret);
		for (unsigned i = 0; i < PACKET_SIZE; i++)
			wire[i] = (uint8_t)rand();
		assert_int_equal(auth_sign(chain, &state, wire, 1, (uint32_t)rand()), AT_DIGEST + length);
		/* 6.7.3: the secret, with zeros behind it, is where the digest will be. */
		memcpy(filled, wire, AT_DIGEST);
		memset(filled + AT_DIGEST, 0, length);
		if (!keyed)
			memcpy(filled + AT_DIGEST, secret, size);
		hex = with + snprintf(with, sizeof(with), "%s%s", options,
				      keyed ? " -mac HMAC -macopt hexkey:" : "");
		for (unsigned i = 0; keyed && i < size; i++)
			hex += sprintf(hex, "%02x", (uint8_t)secret[i]);
		assert_int_equal(openssl(with, filled, AT_DIGEST + length, digest), length);
		assert_memory_equal(digest, wire + AT_DIGEST, length);
	}
}

static void openssl_computes_the_same(void **state)
{
	if (system("openssl version >/dev/null 2>&1") != 0)
		skip();
	srand(5880);
	agree(AUTH_MD5, "-md5", 16, false);
	agree(AUTH_METICULOUS_MD5, "-md5", 16, false);
	agree(AUTH_SHA1, "-sha1", 20, false);
	agree(AUTH_METICULOUS_SHA1, "-sha1", 20, false);
	agree(AUTH_HMAC_SHA1, "-sha1", 20, true);
	agree(AUTH_METICULOUS_HMAC_SHA1, "-sha1", 20, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(openssl_computes_the_same)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
