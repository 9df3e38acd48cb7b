/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"

static struct table table;
static struct session *chunks[TABLE_SLOTS / TABLE_CHUNK];

static void *chunk_memory(unsigned chunk)
{
	if (!chunks[chunk])
		chunks[chunk] = calloc(TABLE_CHUNK, sizeof(struct session));
	assert_non_null(chunks[chunk]);
	return chunks[chunk];
}

static int setup(void **state)
{
	table_init(&table, 0x12345678);
	table_chunk(&table, 0, chunk_memory(0));
	return 0;
}

static int free_chunks(void **state)
{
	unsigned i;

	for (i = 0; i < TABLE_SLOTS / TABLE_CHUNK; i++)
		free(chunks[i]);
	return 0;
}

static struct addr addr(const char *text)
{
	struct addr parsed = {0};

	if (text)
		assert_true(addr_parse(&parsed, text));
	return parsed;
}

static struct session_key key(const char *peer, const char *local, uint32_t ifindex, bool multihop)
{
	return (struct session_key){
		.peer = addr(peer), .local = addr(local), .ifindex = ifindex, .type = multihop};
}

/* Insert at SLOT; NULL when the key is taken. */
static struct session *add(uint16_t slot, struct session_key k)
{
	struct session_config config = {.desired_min_tx = 50000,
					.required_min_rx = 50000,
					.detect_mult = 3,
					.min_ttl = k.type == SESSION_MULTIHOP ? 250 : 255};
	struct session *session = table_memory(&table, slot);

	session_init(session, &config, &k, table_discr(slot, 0xabcd0000), 50000, 0);
	return table_insert(&table, session) ? session : NULL;
}

static struct session *found;

static enum drop find(uint32_t your_discr, const char *peer, const char *local, uint32_t ifindex,
		      bool multihop, uint8_t ttl)
{
	struct packet packet = {.state = BFD_DOWN, .your_discr = your_discr};
	struct table_origin origin = {.peer = addr(peer),
				      .local = addr(local),
				      .ifindex = ifindex,
				      .type = multihop,
				      .ttl = ttl,
				      .port = 49152};

	found = (void *)&table; /* must be overwritten */
	return table_find(&table, &packet, &origin, &found);
}

#define assert_find(drop, session, ...)                    \
	do {                                               \
		assert_int_equal(find(__VA_ARGS__), drop); \
		assert_ptr_equal(found, (session));        \
	} while (0)

static void a_discriminator_is_nonzero_and_tells_its_slot(void **state)
{
	assert_int_equal(table_discr(7, 0xdeadbeef), 0xdead0007);
	assert_int_equal(table_discr(0xffff, 0), 0xffff);
	assert_true(table_discr(0, 0x0000ffff));
	assert_int_equal(table_discr(0, 0) & 0xffff, 0);
}

static void slots_need_their_chunk(void **state)
{
	struct session *session;

	assert_null(table_memory(&table, TABLE_CHUNK));
	assert_null(table_slot(&table, TABLE_CHUNK));
	assert_non_null(table_memory(&table, TABLE_CHUNK - 1));
	assert_null(table_slot(&table, TABLE_CHUNK - 1));
	table_chunk(&table, 255, chunk_memory(255));
	session = add(65535, key("192.0.2.1", "192.0.2.0", 4, false));
	assert_non_null(session);
	assert_int_equal(session->slot, 65535);
	assert_ptr_equal(table_slot(&table, 65535), session);
	assert_int_equal(table.count, 1);
	table_remove(&table, session);
	assert_null(table_slot(&table, 65535));
	assert_int_equal(table.count, 0);
}

static void a_packet_is_found_by_discriminator_and_by_key(void **state)
{
	struct session *s = add(3, key("192.0.2.1", "192.0.2.0", 4, false));

	assert_find(DROP_NONE, s, s->local_discr, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_NONE, s, 0, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_UNKNOWN_DISCR, s, s->local_discr ^ 0x10000, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_UNKNOWN_DISCR, s, table_discr(4, 0xabcd0000), "192.0.2.1", "192.0.2.0", 4, false,
		    255);
	assert_find(DROP_UNKNOWN_DISCR, s, table_discr(400, 0xabcd0000), "192.0.2.1", "192.0.2.0", 4, false,
		    255);
	table_remove(&table, s);
	assert_find(DROP_UNKNOWN_DISCR, NULL, s->local_discr, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_NO_SESSION, NULL, 0, "192.0.2.1", "192.0.2.0", 4, false, 255);
}

static void by_discriminator_all_the_rest_must_agree(void **state)
{
	struct session *s = add(3, key("192.0.2.1", "192.0.2.0", 4, false));
	uint32_t d = s->local_discr;

	assert_find(DROP_WRONG_PEER, s, d, "192.0.2.2", "192.0.2.0", 4, false, 255);
	assert_find(DROP_WRONG_PEER, s, d, "2001:db8::1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_WRONG_PEER, s, d, "192.0.2.1", "192.0.2.7", 4, false, 255);
	assert_find(DROP_WRONG_INTERFACE, s, d, "192.0.2.1", "192.0.2.0", 5, false, 255);
	assert_find(DROP_WRONG_PORT, s, d, "192.0.2.1", "192.0.2.0", 4, true, 255);
	assert_find(DROP_TTL, s, d, "192.0.2.1", "192.0.2.0", 4, false, 254);
	assert_find(DROP_TTL, s, 0, "192.0.2.1", "192.0.2.0", 4, false, 254);
}

static void by_key_nobody_is_to_blame(void **state)
{
	add(3, key("192.0.2.1", "192.0.2.0", 4, false));
	assert_find(DROP_NO_SESSION, NULL, 0, "192.0.2.2", "192.0.2.0", 4, false, 255);
	assert_find(DROP_NO_SESSION, NULL, 0, "192.0.2.1", "192.0.2.7", 4, false, 255);
	assert_find(DROP_NO_SESSION, NULL, 0, "192.0.2.1", "192.0.2.0", 5, false, 255);
	assert_find(DROP_NO_SESSION, NULL, 0, "192.0.2.1", "192.0.2.0", 4, true, 255);
}

static struct session *from(const char *peer, const char *local, uint32_t ifindex, bool multihop, uint8_t ttl)
{
	return table_by_origin(&table, &(struct table_origin){.peer = addr(peer),
							      .local = addr(local),
							      .ifindex = ifindex,
							      .type = multihop,
							      .ttl = ttl,
							      .port = 49152});
}

/* Also whoever says nothing that could be understood comes from somewhere. */
static void an_origin_tells_whose_packet_it_is(void **state)
{
	struct session *s = add(3, key("192.0.2.1", "192.0.2.0", 4, false));
	struct session *m = add(4, key("192.0.2.1", "192.0.2.0", 4, true));
	struct session *any = add(5, key("192.0.2.1", NULL, 0, false));
	struct session *link = add(6, key("fe80::1", "fe80::2", 4, false));

	add(7, key("fe80::9", NULL, 0, false));
	assert_ptr_equal(from("192.0.2.1", "192.0.2.0", 4, false, 255), s);
	assert_ptr_equal(from("192.0.2.1", "192.0.2.0", 4, false, 7), s);
	assert_ptr_equal(from("192.0.2.1", "192.0.2.0", 9, true, 255), m);
	assert_ptr_equal(from("192.0.2.1", "192.0.2.7", 4, false, 255), any);
	assert_ptr_equal(from("192.0.2.1", "192.0.2.0", 5, false, 255), any);
	assert_ptr_equal(from("fe80::1", "fe80::2", 4, false, 255), link);
	assert_null(from("fe80::1", "fe80::2", 5, false, 255));
	assert_null(from("fe80::9", "fe80::2", 4, false, 255));
	assert_null(from("192.0.2.2", "192.0.2.0", 4, false, 255));
	assert_null(from("192.0.2.1", "192.0.2.7", 4, true, 255));
}

static void an_unknown_discriminator_is_blamed_on_who_said_it(void **state)
{
	struct session *s = add(3, key("192.0.2.1", "192.0.2.0", 4, false));
	struct session *other = add(4, key("192.0.2.3", "192.0.2.0", 4, false));

	assert_find(DROP_UNKNOWN_DISCR, s, 1, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_UNKNOWN_DISCR, NULL, 1, "192.0.2.2", "192.0.2.0", 4, false, 255);
	assert_find(DROP_UNKNOWN_DISCR, NULL, 1, "192.0.2.1", "192.0.2.0", 5, false, 255);
	assert_find(DROP_UNKNOWN_DISCR, NULL, 1, "192.0.2.1", "192.0.2.0", 4, true, 255);
	/* One that is known is blamed on its owner, whoever said it. */
	assert_find(DROP_WRONG_PEER, other, other->local_discr, "192.0.2.1", "192.0.2.0", 4, false, 255);
}

static void multihop_has_its_own_ttl_and_any_interface(void **state)
{
	struct session *s = add(9, key("198.51.100.9", "198.51.100.1", 6, true));
	uint32_t d = s->local_discr;

	assert_find(DROP_NONE, s, d, "198.51.100.9", "198.51.100.1", 6, true, 250);
	assert_find(DROP_NONE, s, d, "198.51.100.9", "198.51.100.1", 7, true, 255);
	assert_find(DROP_NONE, s, 0, "198.51.100.9", "198.51.100.1", 7, true, 250);
	assert_find(DROP_TTL, s, d, "198.51.100.9", "198.51.100.1", 6, true, 249);
	assert_find(DROP_TTL, s, 0, "198.51.100.9", "198.51.100.1", 6, true, 249);
	assert_find(DROP_WRONG_PORT, s, d, "198.51.100.9", "198.51.100.1", 6, false, 255);
	assert_find(DROP_NO_SESSION, NULL, 0, "198.51.100.9", "198.51.100.1", 6, false, 255);
}

static void the_ttl_of_multihop_does_not_loosen_single_hop(void **state)
{
	struct session *s = add(1, key("192.0.2.1", "192.0.2.0", 4, false));

	s->config.min_ttl = 1;
	assert_find(DROP_TTL, s, s->local_discr, "192.0.2.1", "192.0.2.0", 4, false, 254);
}

static void the_same_link_local_address_on_two_links_is_two_sessions(void **state)
{
	struct session *a = add(1, key("fe80::1", "fe80::2", 4, false));
	struct session *b = add(2, key("fe80::1", "fe80::2", 5, false));

	assert_find(DROP_NONE, a, 0, "fe80::1", "fe80::2", 4, false, 255);
	assert_find(DROP_NONE, b, 0, "fe80::1", "fe80::2", 5, false, 255);
	assert_find(DROP_NO_SESSION, NULL, 0, "fe80::1", "fe80::2", 6, false, 255);
	assert_find(DROP_WRONG_INTERFACE, a, a->local_discr, "fe80::1", "fe80::2", 5, false, 255);
}

static void link_local_peers_wait_for_their_interfaces_side_by_side(void **state)
{
	struct session *a = add(1, key("fe80::1", NULL, 0, false)),
		       *b = add(2, key("fe80::1", NULL, 0, false));
	struct session_key on4 = key("fe80::1", "fe80::2", 4, false),
			   on5 = key("fe80::1", "fe80::2", 5, false);

	assert_non_null(a);
	assert_non_null(b);
	assert_find(DROP_NO_SESSION, NULL, 0, "fe80::1", "fe80::2", 4, false, 255);
	assert_true(table_rekey(&table, a, &on4));
	assert_false(table_rekey(&table, b, &on4));
	assert_int_equal(b->key.ifindex, 0);
	assert_true(table_rekey(&table, b, &on5));
	assert_find(DROP_NONE, a, 0, "fe80::1", "fe80::2", 4, false, 255);
	assert_find(DROP_NONE, b, 0, "fe80::1", "fe80::2", 5, false, 255);
	table_remove(&table, a);
	assert_find(DROP_NO_SESSION, NULL, 0, "fe80::1", "fe80::2", 4, false, 255);
}

static void without_interface_or_local_address_any_will_do(void **state)
{
	struct session *any = add(1, key("192.0.2.1", NULL, 0, false)), *exact, *local;

	assert_find(DROP_NONE, any, 0, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_NONE, any, any->local_discr, "192.0.2.1", "192.0.2.9", 8, false, 255);
	local = add(2, key("192.0.2.1", "192.0.2.0", 0, false));
	assert_find(DROP_NONE, local, 0, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_NONE, any, 0, "192.0.2.1", "192.0.2.3", 4, false, 255);
	exact = add(3, key("192.0.2.1", "192.0.2.0", 4, false));
	assert_find(DROP_NONE, exact, 0, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_NONE, local, 0, "192.0.2.1", "192.0.2.0", 5, false, 255);
}

static void a_key_belongs_to_one(void **state)
{
	assert_non_null(add(1, key("192.0.2.1", "192.0.2.0", 4, false)));
	assert_null(add(2, key("192.0.2.1", "192.0.2.0", 4, false)));
	assert_int_equal(table.count, 1);
	assert_non_null(add(2, key("192.0.2.1", "192.0.2.0", 5, false)));
	assert_non_null(add(3, key("192.0.2.1", "192.0.2.0", 4, true)));
	assert_null(add(4, key("192.0.2.1", "192.0.2.0", 5, true))); /* multihop: the interface is no part */
	assert_non_null(add(4, key("192.0.2.1", "192.0.2.2", 4, true)));
}

static void rekeying_to_itself_is_no_conflict(void **state)
{
	struct session *s = add(1, key("192.0.2.1", "192.0.2.0", 4, false));
	struct session_key same = s->key;

	assert_true(table_rekey(&table, s, &same));
	assert_find(DROP_NONE, s, 0, "192.0.2.1", "192.0.2.0", 4, false, 255);
}

static unsigned buckets_in_use(void)
{
	unsigned bucket, used = 0;

	for (bucket = 0; bucket < TABLE_BUCKETS; bucket++)
		used += table.buckets[bucket] != NULL;
	return used;
}

static void a_session_that_moved_is_not_found_where_it_was(void **state)
{
	struct session *s = add(1, key("192.0.2.1", "192.0.2.0", 4, false));
	struct session_key moved = key("192.0.2.1", "192.0.2.0", 5, false);

	assert_true(table_rekey(&table, s, &moved));
	assert_find(DROP_NO_SESSION, NULL, 0, "192.0.2.1", "192.0.2.0", 4, false, 255);
	assert_find(DROP_NONE, s, 0, "192.0.2.1", "192.0.2.0", 5, false, 255);
	assert_int_equal(buckets_in_use(), 1);
	assert_non_null(add(2, key("192.0.2.1", "192.0.2.0", 4, false)));
}

static struct session_key nth_key(unsigned n)
{
	struct session_key k = key(n & 1 ? "10.0.0.0" : "fe80::1", n & 1 ? "10.1.0.0" : "fe80::2", 1 + n % 5,
				   false);

	if (n & 1)
		memcpy(k.peer.bytes + 1, &(uint16_t){(uint16_t)n}, 2);
	else
		k.ifindex = 10 + n;
	return k;
}

/* Sessions come and go for years: what is there is found, what is not is not, and chains stay short. */
static void endless_adding_and_removing_leaves_no_trace(void **state)
{
	static bool present[TABLE_CHUNK * 8];
	unsigned round, n;

	for (n = 1; n < 8; n++)
		table_chunk(&table, n, chunk_memory(n));
	memset(present, 0, sizeof(present));
	srand(7);
	for (round = 0; round < 200000; round++) {
		struct session_key k;
		struct packet packet = {.state = BFD_DOWN};
		struct table_origin origin;

		n = (unsigned)rand() % (TABLE_CHUNK * 8);
		k = nth_key(n);
		origin = (struct table_origin){.peer = k.peer,
					       .local = k.local,
					       .ifindex = k.ifindex,
					       .type = SESSION_SINGLE_HOP,
					       .ttl = 255,
					       .port = 49152};
		assert_int_equal(table_find(&table, &packet, &origin, &found),
				 present[n] ? DROP_NONE : DROP_NO_SESSION);
		assert_ptr_equal(found, present[n] ? table_memory(&table, (uint16_t)n) : NULL);
		if (present[n])
			table_remove(&table, table_slot(&table, (uint16_t)n));
		else
			assert_non_null(add((uint16_t)n, k));
		present[n] = !present[n];
	}
	for (n = 0; n < TABLE_CHUNK * 8; n++)
		if (present[n])
			table_remove(&table, table_slot(&table, (uint16_t)n));
	assert_int_equal(buckets_in_use(), 0);
	assert_int_equal(table.count, 0);
}

static void keys_spread_over_the_buckets(void **state)
{
	unsigned n, bucket, longest = 0;

	for (n = 1; n < 8; n++)
		table_chunk(&table, n, chunk_memory(n));
	for (n = 0; n < TABLE_CHUNK * 8; n++)
		assert_non_null(add((uint16_t)n, nth_key(n)));
	for (bucket = 0; bucket < TABLE_BUCKETS; bucket++) {
		const struct session *s;
		unsigned length = 0;

		for (s = table.buckets[bucket]; s; s = s->key_next)
			length++;
		longest = length > longest ? length : longest;
	}
	assert_in_range(longest, 1, 6); /* 2,048 in 16,384: an ideal hash gives 3 or 4 */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(a_discriminator_is_nonzero_and_tells_its_slot),
		TEST(slots_need_their_chunk),
		TEST(a_packet_is_found_by_discriminator_and_by_key),
		TEST(by_discriminator_all_the_rest_must_agree),
		TEST(by_key_nobody_is_to_blame),
		TEST(an_origin_tells_whose_packet_it_is),
		TEST(an_unknown_discriminator_is_blamed_on_who_said_it),
		TEST(multihop_has_its_own_ttl_and_any_interface),
		TEST(the_ttl_of_multihop_does_not_loosen_single_hop),
		TEST(the_same_link_local_address_on_two_links_is_two_sessions),
		TEST(link_local_peers_wait_for_their_interfaces_side_by_side),
		TEST(without_interface_or_local_address_any_will_do),
		TEST(a_key_belongs_to_one),
		TEST(rekeying_to_itself_is_no_conflict),
		TEST(a_session_that_moved_is_not_found_where_it_was),
		TEST(endless_adding_and_removing_leaves_no_trace),
		TEST(keys_spread_over_the_buckets),
	};

	return cmocka_run_group_tests(tests, NULL, free_chunks);
}
