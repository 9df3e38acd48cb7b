/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: microseconds, signed, so that differences and comparisons are safe. */
#ifndef CORE_USEC_H
#define CORE_USEC_H

#include <stdint.h>

/* A duration, or an instant of CLOCK_MONOTONIC. */
typedef int64_t usec_t;

#define USEC_MS ((usec_t)1000)
#define USEC_S ((usec_t)1000000)
#define USEC_NEVER INT64_MAX

/* Intervals, as packets bear them: microseconds. */
static inline uint32_t max32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static inline uint32_t min32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

#endif
