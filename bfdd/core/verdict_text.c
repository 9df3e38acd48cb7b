// SPDX-License-Identifier: GPL-2.0-or-later
/* The verdict in words. */
#include <stdio.h>

#include "core/verdict.h"

const char *verdict_name(enum verdict_kind kind)
{
	static const char *const names[VERDICT_KINDS] = {
		[VERDICT_UNCLEAR] = "unclear",
		[VERDICT_PEER_SILENT] = "peer-silent",
		[VERDICT_PEER_SAID] = "peer-said",
		[VERDICT_NOT_HEARD] = "not-heard",
		[VERDICT_DROPPED_HERE] = "dropped-here",
		[VERDICT_LOCAL_STALL] = "local-stall",
		[VERDICT_AUTHENTICATION] = "authentication",
		[VERDICT_PATH_DOWN] = "path-down",
		[VERDICT_SHUT_DOWN] = "shut-down",
		[VERDICT_ECHO_LOST] = "echo-lost",
		[VERDICT_TOO_BIG] = "too-big",
	};

	return kind < VERDICT_KINDS ? names[kind] : "unclear";
}

struct text {
	char *buf;
	size_t used;
};

static void put(struct text *text, const char *words)
{
	while (*words && text->used < VERDICT_TEXT - 1)
		text->buf[text->used++] = *words++;
	text->buf[text->used] = '\0';
}

static void put_number(struct text *text, uint32_t number)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "%u", (unsigned)number);
	put(text, buf);
}

static void put_ms(struct text *text, usec_t time)
{
	char buf[48];

	snprintf(buf, sizeof(buf), "%lld.%lld ms", (long long)(time / USEC_MS),
		 (long long)(time % USEC_MS / 100));
	put(text, buf);
}

static void put_word(struct text *text, const struct verdict *verdict)
{
	put(text, bfd_state_name(verdict->remote_state));
	put(text, ", ");
	put(text, bfd_diag_name(verdict->remote_diag));
}

static void put_drops(struct text *text, const struct verdict *verdict)
{
	char address[ADDR_TEXT];

	if (verdict->dropped) {
		put_number(text, verdict->dropped);
		put(text, verdict->dropped == RECORD_DROPS ? " or more" : "");
		put(text, " with its addresses (");
		put(text, drop_name(verdict->reason));
		put(text, ")");
	}
	if (verdict->dropped && verdict->strangers)
		put(text, " and ");
	if (verdict->strangers) {
		put_number(text, verdict->strangers);
		put(text, " for its session, but not between its addresses (the last from ");
		put(text, addr_format(&verdict->stranger, address));
		put(text, ")");
	}
}

static void put_silence(struct text *text, const struct verdict *verdict)
{
	put(text, verdict->terms.demand ? "no acceptable answer to a poll came for "
					: "nothing acceptable came for ");
	put_ms(text, verdict->silence);
}

static void put_stalled(struct text *text, const struct verdict *verdict)
{
	put(text, "; we ourselves were late for ");
	put_ms(text, verdict->stalled);
	put(text, " of them");
}

static void put_overflows(struct text *text, const struct verdict *verdict)
{
	put(text, "; ");
	put_number(text, verdict->overflows);
	put(text, " packets, of whomever, found no room in our sockets");
}

static void put_gap(struct text *text, const struct verdict *verdict)
{
	put(text, "the peer says that it did not hear us (");
	put_word(text, verdict);
	put(text, "); we sent nothing for ");
	put_ms(text, verdict->gap);
	put(text, ", and it waits ");
	put_ms(text, verdict->terms.patience);
}

/* "padded to 1472 bytes, 1500 with their headers" */
static void put_padded(struct text *text, const struct verdict *verdict, uint16_t padded)
{
	put(text, "padded to ");
	put_number(text, padded);
	put(text, " bytes, ");
	put_number(text, (uint32_t)padded + verdict->headers);
	put(text, " with their headers");
}

static void put_too_big(struct text *text, const struct verdict *verdict)
{
	char address[ADDR_TEXT];

	put(text, "our packets are too big for the path towards the peer: they are ");
	put_padded(text, verdict, verdict->padded);
	if (verdict->path_mtu) {
		put(text, ", and ");
		put(text, addr_format(&verdict->router, address));
		put(text, " passes on no more than ");
		put_number(text, verdict->path_mtu);
	} else {
		put(text, ", more than the MTU of our own interface");
	}
}

static void put_unclear(struct text *text, const struct verdict *verdict)
{
	if (verdict->gap) {
		put_gap(text, verdict);
	} else if (verdict->silence) {
		put_silence(text, verdict);
	} else {
		put(text, "the record does not tell why");
	}
	if (verdict->errors) {
		put(text, "; the kernel refused to send ");
		put_number(text, verdict->errors);
		put(text, " packets, of this session or others");
	}
	if (verdict->stalled)
		put_stalled(text, verdict);
	if (verdict->late) {
		put(text, "; a turn of ours was late by ");
		put_ms(text, verdict->late);
	}
	if (verdict->forgotten)
		put(text, "; we were late so often that not all of it is remembered");
	if (verdict->overflows)
		put_overflows(text, verdict);
	if (verdict->dropped || verdict->strangers) {
		put(text, "; dropped here: ");
		put_drops(text, verdict);
	}
	put(text, ": not enough to tell whose doing it was");
}

const char *verdict_text(const struct verdict *verdict, const char *why, char buf[VERDICT_TEXT])
{
	struct text text = {buf, 0};

	switch (verdict->kind) {
	case VERDICT_PEER_SILENT:
		put(&text, verdict->terms.demand ? "the peer answered no poll for "
						 : "nothing came from the peer for ");
		put_ms(&text, verdict->silence);
		put(&text, " while we were listening: it is dead, or the path from it is");
		if (verdict->remote_padded) {
			put(&text, ", or that has become too narrow: its packets were ");
			put_padded(&text, verdict, verdict->remote_padded);
		}
		break;
	case VERDICT_PEER_SAID:
		put(&text, "the peer said so: ");
		put_word(&text, verdict);
		put(&text, verdict->restarted ? "; it has restarted" : "");
		break;
	case VERDICT_NOT_HEARD:
		put(&text, "the peer says that it does not hear us (");
		put_word(&text, verdict);
		put(&text, "), though we never paused for more than ");
		put_ms(&text, verdict->gap);
		put(&text, ": the path towards it is broken");
		if (verdict->padded) {
			put(&text, ", or too narrow: our packets are ");
			put_padded(&text, verdict, verdict->padded);
		}
		break;
	case VERDICT_DROPPED_HERE:
		put(&text, "packets came, but were dropped here: ");
		put_drops(&text, verdict);
		break;
	case VERDICT_AUTHENTICATION:
		put(&text, "packets came, but their authentication is not what is configured here: ");
		put_drops(&text, verdict);
		break;
	case VERDICT_LOCAL_STALL:
		if (verdict->gap) {
			put_gap(&text, verdict);
		} else {
			put_silence(&text, verdict);
			put_stalled(&text, verdict);
			if (verdict->overflows)
				put_overflows(&text, verdict);
			put(&text, ": whether the peer spoke then cannot be known");
		}
		break;
	case VERDICT_PATH_DOWN:
		put(&text, "the path went down here");
		put(&text, why && *why ? ": no " : "");
		put(&text, why ? why : "");
		break;
	case VERDICT_SHUT_DOWN:
		put(&text, "shut down here, by the configuration");
		break;
	case VERDICT_ECHO_LOST:
		put(&text, "what we sent for the peer to send back did not come back: the path is broken, or "
			   "what forwards "
			   "packets there");
		break;
	case VERDICT_TOO_BIG:
		put_too_big(&text, verdict);
		break;
	default:
		put_unclear(&text, verdict);
	}
	return buf;
}
