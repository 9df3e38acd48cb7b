/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Payloads at the Echo port against a session that has sent some, and Control packets that are looped: the
 * first byte says how many were sent, the second how many bytes lie before those of ours, the rest is taken
 * for packets that came back. Without the key nothing counts; what we sent counts once. */
#include <string.h>

#include "core/echo.h"
#include "tests/fuzz/fuzz.h"

#define INTERVAL 50000
#define DISCR 0x12345678
#define BEFORE_MAX 52 /* a Control packet with authentication */

static const uint8_t key[SIPHASH_KEY] = {1, 2, 3};
static size_t before;

/* Of ours, but for whatever the input changes. */
static void try_changed(struct echo *echo, const uint8_t *sent, const uint8_t *data, size_t size, usec_t now)
{
	uint8_t buf[BEFORE_MAX + ECHO_SIZE];
	uint64_t in = echo->packets_in;
	bool changed = false;
	usec_t rtt;

	memcpy(buf, sent, before + ECHO_SIZE);
	for (size_t i = 0; i < size && i < before + ECHO_SIZE; i++) {
		buf[i] ^= data[i];
		changed |= data[i];
	}
	if (echo_returned(echo, key, buf + before, before, now, &rtt) == DROP_NONE) {
		promise(!changed && rtt >= 0);
		promise(echo->packets_in == in + 1);
		promise(echo_returned(echo, key, buf + before, before, now, &rtt) == DROP_ECHO_LATE);
	}
	promise(echo->packets_in <= echo->packets_out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct echo echo = {.interval = 0};
	uint8_t sent[BEFORE_MAX + ECHO_SIZE] = {0x20};
	usec_t now = USEC_S, rtt;

	if (size < 2)
		return 0;
	before = data[1] % (BEFORE_MAX + 1);
	echo.patient = data[1] & 0x80;
	echo_begin(&echo, INTERVAL, 3);
	for (unsigned i = 0; i <= data[0]; i++, now += INTERVAL)
		echo_send(&echo, key, DISCR, now, sent + before, before);
	for (size_t at = 2; at < size; at += before + ECHO_SIZE) {
		size_t left = size - at < before + ECHO_SIZE ? size - at : before + ECHO_SIZE;

		if (left > before && echo_discr(data + at + before, left - before))
			promise(left == before + ECHO_SIZE &&
				echo_returned(&echo, key, data + at + before, before, now, &rtt) ==
					DROP_ECHO_FORGED);
		try_changed(&echo, sent, data + at, left, now);
		promise(echo_lost(&echo) + echo.packets_in <= echo.packets_out);
	}
	return 0;
}
