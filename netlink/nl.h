/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A routing netlink socket: requests with their acknowledgement, dumps, batches, notifications. The only
 * includer of libnl, of which it uses sockets and attributes: libnl's receiving allocates, ours does not, so
 * that the steering thread can use it. (The functions are not called nl_*(): those names are libnl's own.)
 *
 * The kernel answers routing requests within the sender's sendmsg(), so nothing here waits on a socket: an
 * answer is there when the send has returned, or it is an error.
 */
#ifndef NETLINK_NL_H
#define NETLINK_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

#define NETLINK_ATTRIBUTES 32  /* types above are of no interest to us */
#define NETLINK_BATCH_MAX 128  /* requests in one send */
#define NETLINK_WORDS 128      /* bytes of the kernel's explanation */
#define NETLINK_RESTART -EINTR /* a dump that changed under the reader's feet: to be made again */
#define NETLINK_LOST -ENOBUFS  /* sent, but no answer came: done or not done */

struct netlink;

struct netlink_message {
	uint16_t type, flags;
	uint32_t port;	  /* of a notification: whose request it was; 0: the kernel's own doing */
	const void *data; /* behind the nlmsghdr */
	size_t size;
};

struct netlink_attribute {
	const void *data; /* NULL: not there */
	size_t size;
};

typedef void netlink_message_fn(void *context, const struct netlink_message *message);

/* Everything that is ever needed is allocated here. NULL with a message in ERROR. */
struct netlink *netlink_open(char *error, size_t size);
/* The same for nf_tables: of the rest, only netlink_transaction(), netlink_subscribe(), netlink_receive(),
 * netlink_words(), netlink_port() and netlink_close(). */
struct netlink *netlink_open_filter(char *error, size_t size);
void netlink_close(struct netlink *nl); /* NULL is fine */
int netlink_fd(const struct netlink *nl);
uint32_t netlink_port(const struct netlink *nl); /* its address: no other socket's while it is open */
/* Beyond the system's limit where we may. Returns the size in force, as the kernel counts. */
int netlink_set_receive_buffer(struct netlink *nl, int bytes);
/* GROUP is an RTNLGRP number. 0 or -errno. */
int netlink_subscribe(struct netlink *nl, unsigned group);

/* Of the notifications about routes only deletions of PROTOCOL's are received, and of these only what a
 * program asked for, not what the kernel did by itself: a routing daemon's churn never wakes us. 0 or -errno.
 */
int netlink_filter_routes(struct netlink *nl, uint8_t protocol);

/* A request is begun, then filled, then sent by one of the three below. HEADER is the fixed part of TYPE
 * (struct rtmsg, ...). The message is far larger than anything of ours. */
void netlink_begin(struct netlink *nl, uint16_t type, uint16_t flags, const void *header, size_t size);
void netlink_put(struct netlink *nl, unsigned type, const void *data, size_t size);
void netlink_put_u32(struct netlink *nl, unsigned type, uint32_t value);
void netlink_put_addr(struct netlink *nl, unsigned type, const struct addr *addr);

/* Sends and reads the acknowledgement; FN (may be NULL) hears what comes before it. 0 or -errno;
 * netlink_words() then has the kernel's explanation. */
int netlink_request(struct netlink *nl, netlink_message_fn *fn, void *context);
/* Sends with NLM_F_DUMP and hands each message to FN. 0, NETLINK_RESTART or -errno. A family that the kernel
 * does not have gives nothing. */
int netlink_dump(struct netlink *nl, netlink_message_fn *fn, void *context);
/* The same dump in pieces: the request begun is sent, then each step hands the messages of one datagram to
 * FN. A step returns 1: there is more; 0, NETLINK_RESTART or -errno as above, when it has ended. Nothing else
 * may be asked of this socket meanwhile. */
int netlink_dump_begin(struct netlink *nl);
int netlink_dump_step(struct netlink *nl, netlink_message_fn *fn, void *context);
/* The last error in the kernel's words, or errno's. */
const char *netlink_words(const struct netlink *nl);

/* Puts the request begun into the batch. False when the batch is full: send it first. */
bool netlink_batch_add(struct netlink *nl);
/* One send for all of them; FAILED hears of each that the kernel refused, by its place in the batch. 0, or
 * -errno when the outcome is not known. */
int netlink_batch_send(struct netlink *nl, void (*failed)(void *context, unsigned index, int error),
		       void *context);

/* Sends SIZE bytes of finished messages, in which it writes sequence numbers, and reads until the one with
 * NLM_F_ACK is acknowledged. 0, NETLINK_LOST or -errno: of a transaction, then nothing of it was done. */
int netlink_transaction(struct netlink *nl, void *messages, size_t size);

/* Notifications: hands the messages of one datagram to FN. 0, -EAGAIN when there is none, -ENOBUFS when some
 * were lost. */
int netlink_receive(struct netlink *nl, netlink_message_fn *fn, void *context);

/* Copies the fixed part of SIZE bytes into HEADER and lists the attributes behind it by type. False: too
 * short. */
bool netlink_parse(const struct netlink_message *message, void *header, size_t size,
		   struct netlink_attribute attributes[NETLINK_ATTRIBUTES]);
/* The same for what an attribute has inside; of one that is not there, nothing. */
void netlink_nested(const struct netlink_attribute *attribute,
		    struct netlink_attribute attributes[NETLINK_ATTRIBUTES]);
/* The attribute's value, 0 if it is not there or too short. */
uint8_t netlink_u8(const struct netlink_attribute *attribute);
uint32_t netlink_u32(const struct netlink_attribute *attribute);
/* False (and AF_UNSPEC) when it is not there or not of FAMILY's size. */
bool netlink_addr(const struct netlink_attribute *attribute, uint8_t family, struct addr *addr);

#endif
