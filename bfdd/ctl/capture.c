// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/capture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPTURE_MAX (1 << 20) /* bytes; far more than there are packets for */
#define CAPTURE_MIN 24	      /* the file's own header */

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool decode(const char *hex, uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int put(const uint8_t *bytes, size_t size, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "we") : stdout;
	bool ok;

	if (!file)
		return -1;
	ok = fwrite(bytes, 1, size, file) == size && fflush(file) == 0;
	if (file != stdout && fclose(file))
		ok = false;
	return ok ? 0 : -1;
}

int capture_write(const json_t *data, const char *path, char *error, size_t size)
{
	const json_t *value = json_object_get(data, "pcap");
	const char *hex = json_string_value(value);
	size_t length = json_string_length(value) / 2;
	uint8_t *bytes;
	int result = -1;

	snprintf(error, size, "what the daemon sent is no capture");
	if (!hex || json_string_length(value) % 2 || length < CAPTURE_MIN || length > CAPTURE_MAX)
		return -1;
	bytes = malloc(length);
	if (bytes && decode(hex, bytes, length)) {
		result = put(bytes, length, path);
		if (result)
			snprintf(error, size, "%s: %s", path, strerror(errno));
	}
	free(bytes);
	return result;
}
