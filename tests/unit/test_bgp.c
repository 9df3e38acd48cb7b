/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What BGP's state means beside BFD's, and FRR's answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "routing/bgp.h"
#include "routing/bgp_frr.h"

static const struct bgp_view up = {.established = true, .prefixes = 5, .text = "established"};
static const struct bgp_view down = {.text = "active"};

static void test_nobody_answers(void **state)
{
	struct bgp_session session = {0};
	struct bgp_daemons daemons = {0};

	assert_null(bgp_view(&session, NULL));
	assert_false(bgp_is_down(&session, &daemons, USEC_S));
	assert_false(bgp_watch(&session, true, false, USEC_S));
	assert_false(bgp_watch(&session, false, false, 100 * USEC_S));
}

static void test_down_is_known_at_once(void **state)
{
	struct bgp_session session = {0};
	struct bgp_daemons daemons = {0};

	bgp_answers(&daemons, BGP_BIRD, USEC_S);
	bgp_hear(&session, BGP_BIRD, &down);
	assert_true(bgp_is_down(&session, &daemons, USEC_S));
	bgp_hear(&session, BGP_BIRD, &up);
	assert_false(bgp_is_down(&session, &daemons, USEC_S));
	bgp_hear(&session, BGP_BIRD, &down);
	assert_true(bgp_is_down(&session, &daemons, USEC_S));
	bgp_forget(&session, BGP_BIRD);
	assert_false(bgp_is_down(&session, &daemons, USEC_S));
}

/* A restarted daemon has all its sessions on their way up. */
static void test_daemon_was_away(void **state)
{
	struct bgp_session session = {0};
	struct bgp_daemons daemons = {0};

	bgp_answers(&daemons, BGP_BIRD, USEC_S);
	bgp_hear(&session, BGP_BIRD, &up);
	bgp_silent(&daemons, BGP_BIRD);
	bgp_forget(&session, BGP_BIRD);
	bgp_answers(&daemons, BGP_BIRD, 10 * USEC_S);
	bgp_answers(&daemons, BGP_BIRD, 20 * USEC_S); /* goes on */
	bgp_hear(&session, BGP_BIRD, &down);
	assert_false(bgp_is_down(&session, &daemons, 10 * USEC_S));
	assert_false(bgp_is_down(&session, &daemons, 10 * USEC_S + BGP_SETTLE - 1));
	assert_true(bgp_is_down(&session, &daemons, 10 * USEC_S + BGP_SETTLE));
	/* But what has been up since it is back, and is not any more, is down. */
	bgp_hear(&session, BGP_BIRD, &up);
	bgp_hear(&session, BGP_BIRD, &down);
	assert_true(bgp_is_down(&session, &daemons, 11 * USEC_S));
}

static void test_two_daemons(void **state)
{
	struct bgp_session session = {0};
	struct bgp_daemons daemons = {0};
	enum bgp_daemon daemon;

	bgp_answers(&daemons, BGP_BIRD, USEC_S);
	bgp_answers(&daemons, BGP_FRR, USEC_S);
	bgp_hear(&session, BGP_BIRD, &down);
	assert_ptr_equal(bgp_view(&session, &daemon), &session.views[BGP_BIRD]);
	assert_int_equal(daemon, BGP_BIRD);
	bgp_hear(&session, BGP_FRR, &up);
	assert_ptr_equal(bgp_view(&session, &daemon), &session.views[BGP_FRR]);
	assert_int_equal(daemon, BGP_FRR);
	assert_false(bgp_is_down(&session, &daemons, USEC_S));
}

/* Told once, after having lasted; and the end of it. */
static void test_odd(void **state)
{
	struct bgp_session session = {0};
	usec_t t = USEC_S;

	bgp_hear(&session, BGP_BIRD, &up);
	assert_false(bgp_watch(&session, false, false, t));
	assert_false(bgp_watch(&session, false, false, t + BGP_ODD_AFTER - 1));
	assert_true(bgp_watch(&session, false, false, t + BGP_ODD_AFTER));
	assert_int_equal(session.odd, BGP_WITHOUT_BFD);
	assert_false(bgp_watch(&session, false, false, t + 100 * USEC_S));
	assert_true(bgp_watch(&session, true, false, t + 101 * USEC_S));
	assert_int_equal(session.odd, BGP_FITS);
	assert_false(bgp_watch(&session, true, false, t + 200 * USEC_S));
	/* What does not last is not told, nor its end. */
	bgp_hear(&session, BGP_BIRD, &down);
	assert_false(bgp_watch(&session, true, false, t + 201 * USEC_S));
	assert_int_equal(session.odd, BGP_MISSING);
	bgp_hear(&session, BGP_BIRD, &up);
	assert_false(bgp_watch(&session, true, false, t + 202 * USEC_S));
	/* Both down: nothing odd. */
	bgp_hear(&session, BGP_BIRD, &down);
	assert_false(bgp_watch(&session, false, false, t + 300 * USEC_S));
	assert_false(bgp_watch(&session, false, false, t + 400 * USEC_S));
	assert_int_equal(session.odd, BGP_FITS);
}

static void test_graceful_restart(void **state)
{
	struct bgp_view restarts = up;
	struct bgp_session session = {0};

	restarts.neighbour_restarts = true;
	bgp_hear(&session, BGP_BIRD, &restarts);
	assert_false(bgp_watch(&session, true, true, USEC_S));
	assert_int_equal(session.odd, BGP_FITS);
	assert_false(bgp_watch(&session, true, false, 2 * USEC_S));
	assert_true(bgp_watch(&session, true, false, 2 * USEC_S + BGP_ODD_AFTER));
	assert_int_equal(session.odd, BGP_SHARES_FATE);
	assert_true(strstr(bgp_odd_text(session.odd), "C bit") != NULL);
}

static void test_word(void **state)
{
	char buf[BGP_TEXT];

	bgp_word("OpenSent", buf);
	assert_string_equal(buf, "opensent");
	bgp_word("Idle (Admin)\x1b[1m\n", buf);
	assert_string_equal(buf, "idleadmin1m");
	bgp_word("Averyveryverylongword", buf);
	assert_int_equal(strlen(buf), BGP_TEXT - 1);
}

/* From FRR 8.4.4, shortened. */
static const char frr[] =
	"{\"192.0.2.1\":{\"remoteAs\":65001,\"bgpState\":\"Established\",\"connectionsEstablished\":2,"
	"\"gracefulRestartInfo\":{\"localGrMode\":\"Helper*\",\"remoteGrMode\":\"Restart\"},"
	"\"addressFamilyInfo\":{\"ipv4Unicast\":{\"acceptedPrefixCounter\":10},"
	"\"ipv6Unicast\":{\"acceptedPrefixCounter\":-1},\"l2VpnEvpn\":{}}},"
	"\"2001:db8::1\":{\"bgpState\":\"Active\",\"connectionsEstablished\":0,"
	"\"gracefulRestartInfo\":{\"remoteGrMode\":\"NotApplicable\"}},"
	"\"eth1\":{\"bgpNeighborAddr\":\"fe80::1\",\"bgpState\":\"OpenConfirm\",\"connectionsEstablished\":1}"
	","
	"\"eth2\":{\"bgpNeighborAddr\":\"none\",\"bgpState\":\"Idle\"},\"eth3\":{\"bgpState\":\"Idle\"},"
	"\"192.0.2.9\":{\"bgpState\":7},\"192.0.2.8\":[],\"totalPeers\":3}";

static struct {
	struct addr addr;
	char interface[32];
	struct bgp_view view;
} heard[8];
static unsigned nheard;

static void hear(void *context, const struct addr *neighbour, const char *interface,
		 const struct bgp_view *view)
{
	assert_true(nheard < 8);
	heard[nheard].addr = *neighbour;
	snprintf(heard[nheard].interface, sizeof(heard[nheard].interface), "%s", interface);
	heard[nheard++].view = *view;
}

static void test_frr(void **state)
{
	char text[ADDR_TEXT];

	nheard = 0;
	assert_true(bgp_frr_read(frr, sizeof(frr) - 1, hear, NULL));
	assert_int_equal(nheard, 3);
	assert_string_equal(addr_format(&heard[0].addr, text), "192.0.2.1");
	assert_true(heard[0].view.established && heard[0].view.seen_up && heard[0].view.neighbour_restarts);
	assert_int_equal(heard[0].view.prefixes, 10);
	assert_string_equal(heard[0].view.text, "established");
	assert_string_equal(addr_format(&heard[1].addr, text), "2001:db8::1");
	assert_false(heard[1].view.established || heard[1].view.seen_up || heard[1].view.neighbour_restarts);
	assert_string_equal(addr_format(&heard[2].addr, text), "fe80::1");
	assert_string_equal(heard[2].interface, "eth1");
	assert_true(heard[2].view.seen_up && !heard[2].view.established);
	assert_string_equal(heard[2].view.text, "openconfirm");
}

static void test_frr_broken(void **state)
{
	static const char *const broken[] = {"", "bgpd is not running\n", "[]", "{", "7", "{\"a\":}"};

	nheard = 0;
	for (unsigned i = 0; i < sizeof(broken) / sizeof(*broken); i++)
		assert_false(bgp_frr_read(broken[i], strlen(broken[i]), hear, NULL));
	assert_true(bgp_frr_read("{}", 2, hear, NULL));
	assert_int_equal(nheard, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_answers),
		cmocka_unit_test(test_down_is_known_at_once),
		cmocka_unit_test(test_daemon_was_away),
		cmocka_unit_test(test_two_daemons),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_graceful_restart),
		cmocka_unit_test(test_word),
		cmocka_unit_test(test_frr),
		cmocka_unit_test(test_frr_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
