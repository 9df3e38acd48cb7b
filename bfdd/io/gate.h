/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program in the kernel (eBPF) in front of the UDP sockets. A steady peer says the same again and again:
 * such a packet, told apart from all others by every byte of it and by where it comes from, is only counted
 * and timed there and wakes nobody. Floods of what we would drop anyway are dropped there too, beyond a
 * budget that lets ordinary mistakes through to be counted with their session. Everything else goes to the
 * socket as ever, so all of this is a shortcut: without it (gate NULL) the daemon does the same for more CPU.
 *
 * Main thread: gate_open, gate_attach, gate_close, gate_shed, gate_dropped. Engine's thread: the rest; apart
 * from gate_session() and gate_forget(), which ask the kernel to note the peer's address, they are plain
 * loads and stores. A packet that another processor judges in this very moment may still be judged by what
 * was true before.
 */
#ifndef IO_GATE_H
#define IO_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/drop.h"
#include "core/session.h"
#include "io/gate_layout.h"

struct gate;

/* NULL with the reason for people in ERROR: which permission or kernel feature is missing. */
struct gate *gate_open(char *error, size_t size);
void gate_close(struct gate *gate);
/* Puts the program in front of a UDP socket bound to 3784 or 4784, where it stays, gate_close() or not, until
 * that is closed. 0 or -errno. */
int gate_attach(struct gate *gate, int fd);
/* Takes it away from there. */
void gate_detach(int fd);
/* Its descriptor, for measuring. */
int gate_program(const struct gate *gate);

/* All that follow take NULL for GATE, and slots beyond GATE_SLOTS, and then do nothing. */

/* SESSION is in the table, or its key or min_ttl changed: who may speak to it. Not armed. */
void gate_session(struct gate *gate, const struct session *session);
/* It is gone. */
void gate_forget(struct gate *gate, uint16_t slot);
/* PACKET, just received in this form, changes nothing when it comes again: take it. */
void gate_arm(struct gate *gate, uint16_t slot, const uint8_t packet[GATE_PACKET]);
/* From now on the session hears everything itself. */
void gate_disarm(struct gate *gate, uint16_t slot);
bool gate_armed(const struct gate *gate, uint16_t slot);
/* How many packets were taken in this slot, ever (also for earlier sessions); *LAST is the time of the last
 * one, CLOCK_MONOTONIC, or unchanged if there was none. */
uint64_t gate_taken(const struct gate *gate, uint16_t slot, usec_t *last);
/* The times of the last packets taken, oldest first; returns how many, at most GATE_TIMES. */
unsigned gate_times(const struct gate *gate, uint16_t slot, usec_t times[GATE_TIMES]);
/* Adds to DROPS the packets that were dropped there since the start, by reason: DROP_RATE for those that the
 * session might have wanted. */
void gate_shed(const struct gate *gate, uint64_t drops[DROP_COUNT]);
/* All packets that did not reach the sockets, taken ones included. The kernel counts them as it does what
 * finds a socket's queue full (SO_RXQ_OVFL, InErrors of UDP): subtract. */
uint64_t gate_dropped(const struct gate *gate);

#endif
