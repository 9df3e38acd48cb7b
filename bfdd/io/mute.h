/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A UDP port that packets may come to, although nobody reads them there: so that the kernel does not answer
 * that nobody listens, and no other program can. */
#ifndef IO_MUTE_H
#define IO_MUTE_H

#include <stddef.h>
#include <stdint.h>

/* A descriptor, or -1 with a message for people in ERROR. */
int mute_open(uint8_t family, uint16_t port, char *error, size_t size);

#endif
