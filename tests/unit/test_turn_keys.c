/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key chains in the engine: who wants to free one is told when nobody uses it any more, and not before; what
 * a session does without a key. */
#include "turn_fixture.h"

#include <errno.h>

#include "auth_fixture.h"

static union chain_memory memory[2];
static struct auth_chain *first, *second;
static unsigned retired[2];
static bool memory_is_short;

/* In place of the C library's. */
int posix_memalign(void **at, size_t alignment, size_t size)
{
	*at = memory_is_short ? NULL
			      : aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
	return *at ? 0 : ENOMEM;
}

static void count_retired(void *context, const struct engine_event *event)
{
	on_event(context, event);
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
	memory_is_short = false;
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
	configure(b, first); /* the same again is not one more */
	turn();
	assert_int_equal(first->holders, 1);
	configure(b, NULL);
	turn();
	assert_int_equal(retired[0], 1);
	assert_int_equal(first->holders, 0);
	assert_int_equal(second->holders, 1);
	/* The same again is no further use. */
	configure(a, second);
	turn();
	assert_int_equal(second->holders, 1);
	assert_int_equal(retired[0], 1); /* once */
	assert_int_equal(retired[1], 0);
}

/* Its goodbyes are signed, too: of a session that was heard once and of one that is Up. */
static void outlives(int slot)
{
	unsigned sent_before;

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
	assert_int_equal(told[ENGINE_REMOVED], 1);
	assert_int_equal(first->holders, 0);
	assert_true(nsent > sent_before + 1);
}

static void a_chain_outlives_the_goodbye(void **state)
{
	int slot = add_with(1, first);

	turn();
	session_of((unsigned)slot)->remote_discr = 77; /* as if it had been heard */
	session_of((unsigned)slot)->remote_min_rx = 50000;
	outlives(slot);
}

static void a_chain_outlives_the_goodbye_of_one_that_is_up(void **state)
{
	bring_up(1, 50000, 3);
	configure(0, first);
	turn();
	assert_int_equal(session_of(0)->state, BFD_UP);
	outlives(0);
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

/* Nothing is sent and nothing can come: in Demand mode nobody else would say so. */
static void who_has_no_key_to_ask_with_is_down(void **state)
{
	struct session_config config;

	bring_up(1, 50000, 3);
	now += USEC_S;
	arrive(0, BFD_UP, 50000, now);
	turn_at(now);
	config = session_of(0)->config;
	config.demand_mode = true;
	config.demand_poll_interval = 500 * USEC_MS;
	assert_true(engine_configure(engine, 0, &config));
	turn_at(now);
	run_until(now + 50000); /* our Poll goes out */
	arrive(0, BFD_UP, 50000, now);
	turn_at(now);
	assert_true(session_of(0)->demand_used);
	assert_false(session_of(0)->poll_active);

	first->keys[0].send_end = first->keys[0].accept_end = 1;
	auth_chain_renew(first, 1);
	config.auth = first;
	assert_true(engine_configure(engine, 0, &config));
	turn_at(now);
	nsent = 0;
	run_until(now + 2 * USEC_S);
	assert_int_equal(nsent, 0);
	assert_int_equal(session_of(0)->state, BFD_DOWN);
	assert_int_equal(session_of(0)->local_diag, DIAG_DETECTION_EXPIRED);
}

/* Where there is no memory it is said before anything is changed, and then nothing needs any. */
static void who_was_provided_for_needs_no_memory(void **state)
{
	struct session_config config;

	bring_up(1, 50000, 3);
	assert_null(session_of(0)->extra);
	config = session_of(0)->config;
	memory_is_short = true;
	assert_true(engine_provide(engine, 0, &config)); /* it needs none */
	config.auth = first;
	assert_false(engine_provide(engine, 0, &config));
	assert_false(engine_configure(engine, 0, &config));
	turn();
	assert_int_equal(first->holders, 0);
	memory_is_short = false;
	assert_true(engine_provide(engine, 0, &config));
	memory_is_short = true;
	assert_true(engine_configure(engine, 0, &config));
	turn();
	memory_is_short = false;
	assert_int_equal(first->holders, 1);
	assert_non_null(session_of(0)->extra);
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
		TEST(a_chain_without_users_goes_at_once),
		TEST(a_chain_goes_with_its_last_user),
		TEST(a_chain_outlives_the_goodbye),
		TEST(a_chain_outlives_the_goodbye_of_one_that_is_up),
		TEST(a_refused_session_is_no_user),
		TEST(nothing_leaves_without_a_key),
		TEST(who_has_no_key_to_ask_with_is_down),
		TEST(who_was_provided_for_needs_no_memory),
		TEST(copies_have_no_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
