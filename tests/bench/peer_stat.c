/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/peer.h"

#include <math.h>
#include <stdlib.h>

void samples_add(struct samples *samples, int64_t value)
{
	int64_t *values;

	if (samples->count == samples->room) {
		samples->room = samples->room ? samples->room * 2 : 4096;
		values = realloc(samples->values, samples->room * sizeof(*values));
		if (!values) {
			perror("bench_peer: realloc");
			exit(1);
		}
		samples->values = values;
	}
	samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void samples_sort(struct samples *samples)
{
	if (samples->count)
		qsort(samples->values, samples->count, sizeof(samples->values[0]), compare);
}

int64_t samples_percentile(const struct samples *samples, double percent)
{
	size_t rank = (size_t)ceil(percent / 100 * (double)samples->count);

	if (!samples->count)
		return 0;
	return samples->values[rank ? rank - 1 : 0];
}

double samples_mean(const struct samples *samples)
{
	double sum = 0;

	for (size_t i = 0; i < samples->count; i++)
		sum += (double)samples->values[i];
	return samples->count ? sum / (double)samples->count : 0;
}

size_t samples_below(const struct samples *samples, int64_t value)
{
	size_t low = 0, high = samples->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (samples->values[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void print_ms(const char *name, double ns)
{
	printf(", \"%s\": %.6f", name, ns / (double)MS);
}
