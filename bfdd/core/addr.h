/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 and IPv6 addresses and prefixes as plain values. */
#ifndef CORE_ADDR_H
#define CORE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDR_TEXT 46   /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT 50 /* address, slash, three digits, NUL */

/* Network byte order; IPv4 in the first four bytes, the rest zero. */
struct addr {
	uint8_t family; /* AF_UNSPEC: no address; AF_INET; AF_INET6 */
	uint8_t bytes[16];
};

struct prefix {
	struct addr addr;
	uint8_t length; /* bits */
};

/* Numeric address only. False when TEXT is none; ADDR is then untouched. */
bool addr_parse(struct addr *addr, const char *text);
/* Returns BUF. AF_UNSPEC gives "". */
const char *addr_format(const struct addr *addr, char buf[ADDR_TEXT]);
/* Bytes of an address of this family: 4, 16, or 0 for AF_UNSPEC. */
size_t addr_size(uint8_t family);
bool addr_equal(const struct addr *a, const struct addr *b);
/* fe80::/10 (RFC 4291); no IPv4 address is link-local here. */
bool addr_is_link_local(const struct addr *addr);
bool addr_is_multicast(const struct addr *addr);
/* 0.0.0.0 or ::, or no address at all. */
bool addr_is_unspecified(const struct addr *addr);

enum prefix_error { PREFIX_OK, PREFIX_SYNTAX, PREFIX_LENGTH, PREFIX_HOST_BITS };

/* "192.0.2.0/24"; a bare address is a host prefix. Host bits set are an error: they are mostly a slip of the
 * pen. */
enum prefix_error prefix_parse(struct prefix *prefix, const char *text);
const char *prefix_format(const struct prefix *prefix, char buf[PREFIX_TEXT]);
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
/* Total order: family, address, length. For sorting and binary search. */
int prefix_compare(const struct prefix *a, const struct prefix *b);

#endif
