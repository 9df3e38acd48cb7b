/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file in which sessions outlive their process (core/resume.h has its form): mapped, so that to keep a
 * record is a copy in memory, which a killed process leaves behind as it is.
 *
 * It lies in memory only (tmpfs): a page of a disk's file that was written out is locked while it is made
 * writable again, and the engine's thread would wait there for the disk. When the state folder is on a disk
 * the file is in /dev/shm, under a name made of the folder's numbers.
 *
 * Its pages are there from the beginning, and locked with the rest of the process's memory. Whoever cuts it
 * short under us, which only root or our own user can, would make the next store a SIGBUS: then ordinary
 * memory takes its place, and nothing is kept any more until the next start.
 */
#ifndef IO_STATE_FILE_H
#define IO_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/resume.h"

struct state_file;

/* Main thread; one at a time in a process. Takes over the predecessor's file in STATE_DIR, or makes a new
 * one; the caller holds a lock on STATE_DIR. NULL: there is no place for one. In both cases WHY is what
 * people are to be told about a file that is not taken over, or "". */
struct state_file *state_file_open(const char *state_dir, char *why, size_t size);
/* REMOVE: nobody is to go on with it. */
void state_file_close(struct state_file *file, bool remove);
const char *state_file_path(const struct state_file *file);
/* When the predecessor was last at work; 0: there was none. */
usec_t state_file_alive_before(const struct state_file *file);
/* Slots that the predecessor's file has records for, used or not. */
unsigned state_file_slots(const struct state_file *file);
/* The records of one chunk of the table, TABLE_CHUNK of them; those of a predecessor are still there. NULL:
 * no room. */
uint8_t *state_file_chunk(struct state_file *file, unsigned chunk);
/* Somebody cut it short: it is only memory now. */
bool state_file_lost(const struct state_file *file);

/* The threads that take the engine's turns. FILE may be NULL. */
/* Call first, once signals are blocked. */
void state_file_thread(struct state_file *file);
/* We are at work. One store. */
void state_file_alive(struct state_file *file, usec_t now);

#endif
