/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink/mark_message.h"

#include <arpa/inet.h>
#include <limits.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#define LAST 2000000000 /* of the hooks' priorities; the end of the range is the kernel's own */

enum { PREROUTING, OUTPUT, CHAINS };

static const struct chain {
	const char *name, *type;
	uint32_t hook;
} chains[CHAINS] = {
	[PREROUTING] = {"prerouting", "filter", NF_INET_PRE_ROUTING},
	[OUTPUT] = {"output", "route", NF_INET_LOCAL_OUT},
};

/* Messages and attributes: SIZE bytes with padding, from DATA or zero. The place, or NULL: full. */
static void *put(struct mark_message *message, const void *data, size_t size)
{
	size_t padded = NLMSG_ALIGN(size);
	unsigned char *at = message->bytes + message->size;

	if (message->full || padded > sizeof(message->bytes) - message->size) {
		message->full = true;
		return NULL;
	}
	memset(at, 0, padded);
	if (data)
		memcpy(at, data, size);
	message->size += padded;
	return at;
}

static size_t begin(struct mark_message *message, uint16_t type, uint16_t flags, uint8_t family,
		    uint16_t resource)
{
	struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags};
	struct nfgenmsg nf = {.nfgen_family = family, .version = NFNETLINK_V0, .res_id = htons(resource)};
	size_t at = message->size;

	put(message, &header, sizeof(header));
	put(message, &nf, sizeof(nf));
	return at;
}

static void end(struct mark_message *message, size_t begun)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(message->bytes + begun);

	if (!message->full)
		header->nlmsg_len = (uint32_t)(message->size - begun);
}

static void begin_transaction(struct mark_message *message)
{
	message->size = 0;
	message->full = false;
	end(message, begin(message, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

/* Older kernels never acknowledge this end, so the message before it is the one that asks for that. */
static void end_transaction(struct mark_message *message)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(message->bytes + message->last);

	if (!message->full)
		header->nlmsg_flags |= NLM_F_ACK;
	end(message, begin(message, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

static size_t begin_nft(struct mark_message *message, unsigned type, uint16_t flags)
{
	message->last = message->size;
	return begin(message, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET, 0);
}

static void attribute(struct mark_message *message, uint16_t type, const void *data, size_t size)
{
	struct nlattr header = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type};

	put(message, &header, sizeof(header));
	put(message, data, size);
}

static void text(struct mark_message *message, uint16_t type, const char *value)
{
	attribute(message, type, value, strlen(value) + 1);
}

static void number(struct mark_message *message, uint16_t type, uint32_t value)
{
	value = htonl(value);
	attribute(message, type, &value, sizeof(value));
}

static size_t begin_nest(struct mark_message *message, uint16_t type)
{
	struct nlattr header = {.nla_type = type | NLA_F_NESTED};
	size_t at = message->size;

	put(message, &header, sizeof(header));
	return at;
}

static void end_nest(struct mark_message *message, size_t begun)
{
	struct nlattr *header = (struct nlattr *)(message->bytes + begun);

	if (!message->full)
		header->nla_len = (uint16_t)(message->size - begun);
}

/* Expressions of a rule. Values are compared and kept in the host's byte order, as marks and indices are. */

struct expression {
	size_t element, data;
};

static struct expression begin_expression(struct mark_message *message, const char *name)
{
	struct expression expression = {.element = begin_nest(message, NFTA_LIST_ELEM)};

	text(message, NFTA_EXPR_NAME, name);
	expression.data = begin_nest(message, NFTA_EXPR_DATA);
	return expression;
}

static void end_expression(struct mark_message *message, struct expression expression)
{
	end_nest(message, expression.data);
	end_nest(message, expression.element);
}

static void value(struct mark_message *message, uint16_t type, uint32_t is)
{
	size_t nest = begin_nest(message, type);

	attribute(message, NFTA_DATA_VALUE, &is, sizeof(is));
	end_nest(message, nest);
}

static void load(struct mark_message *message, uint32_t key)
{
	struct expression e = begin_expression(message, "meta");

	number(message, NFTA_META_DREG, NFT_REG_1);
	number(message, NFTA_META_KEY, key);
	end_expression(message, e);
}

static void only_if(struct mark_message *message, uint32_t is)
{
	struct expression e = begin_expression(message, "cmp");

	number(message, NFTA_CMP_SREG, NFT_REG_1);
	number(message, NFTA_CMP_OP, NFT_CMP_EQ);
	value(message, NFTA_CMP_DATA, is);
	end_expression(message, e);
}

static void set_mark(struct mark_message *message, uint32_t mark)
{
	struct expression e = begin_expression(message, "immediate");

	number(message, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	value(message, NFTA_IMMEDIATE_DATA, mark);
	end_expression(message, e);
	e = begin_expression(message, "meta");
	number(message, NFTA_META_KEY, NFT_META_MARK);
	number(message, NFTA_META_SREG, NFT_REG_1);
	end_expression(message, e);
}

struct rule {
	size_t message, expressions;
};

static struct rule begin_rule(struct mark_message *message, const char *table, const char *chain)
{
	struct rule rule = {.message = begin_nft(message, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)};

	text(message, NFTA_RULE_TABLE, table);
	text(message, NFTA_RULE_CHAIN, chain);
	rule.expressions = begin_nest(message, NFTA_RULE_EXPRESSIONS);
	return rule;
}

static void end_rule(struct mark_message *message, struct rule rule)
{
	end_nest(message, rule.expressions);
	end(message, rule.message);
}

/* INTERFACE 0: any. */
static void rule_mark(struct mark_message *message, const char *table, const char *chain, uint32_t mark,
		      uint32_t interface)
{
	struct rule rule = begin_rule(message, table, chain);

	load(message, NFT_META_MARK);
	only_if(message, 0);
	if (interface) {
		load(message, NFT_META_OIF);
		only_if(message, interface);
	}
	set_mark(message, mark);
	end_rule(message, rule);
}

static void make_table(struct mark_message *message, const char *table)
{
	size_t at = begin_nft(message, NFT_MSG_NEWTABLE, NLM_F_CREATE);

	text(message, NFTA_TABLE_NAME, table);
	number(message, NFTA_TABLE_FLAGS, 0);
	end(message, at);
	for (unsigned i = 0; i < CHAINS; i++) {
		size_t hook;

		at = begin_nft(message, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
		text(message, NFTA_CHAIN_TABLE, table);
		text(message, NFTA_CHAIN_NAME, chains[i].name);
		hook = begin_nest(message, NFTA_CHAIN_HOOK);
		number(message, NFTA_HOOK_HOOKNUM, chains[i].hook);
		number(message, NFTA_HOOK_PRIORITY, LAST);
		end_nest(message, hook);
		number(message, NFTA_CHAIN_POLICY, NF_ACCEPT);
		text(message, NFTA_CHAIN_TYPE, chains[i].type);
		end(message, at);
	}
}

static void set_rules(struct mark_message *message, const char *table, const struct mark_state *state)
{
	rule_mark(message, table, chains[PREROUTING].name, state->dead, 0);
	for (unsigned i = 0; i < state->ninterfaces; i++)
		rule_mark(message, table, chains[OUTPUT].name, state->dead, state->interfaces[i]);
	if (!state->ninterfaces)
		rule_mark(message, table, chains[OUTPUT].name, state->dead, 0);
}

void mark_message_set(struct mark_message *message, const char *table, const struct mark_state *state,
		      bool make)
{
	begin_transaction(message);
	if (make)
		make_table(message, table);
	for (unsigned i = 0; i < CHAINS; i++) {
		size_t at = begin_nft(message, NFT_MSG_DELRULE, 0);

		text(message, NFTA_RULE_TABLE, table);
		text(message, NFTA_RULE_CHAIN, chains[i].name);
		end(message, at);
	}
	if (state->dead)
		set_rules(message, table, state);
	end_transaction(message);
}

void mark_message_remove(struct mark_message *message, const char *table)
{
	size_t at;

	begin_transaction(message);
	at = begin_nft(message, NFT_MSG_DELTABLE, 0);
	text(message, NFTA_TABLE_NAME, table);
	end(message, at);
	end_transaction(message);
}

void mark_message_look(struct mark_message *message, const char *table)
{
	size_t at;

	message->size = 0;
	message->full = false;
	at = begin_nft(message, NFT_MSG_GETCHAIN, NLM_F_ACK);
	text(message, NFTA_CHAIN_TABLE, table);
	text(message, NFTA_CHAIN_NAME, chains[CHAINS - 1].name);
	end(message, at);
}
