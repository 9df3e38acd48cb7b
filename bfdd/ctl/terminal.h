/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal while bfdctl has the whole of it: alternate screen, no echo, given back on every way out. */
#ifndef CTL_TERMINAL_H
#define CTL_TERMINAL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

enum terminal_signal { TERMINAL_QUIT = 1, TERMINAL_STOP = 2, TERMINAL_RESIZE = 4 };

/* Takes the terminal and blocks the signals that end, stop or resize; *UNBLOCKED is the mask for ppoll(), the
 * only place where they come. False: standard input or output is no terminal that can do this. */
bool terminal_take(sigset_t *unblocked);
void terminal_give_back(void);
/* Gives the terminal back and stops the process as Ctrl-Z asked for; returns when it goes on. */
void terminal_stop(void);
/* Bits of enum terminal_signal that came since the last call. */
unsigned terminal_signals(void);
void terminal_size(size_t *rows, size_t *columns);
/* Shows TEXT, at most ROWS lines of it, cut at COLUMNS, in one write. */
void terminal_show(const char *text, size_t rows, size_t columns);

#endif
