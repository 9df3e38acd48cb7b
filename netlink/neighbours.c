// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notifications come by one socket; what is asked for comes by another. A notification that waited while we
 * asked may be older than the answer, but the last one to wait is not: in the end what is told is true.
 */
#include "netlink/neighbours.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink/nl.h"

#define USABLE (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)
#define BUFFER_FIRST (1 << 18)
#define BUFFER_MOST (32 << 20)
#define READ_MOST 256
#define DISCARD_MOST 65536
#define FILTER_LINKS 256 /* with peers on more links, all are listened to */

struct item {
	struct neighbours_key key;
	bool known;
	uint8_t lladdr[NEIGHBOURS_LLADDR];
};

struct neighbours {
	struct netlink *nl;
	int buffer;
	struct item *items; /* sorted */
	size_t nitems;
	bool changed, stale;
};

static int compare(const void *a, const void *b)
{
	const struct neighbours_key *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	if (x->addr.family != y->addr.family)
		return (int)x->addr.family - (int)y->addr.family;
	return memcmp(x->addr.bytes, y->addr.bytes, sizeof(x->addr.bytes));
}

static struct item *find(const struct neighbours *neighbours, const struct neighbours_key *key)
{
	/* Items begin with their keys. */
	return neighbours->nitems ? bsearch(key, neighbours->items, neighbours->nitems,
					    sizeof(*neighbours->items), compare)
				  : NULL;
}

static void set(struct neighbours *neighbours, struct item *item, const uint8_t *lladdr)
{
	if (!lladdr == !item->known && (!lladdr || !memcmp(item->lladdr, lladdr, sizeof(item->lladdr))))
		return;
	item->known = lladdr;
	if (lladdr)
		memcpy(item->lladdr, lladdr, sizeof(item->lladdr));
	neighbours->changed = true;
}

/* What one host alone answers to. */
static bool is_unicast(const struct netlink_attribute *lladdr)
{
	static const uint8_t none[NEIGHBOURS_LLADDR];
	const uint8_t *bytes = lladdr->data;

	return lladdr->size == NEIGHBOURS_LLADDR && !(bytes[0] & 1) && memcmp(bytes, none, sizeof(none)) != 0;
}

static void take(void *context, const struct netlink_message *message)
{
	struct neighbours *neighbours = context;
	struct netlink_attribute attributes[NETLINK_ATTRIBUTES];
	struct neighbours_key key = {0};
	struct ndmsg header;
	struct item *item;
	bool usable;

	if ((message->type != RTM_NEWNEIGH && message->type != RTM_DELNEIGH) ||
	    !netlink_parse(message, &header, sizeof(header), attributes) || header.ndm_flags & NTF_PROXY ||
	    !netlink_addr(&attributes[NDA_DST], header.ndm_family, &key.addr))
		return;
	key.ifindex = (uint32_t)header.ndm_ifindex;
	item = find(neighbours, &key);
	if (!item)
		return;
	usable = message->type == RTM_NEWNEIGH && header.ndm_state & USABLE &&
		 is_unicast(&attributes[NDA_LLADDR]);
	set(neighbours, item, usable ? attributes[NDA_LLADDR].data : NULL);
}

static void ask(struct neighbours *neighbours, struct netlink *nl, struct item *item)
{
	const struct neighbours_key *key = &item->key;
	struct ndmsg header = {.ndm_family = (uint8_t)key->addr.family, .ndm_ifindex = (int)key->ifindex};

	netlink_begin(nl, RTM_GETNEIGH, 0, &header, sizeof(header));
	netlink_put_addr(nl, NDA_DST, &key->addr);
	/* No entry is an error, too. */
	if (netlink_request(nl, take, neighbours))
		set(neighbours, item, NULL);
}

int neighbours_probe(const struct neighbours_key *key)
{
	struct ndmsg header = {
		.ndm_family = (uint8_t)key->addr.family,
		.ndm_ifindex = (int)key->ifindex,
		.ndm_flags = NTF_USE,
	};
	char error[128];
	struct netlink *nl = netlink_open(error, sizeof(error));
	int err;

	if (!nl)
		return -ENOMEM;
	netlink_begin(nl, RTM_NEWNEIGH, NLM_F_CREATE, &header, sizeof(header));
	netlink_put_addr(nl, NDA_DST, &key->addr);
	err = netlink_request(nl, NULL, NULL);
	netlink_close(nl);
	return err;
}

static int filter(struct neighbours *neighbours)
{
	/* The bridges' forwarding tables come by the same group. The filter reads big-endian numbers, the
	 * header's are the host's. */
	struct sock_filter code[2 * FILTER_LINKS + 8] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_family)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NLMSG_HDRLEN + offsetof(struct ndmsg, ndm_ifindex)),
	};
	struct sock_fprog program = {.len = 5, .filter = code};
	uint32_t last = 0;
	unsigned links = 0;

	for (size_t i = 0; i < neighbours->nitems && links <= FILTER_LINKS; i++) {
		uint32_t ifindex = neighbours->items[i].key.ifindex;

		if (ifindex == last)
			continue;
		last = ifindex;
		if (++links > FILTER_LINKS)
			continue;
		code[program.len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(ifindex),
								   0, 1);
		code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							   links > FILTER_LINKS ? UINT32_MAX : 0);
	if (setsockopt(neighbours_fd(neighbours), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) <
	    0)
		return -errno;
	return 0;
}

struct neighbours *neighbours_create(char *error, size_t size)
{
	struct neighbours *neighbours = calloc(1, sizeof(*neighbours));
	int err;

	if (!neighbours) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	neighbours->nl = netlink_open(error, size);
	if (!neighbours->nl) {
		free(neighbours);
		return NULL;
	}
	neighbours->buffer = netlink_set_receive_buffer(neighbours->nl, BUFFER_FIRST);
	err = filter(neighbours);
	if (!err)
		err = netlink_subscribe(neighbours->nl, RTNLGRP_NEIGH);
	if (err) {
		snprintf(error, size, "subscribing to neighbours: %s", strerror(-err));
		neighbours_free(neighbours);
		return NULL;
	}
	return neighbours;
}

void neighbours_free(struct neighbours *neighbours)
{
	if (!neighbours)
		return;
	netlink_close(neighbours->nl);
	free(neighbours->items);
	free(neighbours);
}

int neighbours_fd(const struct neighbours *neighbours)
{
	return netlink_fd(neighbours->nl);
}

/* Sorted, each once; NULL: out of memory. */
static struct item *make_items(const struct neighbours_key *keys, size_t *nkeys)
{
	struct item *items = calloc(*nkeys + 1, sizeof(*items));
	size_t n = 0;

	if (!items)
		return NULL;
	for (size_t i = 0; i < *nkeys; i++)
		items[i].key = keys[i];
	qsort(items, *nkeys, sizeof(*items), compare);
	for (size_t i = 0; i < *nkeys; i++) {
		if (n && !compare(&items[n - 1].key, &items[i].key))
			continue;
		items[n++] = items[i];
	}
	*nkeys = n;
	return items;
}

static bool same_keys(const struct neighbours *neighbours, const struct item *items, size_t nitems)
{
	if (neighbours->nitems != nitems)
		return false;
	for (size_t i = 0; i < nitems; i++)
		if (compare(&neighbours->items[i].key, &items[i].key) != 0)
			return false;
	return true;
}

bool neighbours_watch(struct neighbours *neighbours, const struct neighbours_key *keys, size_t nkeys)
{
	struct neighbours before = *neighbours;
	struct item *items = make_items(keys, &nkeys);
	bool same = items && same_keys(neighbours, items, nkeys);
	struct netlink *nl = NULL;
	char error[128];

	if (items && !same)
		nl = netlink_open(error, sizeof(error));
	if (!nl) {
		free(items);
		return same;
	}
	neighbours->items = items;
	neighbours->nitems = nkeys;
	filter(neighbours);
	for (size_t i = 0; i < nkeys; i++) {
		const struct item *old = find(&before, &items[i].key);

		if (old)
			items[i] = *old;
		else
			ask(neighbours, nl, &items[i]);
	}
	netlink_close(nl);
	free(before.items);
	return true;
}

static void ignore(void *context, const struct netlink_message *message) {}

static void resync(struct neighbours *neighbours)
{
	char error[128];
	struct netlink *nl = netlink_open(error, sizeof(error));

	if (!nl)
		return;
	for (unsigned i = 0; i < DISCARD_MOST; i++)
		if (netlink_receive(neighbours->nl, ignore, NULL) == -EAGAIN)
			break;
	for (size_t i = 0; i < neighbours->nitems; i++)
		ask(neighbours, nl, &neighbours->items[i]);
	netlink_close(nl);
	neighbours->stale = false;
}

bool neighbours_read(struct neighbours *neighbours)
{
	int err = 0;

	neighbours->changed = false;
	for (unsigned i = 0; i < READ_MOST && !err; i++)
		err = netlink_receive(neighbours->nl, take, neighbours);
	if (err == -ENOBUFS) {
		neighbours->stale = true;
		/* The kernel doubles what it is given. */
		if (neighbours->buffer < BUFFER_MOST)
			neighbours->buffer = netlink_set_receive_buffer(neighbours->nl, neighbours->buffer);
	}
	if (neighbours->stale)
		resync(neighbours);
	return neighbours->changed;
}

const uint8_t *neighbours_find(const struct neighbours *neighbours, const struct addr *addr, uint32_t ifindex)
{
	struct neighbours_key key = {.addr = *addr, .ifindex = ifindex};
	const struct item *item = find(neighbours, &key);

	return item && item->known ? item->lladdr : NULL;
}
