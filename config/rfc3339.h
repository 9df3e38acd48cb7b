/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFIG_RFC3339_H
#define CONFIG_RFC3339_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-11-22T18:00:00Z", "2026-11-22T19:00:00.5+01:00" as Unix time in microseconds; finer fractions are
 * cut. False: TEXT is no such time; *TIME is left as it was. */
bool rfc3339_parse(const char *text, int64_t *time);

#endif
