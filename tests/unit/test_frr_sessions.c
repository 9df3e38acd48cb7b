/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FRR's sessions as the application keeps them: what is refused, what is made fit, and what outlives the
 * process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_frr.h"
#include "app_private.h"

static struct frr_session message(uint32_t lid, const char *peer, const char *interface)
{
	struct frr_session m = {.lid = lid,
				.min_tx = 50000,
				.min_rx = 60000,
				.min_echo_tx = 70000,
				.min_echo_rx = 80000,
				.ttl = 255,
				.detect_mult = 4};

	assert_true(addr_parse(&m.peer, peer));
	m.local.family = m.peer.family;
	snprintf(m.interface, sizeof(m.interface), "%s", interface);
	return m;
}

static struct config_session convert(const struct frr_session *m)
{
	struct config_session session;

	assert_null(app_frr_convert(m, &session));
	return session;
}

static void assert_refused(const struct frr_session *m)
{
	struct config_session session;

	assert_non_null(app_frr_convert(m, &session));
}

static void a_session_is_converted(void **state)
{
	struct frr_session m = message(7, "192.0.2.1", "eth1");
	struct config_session session;

	m.flags = FRR_SESSION_PASSIVE | FRR_SESSION_SHUTDOWN | FRR_SESSION_ECHO | FRR_SESSION_CBIT;
	m.ttl = 3; /* means nothing here */
	session = convert(&m);
	assert_int_equal(session.lid, 7);
	assert_int_equal(session.local_address.family, AF_UNSPEC);
	assert_string_equal(session.interface, "eth1");
	assert_int_equal(session.type, SESSION_SINGLE_HOP);
	assert_int_equal(session.session.desired_min_tx, 50000);
	assert_int_equal(session.session.required_min_rx, 60000);
	assert_int_equal(session.session.detect_mult, 4);
	assert_int_equal(session.session.min_ttl, 255);
	assert_true(session.session.passive);
	assert_true(session.session.shutdown);
	assert_true(session.session.control_plane_independent);
	assert_true(session.session.echo);
	assert_int_equal(session.session.echo_tx, 70000);
	assert_int_equal(session.session.echo_rx, 80000);
	assert_false(session.session.demand_mode);
	assert_int_equal(session.session.dscp, SESSION_DSCP);
	m.flags = FRR_SESSION_DEMAND; /* echo: FRR's defaults are there in any case */
	session = convert(&m);
	assert_true(session.session.demand_mode);
	assert_int_equal(session.session.demand_poll_interval, 1000000);
	assert_false(session.session.echo);
	assert_int_equal(session.session.echo_rx, 0);
	assert_false(session.session.control_plane_independent);
}

static void a_multihop_session_has_its_ttl(void **state)
{
	struct frr_session m = message(7, "2001:db8::1", "");

	m.flags = FRR_SESSION_MULTIHOP | FRR_SESSION_IPV6 | FRR_SESSION_ECHO;
	m.ttl = 250;
	assert_refused(&m); /* whom would it know us by? */
	assert_true(addr_parse(&m.local, "2001:db8:1::1"));
	assert_int_equal(convert(&m).session.min_ttl, 250);
	assert_int_equal(convert(&m).type, SESSION_MULTIHOP);
	assert_false(convert(&m).session.echo); /* of one link only (RFC 5883 4.3) */
	assert_int_equal(convert(&m).session.echo_rx, 0);
}

static void values_are_kept_within_bounds(void **state)
{
	struct frr_session m = message(7, "192.0.2.1", "");
	struct config_session session;

	m.min_tx = 0;
	m.min_rx = UINT32_MAX;
	m.detect_mult = 0;
	session = convert(&m);
	assert_int_equal(session.session.desired_min_tx, 3000);
	assert_int_equal(session.session.required_min_rx, 60000000);
	assert_int_equal(session.session.detect_mult, 1);
	m.flags = FRR_SESSION_ECHO;
	m.min_echo_tx = 0;
	m.min_echo_rx = UINT32_MAX;
	session = convert(&m);
	assert_int_equal(session.session.echo_tx, 3000);
	assert_int_equal(session.session.echo_rx, 60000000);
	m.min_echo_rx = 0; /* disabled */
	assert_int_equal(convert(&m).session.echo_rx, 0);
}

static void what_cannot_be_is_refused(void **state)
{
	static const char *const addresses[] = {
		"0.0.0.0", "224.0.0.5", "255.255.255.255", "::", "ff02::1", "fe80::1", "::ffff:192.0.2.1"};
	static const char *const interfaces[] = {".", "..", "a/b", "a b", "a:b", "a\x1b[2J", "a\n", "a\x7f"};
	struct frr_session m;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		m = message(7, addresses[i], "");
		assert_refused(&m);
	}
	for (size_t i = 0; i < sizeof(interfaces) / sizeof(*interfaces); i++) {
		m = message(7, "192.0.2.1", interfaces[i]);
		assert_refused(&m);
	}
	m = message(0, "192.0.2.1", "");
	assert_refused(&m);
	m = message(7, "192.0.2.1", "");
	m.local = m.peer;
	assert_refused(&m);
	m = message(7, "fe80::1", "eth1");
	convert(&m);
	m.flags = FRR_SESSION_MULTIHOP;
	assert_refused(&m);
}

static struct app_frr_session *add(struct app_frr_table *table, uint32_t lid, const char *peer,
				   const char *interface)
{
	struct frr_session m = message(lid, peer, interface);
	struct config_session session = convert(&m);

	return app_frr_add(table, &session);
}

static void sessions_are_found_by_number(void **state)
{
	static const uint32_t lids[] = {5, 1, 4000000000, 3, 77};
	struct app_frr_table table = {0};
	char address[ADDR_TEXT];

	for (unsigned i = 0; i < 5; i++) {
		snprintf(address, sizeof(address), "192.0.2.%u", i + 1);
		assert_false(add(&table, lids[i], address, "eth1")->known);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(app_frr_find(&table, lids[i])->config.address.bytes[3], i + 1);
	assert_null(app_frr_find(&table, 2));
	app_frr_drop(&table, app_frr_find(&table, 3));
	assert_null(app_frr_find(&table, 3));
	assert_int_equal(table.n, 4);
	assert_int_equal(table.sessions[3]->config.lid, 4000000000);
	app_frr_clear(&table);
	assert_int_equal(table.n, 0);
}

static void the_same_place_under_another_number_is_the_same_session(void **state)
{
	struct app_frr_table table = {0};
	struct app_frr_session *session = add(&table, 5, "192.0.2.1", "eth1");

	add(&table, 6, "192.0.2.1", "eth2");
	assert_ptr_equal(add(&table, 9, "192.0.2.1", "eth1"), session);
	assert_true(session->known);
	assert_int_equal(table.n, 2);
	assert_null(app_frr_find(&table, 5));
	assert_ptr_equal(app_frr_find(&table, 9), session);
	app_frr_clear(&table);
}

/* VRFs are what would tell them apart, and FRR does not say these. */
static void the_same_place_twice_on_a_connection_is_refused(void **state)
{
	struct app_frr_table table = {0};
	struct frr_session m = message(9, "192.0.2.1", "");
	struct config_session twin = convert(&m), elsewhere;

	assert_false(app_frr_clashes(&table, &twin, 3));
	add(&table, 5, "192.0.2.1", "")->connection = 3;
	assert_true(app_frr_clashes(&table, &twin, 3));
	assert_false(app_frr_clashes(&table, &twin, 4)); /* FRR has come again */
	app_frr_find(&table, 5)->connection = -1;
	assert_false(app_frr_clashes(&table, &twin, 3));
	app_frr_find(&table, 5)->connection = 3;
	m = message(9, "192.0.2.1", "eth1");
	elsewhere = convert(&m);
	assert_false(app_frr_clashes(&table, &elsewhere, 3));
	app_frr_clear(&table);
}

static void there_is_an_end_to_them(void **state)
{
	struct app_frr_table table = {0};
	char address[ADDR_TEXT];

	for (unsigned i = 0; i <= APP_FRR_SESSIONS; i++) {
		struct app_frr_session *session;

		snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		session = add(&table, i + 1, address, "");
		assert_int_equal(!session, i == APP_FRR_SESSIONS);
	}
	app_frr_clear(&table);
}

static void sessions_outlive_the_process(void **state)
{
	char directory[] = "/tmp/test_frr_sessions.XXXXXX", path[128];
	struct app app = {.options.state_dir = mkdtemp(directory)};
	struct app_frr_table table = {0}, again = {0};
	FILE *file;

	assert_non_null(app.options.state_dir);
	add(&table, 5, "192.0.2.1", "eth1");
	add(&table, 6, "fe80::1", "eth2")->config.session.shutdown = true;
	table.sessions[0]->config.session.passive = true;
	table.sessions[0]->config.session.control_plane_independent = true;
	table.sessions[1]->config.session.demand_mode = true;
	table.sessions[1]->config.session.echo = true;
	table.sessions[1]->config.session.echo_tx = 20000;
	table.sessions[1]->config.session.echo_rx = 30000;
	addr_parse(&table.sessions[0]->config.local_address, "192.0.2.0");
	app_frr_save(&app, &table);
	app_frr_recall(&app, &again);
	assert_int_equal(again.n, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(app_frr_same(&again.sessions[i]->config, &table.sessions[i]->config));
		assert_int_equal(again.sessions[i]->connection, -1);
	}
	app_frr_clear(&again);
	snprintf(path, sizeof(path), "%s/frr-sessions", directory);
	file = fopen(path, "w");
	fprintf(file,
		"\n7\n1 x y z\n9 192.0.2.9 - - 0 300000 300000 3 255 0 0\n%01000d\n8 224.0.0.1 - - 0 1 1 3 "
		"255 0 0\n",
		0);
	fclose(file);
	app_frr_recall(&app, &again);
	assert_int_equal(again.n, 1);
	assert_int_equal(again.sessions[0]->config.lid, 9);
	app_frr_clear(&again);
	app_frr_clear(&table);
	unlink(path);
	assert_int_equal(rmdir(directory), 0);
	app_frr_recall(&app, &again);
	assert_int_equal(again.n, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_converted),
		cmocka_unit_test(a_multihop_session_has_its_ttl),
		cmocka_unit_test(values_are_kept_within_bounds),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(sessions_are_found_by_number),
		cmocka_unit_test(the_same_place_under_another_number_is_the_same_session),
		cmocka_unit_test(the_same_place_twice_on_a_connection_is_refused),
		cmocka_unit_test(there_is_an_end_to_them),
		cmocka_unit_test(sessions_outlive_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
