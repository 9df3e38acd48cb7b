// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "core/table.h"

#define NAME "sessions"
#define ELSEWHERE "/dev/shm"
#define CHUNK ((size_t)TABLE_CHUNK * RESUME_RECORD)
#define CHUNKS (TABLE_SLOTS / TABLE_CHUNK)
#define LARGEST (RESUME_HEADER + CHUNKS * CHUNK)
#define PATH 4096

struct state_file {
	char path[PATH];
	int fd;
	uint8_t *memory; /* room for LARGEST; the first NCHUNKS behind the header are the file's */
	unsigned nchunks, nchunks_before;
	usec_t alive_before;
	atomic_bool lost;
};

static struct state_file *current; /* the signal handler's */

static atomic_int_least64_t *alive(const struct state_file *file)
{
	return (atomic_int_least64_t *)(file->memory + RESUME_ALIVE);
}

/* In whichever thread stored there. The instruction is carried out again afterwards. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	struct state_file *file = current;
	uintptr_t at = (uintptr_t)info->si_addr, from = file ? (uintptr_t)file->memory : 0;
	int error = errno;

	if (!file || at < from || at >= from + LARGEST ||
	    mmap(file->memory, RESUME_HEADER + file->nchunks * CHUNK, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		signal(SIGBUS, SIG_DFL); /* and dies by it */
	else
		atomic_store(&file->lost, true);
	errno = error;
}

static void catch_bus_error(bool on)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};

	action.sa_sigaction = on_bus_error;
	if (!on)
		action = (struct sigaction){.sa_handler = SIG_DFL};
	sigaction(SIGBUS, &action, NULL);
}

static bool in_memory(const char *dir)
{
	struct statfs info;

	return !statfs(dir, &info) && (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
}

static bool choose_path(struct state_file *file, const char *dir)
{
	struct stat info;

	if (in_memory(dir))
		return snprintf(file->path, PATH, "%s/" NAME, dir) < PATH;
	if (!in_memory(ELSEWHERE) || stat(dir, &info))
		return false;
	snprintf(file->path, PATH, ELSEWHERE "/bfdd-%jx-%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
	return true;
}

static bool find_owner(struct resume_owner *owner)
{
	char text[40];
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	struct stat info;
	const char *from = text;
	bool ok = file && fgets(text, sizeof(text), file);

	if (file)
		fclose(file);
	for (unsigned i = 0; ok && i < RESUME_BOOT; i++) {
		from += *from == '-';
		ok = sscanf(from, "%2hhx", &owner->boot[i]) == 1;
		from += 2;
	}
	if (!ok || stat("/proc/self/ns/net", &info))
		return false;
	owner->namespace_device = info.st_dev;
	owner->namespace_inode = info.st_ino;
	return true;
}

/* What lies there is nobody else's, and of a size that we make. NULL, or why not. */
static const char *suits(const struct stat *info)
{
	if (!S_ISREG(info->st_mode))
		return "it is no file";
	if (info->st_uid != geteuid() || info->st_nlink != 1 || info->st_mode & (S_IWGRP | S_IWOTH))
		return "others can write to it";
	if (info->st_size < RESUME_HEADER || (size_t)info->st_size > LARGEST ||
	    ((size_t)info->st_size - RESUME_HEADER) % CHUNK)
		return "its size is not what a bfdd makes";
	return NULL;
}

static const char *take_over(struct state_file *file, const struct resume_owner *owner)
{
	uint8_t header[RESUME_ALIVE + sizeof(usec_t)];
	const char *why;
	struct stat info;
	ssize_t n;

	/* O_NONBLOCK: should it be a FIFO. */
	file->fd = open(file->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file->fd < 0)
		return errno == ENOENT ? "" : errno == ELOOP ? "it is a symbolic link" : strerror(errno);
	why = fstat(file->fd, &info) ? strerror(errno) : suits(&info);
	if (!why) {
		n = pread(file->fd, header, sizeof(header), 0);
		why = resume_refusal_text(resume_header_check(owner, header, n < 0 ? 0 : (size_t)n));
		if (!*why && n < (ssize_t)sizeof(header))
			why = "it cannot be read";
	}
	if (why && *why) {
		close(file->fd);
		file->fd = -1;
		return why;
	}
	memcpy(&file->alive_before, header + RESUME_ALIVE, sizeof(file->alive_before));
	file->nchunks = file->nchunks_before = ((size_t)info.st_size - RESUME_HEADER) / CHUNK;
	return "";
}

static bool make_room(struct state_file *file, size_t from, size_t size)
{
	errno = posix_fallocate(file->fd, (off_t)from, (off_t)size);
	return !errno;
}

/* In its place at once and whole: a killed process leaves either file. */
static bool make_new(struct state_file *file, const struct resume_owner *owner)
{
	uint8_t header[RESUME_FIXED];
	char temporary[PATH + 8];

	resume_header_encode(owner, header);
	snprintf(temporary, sizeof(temporary), "%s.new", file->path);
	unlink(temporary);
	file->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (file->fd >= 0 && make_room(file, 0, RESUME_HEADER) &&
	    pwrite(file->fd, header, sizeof(header), 0) == sizeof(header) && !rename(temporary, file->path))
		return true;
	unlink(temporary);
	return false;
}

/* Each page is touched, so that the engine's thread finds it there. */
static bool map(struct state_file *file, size_t from, size_t size)
{
	uint8_t *memory = mmap(file->memory + from, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			       file->fd, (off_t)from);

	if (memory == MAP_FAILED)
		return false;
	for (size_t at = 0; at < size; at += 4096) {
		volatile uint8_t *page = memory + at;

		*page = *page;
	}
	return true;
}

static bool map_all(struct state_file *file)
{
	void *room = mmap(NULL, LARGEST, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		return false;
	file->memory = room;
	current = file;
	catch_bus_error(true);
	return map(file, 0, RESUME_HEADER + file->nchunks * CHUNK);
}

struct state_file *state_file_open(const char *state_dir, char *why, size_t size)
{
	struct state_file *file = calloc(1, sizeof(*file));
	struct resume_owner owner;
	const char *refused;

	*why = '\0';
	if (!file)
		return NULL;
	file->fd = -1;
	if (!choose_path(file, state_dir)) {
		snprintf(why, size, "neither %s nor " ELSEWHERE " is in memory (tmpfs)", state_dir);
		goto failed;
	}
	if (!find_owner(&owner)) {
		snprintf(why, size, "/proc tells neither boot nor network namespace");
		goto failed;
	}
	refused = take_over(file, &owner);
	if (*refused)
		snprintf(why, size, "%s: %s", file->path, refused);
	if ((file->fd >= 0 || make_new(file, &owner)) && map_all(file))
		return file;
	snprintf(why, size, "%s: %s", file->path, strerror(errno));
failed:
	state_file_close(file, false);
	return NULL;
}

void state_file_close(struct state_file *file, bool remove)
{
	if (!file)
		return;
	if (remove)
		unlink(file->path);
	if (current == file) {
		catch_bus_error(false);
		current = NULL;
	}
	if (file->memory)
		munmap(file->memory, LARGEST);
	if (file->fd >= 0)
		close(file->fd);
	free(file);
}

const char *state_file_path(const struct state_file *file)
{
	return file->path;
}

usec_t state_file_alive_before(const struct state_file *file)
{
	return file->alive_before;
}

unsigned state_file_slots(const struct state_file *file)
{
	return file->nchunks_before * TABLE_CHUNK;
}

uint8_t *state_file_chunk(struct state_file *file, unsigned chunk)
{
	size_t at = RESUME_HEADER + chunk * CHUNK;

	if (chunk >= CHUNKS)
		return NULL;
	while (file->nchunks <= chunk) {
		size_t end = RESUME_HEADER + file->nchunks * CHUNK;

		if (atomic_load(&file->lost) || !make_room(file, end, CHUNK) || !map(file, end, CHUNK))
			return NULL;
		file->nchunks++;
	}
	return file->memory + at;
}

bool state_file_lost(const struct state_file *file)
{
	return atomic_load(&file->lost);
}

void state_file_thread(struct state_file *file)
{
	sigset_t signals;

	if (!file)
		return;
	sigemptyset(&signals);
	sigaddset(&signals, SIGBUS);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

void state_file_alive(struct state_file *file, usec_t now)
{
	if (file)
		atomic_store_explicit(alive(file), now, memory_order_relaxed);
}
