/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unreachable host routes in a table of their own: marks of addresses that are down, for a routing daemon
 * that resolves its next hops in that table. A mark is one netlink request, carried out before the call
 * returns; it waits for nothing but the kernel's routing lock. Only routes of our protocol number and of
 * this type are touched, and what another has put in a mark's place is left there.
 */
#ifndef NETLINK_UNREACHABLE_H
#define NETLINK_UNREACHABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

struct unreachable;

/* NULL with a message in ERROR. */
struct unreachable *unreachable_create(uint8_t protocol, char *error, size_t size);
void unreachable_free(struct unreachable *unreachable); /* NULL is fine; the marks stay */

/* 0 or -errno; also 0 when it was there, or gone, already. -EEXIST: another's route is in its place. */
int unreachable_add(struct unreachable *unreachable, uint32_t table, const struct addr *addr);
/* The same, and listeners are told of it once more if it was there. */
int unreachable_repeat(struct unreachable *unreachable, uint32_t table, const struct addr *addr);
int unreachable_del(struct unreachable *unreachable, uint32_t table, const struct addr *addr);
/* The last error in the kernel's words. */
const char *unreachable_words(const struct unreachable *unreachable);

/* FN hears of each mark of ours in any table, and may not call back. 0 or -errno. */
typedef void unreachable_fn(void *context, uint32_t table, const struct addr *addr);
int unreachable_each(struct unreachable *unreachable, unreachable_fn *fn, void *context);

#endif
