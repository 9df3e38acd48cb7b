/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BIRD's control protocol, as text: PURE. A reply is lines of "NNNN-text" and a last one of "NNNN text"; a
 * line that begins with a space goes on with the code before it, one that begins with + is news from the
 * side. What comes from the socket is bounded and checked here; what goes to it is quoted so that nothing in
 * it can be taken for a command or a pattern.
 */
#ifndef ROUTING_BIRD_MESSAGE_H
#define ROUTING_BIRD_MESSAGE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

#define BIRD_LINE 512	 /* bytes of a line that are looked at, with its NUL */
#define BIRD_NAME 65	 /* of a protocol's name, with its NUL */
#define BIRD_REASON 121	 /* of a reason, with its NUL: RFC 9003 allows 128, some BIRDs no more */
#define BIRD_COMMAND 256 /* holds any command */

/* By these words what we disabled is known. */
#define BIRD_OURS "bfdd: "

/* Codes that mean something to us. */
enum bird_code {
	BIRD_READY = 1,
	BIRD_ALREADY_DISABLED = 8,
	BIRD_DISABLED = 9,
	BIRD_ALREADY_ENABLED = 10,
	BIRD_ENABLED = 11,
	BIRD_PROTOCOL = 1002,
	BIRD_PROTOCOL_DETAIL = 1006,
	BIRD_ACCESS_DENIED = 8007,
};

/* Puts bytes together to lines. Zero it before the first use. */
struct bird_reader {
	char line[BIRD_LINE];
	size_t used;
	bool ended; /* LINE was handed out */
};

/* Takes from *DATA what the next line needs, and moves *DATA and *SIZE past it. The line without its newline,
 * valid until the next call, what is beyond BIRD_LINE cut off and any NUL in it made visible; NULL: there is
 * no whole line yet. */
const char *bird_reader_take(struct bird_reader *reader, const char **data, size_t *size);

struct bird_line {
	unsigned code; /* 0 to 9999 */
	bool last;     /* of its reply */
	const char *text;
};

/* PREVIOUS: the code of the line before, for one that goes on with it. False: no such line. A line from the
 * side has the code before it and no text. */
bool bird_line_read(const char *text, unsigned previous, struct bird_line *line);

/* A protocol as `show protocols all` tells of it. */
struct bird_protocol {
	char name[BIRD_NAME]; /* "": it has none that we could say */
	bool bgp;
	bool down;		  /* disabled, or about to be */
	bool ours;		  /* its message begins with BIRD_OURS */
	char bgp_state[24];	  /* "Established", ...; "": not told */
	struct addr neighbour;	  /* AF_UNSPEC: not told */
	char interface[IFNAMSIZ]; /* of a link-local neighbour; "": none */
	uint32_t imported;	  /* routes, all channels */
	bool neighbour_restarts;  /* it announces to keep forwarding over a restart (RFC 4724) */
};

/* Puts lines together to protocols. */
struct bird_protocols {
	struct bird_protocol now;
	bool any, remote;
	void (*fn)(void *context, const struct bird_protocol *protocol);
	void *context;
};

void bird_protocols_begin(struct bird_protocols *protocols,
			  void (*fn)(void *context, const struct bird_protocol *protocol), void *context);
void bird_protocols_line(struct bird_protocols *protocols, const struct bird_line *line);
/* The reply is complete. */
void bird_protocols_end(struct bird_protocols *protocols);

/* What BIRD allows as a symbol between single quotes, and nothing else. */
bool bird_name_valid(const char *name);
/* The longest beginning of REASON that fits, with what could end or break a quoted string replaced. BUF. */
const char *bird_reason(const char *reason, char buf[BIRD_REASON]);
/* Whole commands with their newline; NAME as above and valid. Returns the length. */
size_t bird_command_disable(const char *name, const char *reason, char buf[BIRD_COMMAND]);
size_t bird_command_enable(const char *name, char buf[BIRD_COMMAND]);

#endif
