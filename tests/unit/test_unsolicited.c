/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may begin a session (RFC 9468): what the engine asks for, and what it does not; and the list of those
 * who have one. */
#include "turn_fixture.h"

#include "app_unsolicited.h"

static void allow(uint32_t ifindex, const char *prefix, bool full)
{
	struct engine_unsolicited_rule rule = {.ifindex = ifindex, .full = full};

	assert_int_equal(prefix_parse(&rule.prefix, prefix), PREFIX_OK);
	assert_true(engine_unsolicited(engine, &rule, 1));
	turn_at(now);
}

static struct queued *stranger(unsigned n)
{
	assert_true(nqueue < QUEUE);
	queue[nqueue] = (struct queued){
		.packet = {.state = BFD_DOWN,
			   .detect_mult = 3,
			   .length = PACKET_SIZE,
			   .my_discr = 1 + n,
			   .desired_min_tx = USEC_S,
			   .required_min_rx = USEC_S},
		.origin = {.peer = address(1, n), .local = address(2, n), .ifindex = 4, .ttl = 255},
		.stamp = now,
	};
	return &queue[nqueue++];
}

static void a_stranger_is_asked_for_once(void **state)
{
	stranger(1);
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 0);
	assert_int_equal(drops(DROP_NO_SESSION), 1);

	allow(4, "10.1.0.0/16", false);
	stranger(1);
	stranger(1);
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 1);
	assert_int_equal(drops(DROP_NO_SESSION), 2);

	/* Nobody has made it a session: it is asked for again. */
	now += USEC_S;
	stranger(1);
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 2);
	assert_int_equal(nsent, 0);
}

/* RFC 9468 2, and 6: only Down, with no discriminator of ours, from the link itself, from where it may be. */
static void what_begins_no_session(void **state)
{
	allow(4, "10.1.0.0/16", false);
	stranger(1)->packet.state = BFD_ADMIN_DOWN;
	stranger(2)->origin.ttl = 254;
	stranger(3)->origin.ifindex = 5;
	stranger(4)->origin.type = SESSION_MULTIHOP;
	stranger(5)->origin.peer = address(9, 5);
	stranger(6)->origin.vrf = 7;
	turn_at(now);
	assert_int_equal(drops(DROP_NO_SESSION), 6);
	stranger(7)->packet.your_discr = 12345;
	stranger(8)->packet.state = BFD_UP;
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 0);
	assert_int_equal(drops(DROP_UNKNOWN_DISCR), 1);
	assert_int_equal(drops(DROP_YOUR_DISCR_ZERO), 1);
	assert_int_equal(drops(DROP_UNSOLICITED), 0);
}

/* A VRF's strangers are those of entries for that VRF. */
static void in_a_vrf_and_outside(void **state)
{
	struct engine_unsolicited_rule rules[] = {{.ifindex = 4, .vrf = 7}, {.ifindex = 5}};

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(prefix_parse(&rules[i].prefix, "10.1.0.0/16"), PREFIX_OK);
	assert_true(engine_unsolicited(engine, rules, 2));
	turn_at(now);
	stranger(1); /* the link is in the VRF no more */
	stranger(2)->origin.vrf = 8;
	stranger(3)->origin = (struct table_origin){
		.peer = address(1, 3), .local = address(2, 3), .ifindex = 5, .ttl = 255, .vrf = 7};
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 0);
	assert_int_equal(drops(DROP_NO_SESSION), 3);
	stranger(4)->origin.vrf = 7;
	stranger(5)->origin.ifindex = 5;
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 2);
}

static void who_has_a_session_begins_none(void **state)
{
	bring_up(2, 50 * USEC_MS, 3);
	allow(1, "10.1.0.0/16", false);
	stranger(1)->origin.ifindex = 1;
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 0);
}

/* A hundred in a second, and a second's worth at once. */
static void a_flood_is_asked_for_at_a_bounded_rate(void **state)
{
	allow(4, "10.1.0.0/16", false);
	for (unsigned second = 0; second < 10; second++) {
		for (unsigned n = 0; n < 4000; n++)
			stranger(second * 4000 + n);
		turn_at(now);
		now += USEC_S;
	}
	assert_in_range(told[ENGINE_UNSOLICITED], 900, 1100);
	assert_int_equal(told[ENGINE_LOST_EVENTS], 0);
	assert_true(drops(DROP_UNSOLICITED) >= 38000);
}

static void of_a_full_entry_all_are_dropped(void **state)
{
	allow(4, "10.1.0.0/16", true);
	for (unsigned n = 0; n < 100; n++)
		stranger(n);
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 0);
	assert_int_equal(drops(DROP_UNSOLICITED), 100);
	allow(4, "10.1.0.0/16", false);
	stranger(3);
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 1);
	assert_true(engine_unsolicited(engine, NULL, 0));
	turn_at(now);
	stranger(4);
	turn_at(now);
	assert_int_equal(told[ENGINE_UNSOLICITED], 1);
}

static struct app_guest guest(const char *interface, unsigned n)
{
	struct app_guest g = {.peer = address(1, n), .local = address(2, n)};

	strcpy(g.interface, interface);
	return g;
}

static void guests_are_found_and_gone(void **state)
{
	struct app_guests guests = {0};
	struct app_guest g;

	for (unsigned i = 0; i < CONFIG_UNSOLICITED_MOST; i++) {
		g = guest(i % 2 ? "eth1" : "eth0", i * 7919 % 65536);
		assert_null(app_guests_find(&guests, g.interface, &g.peer));
		assert_non_null(app_guests_add(&guests, &g));
	}
	g = guest("eth2", 1);
	assert_null(app_guests_add(&guests, &g));
	for (unsigned i = 0; i < CONFIG_UNSOLICITED_MOST; i++) {
		struct app_guest *found;

		g = guest(i % 2 ? "eth1" : "eth0", i * 7919 % 65536);
		found = app_guests_find(&guests, g.interface, &g.peer);
		assert_memory_equal(found, &g, sizeof(g));
		if (i % 3)
			app_guests_drop(&guests, found);
	}
	assert_int_equal(guests.n, (CONFIG_UNSOLICITED_MOST + 2) / 3);
	g = guest("eth1", 7919);
	assert_null(app_guests_find(&guests, "eth1", &g.peer));
	app_guests_clear(&guests);
	assert_int_equal(guests.n, 0);
}

static void guests_outlive_us(void **state)
{
	static const char *const bad[] = {"",
					  "10.0.0.1",
					  "10.0.0.1 10.0.0.2",
					  "10.0.0.1 fe80::1 eth0",
					  "x y z",
					  "10.0.0.1 10.0.0.2 a/b"};
	struct app_guest g = guest("eth1", 7), again;
	char line[200];

	app_guest_format(&g, line, sizeof(line));
	assert_string_equal(line, "10.1.0.7 10.2.0.7 eth1");
	assert_true(app_guest_parse(&again, line));
	assert_memory_equal(&again, &g, sizeof(g));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(app_guest_parse(&again, bad[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stranger_is_asked_for_once),
		TEST(what_begins_no_session),
		TEST(in_a_vrf_and_outside),
		TEST(who_has_a_session_begins_none),
		TEST(a_flood_is_asked_for_at_a_bounded_rate),
		TEST(of_a_full_entry_all_are_dropped),
		cmocka_unit_test(guests_are_found_and_gone),
		cmocka_unit_test(guests_outlive_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
