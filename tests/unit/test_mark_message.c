/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The transactions of the fast failover, read back by a reader of their own: what is said to nf_tables, and
 * that every length in it is right. That the kernel does what is meant, tests/net/43-fast-failover.sh shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "netlink/mark_message.h"

#define TEXT 65536

/* A transaction in words, one message a line: TYPE FLAGS attribute=value ... */
static char words[TEXT];
static struct mark_message message;

static void add(const char *format, ...)
{
	size_t used = strlen(words);
	va_list args;

	va_start(args, format);
	assert_true(vsnprintf(words + used, sizeof(words) - used, format, args) <
		    (int)(sizeof(words) - used));
	va_end(args);
}

static uint32_t word(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool is_text(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i + 1 < size; i++)
		if (p[i] < '-' || p[i] > 'z')
			return false;
	return p[size - 1] == '\0';
}

/* Strings as such, four bytes as a number of the network, 4 in data values of the host. */
static void read_attributes(const unsigned char *p, size_t size, bool value)
{
	while (size) {
		struct nlattr attr;
		unsigned type;
		size_t payload;

		assert_in_range(size, sizeof(attr), TEXT);
		memcpy(&attr, p, sizeof(attr));
		assert_in_range(attr.nla_len, sizeof(attr), size);
		type = attr.nla_type & NLA_TYPE_MASK;
		payload = attr.nla_len - NLA_HDRLEN;
		add(" %u", type);
		if (attr.nla_type & NLA_F_NESTED) {
			bool inner = payload == NLA_HDRLEN + sizeof(uint32_t) && p[6] == NFTA_DATA_VALUE &&
				     !(p[7] & 0x80);

			add("(");
			read_attributes(p + NLA_HDRLEN, payload, inner);
			add(")");
		} else if (payload == sizeof(uint32_t) && (value || !is_text(p + NLA_HDRLEN, payload))) {
			add("=%d", (int)(value ? word(p + NLA_HDRLEN) : ntohl(word(p + NLA_HDRLEN))));
		} else {
			assert_int_equal(p[attr.nla_len - 1], '\0');
			add("=%s", (const char *)p + NLA_HDRLEN);
		}
		assert_true((size_t)NLA_ALIGN(attr.nla_len) <= size);
		p += NLA_ALIGN(attr.nla_len);
		size -= NLA_ALIGN(attr.nla_len);
	}
}

static unsigned read_message(void)
{
	const unsigned char *p = message.bytes, *end = p + message.size;
	unsigned n = 0;

	words[0] = '\0';
	assert_false(message.full);
	for (; p < end; n++) {
		struct nlmsghdr header;
		struct nfgenmsg nf;

		memcpy(&header, p, sizeof(header));
		memcpy(&nf, p + NLMSG_HDRLEN, sizeof(nf));
		assert_in_range(header.nlmsg_len, NLMSG_HDRLEN + sizeof(nf), end - p);
		assert_int_equal(header.nlmsg_len % NLMSG_ALIGNTO, 0);
		assert_true(header.nlmsg_flags & NLM_F_REQUEST);
		if (header.nlmsg_type >= NLMSG_MIN_TYPE && header.nlmsg_type < 256) {
			assert_int_equal(ntohs(nf.res_id), NFNL_SUBSYS_NFTABLES);
			add("%s", header.nlmsg_type == NFNL_MSG_BATCH_BEGIN ? "begin" : "end");
		} else {
			assert_int_equal(header.nlmsg_type >> 8, NFNL_SUBSYS_NFTABLES);
			assert_int_equal(nf.nfgen_family, NFPROTO_INET);
			add("%u", header.nlmsg_type & 0xff);
		}
		add("%s", header.nlmsg_flags & NLM_F_ACK ? " ack" : "");
		read_attributes(p + NLMSG_HDRLEN + sizeof(nf), header.nlmsg_len - NLMSG_HDRLEN - sizeof(nf),
				false);
		add("\n");
		p += header.nlmsg_len;
	}
	return n;
}

static unsigned count(const char *what)
{
	unsigned n = 0;

	for (const char *p = words; (p = strstr(p, what)); p += strlen(what))
		n++;
	return n;
}

/* Rules: numbers are those of the header, written out. */
#define MARK_IS_0 " 1( 1=meta 2( 1=1 2=3)) 1( 1=cmp 2( 1=1 2=0 3( 1=0)))"
#define OIF_IS " 1( 1=meta 2( 1=1 2=5)) 1( 1=cmp 2( 1=1 2=0 3( 1=%u)))"
#define SET_MARK " 1( 1=immediate 2( 1=1 2( 1=%u))) 1( 1=meta 2( 2=3 3=1))"
#define RULE "6 1=bfdd-1000 2=%s 4(" MARK_IS_0
#define ACKED "6 ack 1=bfdd-1000 2=%s 4(" MARK_IS_0

static void test_nothing_dead(void **state)
{
	struct mark_state quiet = {0};

	mark_message_set(&message, "bfdd-1000", &quiet, false);
	read_message();
	assert_string_equal(words, "begin\n8 1=bfdd-1000 2=prerouting\n8 ack 1=bfdd-1000 2=output\nend\n");
}

static void test_dead(void **state)
{
	struct mark_state dead = {.dead = 0x05000000, .ninterfaces = 2, .interfaces = {7, 9}};
	char wanted[2048];

	snprintf(wanted, sizeof(wanted),
		 "begin\n8 1=bfdd-1000 2=prerouting\n8 1=bfdd-1000 2=output\n" RULE SET_MARK
		 ")\n" RULE OIF_IS SET_MARK ")\n" ACKED OIF_IS SET_MARK ")\nend\n",
		 "prerouting", 0x05000000, "output", 7, 0x05000000, "output", 9, 0x05000000);
	mark_message_set(&message, "bfdd-1000", &dead, false);
	read_message();
	assert_string_equal(words, wanted);
}

static void test_any_interface(void **state)
{
	struct mark_state dead = {.dead = 1};
	char wanted[1024];

	snprintf(wanted, sizeof(wanted), ACKED SET_MARK ")\nend\n", "output", 1);
	mark_message_set(&message, "bfdd-1000", &dead, false);
	assert_int_equal(read_message(), 1 + 2 + 2 + 1);
	assert_int_equal(count(wanted), 1);
}

/* Table and chains come before what uses them, with hooks, priorities and types. */
static void test_make(void **state)
{
	struct mark_state quiet = {0};

	mark_message_set(&message, "bfdd-1000", &quiet, true);
	read_message();
	assert_string_equal(words, "begin\n0 1=bfdd-1000 2=0\n"
				   "3 1=bfdd-1000 3=prerouting 4( 1=0 2=2000000000) 5=1 7=filter\n"
				   "3 1=bfdd-1000 3=output 4( 1=3 2=2000000000) 5=1 7=route\n"
				   "8 1=bfdd-1000 2=prerouting\n8 ack 1=bfdd-1000 2=output\nend\n");
}

static void test_most(void **state)
{
	struct mark_state dead = {.dead = UINT32_MAX, .ninterfaces = MARK_INTERFACES};
	char oif[128];

	for (unsigned i = 0; i < MARK_INTERFACES; i++)
		dead.interfaces[i] = 1000000 + i;
	mark_message_set(&message, "bfdd-32750", &dead, true);
	assert_int_equal(read_message(), 1 + 3 + 2 + 1 + MARK_INTERFACES + 1);
	for (unsigned i = 0; i < MARK_INTERFACES; i++) {
		snprintf(oif, sizeof(oif), OIF_IS, 1000000 + i);
		assert_int_equal(count(oif), 1);
	}
}

static void test_remove_and_look(void **state)
{
	mark_message_remove(&message, "bfdd-1000");
	read_message();
	assert_string_equal(words, "begin\n2 ack 1=bfdd-1000\nend\n");
	mark_message_look(&message, "bfdd-1000");
	read_message();
	assert_string_equal(words, "4 ack 1=bfdd-1000 3=output\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_dead),  cmocka_unit_test(test_dead),
		cmocka_unit_test(test_any_interface), cmocka_unit_test(test_make),
		cmocka_unit_test(test_most),	      cmocka_unit_test(test_remove_and_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
