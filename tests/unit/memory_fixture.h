/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNIT_MEMORY_FIXTURE_H
#define UNIT_MEMORY_FIXTURE_H

#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/vfs.h>

/* What keeps sessions in memory needs a file system that does; says so where there is none. */
static inline bool memory_is_there(void)
{
	struct statfs fs;

	if (!statfs("/dev/shm", &fs) && fs.f_type == TMPFS_MAGIC)
		return true;
	printf("no tmpfs is mounted at /dev/shm here\n");
	return false;
}

#endif
