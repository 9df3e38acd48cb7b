/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The listening end of the control socket. For control.c only. */
#ifndef OPS_CONTROL_LISTEN_H
#define OPS_CONTROL_LISTEN_H

#include <stddef.h>

/* A listening socket (non-blocking, close-on-exec) at PATH with mode 0660, or -1 with a message in ERROR. See
 * control_create(). */
int control_listen(const char *path, char *error, size_t size);

#endif
