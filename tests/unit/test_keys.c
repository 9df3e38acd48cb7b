/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key chains in the engine: when the main thread may free one, and what a session does without a key. */
#include "auth_fixture.h"

#include "turn_fixture.h"

#define INTERVAL (50 * USEC_MS)

static union chain_memory memory[2];

static struct auth_chain *chain(unsigned n)
{
	return one_key(&memory[n], 1, AUTH_METICULOUS_SHA1, n ? "another secret" : "secret");
}

static void reconfigure(unsigned slot, struct auth_chain *keys)
{
	struct session_config config = session_of(slot)->config;

	config.auth = keys;
	assert_true(engine_configure(engine, (uint16_t)slot, &config));
	turn_at(now);
}

static void retire_keys(struct auth_chain *keys, unsigned already)
{
	assert_true(engine_retire_keys(engine, keys));
	turn_at(now);
	assert_int_equal(told[ENGINE_KEYS_RETIRED], already);
}

static void chains_nobody_has_go_at_once(void **state)
{
	retire_keys(chain(0), 1);
}

static void the_last_session_lets_go_of_a_chain(void **state)
{
	struct auth_chain *old = chain(0), *new = chain(1);

	bring_up(2, INTERVAL, 3);
	reconfigure(0, old);
	reconfigure(1, old);
	reconfigure(1, old); /* the same again is not one more */
	assert_int_equal(old->holders, 2);
	retire_keys(old, 0);
	reconfigure(0, new);
	assert_int_equal(told[ENGINE_KEYS_RETIRED], 0);
	reconfigure(1, NULL);
	assert_int_equal(told[ENGINE_KEYS_RETIRED], 1);
	assert_int_equal(old->holders, 0);
	assert_int_equal(new->holders, 1);
	turn_at(now);
	assert_int_equal(told[ENGINE_KEYS_RETIRED], 1);
}

/* It signs its goodbye. */
static void a_session_keeps_its_chain_until_it_is_gone(void **state)
{
	struct auth_chain *keys = chain(0);

	bring_up(1, INTERVAL, 3);
	reconfigure(0, keys);
	assert_true(engine_remove(engine, 0));
	retire_keys(keys, 0);
	assert_true(sent.auth_present && sent.state == BFD_ADMIN_DOWN);
	run_until(now + 70 * USEC_S);
	assert_int_equal(told[ENGINE_REMOVED], 1);
	assert_int_equal(told[ENGINE_KEYS_RETIRED], 1);
}

/* Nothing is sent and nothing can come: in Demand mode nobody else would say so. */
static void who_has_no_key_to_ask_with_is_down(void **state)
{
	struct auth_chain *keys = chain(0);
	struct session_config config;

	bring_up(1, INTERVAL, 3);
	now += USEC_S;
	arrive(0, BFD_UP, INTERVAL, now);
	turn_at(now);
	config = session_of(0)->config;
	config.demand_mode = true;
	config.demand_poll_interval = 500 * USEC_MS;
	assert_true(engine_configure(engine, 0, &config));
	turn_at(now);
	run_until(now + INTERVAL); /* our Poll goes out */
	arrive(0, BFD_UP, INTERVAL, now);
	turn_at(now);
	assert_true(session_of(0)->demand_used);
	assert_false(session_of(0)->poll_active);

	keys->keys[0].send_end = keys->keys[0].accept_end = 1;
	auth_chain_renew(keys, 1);
	reconfigure(0, keys);
	nsent = 0;
	run_until(now + 2 * USEC_S);
	assert_int_equal(nsent, 0);
	assert_int_equal(session_of(0)->state, BFD_DOWN);
	assert_int_equal(session_of(0)->local_diag, DIAG_DETECTION_EXPIRED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chains_nobody_has_go_at_once),
		TEST(the_last_session_lets_go_of_a_chain),
		TEST(a_session_keeps_its_chain_until_it_is_gone),
		TEST(who_has_no_key_to_ask_with_is_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
