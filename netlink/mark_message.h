/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PURE: what the fast failover says to nf_tables, as netlink messages. The table (family inet) has two
 * chains, each the last of its hook, empty while nothing is being switched. In a switch they hold these
 * rules:
 *
 *   prerouting          what carries no mark gets ours, before it is routed
 *   output (of routes)  the same for the host's own packets that would leave by the dead interfaces; a
 *                       changed mark makes the kernel route them once more
 *
 * Packets with a mark of somebody else's are left alone: it may decide where they go. Ours is not taken off
 * again behind the routing: that needs three more hooks, at a price for each packet for ever, and all that
 * other rules can learn from it is that it is not theirs.
 */
#ifndef NETLINK_MARK_MESSAGE_H
#define NETLINK_MARK_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARK_TABLE 24	   /* bytes of a table's name with its NUL */
#define MARK_INTERFACES 64 /* more are not told apart */
#define MARK_BYTES 32768   /* 64 rules of 330 bytes, and the rest */

struct mark_state {
	uint32_t dead;	      /* bits set: the mark that packets get; 0: the chains are empty */
	unsigned ninterfaces; /* 0: the host's own packets get the mark wherever they would leave */
	uint32_t interfaces[MARK_INTERFACES];
};

/* A transaction as it is sent. Sequence numbers are the sender's to give; the message that the kernel is to
 * acknowledge has NLM_F_ACK. */
struct mark_message {
	size_t size;
	size_t last; /* own: the last message but the closing one */
	bool full;   /* it did not fit: not to be sent */
	_Alignas(uint32_t) unsigned char bytes[MARK_BYTES];
};

/* All chains become what STATE says. MAKE: table and chains are made where they are missing. */
void mark_message_set(struct mark_message *message, const char *table, const struct mark_state *state,
		      bool make);
/* Takes the table away. -ENOENT: there was none. */
void mark_message_remove(struct mark_message *message, const char *table);
/* Changes nothing: -ENOENT when the table or the chain made last is missing. */
void mark_message_look(struct mark_message *message, const char *table);

#endif
