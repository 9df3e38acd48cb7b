/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What detour.c and its program in the kernel share. */
#ifndef IO_DETOUR_LAYOUT_H
#define IO_DETOUR_LAYOUT_H

#define DETOUR_LINKS 256 /* of all bonds together */
#define DETOUR_WAYS 16	 /* that take one link's traffic; a power of two */

struct detour_ways {
	unsigned int n;
	unsigned int out[DETOUR_WAYS]; /* interface indices */
};

#endif
