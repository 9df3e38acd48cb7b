/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 50700
#define PORT_DIGITS 5

/* "" or ":PORT". */
static bool parse_port(const char *text, uint16_t *port)
{
	unsigned long number;

	*port = DEFAULT_PORT;
	if (!*text)
		return true;
	number = strtoul(text + 1, NULL, 10);
	*port = (uint16_t)number;
	return *text == ':' && text[1] && strspn(text + 1, "0123456789") == strlen(text + 1) &&
	       strlen(text + 1) <= PORT_DIGITS && number >= 1 && number <= UINT16_MAX;
}

static const char *parse_inet(struct config_endpoint *endpoint, const char *text, uint8_t family)
{
	const char *end = family == AF_INET ? strchrnul(text, ':') : strchr(text, ']');
	char address[ADDR_TEXT];
	size_t length;

	if (family == AF_INET6 && (*text != '[' || !end))
		return "the address must stand in brackets";
	text += family == AF_INET6;
	length = (size_t)(end - text);
	if (length >= sizeof(address))
		return "there is no such address";
	memcpy(address, text, length);
	address[length] = '\0';
	if (!addr_parse(&endpoint->addr, address) || endpoint->addr.family != family)
		return "there is no such address";
	if (!endpoint->listen && addr_is_unspecified(&endpoint->addr))
		return "nobody can be reached at the unspecified address";
	return parse_port(end + (family == AF_INET6), &endpoint->port) ? NULL : "there is no such port";
}

static const char *parse_unix(struct config_endpoint *endpoint, const char *text)
{
	if (*text != '/')
		return "the path must begin with a slash";
	if (strlen(text) >= sizeof(endpoint->path))
		return "the path is too long for a socket";
	snprintf(endpoint->path, sizeof(endpoint->path), "%s", text);
	return NULL;
}

const char *endpoint_parse(struct config_endpoint *endpoint, const char *text)
{
	static const char *const kinds[] = {"unix", "ipv4", "ipv6"};
	size_t length = strcspn(text, ":");

	*endpoint = (struct config_endpoint){.listen = length == 5 && text[4] == 'c'};
	for (unsigned i = 0; text[length] && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (length != 4u + endpoint->listen || strncmp(text, kinds[i], 4) != 0)
			continue;
		text += length + 1;
		return i == 0 ? parse_unix(endpoint, text)
			      : parse_inet(endpoint, text, i == 1 ? AF_INET : AF_INET6);
	}
	return "expected is unix:PATH, ipv4:ADDRESS:PORT or ipv6:[ADDRESS]:PORT, as in FRR's --dplaneaddr";
}

bool endpoint_interface(const char *text)
{
	size_t length = strlen(text);

	return length && length < IFNAMSIZ && strcspn(text, "/: \t\n\v\f\r") == length && strcmp(text, ".") &&
	       strcmp(text, "..");
}

bool endpoint_parse_peer(const char *text, struct addr *addr, char interface[IFNAMSIZ])
{
	const char *percent = strchrnul(text, '%');
	char address[ADDR_TEXT];

	interface[0] = '\0';
	if ((size_t)(percent - text) >= sizeof(address))
		return false;
	snprintf(address, (size_t)(percent - text) + 1, "%s", text);
	if (*percent && !endpoint_interface(percent + 1))
		return false;
	if (*percent)
		snprintf(interface, IFNAMSIZ, "%s", percent + 1);
	return addr_parse(addr, address);
}

const char *endpoint_peer_name(const struct addr *addr, const char *interface, char buf[CONFIG_NAME])
{
	char text[ADDR_TEXT];

	snprintf(buf, CONFIG_NAME, "%s%s%.*s", addr_format(addr, text), *interface ? "%" : "", IFNAMSIZ - 1,
		 interface);
	return buf;
}
