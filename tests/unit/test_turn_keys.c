/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key chains in the engine: who wants to free one is told when nobody uses it any more, and not before. */
#include "turn_fixture.h"

#include "auth_fixture.h"

static union chain_memory memory[2];
static struct auth_chain *first, *second;
static unsigned retired[2];

static void count_retired(void *context, const struct engine_event *event)
{
	if (event->kind == ENGINE_KEYS_RETIRED)
		retired[event->keys == second]++;
}

static void turn(void)
{
	now += USEC_MS;
	engine_turn(engine);
	engine_poll_events(engine, count_retired, NULL);
}

static int setup_keys(void **state)
{
	first = one_key(&memory[0], 1, AUTH_METICULOUS_SHA1, "first");
	second = one_key(&memory[1], 1, AUTH_METICULOUS_SHA1, "second");
	retired[0] = retired[1] = 0;
	return setup(state);
}

static struct session_config with(struct auth_chain *chain)
{
	return (struct session_config){.desired_min_tx = 50000,
				       .required_min_rx = 50000,
				       .detect_mult = 3,
				       .min_ttl = 255,
				       .auth = chain};
}

static int add_with(unsigned n, struct auth_chain *chain)
{
	struct session_config config = with(chain);
	struct session_key key = {.peer = address(1, n), .local = address(2, n), .ifindex = 1};
	int slot = engine_add(engine, &config, &key, SESSION_NO_PATH);

	assert_true(slot >= 0);
	assert_true(engine_path(engine, (uint16_t)slot, true, &key.local, 1, 0));
	return slot;
}

static void configure(int slot, struct auth_chain *chain)
{
	struct session_config config = with(chain);

	assert_true(engine_configure(engine, (uint16_t)slot, &config));
}

static void a_chain_without_users_goes_at_once(void **state)
{
	assert_true(engine_retire_keys(engine, first));
	turn();
	assert_int_equal(retired[0], 1);
}

/* Commands that were given before use it, though none was carried out yet. */
static void a_chain_goes_with_its_last_user(void **state)
{
	int a = add_with(1, first), b = add_with(2, first);

	assert_true(engine_retire_keys(engine, first));
	turn();
	assert_int_equal(first->holders, 2);
	assert_int_equal(retired[0], 0);
	configure(a, second);
	turn();
	assert_int_equal(first->holders, 1);
	assert_int_equal(retired[0], 0);
	configure(b, NULL);
	turn();
	assert_int_equal(retired[0], 1);
	assert_int_equal(second->holders, 1);
	/* The same again is no further use. */
	configure(a, second);
	turn();
	assert_int_equal(second->holders, 1);
	assert_int_equal(retired[1], 0);
}

/* Its goodbyes are signed, too. */
static void a_chain_outlives_the_goodbye(void **state)
{
	int slot = add_with(1, first);
	struct session *session;
	unsigned sent_before;

	turn();
	session = session_of((unsigned)slot);
	session->remote_discr = 77; /* as if it had been heard */
	session->remote_min_rx = 50000;
	assert_true(engine_remove(engine, (uint16_t)slot));
	assert_true(engine_retire_keys(engine, first));
	sent_before = nsent;
	turn();
	assert_int_equal(retired[0], 0);
	assert_true(nsent > sent_before);
	assert_true(sent.auth_present);
	assert_int_equal(sent.state, BFD_ADMIN_DOWN);
	for (unsigned i = 0; i < 10000 && !retired[0]; i++)
		turn();
	assert_int_equal(retired[0], 1);
	assert_int_equal(first->holders, 0);
	assert_true(nsent > sent_before + 1);
}

static void a_refused_session_is_no_user(void **state)
{
	add_with(1, first);
	turn();
	assert_int_equal(first->holders, 1);
	add_with(1, first); /* the same addresses */
	turn();
	assert_int_equal(first->holders, 1);
}

static void nothing_leaves_without_a_key(void **state)
{
	int slot;

	first->keys[0].send_end = 1;
	auth_chain_renew(first, 1);
	slot = add_with(1, first);
	turn();
	run_until(now + 5 * USEC_S);
	assert_int_equal(nsent, 0);
	assert_int_equal(session_of((unsigned)slot)->packets_out, 0);
	assert_true(session_of((unsigned)slot)->extra->auth.silent);
	auth_chain_renew(first, 0);
	run_until(now + 5 * USEC_S);
	assert_in_range(nsent, 4, 8);
	assert_true(sent.auth_present);
}

/* A copy outlives the chain. */
static void look_at_copy(void *context, const struct session *sessions, unsigned count)
{
	assert_int_equal(count, 1);
	assert_null(sessions[0].config.auth);
	assert_non_null(sessions[0].extra);
	assert_true(sessions[0].extra->auth.started);
	(*(unsigned *)context)++;
}

static void copies_have_no_chain(void **state)
{
	unsigned looked = 0;

	add_with(1, first);
	turn();
	run_until(now + 3 * USEC_S);
	turn();
	assert_true(engine_snapshot(engine, look_at_copy, &looked));
	turn();
	assert_int_equal(looked, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_keys, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_chain_without_users_goes_at_once), TEST(a_chain_goes_with_its_last_user),
		TEST(a_chain_outlives_the_goodbye),	  TEST(a_refused_session_is_no_user),
		TEST(nothing_leaves_without_a_key),	  TEST(copies_have_no_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
