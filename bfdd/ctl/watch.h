/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `bfdctl watch`: status, services and peers, live. */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H

/* Runs until q or a signal. Returns the exit status. */
int watch_run(const char *path);

#endif
