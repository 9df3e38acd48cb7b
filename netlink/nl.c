/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/nl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX 2048	 /* a group of 64 members takes 600 */
#define BATCH_BYTES (32 << 10)	 /* routes take 60 to 80 each */
#define RECEIVE_BYTES (64 << 10) /* the kernel fills dumps up to 32 KiB */

struct netlink {
	struct nl_sock *sock;
	struct nl_msg *msg;
	uint32_t seq;
	bool interrupted; /* the dump in pieces */
	char words[NETLINK_WORDS];
	unsigned nbatch;
	size_t batch_size;
	_Alignas(NLMSG_ALIGNTO) unsigned char batch[BATCH_BYTES];
	_Alignas(NLMSG_ALIGNTO) unsigned char in[RECEIVE_BYTES];
};

/* What an answer is being read for. */
struct answer {
	uint32_t first, last; /* sequence numbers that are ours */
	netlink_message_fn *fn;
	void (*failed)(void *context, unsigned index, int error);
	void *context;
	bool dump, interrupted, done;
	int error;
};

static void set_option(struct netlink *nl, int option)
{
	int on = 1;

	/* Any that an old kernel lacks is a comfort, not a need. */
	setsockopt(nl_socket_get_fd(nl->sock), SOL_NETLINK, option, &on, sizeof(on));
}

static struct netlink *open_protocol(int protocol, char *error, size_t size)
{
	struct netlink *nl = calloc(1, sizeof(*nl));
	int err = -NLE_NOMEM;

	if (nl) {
		nl->sock = nl_socket_alloc();
		nl->msg = nlmsg_alloc_size(REQUEST_MAX);
		if (nl->sock && nl->msg)
			err = nl_connect(nl->sock, protocol);
	}
	if (err < 0) {
		snprintf(error, size, "netlink socket: %s", nl_geterror(err));
		netlink_close(nl);
		return NULL;
	}
	nl->seq = 1;
	set_option(nl, NETLINK_EXT_ACK);
	set_option(nl, NETLINK_CAP_ACK);
	set_option(nl, NETLINK_GET_STRICT_CHK);
	return nl;
}

struct netlink *netlink_open(char *error, size_t size)
{
	return open_protocol(NETLINK_ROUTE, error, size);
}

struct netlink *netlink_open_filter(char *error, size_t size)
{
	return open_protocol(NETLINK_NETFILTER, error, size);
}

void netlink_close(struct netlink *nl)
{
	if (!nl)
		return;
	nlmsg_free(nl->msg);
	nl_socket_free(nl->sock);
	free(nl);
}

int netlink_fd(const struct netlink *nl)
{
	return nl_socket_get_fd(nl->sock);
}

uint32_t netlink_port(const struct netlink *nl)
{
	return nl_socket_get_local_port(nl->sock);
}

int netlink_set_receive_buffer(struct netlink *nl, int bytes)
{
	socklen_t size = sizeof(bytes);
	int fd = netlink_fd(nl);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size);
	return bytes;
}

int netlink_subscribe(struct netlink *nl, unsigned group)
{
	int value = (int)group;

	if (setsockopt(netlink_fd(nl), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

int netlink_filter_routes(struct netlink *nl, uint8_t protocol)
{
	/* The filter reads big-endian numbers, the header's are the host's. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocol, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

	if (setsockopt(netlink_fd(nl), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	return 0;
}

void netlink_begin(struct netlink *nl, uint16_t type, uint16_t flags, const void *header, size_t size)
{
	nlmsg_hdr(nl->msg)->nlmsg_len = NLMSG_HDRLEN;
	nlmsg_put(nl->msg, NL_AUTO_PORT, nl->seq++, type, 0, NLM_F_REQUEST | flags);
	nlmsg_append(nl->msg, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO);
}

void netlink_put(struct netlink *nl, unsigned type, const void *data, size_t size)
{
	nla_put(nl->msg, (int)type, (int)size, data);
}

void netlink_put_u32(struct netlink *nl, unsigned type, uint32_t value)
{
	netlink_put(nl, type, &value, sizeof(value));
}

void netlink_put_addr(struct netlink *nl, unsigned type, const struct addr *addr)
{
	netlink_put(nl, type, addr->bytes, addr_size(addr->family));
}

static void set_words(struct netlink *nl, int error, const struct nlmsghdr *hdr)
{
	const struct nlattr *attr = NULL;
	int offset = (int)(NLMSG_HDRLEN + sizeof(struct nlmsgerr));
	int left = hdr ? (int)hdr->nlmsg_len - offset : 0;

	/* With NETLINK_CAP_ACK the explanation follows at once; otherwise behind our own request, echoed. */
	if (left > 0 && hdr->nlmsg_flags & NLM_F_ACK_TLVS && hdr->nlmsg_flags & NLM_F_CAPPED)
		attr = nla_find((const struct nlattr *)((const char *)hdr + offset), left, NLMSGERR_ATTR_MSG);
	nl->words[0] = '\0';
	if (attr)
		nla_strlcpy(nl->words, attr, sizeof(nl->words));
	else
		strncat(nl->words, strerrordesc_np(-error), sizeof(nl->words) - 1);
}

static void take_error(struct netlink *nl, struct answer *answer, const struct nlmsghdr *hdr)
{
	const struct nlmsgerr *err = nlmsg_data(hdr);
	int error = hdr->nlmsg_len < NLMSG_HDRLEN + sizeof(int) ? -EPROTO : err->error;

	if (error) {
		set_words(nl, error, hdr);
		answer->error = error;
		if (answer->failed)
			answer->failed(answer->context, hdr->nlmsg_seq - answer->first, error);
	}
	if (hdr->nlmsg_seq == answer->last)
		answer->done = true;
}

static void take_message(struct netlink *nl, struct answer *answer, const struct nlmsghdr *hdr)
{
	/* Late answers to a request that was given up. The difference is modulo 2^32. */
	if (hdr->nlmsg_seq - answer->first > answer->last - answer->first)
		return;
	if (hdr->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->interrupted = true;
	if (hdr->nlmsg_type == NLMSG_ERROR) {
		take_error(nl, answer, hdr);
	} else if (hdr->nlmsg_type == NLMSG_DONE) {
		if (hdr->nlmsg_len >= NLMSG_HDRLEN + sizeof(int)) {
			memcpy(&answer->error, nlmsg_data(hdr), sizeof(int));
			if (answer->error)
				set_words(nl, answer->error, NULL);
		}
		answer->done = true;
	} else if (answer->fn) {
		struct netlink_message message = {.type = hdr->nlmsg_type,
						  .flags = hdr->nlmsg_flags,
						  .port = hdr->nlmsg_pid,
						  .data = nlmsg_data(hdr),
						  .size = hdr->nlmsg_len - NLMSG_HDRLEN};

		answer->fn(answer->context, &message);
	}
}

/* One datagram from the kernel into nl->in: its size, or -errno. */
static ssize_t receive(struct netlink *nl)
{
	struct sockaddr_nl from = {0};
	socklen_t from_size = sizeof(from);
	ssize_t n;

	do
		n = recvfrom(netlink_fd(nl), nl->in, sizeof(nl->in), MSG_DONTWAIT | MSG_TRUNC,
			     (struct sockaddr *)&from, &from_size);
	while ((n < 0 && errno == EINTR) || (n >= 0 && from.nl_pid != 0));
	if (n < 0)
		return -errno;
	return (size_t)n > sizeof(nl->in) ? -ENOBUFS : n;
}

static int read_datagram(struct netlink *nl, struct answer *answer)
{
	ssize_t n = receive(nl);
	struct nlmsghdr *hdr = (struct nlmsghdr *)nl->in;

	if (n < 0) {
		set_words(nl, (int)n, NULL);
		return (int)n;
	}
	for (int left = (int)n; nlmsg_ok(hdr, left); hdr = nlmsg_next(hdr, &left))
		take_message(nl, answer, hdr);
	return 0;
}

static int read_answer(struct netlink *nl, struct answer *answer)
{
	int err = 0;

	while (!answer->done && !err)
		err = read_datagram(nl, answer);
	return err;
}

static int transmit(struct netlink *nl, const void *data, size_t size)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	do
		n = sendto(netlink_fd(nl), data, size, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	n = -errno;
	set_words(nl, (int)n, NULL);
	return (int)n;
}

static int exchange(struct netlink *nl, struct answer *answer, uint16_t flags)
{
	struct nlmsghdr *hdr = nlmsg_hdr(nl->msg);
	int err;

	hdr->nlmsg_flags |= flags;
	answer->first = answer->last = hdr->nlmsg_seq;
	err = transmit(nl, hdr, hdr->nlmsg_len);
	if (!err)
		err = read_answer(nl, answer);
	return err ? err : answer->error;
}

int netlink_request(struct netlink *nl, netlink_message_fn *fn, void *context)
{
	struct answer answer = {.fn = fn, .context = context};

	return exchange(nl, &answer, NLM_F_ACK);
}

static int dump_result(int err, bool interrupted)
{
	if (err == -EAFNOSUPPORT || err == -EOPNOTSUPP)
		return 0;
	return !err && interrupted ? NETLINK_RESTART : err;
}

int netlink_dump(struct netlink *nl, netlink_message_fn *fn, void *context)
{
	struct answer answer = {.fn = fn, .context = context};
	int err = exchange(nl, &answer, NLM_F_DUMP);

	return dump_result(err, answer.interrupted);
}

int netlink_dump_begin(struct netlink *nl)
{
	struct nlmsghdr *hdr = nlmsg_hdr(nl->msg);

	hdr->nlmsg_flags |= NLM_F_DUMP;
	nl->interrupted = false;
	return transmit(nl, hdr, hdr->nlmsg_len);
}

int netlink_dump_step(struct netlink *nl, netlink_message_fn *fn, void *context)
{
	uint32_t seq = nlmsg_hdr(nl->msg)->nlmsg_seq;
	struct answer answer = {.first = seq, .last = seq, .fn = fn, .context = context};
	int err = read_datagram(nl, &answer);

	nl->interrupted |= answer.interrupted;
	if (!err && !answer.done)
		return 1;
	return dump_result(err ? err : answer.error, nl->interrupted);
}

const char *netlink_words(const struct netlink *nl)
{
	return nl->words;
}

bool netlink_batch_add(struct netlink *nl)
{
	const struct nlmsghdr *hdr = nlmsg_hdr(nl->msg);
	size_t size = NLMSG_ALIGN(hdr->nlmsg_len);

	if (nl->nbatch == NETLINK_BATCH_MAX || size > sizeof(nl->batch) - nl->batch_size)
		return false;
	memcpy(nl->batch + nl->batch_size, hdr, hdr->nlmsg_len);
	nl->batch_size += size;
	nl->nbatch++;
	return true;
}

int netlink_batch_send(struct netlink *nl, void (*failed)(void *context, unsigned index, int error),
		       void *context)
{
	struct answer answer = {.failed = failed, .context = context};
	unsigned char *end = nl->batch + nl->batch_size, *at = nl->batch;
	struct nlmsghdr *hdr = NULL;
	uint32_t seq = nl->seq;
	int err;

	if (!nl->nbatch)
		return 0;
	/* Numbered here: requests that were begun and never added would leave holes. */
	for (; at < end; at += NLMSG_ALIGN(hdr->nlmsg_len)) {
		hdr = (struct nlmsghdr *)at;
		hdr->nlmsg_seq = seq++;
	}
	/* Failures answer whether asked to or not; the acknowledgement of the last closes the list. */
	hdr->nlmsg_flags |= NLM_F_ACK;
	answer.first = nl->seq;
	answer.last = seq - 1;
	nl->seq = seq;
	err = transmit(nl, nl->batch, nl->batch_size);
	nl->nbatch = 0;
	nl->batch_size = 0;
	return err ? err : read_answer(nl, &answer);
}

int netlink_transaction(struct netlink *nl, void *messages, size_t size)
{
	unsigned char *at = messages, *end = at + size;
	struct answer answer = {.first = nl->seq, .last = nl->seq};
	int err;

	while (at < end) {
		struct nlmsghdr *hdr = (struct nlmsghdr *)at;

		if (hdr->nlmsg_flags & NLM_F_ACK)
			answer.last = nl->seq;
		hdr->nlmsg_seq = nl->seq++;
		at += NLMSG_ALIGN(hdr->nlmsg_len);
	}
	err = transmit(nl, messages, size);
	if (err)
		return err;
	err = read_answer(nl, &answer);
	/* What is refused as a whole answers by its first message only: then reading ends with -EAGAIN. */
	if (answer.error)
		return answer.error;
	return err ? NETLINK_LOST : 0;
}

int netlink_receive(struct netlink *nl, netlink_message_fn *fn, void *context)
{
	ssize_t n = receive(nl);
	struct nlmsghdr *hdr = (struct nlmsghdr *)nl->in;

	if (n < 0)
		return (int)n;
	for (int left = (int)n; nlmsg_ok(hdr, left); hdr = nlmsg_next(hdr, &left)) {
		struct netlink_message message = {.type = hdr->nlmsg_type,
						  .flags = hdr->nlmsg_flags,
						  .port = hdr->nlmsg_pid,
						  .data = nlmsg_data(hdr),
						  .size = hdr->nlmsg_len - NLMSG_HDRLEN};

		fn(context, &message);
	}
	return 0;
}

static void list_attributes(const void *data, size_t size,
			    struct netlink_attribute attributes[NETLINK_ATTRIBUTES])
{
	const struct nlattr *attr;
	int left;

	nla_for_each_attr(attr, (const struct nlattr *)data, (int)size, left)
	{
		unsigned type = (unsigned)nla_type(attr);

		if (type < NETLINK_ATTRIBUTES)
			attributes[type] = (struct netlink_attribute){nla_data(attr), (size_t)nla_len(attr)};
	}
}

bool netlink_parse(const struct netlink_message *message, void *header, size_t size,
		   struct netlink_attribute attributes[NETLINK_ATTRIBUTES])
{
	size_t offset = NLMSG_ALIGN(size);

	memset(attributes, 0, NETLINK_ATTRIBUTES * sizeof(*attributes));
	if (message->size < size)
		return false;
	memcpy(header, message->data, size);
	if (message->size > offset)
		list_attributes((const char *)message->data + offset, message->size - offset, attributes);
	return true;
}

void netlink_nested(const struct netlink_attribute *attribute,
		    struct netlink_attribute attributes[NETLINK_ATTRIBUTES])
{
	memset(attributes, 0, NETLINK_ATTRIBUTES * sizeof(*attributes));
	if (attribute->data)
		list_attributes(attribute->data, attribute->size, attributes);
}

uint8_t netlink_u8(const struct netlink_attribute *attribute)
{
	return attribute->size >= 1 ? *(const uint8_t *)attribute->data : 0;
}

uint32_t netlink_u32(const struct netlink_attribute *attribute)
{
	uint32_t value = 0;

	if (attribute->size >= sizeof(value))
		memcpy(&value, attribute->data, sizeof(value));
	return value;
}

bool netlink_addr(const struct netlink_attribute *attribute, uint8_t family, struct addr *addr)
{
	size_t size = addr_size(family);

	memset(addr, 0, sizeof(*addr));
	if (!size || attribute->size != size)
		return false;
	addr->family = family;
	memcpy(addr->bytes, attribute->data, size);
	return true;
}
