/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bounded queue between two threads: one producer, one consumer, no lock. Waking the consumer is the
 * caller's business (an eventfd beside the ring). Items are copied.
 */
#ifndef CORE_RING_H
#define CORE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct ring {
	_Alignas(64) atomic_size_t head; /* written by the consumer */
	_Alignas(64) atomic_size_t tail; /* written by the producer */
	_Alignas(64) size_t item_size;
	size_t mask; /* capacity - 1 */
	unsigned char *items;
};

/* MEMORY holds CAPACITY items of ITEM_SIZE bytes and stays the caller's. CAPACITY is a power of two. */
void ring_init(struct ring *ring, void *memory, size_t item_size, size_t capacity);
/* False when full: nothing is written. Producer only. */
bool ring_push(struct ring *ring, const void *item);
/* False when empty. Consumer only. */
bool ring_pop(struct ring *ring, void *item);
/* Items that can still be pushed. Producer only. */
size_t ring_space(const struct ring *ring);

#endif
