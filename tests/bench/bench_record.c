/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the flight recorder costs for one packet in and one out: nanoseconds of processor time, with so many
 * sessions taken in turn that their records are in the caches or not. Compare with microseconds for the rest
 * of a packet pair, by tests/bench/sessions.sh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/record.h"
#include "io/clock.h"

#define ROUNDS 2000000

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* The least of five, per pair. */
static double pairs(struct record *records, unsigned sessions)
{
	uint8_t bytes[PACKET_SIZE] = {0x20, 0xc0, 3, 24};
	double best = 1e9;

	for (int repeat = 0; repeat < 5; repeat++) {
		double begin = cpu_ns(), took;

		for (unsigned i = 0; i < ROUNDS; i++) {
			struct record *record = &records[i % sessions];
			usec_t now = clock_now(); /* as recorder_sent() asks for it */

			record_in(record, bytes, PACKET_SIZE, now - 10, now, 255, 50000, DROP_NONE);
			record_out(record, bytes, now, now - 5);
		}
		took = (cpu_ns() - begin) / ROUNDS;
		best = took < best ? took : best;
	}
	return best;
}

int main(void)
{
	static const unsigned counts[] = {1, 100, 500, 2000, 10000};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct record *records = calloc(counts[i], sizeof(*records));

		if (!records)
			return 1;
		for (unsigned j = 0; j < counts[i]; j++)
			record_reset(&records[j], 0);
		printf("%6u sessions: %5.0f ns a packet pair, %zu bytes a session\n", counts[i],
		       pairs(records, counts[i]), sizeof(*records));
		free(records);
	}
	return 0;
}
