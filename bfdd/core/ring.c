/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ring.h"

#include <string.h>

void ring_init(struct ring *ring, void *memory, size_t item_size, size_t capacity)
{
	atomic_init(&ring->head, 0);
	atomic_init(&ring->tail, 0);
	ring->item_size = item_size;
	ring->mask = capacity - 1;
	ring->items = memory;
}

/* head and tail run freely and wrap with size_t; their difference is the fill. */
bool ring_push(struct ring *ring, const void *item)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	if (tail - head > ring->mask)
		return false;
	memcpy(ring->items + (tail & ring->mask) * ring->item_size, item, ring->item_size);
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}

bool ring_pop(struct ring *ring, void *item)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

	if (head == tail)
		return false;
	memcpy(item, ring->items + (head & ring->mask) * ring->item_size, ring->item_size);
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

size_t ring_space(const struct ring *ring)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	size_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	return ring->mask + 1 - (tail - head);
}
