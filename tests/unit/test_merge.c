/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file and FRR's sessions made one; and the texts that name an endpoint or a peer by address. Runs from
 * the top folder of the sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/endpoint.h"

/* libconfig leaves a string behind when it finds a syntax error. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static void ignore(void *context, const char *file, unsigned line, bool warning, const char *message)
{
	if (!warning)
		fail_msg("%s:%u: %s", file, line, message);
}

static struct config *load(void)
{
	struct config *config = config_load("tests/config/good/frr.conf", ignore, NULL);

	assert_non_null(config);
	return config;
}

static struct config_session session(uint32_t lid, const char *address, const char *interface)
{
	struct config_session s = {.source = CONFIG_FRR,
				   .lid = lid,
				   .session = {50000, 60000, 4, 255, false, false,
					       .demand_poll_interval = 1000000, .dscp = SESSION_DSCP,
					       .echo_tx = 50000}};

	assert_true(addr_parse(&s.address, address));
	strcpy(s.interface, interface);
	return s;
}

static struct config_session multihop(uint32_t lid, const char *address, const char *local)
{
	struct config_session s = session(lid, address, "");

	assert_true(addr_parse(&s.local_address, local));
	s.type = SESSION_MULTIHOP;
	s.session.min_ttl = 250;
	return s;
}

static const struct config_peer *by_lid(const struct config *config, uint32_t lid)
{
	const struct config_peer *found = NULL;

	for (unsigned i = 0; i < config->npeers; i++)
		if (config->peers[i].frr_lid == lid) {
			assert_null(found);
			found = &config->peers[i];
		}
	if (!found)
		fail_msg("no peer is session %u", lid);
	return found;
}

static void assert_name(const struct config *config, uint32_t lid, const char *name)
{
	assert_string_equal(by_lid(config, lid)->name, name);
}

/* Frees FILE. */
static struct config *merge(struct config *file, const struct config_session *sessions, unsigned n)
{
	struct config *config = config_merge(file, sessions, n);

	assert_non_null(config);
	config_free(file);
	for (unsigned i = 0; i < config->npeers; i++)
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(config->peers[i].name, config->peers[j].name);
	return config;
}

static void sites_name_peers_that_frr_will_bring(void **state)
{
	static const char *const names[] = {"ams-1",	    "192.0.2.5",    "2001:db8::1",
					    "fe80::1%eth1", "fe80::1%eth2", "192.0.2.9"};
	struct config *config = load();

	assert_true(config->frr.wanted);
	assert_string_equal(config->frr.dataplane.path, "/run/frr/bfdd.dplane");
	assert_int_equal(config->frr.keep_sessions, 1500 * USEC_MS);
	assert_int_equal(config->npeers, 2 + 6);
	for (unsigned i = 0; i < 5; i++)
		assert_string_equal(config->peers[config->sites[0].peers[i]].name, names[i]);
	for (unsigned i = 0; i < config->npeers; i++) {
		assert_int_equal(config->peers[i].awaited, i >= 2);
		assert_int_equal(config->peers[i].source, i >= 2 ? CONFIG_FRR : CONFIG_FILE);
		assert_int_equal(config->peers[i].frr_lid, 0);
	}
	assert_string_equal(config->peers[config->sites[0].peers[3]].interface, "eth1");
	assert_int_equal(config->peers[3].session.min_ttl, 255);
	assert_int_equal(config->peers[3].session.desired_min_tx, 300000);
	config_free(config);
}

static void nothing_of_frr_changes_nothing(void **state)
{
	struct config *file = load(), *whole = config_merge(file, NULL, 0);

	assert_int_equal(whole->npeers, file->npeers);
	assert_ptr_equal(whole->base, file);
	assert_false(config_policy_differs(file, whole));
	config_free(file);
	config_free(whole);
}

static void a_session_fills_the_place_that_waits_for_it(void **state)
{
	const struct config_session sessions[] = {session(5, "192.0.2.5", "eth7"),
						  session(6, "fe80::1", "eth2"),
						  session(7, "203.0.113.77", "eth3")};
	struct config *whole = merge(load(), sessions, 3);
	const struct config_peer *peer = by_lid(whole, 5);

	assert_int_equal(whole->npeers, 9);
	assert_ptr_equal(peer, &whole->peers[whole->sites[0].peers[1]]);
	assert_false(peer->awaited);
	assert_string_equal(peer->interface, "eth7");
	assert_int_equal(peer->session.desired_min_tx, 50000);
	assert_int_equal(peer->session.required_min_rx, 60000);
	assert_int_equal(peer->session.detect_mult, 4);
	assert_ptr_equal(by_lid(whole, 6), &whole->peers[whole->sites[0].peers[4]]);
	assert_true(whole->peers[whole->sites[0].peers[3]].awaited);
	assert_ptr_equal(by_lid(whole, 7), &whole->peers[8]);
	assert_name(whole, 7, "203.0.113.77");
	assert_int_equal(by_lid(whole, 7)->source, CONFIG_FRR);
	config_free(whole);
}

static void a_multihop_session_is_not_the_neighbour_that_is_awaited(void **state)
{
	const struct config_session far = multihop(8, "192.0.2.5", "192.0.2.77");
	struct config *whole = merge(load(), &far, 1);

	assert_true(whole->peers[whole->sites[0].peers[1]].awaited);
	assert_name(whole, 8, "192.0.2.5-multihop");
	config_free(whole);
}

static void a_peer_of_both_keeps_its_place_and_gets_frrs_timers(void **state)
{
	struct config_session near = session(3, "192.0.2.1", "eth1"),
			      far = multihop(4, "198.51.100.9", "198.51.100.1");
	struct config_session sessions[] = {near, far};
	const struct config_peer *peer;
	struct config *file = load(), *whole;

	sessions[0].session.echo = true;
	sessions[0].session.echo_tx = 70000;
	sessions[0].session.echo_rx = 80000;
	whole = config_merge(file, sessions, 2);
	peer = by_lid(whole, 3);

	assert_string_equal(peer->name, "ams-1");
	assert_int_equal(peer->source, CONFIG_FILE);
	assert_string_equal(peer->interface, "");
	assert_int_equal(peer->session.detect_mult, 4);
	assert_true(peer->session.shutdown); /* either may */
	assert_true(peer->session.echo);
	assert_int_equal(peer->session.echo_tx, 70000);
	assert_int_equal(peer->session.echo_rx, 80000);
	assert_name(whole, 4, "core");
	assert_int_equal(by_lid(whole, 4)->session.min_ttl, 250);
	/* So it is one change of timers, and none of the policy. */
	assert_false(config_policy_differs(file, whole));
	config_free(whole);
	config_free(file);
}

static void another_interface_or_local_address_is_another_peer(void **state)
{
	struct config_session sessions[] = {multihop(1, "198.51.100.9", "198.51.100.2"),
					    multihop(2, "198.51.100.9", "198.51.100.1"),
					    session(3, "192.0.2.1", "eth1"), session(4, "192.0.2.1", "eth2")};
	struct config *whole = merge(load(), sessions, 4);

	assert_name(whole, 2, "core");
	assert_name(whole, 1, "198.51.100.9");
	assert_name(whole, 3, "ams-1");
	assert_name(whole, 4, "192.0.2.1");
	config_free(whole);
}

static void assert_names(const struct config *whole)
{
	assert_name(whole, 1, "10.0.0.1%eth1");
	assert_name(whole, 2, "10.0.0.1%eth2");
	assert_name(whole, 3, "10.0.0.1-multihop#1");
	assert_name(whole, 4, "10.0.0.1-multihop#2");
	assert_name(whole, 5, "fe80::9%eth1");
	assert_name(whole, 6, "10.0.0.2");
}

static void names_are_unique_and_do_not_hang_on_who_came_first(void **state)
{
	struct config_session sessions[] = {session(1, "10.0.0.1", "eth1"),
					    session(2, "10.0.0.1", "eth2"),
					    multihop(3, "10.0.0.1", "10.9.0.1"),
					    multihop(4, "10.0.0.1", "10.9.0.2"),
					    session(5, "fe80::9", "eth1"),
					    session(6, "10.0.0.2", "eth1")},
			      turned[6];
	struct config *whole = merge(load(), sessions, 6);

	assert_names(whole);
	config_free(whole);
	for (unsigned i = 0; i < 6; i++)
		turned[i] = sessions[5 - i];
	whole = merge(load(), turned, 6);
	assert_names(whole);
	config_free(whole);
}

struct change_count {
	unsigned n[CONFIG_MOVED + 1];
};

static void count(void *context, enum config_change change, const struct config_peer *old,
		  const struct config_peer *new)
{
	((struct change_count *)context)->n[change]++;
}

static void coming_and_going_moves_nobody_else(void **state)
{
	struct config_session sessions[] = {session(1, "192.0.2.5", "eth1"), session(2, "10.0.0.2", "eth1"),
					    session(3, "192.0.2.1", "eth1")};
	struct config *file = load(), *before = config_merge(file, sessions, 2), *after;
	struct change_count first = {0}, second = {0};

	config_diff(file, before, count, &first);
	assert_int_equal(first.n[CONFIG_ADDED], 1);
	assert_int_equal(first.n[CONFIG_MOVED], 1); /* from waiting to its place */
	assert_int_equal(first.n[CONFIG_SAME], 7);
	assert_true(config_policy_differs(file, before));
	after = config_merge(file, sessions + 1, 2);
	config_diff(before, after, count, &second);
	assert_int_equal(second.n[CONFIG_MOVED], 1);
	assert_int_equal(second.n[CONFIG_TIMERS], 1);
	assert_int_equal(second.n[CONFIG_SAME], 7);
	config_free(before);
	config_free(after);
	config_free(file);
}

static void a_session_goes_on_when_the_file_gives_it_a_name(void **state)
{
	struct config_session s = session(9, "192.0.2.1", "eth1");
	struct config *with = load(), *without = calloc(1, sizeof(*without)), *named, *plain;
	struct change_count there = {0}, back = {0};

	assert_true(addr_parse(&s.local_address, "192.0.2.0"));
	with->npeers = 1; /* ams-1 */
	with->peers[0].session.shutdown = false;
	named = config_merge(with, &s, 1);
	plain = config_merge(without, &s, 1);
	assert_name(named, 9, "ams-1");
	assert_name(plain, 9, "192.0.2.1");
	config_diff(plain, named, count, &there);
	config_diff(named, plain, count, &back);
	assert_int_equal(there.n[CONFIG_SAME], 1);
	assert_int_equal(back.n[CONFIG_SAME], 1);
	assert_int_equal(there.n[CONFIG_ADDED] + there.n[CONFIG_REMOVED] + there.n[CONFIG_MOVED], 0);
	config_free(named);
	config_free(plain);
	config_free(with);
	config_free(without);
}

static void a_thousand_are_no_matter(void **state)
{
	struct config_session *sessions = calloc(1000, sizeof(*sessions));
	char address[ADDR_TEXT];
	struct config *whole;

	for (unsigned i = 0; i < 1000; i++) {
		snprintf(address, sizeof(address), "10.1.%u.%u", i / 250, i % 250 + 1);
		sessions[i] = session(i + 1, address, "eth1");
	}
	whole = merge(load(), sessions, 1000);
	assert_int_equal(whole->npeers, 1008);
	assert_name(whole, 1000, "10.1.3.250");
	config_free(whole);
	free(sessions);
}

static void assert_endpoint(const char *text, bool listen, const char *address, uint16_t port,
			    const char *path)
{
	struct config_endpoint endpoint;
	char buf[ADDR_TEXT];

	assert_null(endpoint_parse(&endpoint, text));
	assert_int_equal(endpoint.listen, listen);
	assert_string_equal(addr_format(&endpoint.addr, buf), address);
	assert_int_equal(endpoint.port, port);
	assert_string_equal(endpoint.path, path);
}

static void an_endpoint_has_frrs_words(void **state)
{
	static const char *const bad[] = {"",
					  "unix:",
					  "unix:x",
					  "/run/x",
					  "unixd:/run/x",
					  "ipv4",
					  "ipv4:",
					  "ipv4:::1",
					  "ipv4:127.0.0.1:",
					  "ipv4:127.0.0.1:0",
					  "ipv4:127.0.0.1:70000",
					  "ipv4:127.0.0.1:1x",
					  "ipv6:::1",
					  "ipv6:[::1",
					  "ipv6:[::1]1",
					  "ipv6:[127.0.0.1]:1",
					  "ipv4:0.0.0.0:1",
					  "ipv4:127.0.0.1:000001",
					  "ipv6:[::]:5"};
	char text[200] = "unix:/";
	struct config_endpoint endpoint;

	assert_endpoint("unix:/run/frr/x", false, "", 0, "/run/frr/x");
	assert_endpoint("unixc:/x", true, "", 0, "/x");
	assert_endpoint("ipv4:127.0.0.1:1", false, "127.0.0.1", 1, "");
	assert_endpoint("ipv4:127.0.0.1", false, "127.0.0.1", 50700, "");
	assert_endpoint("ipv4c:0.0.0.0:65535", true, "0.0.0.0", 65535, "");
	assert_endpoint("ipv6:[::1]:50700", false, "::1", 50700, "");
	assert_endpoint("ipv6c:[2001:db8::1]", true, "2001:db8::1", 50700, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!endpoint_parse(&endpoint, bad[i]))
			fail_msg("taken: %s", bad[i]);
	memset(text + 6, 'x', 106);
	assert_null(endpoint_parse(&endpoint, text));
	text[112] = 'x';
	assert_non_null(endpoint_parse(&endpoint, text));
}

static void a_peer_by_address(void **state)
{
	char interface[IFNAMSIZ], name[CONFIG_NAME];
	struct addr addr;

	assert_true(endpoint_parse_peer("fe80::A%eth0.5", &addr, interface));
	assert_string_equal(interface, "eth0.5");
	assert_string_equal(endpoint_peer_name(&addr, interface, name), "fe80::a%eth0.5");
	assert_true(endpoint_parse_peer("192.0.2.1", &addr, interface));
	assert_string_equal(endpoint_peer_name(&addr, interface, name), "192.0.2.1");
	assert_false(endpoint_parse_peer("ams-1", &addr, interface));
	assert_false(endpoint_parse_peer("fe80::1%", &addr, interface));
	assert_false(endpoint_parse_peer("fe80::1%a/b", &addr, interface));
	assert_false(endpoint_parse_peer("fe80::1%xxxxxxxxxxxxxxxx", &addr, interface));
	assert_false(endpoint_parse_peer("", &addr, interface));
	assert_false(
		endpoint_parse_peer("11111111111111111111111111111111111111111111111111", &addr, interface));
}

static struct config_session unsolicited(const char *address, const char *interface)
{
	struct config_session s = session(0, address, interface);

	s.source = CONFIG_UNSOLICITED;
	return s;
}

static struct config_session member(const char *of, const char *address, const char *interface)
{
	struct config_session s = session(0, address, interface);

	s.source = CONFIG_MEMBER;
	s.type = SESSION_MICRO;
	s.of = of;
	return s;
}

static const struct config_peer *by_name(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->npeers; i++)
		if (!strcmp(config->peers[i].name, name))
			return &config->peers[i];
	fail_msg("no peer is called %s", name);
	return NULL;
}

/* Members are many to one address, and none of them is another peer. */
static void test_members(void **state)
{
	struct config_session sessions[] = {member("bond-to-ams", "198.51.100.7", "eth1"),
					    member("bond-to-ams", "198.51.100.7", "eth2")};
	struct config *whole = merge(load(), sessions, 2);
	const struct config_peer *first = by_name(whole, "bond-to-ams%eth1"),
				 *second = by_name(whole, "bond-to-ams%eth2");

	assert_int_equal(first->source, CONFIG_MEMBER);
	assert_int_equal(first->type, SESSION_MICRO);
	assert_string_equal(second->interface, "eth2");
	assert_int_equal(first->frr_lid, 0);
	config_free(whole);
}

/* The longest names: what tells them apart is not what is cut. */
static void test_member_long_names(void **state)
{
	static const char of[] = "a-name-of-sixty-three-letters-is-what-fits-and-not-one-more-abc";
	struct config_session sessions[] = {member(of, "198.51.100.7", "interface-abcd0"),
					    member(of, "198.51.100.7", "interface-abcd1")};
	struct config *whole;

	assert_int_equal(sizeof(of), CONFIG_NAME);
	whole = merge(load(), sessions, 2);
	assert_string_equal(strrchr(whole->peers[whole->npeers - 2].name, '%'), "%interface-abcd0");
	assert_string_equal(strrchr(whole->peers[whole->npeers - 1].name, '%'), "%interface-abcd1");
	config_free(whole);
}

/* Whoever speaks unasked gets a place of his own, unless somebody has it. */
static void test_unsolicited(void **state)
{
	struct config_session sessions[] = {
		session(7, "198.51.100.7", "eth1"), unsolicited("198.51.100.7", "eth1"),
		unsolicited("198.51.100.8", "eth1"),
		unsolicited("2001:db8:ffff:ffff:ffff:ffff:ffff:1234", "interface-abcd0")};
	struct config *whole;

	sessions[2].profile = "x";
	whole = merge(load(), sessions, 4);
	assert_int_equal(by_lid(whole, 7)->source, CONFIG_FRR);
	assert_int_equal(by_name(whole, "unsolicited-198.51.100.8%eth1")->source, CONFIG_UNSOLICITED);
	assert_string_equal(by_name(whole, "unsolicited-198.51.100.8%eth1")->profile, "x");
	for (unsigned i = 0; i < whole->npeers; i++)
		assert_string_not_equal(whole->peers[i].name, "unsolicited-198.51.100.7%eth1");
	assert_string_equal(whole->peers[whole->npeers - 1].interface, "interface-abcd0");
	assert_true(strlen(whole->peers[whole->npeers - 1].name) < CONFIG_NAME);
	config_free(whole);
}

static void test_source_names(void **state)
{
	assert_string_equal(config_source_name(CONFIG_FILE), "config");
	assert_string_equal(config_source_name(CONFIG_FRR), "frr");
	assert_string_equal(config_source_name(CONFIG_MEMBER), "member");
	assert_string_equal(config_source_name(CONFIG_UNSOLICITED), "unsolicited");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_member_long_names),
		cmocka_unit_test(test_unsolicited),
		cmocka_unit_test(test_source_names),
		cmocka_unit_test(sites_name_peers_that_frr_will_bring),
		cmocka_unit_test(nothing_of_frr_changes_nothing),
		cmocka_unit_test(a_session_fills_the_place_that_waits_for_it),
		cmocka_unit_test(a_multihop_session_is_not_the_neighbour_that_is_awaited),
		cmocka_unit_test(a_peer_of_both_keeps_its_place_and_gets_frrs_timers),
		cmocka_unit_test(another_interface_or_local_address_is_another_peer),
		cmocka_unit_test(names_are_unique_and_do_not_hang_on_who_came_first),
		cmocka_unit_test(coming_and_going_moves_nobody_else),
		cmocka_unit_test(a_session_goes_on_when_the_file_gives_it_a_name),
		cmocka_unit_test(a_thousand_are_no_matter),
		cmocka_unit_test(an_endpoint_has_frrs_words),
		cmocka_unit_test(a_peer_by_address),
	};
	const char *source = getenv("BFDD_SOURCE");

	if (source && chdir(source))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
