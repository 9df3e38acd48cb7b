/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/frr_version.h"

#include <stdlib.h>
#include <string.h>

bool frr_version_read(const char *text, char version[FRR_VERSION])
{
	static const char head[] = "bfdd version ";
	const char *begin = strstr(text, head);
	size_t size;

	if (!begin)
		return false;
	begin += sizeof(head) - 1;
	size = strcspn(begin, " \t\r\n");
	if (!size || size >= FRR_VERSION || strspn(begin, "0123456789.abcdefghijklmnopqrstuvwxyz_+~-") < size)
		return false;
	memcpy(version, begin, size);
	version[size] = '\0';
	return true;
}

unsigned frr_version_flaws(const char *version)
{
	unsigned long major, minor;
	unsigned flaws = 0;
	char *rest;

	major = strtoul(version, &rest, 10);
	if (*rest != '.' || !rest[1])
		return 0;
	minor = strtoul(rest + 1, NULL, 10);
	if (major == 10 && (minor == 4 || minor == 5))
		flaws |= FRR_WAITS;
	if (major == 8)
		flaws |= FRR_MUST_LISTEN;
	return flaws;
}
