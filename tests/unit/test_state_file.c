/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state file on a real tmpfs: what is taken over, what is refused, and what happens when somebody spoils
 * it under us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/table.h"
#include "io/state_file.h"
#include "memory_fixture.h"

#define CHUNK (TABLE_CHUNK * RESUME_RECORD)

static char dir[64], path[128], why[512];
static struct state_file *file;

static void reopen(void)
{
	state_file_close(file, false);
	file = state_file_open(dir, why, sizeof(why));
	assert_non_null(file);
}

static int setup(void **state)
{
	snprintf(dir, sizeof(dir), "/dev/shm/bfdd-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/sessions", dir);
	file = NULL;
	reopen();
	assert_string_equal(why, "");
	assert_string_equal(state_file_path(file), path);
	return 0;
}

static int teardown(void **state)
{
	state_file_close(file, true);
	assert_int_not_equal(access(path, F_OK), 0);
	return rmdir(dir); /* nothing else was left there */
}

static off_t size_of(void)
{
	struct stat info;

	assert_int_equal(stat(path, &info), 0);
	return info.st_size;
}

static void what_a_dead_process_wrote_is_there(void **state)
{
	assert_int_equal(state_file_alive_before(file), 0);
	assert_int_equal(state_file_slots(file), 0);
	memset(state_file_chunk(file, 2), 'c', CHUNK);
	memset(state_file_chunk(file, 0), 'a', CHUNK);
	state_file_alive(file, 12345678);
	assert_int_equal(size_of(), RESUME_HEADER + 3 * CHUNK);
	reopen();
	assert_string_equal(why, "");
	assert_int_equal(state_file_alive_before(file), 12345678);
	assert_int_equal(state_file_slots(file), 3 * TABLE_CHUNK);
	assert_int_equal(state_file_chunk(file, 0)[CHUNK - 1], 'a');
	assert_int_equal(state_file_chunk(file, 1)[0], 0);
	assert_int_equal(state_file_chunk(file, 2)[CHUNK - 1], 'c');
	assert_null(state_file_chunk(file, TABLE_SLOTS / TABLE_CHUNK));
}

/* What lies there is not taken over, and another one takes its place. */
static void refused(const char *reason)
{
	reopen();
	if (!strstr(why, reason))
		fail_msg("'%s' is not in '%s'", reason, why);
	assert_int_equal(state_file_alive_before(file), 0);
	assert_int_equal(state_file_slots(file), 0);
	state_file_alive(file, 1);
	reopen();
	assert_string_equal(why, "");
	assert_int_equal(state_file_alive_before(file), 1);
}

static void write_at(off_t at, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, bytes, size, at), size);
	close(fd);
}

static void sizes_that_we_do_not_make_are_refused(void **state)
{
	static const off_t sizes[] = {
		0,	  1, RESUME_FIXED, RESUME_HEADER - 1, RESUME_HEADER + 1, RESUME_HEADER + CHUNK - 1,
		1ll << 40};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(truncate(path, sizes[i]), 0);
		refused("size");
	}
}

static void others_contents_are_refused(void **state)
{
	uint8_t random[RESUME_FIXED];

	for (unsigned i = 0; i < sizeof(random); i++)
		random[i] = (uint8_t)(i * 37 + 11);
	write_at(0, random, sizeof(random));
	refused("damaged");
	write_at(20, "x", 1);
	refused("damaged");
}

static void links_pipes_and_folders_are_refused(void **state)
{
	char target[sizeof(path) + 8];

	snprintf(target, sizeof(target), "%s.other", path);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	refused("symbolic link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(target, path), 0);
	refused("others can write");
	assert_int_equal(unlink(target), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused("no file");
	assert_int_equal(chmod(path, 0666), 0);
	refused("others can write");
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		refused("others can write");
	}
	state_file_close(file, true);
	assert_int_equal(mkdir(path, 0700), 0);
	file = state_file_open(dir, why, sizeof(why)); /* nothing can take its place */
	assert_null(file);
	assert_true(strlen(why) > 0);
	assert_int_equal(rmdir(path), 0);
	reopen();
}

static void cut_short_under_us_it_is_memory(void **state)
{
	uint8_t *chunk;

	reopen(); /* cmocka has put its own handler before each test */
	chunk = state_file_chunk(file, 1);
	assert_false(state_file_lost(file));
	assert_int_equal(truncate(path, 0), 0);
	state_file_alive(file, 7);
	assert_true(state_file_lost(file));
	memset(chunk, 'x', CHUNK);
	assert_int_equal(chunk[CHUNK - 1], 'x');
	assert_null(state_file_chunk(file, 2));
	refused("size");
}

static void a_hole_is_filled(void **state)
{
	int fd = open(path, O_RDWR);

	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, RESUME_HEADER), 0);
	close(fd);
	state_file_alive(file, 7);
	assert_false(state_file_lost(file));
	refused("damaged");
}

static void on_a_disk_s_folder_it_lies_elsewhere(void **state)
{
	char disk[] = "/var/tmp/bfdd-test-XXXXXX";
	struct state_file *other;

	assert_non_null(mkdtemp(disk));
	state_file_close(file, true);
	file = NULL;
	other = state_file_open(disk, why, sizeof(why));
	assert_non_null(other);
	snprintf(path, sizeof(path), "%s", state_file_path(other));
	assert_true(!strncmp(path, "/dev/shm/bfdd-", 14) || !strncmp(path, disk, strlen(disk)));
	assert_int_equal(access(path, F_OK), 0);
	state_file_close(other, true);
	assert_int_equal(rmdir(disk), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_a_dead_process_wrote_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes_that_we_do_not_make_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(others_contents_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(links_pipes_and_folders_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_short_under_us_it_is_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hole_is_filled, setup, teardown),
		cmocka_unit_test_setup_teardown(on_a_disk_s_folder_it_lies_elsewhere, setup, teardown),
	};

	if (!memory_is_there())
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
