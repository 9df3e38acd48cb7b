/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks FRR by running vtysh: from the loop, with a deadline, and with a bound on what it may say. The default
 * loop only (libev's children).
 */
#ifndef ROUTING_VTYSH_H
#define ROUTING_VTYSH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/usec.h"

#define VTYSH_MOST (16 << 20) /* bytes of an answer */

struct vtysh;
struct ev_loop;

/* TEXT of SIZE bytes, NUL behind them, valid during the call; NULL: there was no answer, for the reason WHY.
 */
typedef void vtysh_fn(void *context, const char *text, size_t size, const char *why);

/* PROGRAM and PATHSPACE ("": none; FRR's -N) are copied. NULL: no memory. */
struct vtysh *vtysh_create(struct ev_loop *loop, const char *program, const char *pathspace, usec_t timeout,
			   vtysh_fn *fn, void *context);
/* Ends what runs. NULL is fine. */
void vtysh_free(struct vtysh *vtysh);

/* COMMAND (static) is run; FN hears the answer, once. False: one is under way still. */
bool vtysh_ask(struct vtysh *vtysh, const char *command);

#endif
