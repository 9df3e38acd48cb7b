/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Untrusted text made safe for a log or a terminal. In a header because the daemon and the client, which
 * share no objects, both need the same rule. */
#ifndef OPS_ESCAPE_H
#define OPS_ESCAPE_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the UTF-8 character at P (NUL-terminated text) that may be shown as it is; 0: P's first byte must
 * be escaped. Not shown: C0, DEL, C1, line separators, bidirectional controls, and what is no UTF-8. */
static inline size_t escape_plain(const unsigned char *p)
{
	size_t length = p[0] < 0x80   ? 1
			: p[0] < 0xc2 ? 0
			: p[0] < 0xe0 ? 2
			: p[0] < 0xf0 ? 3
			: p[0] < 0xf5 ? 4
				      : 0;

	for (size_t i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	switch (p[0]) {
	case 0xc2: /* C1 */
		return p[1] < 0xa0 ? 0 : length;
	case 0xe0: /* overlong */
		return p[1] < 0xa0 ? 0 : length;
	case 0xed: /* surrogates */
		return p[1] > 0x9f ? 0 : length;
	case 0xe2: /* U+2028 to U+202E, U+2066 to U+2069 */
		return (p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) ||
				       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)
			       ? 0
			       : length;
	case 0xf0: /* overlong */
		return p[1] < 0x90 ? 0 : length;
	case 0xf4: /* beyond U+10FFFF */
		return p[1] > 0x8f ? 0 : length;
	}
	return p[0] < 0x20 || p[0] == 0x7f ? 0 : length;
}

/* Copies TEXT to OUT with "\xNN" for each byte not to be shown; what does not fit in SIZE is left out.
 * Returns the bytes written, without the NUL that always follows them. */
static inline size_t escape_text(char *out, size_t size, const char *text)
{
	size_t used = 0;

	for (const unsigned char *p = (const unsigned char *)text; *p;) {
		size_t length = escape_plain(p);

		if (used + (length ? length : 4) >= size)
			break;
		if (length)
			memcpy(out + used, p, length);
		else
			snprintf(out + used, 5, "\\x%02x", *p);
		used += length ? length : 4;
		p += length ? length : 1;
	}
	out[used] = '\0';
	return used;
}

#endif
