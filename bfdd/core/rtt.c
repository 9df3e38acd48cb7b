// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/rtt.h"

#include <stdlib.h>
#include <string.h>

void rtt_add(struct rtt *rtt, usec_t time)
{
	uint32_t now = time < UINT32_MAX ? (uint32_t)time : UINT32_MAX;
	uint32_t change = now > rtt->last ? now - rtt->last : rtt->last - now;

	if (time < 0)
		return;
	if (rtt->count) /* its own quotient, without fractions: RFC 3550 A.8 */
		rtt->jitter += change - ((rtt->jitter + 8) >> 4);
	if (!rtt->count || now < rtt->least)
		rtt->least = now;
	if (now > rtt->most)
		rtt->most = now;
	rtt->last = now;
	rtt->samples[rtt->count++ % RTT_SAMPLES] = now;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

bool rtt_summary(const struct rtt *rtt, struct rtt_summary *summary)
{
	unsigned n = rtt->count < RTT_SAMPLES ? (unsigned)rtt->count : RTT_SAMPLES;
	uint32_t sorted[RTT_SAMPLES];
	uint64_t sum = 0;

	memset(summary, 0, sizeof(*summary));
	if (!n)
		return false;
	memcpy(sorted, rtt->samples, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	for (unsigned i = 0; i < n; i++)
		sum += sorted[i];
	*summary = (struct rtt_summary){
		.count = rtt->count,
		.least = rtt->least,
		.mean = (uint32_t)(sum / n),
		.p99 = sorted[(n * 99 + 99) / 100 - 1],
		.most = rtt->most,
		.last = rtt->last,
		.jitter = rtt->jitter >> 4,
	};
	return true;
}
