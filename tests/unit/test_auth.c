/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RFC 5880 6.7: the forms, each rule, and what is refused. */
#include "auth_fixture.h"

#include "session_fixture.h"

#define MULT 3
#define WINDOW (3 * MULT)

static const char *const secrets[AUTH_TYPES] = {
	[AUTH_SIMPLE] = "open sesame",		[AUTH_MD5] = "sixteen bytes ok",
	[AUTH_METICULOUS_MD5] = "short",	[AUTH_SHA1] = "twenty bytes exactly",
	[AUTH_METICULOUS_SHA1] = "s",		[AUTH_HMAC_SHA1] = "a secret longer than a digest is",
	[AUTH_METICULOUS_HMAC_SHA1] = "secret",
};

static union chain_memory memory;
static struct auth_chain *chain;
static struct auth_state sender, receiver;
static uint8_t wire[WIRE_MAX];
static size_t size;

static void begin(enum auth_type type)
{
	now = 1000 * USEC_S;
	chain = one_key(&memory, 7, type, secrets[type]);
	sender = receiver = (struct auth_state){0};
}

/* Each is another one, by its Required Min RX. */
static void sign(void)
{
	static uint32_t variation;
	const struct packet packet = {.state = BFD_UP,
				      .detect_mult = MULT,
				      .my_discr = 1,
				      .your_discr = 2,
				      .desired_min_tx = 50000,
				      .required_min_rx = ++variation};

	packet_encode(&packet, wire);
	size = auth_sign(chain, &sender, wire, now, 0xfffffff0);
}

static void send_seq(uint32_t seq)
{
	sender.started = true;
	sender.xmit_seq = seq - 1;
	sign();
	assert_int_equal(get32(wire + AT_SEQUENCE), seq);
}

static enum drop verify(void)
{
	struct packet packet;
	enum drop drop = packet_decode(&packet, wire, size);

	return drop ? drop : auth_verify(chain, &receiver, &packet, wire, now);
}

static enum drop receive_seq(uint32_t seq)
{
	enum drop drop;

	send_seq(seq);
	drop = verify();
	if (!drop)
		auth_heard(&receiver, now, USEC_S);
	return drop;
}

static void unhex(uint8_t *to, const char *hex)
{
	for (; *hex; hex += 2)
		*to++ = (uint8_t)(strchr("0123456789abcdef", hex[0]) - "0123456789abcdef") << 4 |
			(uint8_t)(strchr("0123456789abcdef", hex[1]) - "0123456789abcdef");
}

static void known_answer(enum auth_type type, const char *digest)
{
	uint8_t expected[WIRE_MAX];

	chain = one_key(&memory, 2, type, "secret");
	unhex(expected, "204405340000000100000000000f4240000f424000000000041c020000000005");
	unhex(expected + AT_DIGEST, digest);
	sender = (struct auth_state){.started = true, .xmit_seq = 4};
	memcpy(wire, expected, PACKET_SIZE);
	wire[1] = 0x40;
	wire[3] = PACKET_SIZE;
	assert_int_equal(auth_sign(chain, &sender, wire, USEC_S, 0), WIRE_MAX);
	assert_memory_equal(wire, expected, WIRE_MAX);
}

static void answers_are_the_known_ones(void **state)
{
	known_answer(AUTH_SHA1, "d38357580f45f6f2f4f76b1a1052c3d389a52833");
	known_answer(AUTH_HMAC_SHA1, "9b362b64fe06cd135ae0a0a218a4e5f2653c847e");
}

static void what_is_signed_is_accepted(void **state)
{
	for (unsigned type = AUTH_SIMPLE; type < AUTH_TYPES; type++) {
		begin(type);
		for (unsigned i = 0; i < 100; i++) {
			sign();
			assert_int_equal(size, wire[3]);
			assert_int_equal(verify(), DROP_NONE);
		}
		assert_int_equal(receiver.received_type, type);
		assert_int_equal(receiver.received_key, 7);
		assert_int_equal(sender.sent_type, type);
	}
}

static void no_bit_may_be_another(void **state)
{
	for (unsigned type = AUTH_MD5; type < AUTH_TYPES; type++) {
		begin(type);
		send_seq(5);
		for (unsigned bit = 0; bit < 8 * size; bit++) {
			struct auth_state before = receiver;

			wire[bit / 8] ^= 1 << bit % 8;
			assert_int_not_equal(verify(), DROP_NONE);
			wire[bit / 8] ^= 1 << bit % 8;
			assert_int_equal(receiver.known, before.known);
			receiver.refused = 0;
		}
		assert_int_equal(verify(), DROP_NONE);
	}
}

static void passwords_are_compared_whole(void **state)
{
	begin(AUTH_SIMPLE);
	sign();
	assert_int_equal(size, PACKET_SIZE + 3 + strlen(secrets[AUTH_SIMPLE]));
	assert_int_equal(verify(), DROP_NONE);
	for (size_t at = PACKET_SIZE + 3; at < size; at++) {
		wire[at] ^= 1;
		assert_int_equal(verify(), DROP_AUTH_PASSWORD);
		wire[at] ^= 1;
	}
	/* The beginning of it; more than it; with zeros behind. */
	for (int more = -1; more <= 1; more += 2) {
		sign();
		wire[size] = 0;
		wire[3] = (uint8_t)(wire[3] + more);
		wire[PACKET_SIZE + 1] = (uint8_t)(wire[PACKET_SIZE + 1] + more);
		size += (size_t)more;
		assert_int_equal(verify(), DROP_AUTH_PASSWORD);
	}
}

static void other_types_and_keys_are_refused(void **state)
{
	struct packet packet = {.my_discr = 1, .detect_mult = 3, .state = BFD_DOWN};

	for (unsigned type = AUTH_SIMPLE; type < AUTH_TYPES; type++) {
		begin(type);
		sign();
		wire[PACKET_SIZE + 2]++;
		assert_int_equal(verify(), DROP_AUTH_UNKNOWN_KEY);
		size = packet_encode(&packet, wire);
		assert_int_equal(verify(), DROP_AUTH_MISSING);
		for (unsigned other = AUTH_SIMPLE; other < AUTH_TYPES; other++) {
			enum drop drop;

			chain = one_key(&memory, 7, other, secrets[other]);
			sign();
			chain = one_key(&memory, 7, type, secrets[type]);
			drop = verify();
			assert_int_equal(drop == DROP_NONE, type == other);
			assert_true(drop != DROP_AUTH_TYPE || type != other);
		}
	}
	/* The two that share their numbers. */
	begin(AUTH_SHA1);
	sign();
	chain = one_key(&memory, 7, AUTH_HMAC_SHA1, secrets[AUTH_SHA1]);
	assert_int_equal(verify(), DROP_AUTH_DIGEST);
	for (unsigned type = 0; type < 256; type++) {
		begin(AUTH_SHA1);
		sign();
		wire[PACKET_SIZE] = (uint8_t)type;
		assert_int_equal(verify() == DROP_NONE, type == 4);
	}
}

static void what_the_digest_does_not_cover_is_refused(void **state)
{
	uint8_t longer[WIRE_MAX + 4] = {0};
	struct packet packet;

	begin(AUTH_SHA1);
	sign();
	memcpy(longer, wire, size);
	longer[3] += 4;
	assert_int_equal(packet_decode(&packet, longer, sizeof(longer)), DROP_NONE);
	assert_int_equal(auth_verify(chain, &receiver, &packet, longer, now), DROP_AUTH_LENGTH);
	/* Behind the packet there may be anything. */
	longer[3] -= 4;
	assert_int_equal(packet_decode(&packet, longer, sizeof(longer)), DROP_NONE);
	assert_int_equal(auth_verify(chain, &receiver, &packet, longer, now), DROP_NONE);
}

static void window(enum auth_type type, bool meticulous, uint32_t first)
{
	begin(type);
	assert_int_equal(receive_seq(first), DROP_NONE);
	assert_int_equal(verify(), meticulous ? DROP_AUTH_SEQUENCE : DROP_NONE);
	assert_int_equal(receive_seq(first - 1), DROP_AUTH_SEQUENCE);
	assert_int_equal(receive_seq(first + WINDOW + 1), DROP_AUTH_SEQUENCE);
	assert_int_equal(receive_seq(first + 0x80000000), DROP_AUTH_SEQUENCE);
	assert_int_equal(receiver.rcv_seq, first);
	assert_int_equal(receive_seq(first + WINDOW), DROP_NONE);
	assert_int_equal(receive_seq(first + 1), DROP_AUTH_SEQUENCE);
	assert_int_equal(receive_seq(first + WINDOW + 1), DROP_NONE);
	assert_int_equal(receiver.rcv_seq, first + WINDOW + 1);
}

static void numbers_go_on_within_the_window(void **state)
{
	static const uint32_t firsts[] = {0,	     1, 1000, 0x7ffffffe, UINT32_MAX - WINDOW, UINT32_MAX - 1,
					  UINT32_MAX};

	for (unsigned i = 0; i < sizeof(firsts) / sizeof(*firsts); i++) {
		window(AUTH_MD5, false, firsts[i]);
		window(AUTH_METICULOUS_MD5, true, firsts[i]);
		window(AUTH_SHA1, false, firsts[i]);
		window(AUTH_METICULOUS_SHA1, true, firsts[i]);
		window(AUTH_HMAC_SHA1, false, firsts[i]);
		window(AUTH_METICULOUS_HMAC_SHA1, true, firsts[i]);
	}
}

/* Who knows no secret cannot move the window. */
static void numbers_count_behind_the_digest_only(void **state)
{
	begin(AUTH_METICULOUS_SHA1);
	send_seq(100);
	wire[AT_DIGEST] ^= 1;
	assert_int_equal(verify(), DROP_AUTH_DIGEST);
	assert_int_equal(receiver.known, AUTH_UNKNOWN);
	assert_int_equal(receive_seq(5), DROP_NONE);
	send_seq(5);
	wire[AT_DIGEST] ^= 1;
	assert_int_equal(verify(), DROP_AUTH_DIGEST);
	send_seq(6);
	wire[AT_DIGEST] ^= 1;
	assert_int_equal(verify(), DROP_AUTH_DIGEST);
	assert_int_equal(receiver.rcv_seq, 5);
	assert_int_equal(receive_seq(6), DROP_NONE);
}

/* 6.8.1. */
static void numbers_are_forgotten_after_two_detection_times(void **state)
{
	begin(AUTH_METICULOUS_MD5);
	assert_int_equal(receive_seq(5000), DROP_NONE);
	now += 2 * USEC_S - 1;
	assert_int_equal(receive_seq(9), DROP_AUTH_SEQUENCE);
	now++;
	assert_int_equal(receive_seq(9), DROP_NONE);
	assert_int_equal(receive_seq(5000), DROP_AUTH_SEQUENCE);
}

static void a_successor_takes_any_later_number(void **state)
{
	begin(AUTH_METICULOUS_SHA1);
	receiver = (struct auth_state){.known = AUTH_RESUMED, .rcv_seq = 500, .known_until = now + USEC_S};
	assert_int_equal(receive_seq(500), DROP_AUTH_SEQUENCE);
	assert_int_equal(receive_seq(499), DROP_AUTH_SEQUENCE);
	assert_int_equal(receive_seq(500u + INT32_MAX), DROP_NONE);
	assert_int_equal(receive_seq(500u + INT32_MAX + WINDOW + 1), DROP_AUTH_SEQUENCE);
}

static uint32_t next_number(usec_t wait, uint32_t required_min_rx)
{
	const struct packet packet = {
		.state = BFD_UP, .detect_mult = MULT, .my_discr = 1, .required_min_rx = required_min_rx};

	now += wait;
	packet_encode(&packet, wire);
	assert_int_not_equal(auth_sign(chain, &sender, wire, now, 1000), 0);
	return get32(wire + AT_SEQUENCE);
}

static void meticulous_numbers_rise_with_each_packet(void **state)
{
	begin(AUTH_METICULOUS_MD5);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_equal(next_number(1, 5), 1000 + i);
	sender.xmit_seq = UINT32_MAX;
	assert_int_equal(next_number(1, 5), 0);
}

static void other_numbers_rise_with_news_and_time(void **state)
{
	begin(AUTH_SHA1);
	assert_int_equal(next_number(0, 5), 1000);
	assert_int_equal(next_number(500 * MS, 5), 1000);
	assert_int_equal(next_number(0, 6), 1001);
	assert_int_equal(next_number(999 * MS, 6), 1001);
	assert_int_equal(next_number(1 * MS, 6), 1002);
	assert_int_equal(next_number(0, 6), 1002);
	/* Another key. */
	chain->keys[0].id = 9;
	assert_int_equal(next_number(0, 6), 1003);
}

static void holds_at(int64_t at, int sends, uint64_t accepts)
{
	auth_chain_renew(chain, at);
	if (sends < 0)
		assert_null(auth_chain_sends(chain));
	else
		assert_ptr_equal(auth_chain_sends(chain), &chain->keys[sends]);
	assert_int_equal(atomic_load(&chain->accepts), accepts);
}

static void keys_begin_and_end(void **state)
{
	struct auth_key keys[3] = {make_key(1, AUTH_MD5, "one"), make_key(2, AUTH_SHA1, "two"),
				   make_key(3, AUTH_SHA1, "three")};

	keys[0].send_start = keys[0].accept_start = 100;
	keys[0].send_end = 200;
	keys[0].accept_end = 250;
	keys[1].accept_start = 120;
	keys[1].send_start = keys[2].send_start = 150;
	keys[1].send_end = 300;
	keys[2].send_end = 400;
	keys[2].accept_end = 400;
	chain = make_chain(&memory, keys, 3);
	holds_at(INT64_MIN, -1, 4);
	holds_at(99, -1, 4);
	holds_at(100, 0, 1 | 4);
	holds_at(120, 0, 1 | 2 | 4);
	holds_at(149, 0, 1 | 2 | 4);
	holds_at(150, 1, 1 | 2 | 4); /* of two the first */
	holds_at(249, 1, 1 | 2 | 4);
	holds_at(250, 1, 2 | 4);
	holds_at(300, 2, 2 | 4);
	holds_at(399, 2, 2 | 4);
	holds_at(400, -1, 2);
	assert_true(auth_chain_renew(chain, 150));
	assert_false(auth_chain_renew(chain, 160));
	assert_true(auth_chain_renew(chain, 400));
}

static void without_a_key_nothing_is_sent(void **state)
{
	begin(AUTH_SHA1);
	chain->keys[0].send_end = 10;
	auth_chain_renew(chain, 10);
	sign();
	assert_int_equal(size, 0);
	assert_true(sender.silent);
	assert_false(sender.started);
	auth_chain_renew(chain, 9);
	sign();
	assert_int_equal(size, WIRE_MAX);
	assert_false(sender.silent);
}

static void keys_that_do_not_hold_are_unknown(void **state)
{
	begin(AUTH_METICULOUS_SHA1);
	sign();
	chain->keys[0].accept_end = 10;
	auth_chain_renew(chain, 10);
	assert_int_equal(verify(), DROP_AUTH_UNKNOWN_KEY);
	auth_chain_renew(chain, 9);
	assert_int_equal(verify(), DROP_NONE);
}

/* From MD5 to SHA1, sender first to change: not a packet is lost, and old ones stay old. */
static void a_roll_over_keeps_the_numbers(void **state)
{
	struct auth_key keys[2] = {make_key(1, AUTH_METICULOUS_MD5, "one"),
				   make_key(2, AUTH_METICULOUS_SHA1, "two")};

	now = 1000 * USEC_S;
	keys[1].send_start = 100;
	chain = make_chain(&memory, keys, 2);
	sender = receiver = (struct auth_state){0};
	for (int64_t at = 95; at < 105; at++) {
		auth_chain_renew(chain, at);
		sign();
		assert_int_equal(verify(), DROP_NONE);
		auth_heard(&receiver, now, USEC_S);
		assert_int_equal(receiver.received_key, at < 100 ? 1 : 2);
		assert_int_equal(verify(), DROP_AUTH_SEQUENCE);
	}
}

static void chains_are_compared_by_what_they_say(void **state)
{
	union chain_memory other_memory;
	struct auth_chain *other;

	begin(AUTH_SHA1);
	other = one_key(&other_memory, 7, AUTH_SHA1, secrets[AUTH_SHA1]);
	other->users = 3;
	auth_chain_renew(other, 1);
	assert_true(auth_chain_equal(chain, other));
	assert_true(auth_chain_equal(NULL, NULL));
	assert_false(auth_chain_equal(chain, NULL));
	assert_false(auth_chain_equal(NULL, chain));
	other->keys[0].secret[3]++;
	assert_false(auth_chain_equal(chain, other));
	other = one_key(&other_memory, 8, AUTH_SHA1, secrets[AUTH_SHA1]);
	assert_false(auth_chain_equal(chain, other));
	other = one_key(&other_memory, 7, AUTH_HMAC_SHA1, secrets[AUTH_SHA1]);
	assert_false(auth_chain_equal(chain, other));
	other = one_key(&other_memory, 7, AUTH_SHA1, secrets[AUTH_SHA1]);
	other->keys[0].accept_end--;
	assert_false(auth_chain_equal(chain, other));
	other = one_key(&other_memory, 7, AUTH_SHA1, secrets[AUTH_SHA1]);
	other->name[0] = 'b';
	assert_false(auth_chain_equal(chain, other));
}

/* A second of wrong digests, one each 10 us: few are computed, and the peer's own packets pass. */
static void wrong_digests_have_a_limit(void **state)
{
	unsigned computed = 0, limited = 0;
	uint8_t forged[WIRE_MAX];

	begin(AUTH_METICULOUS_SHA1);
	assert_int_equal(receive_seq(1), DROP_NONE);
	send_seq(77777);
	wire[AT_DIGEST] ^= 1;
	memcpy(forged, wire, sizeof(forged));
	for (unsigned i = 0; i < 100000; i++) {
		enum drop drop;

		now += 10;
		memcpy(wire, forged, size);
		drop = verify();
		computed += drop == DROP_AUTH_DIGEST;
		limited += drop == DROP_RATE;
		if (i % 1000 == 0)
			assert_int_equal(receive_seq(2 + i / 1000), DROP_NONE);
	}
	assert_int_equal(computed + limited, 100000);
	assert_in_range(computed, 2000, 2300);
	/* Who can listen may forge what fits, and is limited, too. */
	send_seq(receiver.rcv_seq + 1);
	wire[AT_DIGEST] ^= 1;
	for (unsigned i = 0; i < 1000 && verify() == DROP_AUTH_DIGEST; i++)
		computed++;
	assert_int_equal(verify(), DROP_RATE);
	now += 10 * MS;
	assert_int_equal(receive_seq(receiver.rcv_seq + 1), DROP_NONE);
}

/* The session. */

static struct session_extra extra;

static enum drop session_hears(void)
{
	struct packet packet;
	enum drop drop = packet_decode(&packet, wire, size);

	if (!drop)
		drop = session_authenticate(&s, &packet, wire, now);
	return drop ? drop : session_receive(&s, &packet, now, &effects);
}

static void peer_says(enum bfd_state remote)
{
	struct packet packet = peer;

	packet.state = (uint8_t)remote;
	packet_encode(&packet, wire);
	size = auth_sign(chain, &sender, wire, now, 1);
}

static void start_session(void)
{
	struct session_config config = usual;

	start(&config);
	extra = (struct session_extra){0};
	s.extra = &extra;
	config.auth = chain;
	assert_true(session_needs_extra(&config));
	session_configure(&s, &config, now, &effects);
	sender = (struct auth_state){0};
}

static void sessions_take_what_is_authentic(void **state)
{
	begin(AUTH_METICULOUS_SHA1);
	start_session();
	peer_says(BFD_DOWN);
	assert_int_equal(session_hears(), DROP_NONE);
	assert_int_equal(s.state, BFD_INIT);
	assert_int_equal(session_hears(), DROP_AUTH_SEQUENCE);
	peer_says(BFD_UP);
	wire[AT_DIGEST + 19] ^= 0x80;
	assert_int_equal(session_hears(), DROP_AUTH_DIGEST);
	assert_int_equal(s.state, BFD_INIT);
	peer_says(BFD_UP);
	assert_int_equal(session_hears(), DROP_NONE);
	assert_int_equal(s.state, BFD_UP);
	assert_int_equal(receive_flags(BFD_DOWN, false, false), DROP_AUTH_MISSING);
	assert_int_equal(s.state, BFD_UP);
	assert_true(extra.auth.known_until == now + 2 * s.detection_time);
}

static void sessions_without_keys_take_none(void **state)
{
	begin(AUTH_SHA1);
	start(&usual);
	peer_says(BFD_DOWN);
	assert_int_equal(session_hears(), DROP_AUTH_UNEXPECTED);
	assert_int_equal(s.state, BFD_DOWN);
	receive(BFD_DOWN);
	assert_int_equal(s.state, BFD_INIT);
}

static void no_digest_is_computed_in_vain(void **state)
{
	struct session_config config;

	begin(AUTH_SHA1);
	start_session();
	session_path(&s, false, now, &effects);
	peer_says(BFD_DOWN);
	assert_int_equal(session_hears(), DROP_NO_PATH);
	session_path(&s, true, now, &effects);
	config = s.config;
	config.shutdown = true;
	session_configure(&s, &config, now, &effects);
	assert_int_equal(session_hears(), DROP_ADMIN_DOWN);
	assert_int_equal(extra.auth.known, AUTH_UNKNOWN);
	config.shutdown = false;
	session_configure(&s, &config, now, &effects);
	s.extra = NULL; /* no memory for it: closed */
	assert_int_not_equal(session_hears(), DROP_NONE);
}

static void names_are_found(void **state)
{
	for (unsigned type = AUTH_NONE + 1; type < AUTH_TYPES; type++)
		assert_int_equal(auth_type_find(auth_type_name(type)), type);
	assert_int_equal(auth_type_find("none"), AUTH_NONE);
	assert_int_equal(auth_type_find(""), AUTH_NONE);
	assert_string_equal(auth_type_name(AUTH_TYPES), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_the_known_ones),
		cmocka_unit_test(what_is_signed_is_accepted),
		cmocka_unit_test(no_bit_may_be_another),
		cmocka_unit_test(passwords_are_compared_whole),
		cmocka_unit_test(other_types_and_keys_are_refused),
		cmocka_unit_test(what_the_digest_does_not_cover_is_refused),
		cmocka_unit_test(numbers_go_on_within_the_window),
		cmocka_unit_test(numbers_count_behind_the_digest_only),
		cmocka_unit_test(numbers_are_forgotten_after_two_detection_times),
		cmocka_unit_test(a_successor_takes_any_later_number),
		cmocka_unit_test(meticulous_numbers_rise_with_each_packet),
		cmocka_unit_test(other_numbers_rise_with_news_and_time),
		cmocka_unit_test(keys_begin_and_end),
		cmocka_unit_test(without_a_key_nothing_is_sent),
		cmocka_unit_test(keys_that_do_not_hold_are_unknown),
		cmocka_unit_test(a_roll_over_keeps_the_numbers),
		cmocka_unit_test(chains_are_compared_by_what_they_say),
		cmocka_unit_test(wrong_digests_have_a_limit),
		cmocka_unit_test(sessions_take_what_is_authentic),
		cmocka_unit_test(sessions_without_keys_take_none),
		cmocka_unit_test(no_digest_is_computed_in_vain),
		cmocka_unit_test(names_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
