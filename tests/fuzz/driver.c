/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * main() for a fuzz target where libFuzzer is not: runs every file (and every file of a directory) given,
 * then, with -seconds=N, mutations of them. The same -seed=N gives the same mutations; the input at work is
 * kept in -keep=FILE, so that what crashed can be run again.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define INPUT_MAX 4096
#define INPUTS_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	size_t size;
	uint8_t data[INPUT_MAX];
};

static struct input inputs[INPUTS_MAX];
static unsigned ninputs;
static uint64_t random_state = 1;
static const char *keep;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dULL) >> 33) % n;
}

static void run(const struct input *input)
{
	/* A copy of just that size: reading beyond it is seen by the sanitizer. */
	uint8_t *copy = malloc(input->size ? input->size : 1);

	if (!copy)
		abort();
	memcpy(copy, input->data, input->size);
	LLVMFuzzerTestOneInput(copy, input->size);
	free(copy);
}

static void load_file(const char *path)
{
	struct input *input = &inputs[ninputs];
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		exit(2);
	}
	if (ninputs < INPUTS_MAX) {
		input->size = fread(input->data, 1, INPUT_MAX, file);
		ninputs++;
	}
	fclose(file);
}

static void load(const char *path)
{
	struct stat info;
	struct dirent *entry;
	char name[4096];
	DIR *dir;

	if (stat(path, &info) || !S_ISDIR(info.st_mode)) {
		load_file(path);
		return;
	}
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		load_file(name);
	}
	if (dir)
		closedir(dir);
}

static void insert(struct input *input, const uint8_t *data, size_t size)
{
	size_t at = random_below((uint32_t)input->size + 1);

	if (input->size + size > INPUT_MAX)
		return;
	memmove(input->data + at + size, input->data + at, input->size - at);
	memcpy(input->data + at, data, size);
	input->size += size;
}

static void mutate(struct input *input)
{
	static const uint8_t odd[] = {0, 1, 24, 26, 0x7f, 0x80, 0xff, '"', '/', ':', '{', ';'};
	const struct input *other = &inputs[random_below(ninputs)];
	uint32_t at = random_below((uint32_t)input->size + 1), from = random_below((uint32_t)other->size + 1);
	uint8_t byte = (uint8_t)random_below(256);

	switch (random_below(6)) {
	case 0:
		if (at < input->size)
			input->data[at] ^= (uint8_t)(1u << random_below(8));
		break;
	case 1:
		if (at < input->size)
			input->data[at] = odd[random_below(sizeof(odd))];
		break;
	case 2:
		input->size = at;
		break;
	case 3:
		insert(input, &byte, 1);
		break;
	case 4:
		insert(input, other->data + from, random_below((uint32_t)(other->size - from) + 1));
		break;
	default:
		if (at < input->size)
			input->data[at] = byte;
	}
}

static void keep_input(const struct input *input)
{
	FILE *file = keep ? fopen(keep, "wb") : NULL;

	if (!file)
		return;
	fwrite(input->data, 1, input->size, file);
	fclose(file);
}

static unsigned long run_mutations(long seconds)
{
	time_t end = time(NULL) + seconds;
	static struct input input;
	unsigned long runs = 0;

	while (time(NULL) < end) {
		input = inputs[random_below(ninputs)];
		for (uint32_t n = 1 + random_below(8); n > 0; n--)
			mutate(&input);
		keep_input(&input);
		run(&input);
		runs++;
	}
	return runs;
}

int main(int argc, char **argv)
{
	unsigned long runs = 0;
	long seconds = 0;

	for (int i = 1; i < argc; i++) {
		if (sscanf(argv[i], "-seconds=%ld", &seconds) == 1)
			continue;
		if (sscanf(argv[i], "-seed=%lu", &random_state) == 1)
			continue;
		if (strncmp(argv[i], "-keep=", 6) == 0)
			keep = argv[i] + 6;
		else
			load(argv[i]);
	}
	/* The generator's state must not be zero. */
	random_state = random_state * 2 + 1;
	for (unsigned i = 0; i < ninputs; i++)
		run(&inputs[i]);
	if (!ninputs)
		ninputs = 1;
	if (seconds > 0)
		runs = run_mutations(seconds);
	printf("%u inputs, %lu mutations\n", ninputs, runs);
	return 0;
}
