/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where secrets lie in memory: in their chains and nowhere else, and core dumps leave those out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/text.h"

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

static const char secret[] = "n0wh3re-e1se-0f-c0urse", bytes[] = "text-that-1s-secret"; /* not writable */
static char folder[] = "/tmp/bfdd-secrets-XXXXXX", key_file[64], config_file[64];

/* How often NEEDLE is in memory that can be written. */
static unsigned count_copies(const char *needle)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long begin, end;
	unsigned count = 0;
	char line[512], mode[5];

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		const char *at;

		if (sscanf(line, "%lx-%lx %4s", &begin, &end, mode) != 3 || strncmp(mode, "rw", 2))
			continue;
		for (at = (const char *)begin; (at = memmem(at, end - (uintptr_t)at, needle, strlen(needle)));
		     at++)
			count++;
	}
	fclose(maps);
	return count;
}

/* Whether the kernel leaves the memory at ADDRESS out of core dumps. */
static bool left_out(const void *address)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long begin, end;
	bool here = false, found = false;
	char line[512];

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			here = (uintptr_t)address >= begin && (uintptr_t)address < end;
		else if (here && !strncmp(line, "VmFlags:", 8))
			found = strstr(line, " dd");
	}
	fclose(maps);
	return found;
}

static void write_file(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_return_code(fd, 0);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
}

static void report(void *context, const char *file, unsigned line, bool warning, const char *message)
{
	fail_msg("%s:%u: %s", file, line, message);
}

static struct config *load(void)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "key-chains = ( { name = \"c\"; keys = ( { type = \"hmac-sha1\"; secret-file = \"%s\"; } ); "
		 "} );\n"
		 "peers = ( { name = \"p\"; address = \"192.0.2.1\"; key-chain = \"c\"; } );\n",
		 key_file);
	write_file(config_file, text, strlen(text));
	write_file(key_file, secret, strlen(secret));
	return config_load(config_file, report, NULL);
}

static void a_secret_is_in_its_chain_only(void **state)
{
	struct config *config;

	if (SANITIZED) /* its memory is too much to look through */
		skip();
	assert_int_equal(count_copies(secret), 0);
	config = load();
	assert_non_null(config);
	assert_int_equal(count_copies(secret), 1);
	config_free(config);
	assert_int_equal(count_copies(secret), 0);
}

static void chains_are_left_out_of_core_dumps(void **state)
{
	struct config *config = load();

	assert_non_null(config);
	assert_true(left_out(config->chains[0]));
	assert_false(left_out(config));
	config_free(config);
}

static void what_was_read_is_wiped(void **state)
{
	struct text text = {0};

	if (SANITIZED)
		skip();
	assert_int_equal(count_copies(bytes), 0);
	assert_true(text_add(&text, bytes, strlen(bytes)));
	assert_int_equal(count_copies(bytes), 1);
	assert_true(text_grow(&text, 10000)); /* elsewhere */
	assert_int_equal(count_copies(bytes), 1);
	assert_true(text_grow(&text, 1 << 20));
	assert_int_equal(count_copies(bytes), 1);
	text_free(&text);
	assert_int_equal(count_copies(bytes), 0);
}

static void text_grows(void **state)
{
	struct text text = {0};
	char chunk[100];

	assert_true(text_add(&text, "", 0));
	assert_string_equal(text.bytes, "");
	for (unsigned i = 0; i < 1000; i++) {
		memset(chunk, 'a' + i % 26, sizeof(chunk));
		assert_true(text_add(&text, chunk, i % 100));
	}
	assert_int_equal(text.size, 49500);
	assert_int_equal(strlen(text.bytes), text.size);
	assert_true(text.room > text.size);
	assert_int_equal(text.bytes[0], 'b');
	assert_int_equal(text.bytes[49499], 'a' + 999 % 26);
	text_free(&text);
	assert_null(text.bytes);
}

static int make_folder(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(key_file, sizeof(key_file), "%s/key", folder);
	snprintf(config_file, sizeof(config_file), "%s/conf", folder);
	return 0;
}

static int remove_folder(void **state)
{
	unlink(key_file);
	unlink(config_file);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_in_its_chain_only),
		cmocka_unit_test(chains_are_left_out_of_core_dumps),
		cmocka_unit_test(what_was_read_is_wiped),
		cmocka_unit_test(text_grows),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
