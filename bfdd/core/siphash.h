/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SipHash-2-4: a short keyed hash that nobody can make without the key. Pure. */
#ifndef CORE_SIPHASH_H
#define CORE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define SIPHASH_KEY 16

uint64_t siphash(const uint8_t key[SIPHASH_KEY], const uint8_t *data, size_t size);

#endif
