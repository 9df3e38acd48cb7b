/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking a member of a bond out of use without the bond's noticing, so that LACP and BFD go on over it: a
 * program at the member's egress sends by other members what the bond gives it.
 */
#ifndef IO_DETOUR_H
#define IO_DETOUR_H

#include <stddef.h>
#include <stdint.h>

#include "io/detour_layout.h"

struct detour;

/* NULL with a message for people in ERROR. */
struct detour *detour_open(char *error, size_t size);
/* What is attached stays, in the state that it is in. NULL is fine. */
void detour_close(struct detour *detour);
/* Attaches the program to a link; one that is there of a predecessor's is replaced. 0 or -errno. */
int detour_attach(struct detour *detour, uint32_t ifindex);
void detour_detach(struct detour *detour, uint32_t ifindex);
/* What IFINDEX is given to send goes out by these N links, at most DETOUR_WAYS, from now on; 0: by itself. 0
 * or -errno. */
int detour_set(struct detour *detour, uint32_t ifindex, const uint32_t *links, unsigned n);

#endif
