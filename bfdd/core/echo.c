// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/echo.h"

#include <string.h>

#include "core/wire.h"

#define MAGIC 0x62666465 /* "bfde": as the first byte of a Control packet it would be version 3 */

enum { AT_MAGIC = 0, AT_DISCR = 4, AT_SEQUENCE = 8, AT_ZERO = 12, AT_SENT = 16, AT_TAG = 24 };

void echo_begin(struct echo *echo, uint32_t interval, uint8_t mult)
{
	if (!echo->interval)
		echo->waiting_since = USEC_NEVER;
	echo->interval = interval;
	echo->mult = mult;
}

void echo_end(struct echo *echo, bool failed)
{
	for (uint64_t left = failed ? echo->awaited : 0; left; left &= left - 1)
		echo->lost++;
	echo->interval = 0;
	echo->awaited = 0;
	echo->waiting_since = USEC_NEVER;
}

void echo_send(struct echo *echo, const uint8_t key[SIPHASH_KEY], uint32_t discr, usec_t now,
	       uint8_t buf[ECHO_SIZE], size_t before)
{
	memset(buf, 0, ECHO_SIZE);
	put32(buf + AT_MAGIC, MAGIC);
	put32(buf + AT_DISCR, discr);
	put32(buf + AT_SEQUENCE, echo->next);
	put64(buf + AT_SENT, (uint64_t)now);
	put64(buf + AT_TAG, siphash(key, buf - before, before + AT_TAG));

	echo->lost += echo->awaited >> (ECHO_WINDOW - 1);
	echo->awaited = echo->awaited << 1 | 1;
	echo->sent[echo->next++ % ECHO_WINDOW] = now;
	echo->packets_out++;
	if (echo->waiting_since == USEC_NEVER) {
		echo->waiting_since = now;
		echo->deferred = 0;
	}
}

uint32_t echo_discr(const uint8_t *buf, size_t size)
{
	if (size != ECHO_SIZE || get32(buf + AT_MAGIC) != MAGIC)
		return 0;
	return get32(buf + AT_DISCR);
}

/* Compared as a whole: who guesses learns nothing from the time that it took. */
static bool genuine(const uint8_t key[SIPHASH_KEY], const uint8_t *buf, size_t before)
{
	return siphash(key, buf - before, before + AT_TAG) == get64(buf + AT_TAG);
}

enum drop echo_returned(struct echo *echo, const uint8_t key[SIPHASH_KEY], const uint8_t *buf, size_t before,
			usec_t received, usec_t *rtt)
{
	uint32_t sequence = get32(buf + AT_SEQUENCE), age = echo->next - 1 - sequence;
	usec_t sent, after;

	if (!genuine(key, buf, before))
		return DROP_ECHO_FORGED;
	if (age >= ECHO_WINDOW || !(echo->awaited >> age & 1))
		return DROP_ECHO_LATE;
	sent = echo->sent[sequence % ECHO_WINDOW];
	/* What was stamped late for want of a processor is as good as in time. */
	if (!echo->patient && received - sent > echo_detection_time(echo) + echo->deferred + echo->stalled)
		return DROP_ECHO_LATE;
	echo->awaited &= ~(UINT64_C(1) << age);
	if (echo->next - 1 - echo->newest > age)
		echo->newest = sequence;
	echo->packets_in++;
	*rtt = received - sent;
	/* An older one that comes later says nothing about the newer ones. */
	after = age ? echo->sent[(sequence + 1) % ECHO_WINDOW] : USEC_NEVER;
	if (after > echo->waiting_since) {
		echo->waiting_since = after;
		echo->deferred = 0;
	}
	return DROP_NONE;
}

usec_t echo_owed(const struct echo *echo)
{
	uint32_t last = echo->next - 1, left = last - echo->newest;
	usec_t owed = echo->sent[last % ECHO_WINDOW] - echo->sent[echo->newest % ECHO_WINDOW];

	owed -= (usec_t)left * echo->interval;
	return left < ECHO_WINDOW && owed > 0 ? owed : 0;
}

usec_t echo_detection_time(const struct echo *echo)
{
	return (usec_t)echo->mult * echo->interval;
}

usec_t echo_deadline(const struct echo *echo)
{
	if (!echo->interval || echo->waiting_since == USEC_NEVER)
		return USEC_NEVER;
	return echo->waiting_since + echo_detection_time(echo);
}

uint64_t echo_lost(const struct echo *echo)
{
	usec_t last = echo->sent[(echo->next - 1) % ECHO_WINDOW];
	uint64_t lost = echo->lost;

	for (unsigned age = 0; age < ECHO_WINDOW; age++)
		if (echo->awaited >> age & 1 &&
		    last - echo->sent[(echo->next - 1 - age) % ECHO_WINDOW] > echo_detection_time(echo))
			lost++;
	return lost;
}

void echo_withdraw(struct echo *echo, uint32_t interval, usec_t until)
{
	echo->promised = interval;
	echo->promise_until = until;
}

uint32_t echo_takes(const struct echo *echo, uint32_t configured, usec_t now)
{
	bool promised = echo->promised && now < echo->promise_until;

	return promised && (!configured || echo->promised < configured) ? echo->promised : configured;
}

bool echo_reflect(struct echo *echo, uint32_t interval, usec_t received)
{
	usec_t due = echo->reflect_at > received ? echo->reflect_at : received;

	if (due - received > interval)
		return false;
	echo->reflect_at = due + interval - interval / 4;
	echo->reflected++;
	return true;
}
