/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread of the fast failover against a kernel that refuses, or whose answers are lost. The fakes below
 * stand for netlink/nl.c, of which netlink/mark.c uses just these. That the real kernel does what is meant,
 * tests/net/43-fast-failover.sh shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include "netlink/mark.h"
#include "netlink/nl.h"

#define BIT 0x01000000
#define PATIENCE 10000 /* ms: far below a minute, far above what it takes */

/* The kernel. */
static struct kernel {
	atomic_bool absent;  /* no such socket */
	atomic_int refuse;   /* -errno for all transactions */
	atomic_int refusals; /* how often that was the answer */
	atomic_uint lose;    /* answers of transactions to come that are lost */
	atomic_bool table;   /* there */
	atomic_bool given;   /* packets get a mark */
	atomic_uint transactions;
} kernel;

static struct netlink {
	char none;
} the_socket;

struct netlink *netlink_open_filter(char *error, size_t size)
{
	if (!kernel.absent)
		return &the_socket;
	snprintf(error, size, "no such socket");
	return NULL;
}

void netlink_close(struct netlink *nl) {}

uint32_t netlink_port(const struct netlink *nl)
{
	return 4711;
}

/* What the messages make of TABLE and GIVEN. */
static int carry_out(unsigned char *at, size_t size)
{
	bool table = kernel.table, given = kernel.given;

	for (unsigned char *end = at + size; at < end;) {
		struct nlmsghdr header;

		memcpy(&header, at, sizeof(header));
		at += NLMSG_ALIGN(header.nlmsg_len);
		switch (header.nlmsg_type & (NFNL_SUBSYS_NFTABLES << 8 | 0xff)) {
		case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE:
			table = true;
			continue;
		case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE:
			given = true;
			break;
		case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELRULE:
			given = false;
			break;
		case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE:
		case NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN:
			break;
		default:
			continue;
		}
		if (!table)
			return -ENOENT;
		if ((header.nlmsg_type & 0xff) == NFT_MSG_DELTABLE)
			table = given = false;
	}
	kernel.given = given;
	kernel.table = table;
	return 0;
}

int netlink_transaction(struct netlink *nl, void *messages, size_t size)
{
	int err = kernel.refuse;

	kernel.transactions++;
	if (err) {
		kernel.refusals++;
		return err;
	}
	err = carry_out(messages, size);
	if (kernel.lose) {
		kernel.lose--;
		return NETLINK_LOST;
	}
	return err;
}

static struct mark *make(void)
{
	struct mark *mark = mark_create(&(struct mark_config){.rule_priority = 1000});

	assert_non_null(mark);
	return mark;
}

static void end(struct mark *mark)
{
	mark_stop(mark);
	mark_free(mark);
	assert_false(kernel.table || kernel.given);
}

#define WAIT_FOR(condition)                                             \
	do {                                                            \
		for (unsigned i = 0; i < PATIENCE && !(condition); i++) \
			usleep(1000);                                   \
		assert_true(condition);                                 \
	} while (0)

static bool in_place(struct mark *mark)
{
	char why[96];

	return !mark_why_not(mark, why, sizeof(why));
}

static int reset(void **state)
{
	memset(&kernel, 0, sizeof(kernel));
	return 0;
}

static void raise_bit(struct mark *mark)
{
	mark_raise(mark, BIT);
	mark_flush(mark);
}

static void test_raised_and_lowered(void **state)
{
	struct mark *mark = make();
	usec_t late = INT64_MAX;

	assert_true(kernel.table && in_place(mark));
	assert_int_equal(mark_port(mark), 4711);
	mark_start(mark);
	raise_bit(mark);
	WAIT_FOR(kernel.given && mark_moved(mark, BIT, late) < late);
	raise_bit(mark);
	mark_lower(mark, BIT);
	usleep(1000);
	assert_true(kernel.given); /* counted */
	mark_lower(mark, BIT);
	WAIT_FOR(!kernel.given);
	WAIT_FOR(mark_moved(mark, BIT, late) == late);
	end(mark);
}

/* The bits are on, although the thread was not told so: they go when they should. */
static void test_answer_lost_when_raised(void **state)
{
	struct mark *mark = make();
	usec_t late = INT64_MAX;

	mark_start(mark);
	kernel.lose = 1;
	raise_bit(mark);
	WAIT_FOR(kernel.given);
	mark_lower(mark, BIT);
	WAIT_FOR(!kernel.given);
	WAIT_FOR(in_place(mark));
	/* While they stay on, the next answer tells, and since when is known then. */
	kernel.lose = 1;
	raise_bit(mark);
	WAIT_FOR(in_place(mark) && mark_moved(mark, BIT, late) < late);
	mark_lower(mark, BIT);
	WAIT_FOR(!kernel.given);
	end(mark);
}

static void test_answer_lost_when_lowered(void **state)
{
	struct mark *mark = make();

	mark_start(mark);
	raise_bit(mark);
	WAIT_FOR(kernel.given && in_place(mark));
	kernel.refuse = -ENOMEM;
	mark_lower(mark, BIT);
	WAIT_FOR(kernel.refusals >= 3);
	assert_true(kernel.given);
	kernel.lose = 1;
	kernel.refuse = 0;
	WAIT_FOR(!kernel.given && in_place(mark));
	end(mark);
}

/* What a killed daemon left on is taken away soon although the first answer is lost. */
static void test_answer_lost_at_start(void **state)
{
	struct mark *mark;

	kernel.table = kernel.given = true;
	kernel.refuse = -EINTR;
	mark = make();
	assert_true(kernel.given && !in_place(mark));
	kernel.refuse = 0;
	mark_start(mark);
	WAIT_FOR(!kernel.given && in_place(mark));
	end(mark);
}

/* A refusal is final for this switch, and not tried over and over. */
static void test_refused(void **state)
{
	struct mark *mark = make();
	unsigned before;
	char why[96];

	mark_start(mark);
	kernel.refuse = -EPERM;
	raise_bit(mark);
	WAIT_FOR(!in_place(mark));
	assert_string_equal(mark_why_not(mark, why, sizeof(why)), "nf_tables: Operation not permitted");
	mark_lower(mark, BIT);
	before = kernel.transactions;
	usleep(200000);
	assert_true(kernel.transactions - before < 6); /* after 20, 40, 80, 160 ms */
	kernel.refuse = 0;
	WAIT_FOR(in_place(mark));
	assert_false(kernel.given);
	end(mark);
}

static void test_flushed(void **state)
{
	struct mark *mark = make();

	mark_start(mark);
	kernel.table = kernel.given = false;
	raise_bit(mark);
	WAIT_FOR(kernel.table && kernel.given && in_place(mark));
	end(mark);
}

static void test_no_socket(void **state)
{
	struct mark *mark;
	char why[96];

	kernel.absent = true;
	mark = make();
	mark_start(mark);
	raise_bit(mark);
	mark_lower(mark, BIT);
	assert_string_equal(mark_why_not(mark, why, sizeof(why)), "nf_tables: no such socket");
	assert_int_equal(mark_port(mark), 0);
	end(mark);
	assert_int_equal(kernel.transactions, 0);
}

/* Nobody would lower the bits; the empty chains would cost each packet something for nothing. */
static void test_no_thread(void **state)
{
	struct mark *mark = make();
	pthread_attr_t before, huge;
	char why[96];

	assert_int_equal(pthread_getattr_default_np(&before), 0);
	assert_int_equal(pthread_attr_init(&huge), 0);
	assert_int_equal(pthread_attr_setstacksize(&huge, (size_t)1 << 50), 0);
	assert_int_equal(pthread_setattr_default_np(&huge), 0);
	mark_start(mark);
	assert_int_equal(pthread_setattr_default_np(&before), 0);
	assert_memory_equal(mark_why_not(mark, why, sizeof(why)), "its thread: ", 12);
	assert_false(kernel.table);
	raise_bit(mark);
	mark_lower(mark, BIT);
	assert_int_equal(mark_moved(mark, BIT, 5), 5);
	end(mark);
	pthread_attr_destroy(&before);
	pthread_attr_destroy(&huge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_raised_and_lowered, reset),
		cmocka_unit_test_setup(test_answer_lost_when_raised, reset),
		cmocka_unit_test_setup(test_answer_lost_when_lowered, reset),
		cmocka_unit_test_setup(test_answer_lost_at_start, reset),
		cmocka_unit_test_setup(test_refused, reset),
		cmocka_unit_test_setup(test_flushed, reset),
		cmocka_unit_test_setup(test_no_socket, reset),
		cmocka_unit_test_setup(test_no_thread, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
