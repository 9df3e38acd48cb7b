/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A capture file as the daemon sends it. */
#ifndef CTL_CAPTURE_H
#define CTL_CAPTURE_H

#include <jansson.h>
#include <stddef.h>

/* Writes the file that DATA has, in hexadecimal digits under "pcap", to PATH, "-" for standard output. -1
 * with a message in ERROR; nothing is written then unless writing itself failed. */
int capture_write(const json_t *data, const char *path, char *error, size_t size);

#endif
