/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of key chains in the main thread, with an engine that is replaced when linking. */
#include "auth_fixture.h"

#include <stdlib.h>

#include "app_private.h"
#include "config/chain.h"

static struct app app;
static struct config empty;
static unsigned asked, refusals;
static const struct auth_chain *last_asked;

usec_t app_now(void)
{
	return USEC_S;
}

bool engine_retire_keys(struct engine *engine, struct auth_chain *chain)
{
	last_asked = chain;
	asked++;
	if (!refusals)
		return true;
	refusals--;
	return false;
}

static struct auth_chain *chain_of(const char *secret)
{
	struct reports reports = {0};
	struct auth_chain *chain = chain_create("c", 1, &reports);

	assert_non_null(chain);
	chain->keys[0] = make_key(1, AUTH_SHA1, secret);
	auth_chain_renew(chain, 1);
	return chain;
}

/* A configuration, on the heap, with this one chain. */
static struct config *config_with(const char *secret)
{
	struct config *config = calloc(1, sizeof(*config));

	config->chains = calloc(1, sizeof(*config->chains));
	config->chains[0] = chain_of(secret);
	config->nchains = 1;
	return config;
}

static int setup(void **state)
{
	memset(&app, 0, sizeof(app));
	app.config = &empty;
	app.events = events_create(4);
	asked = refusals = 0;
	last_asked = NULL;
	return app.events ? 0 : -1;
}

static int teardown(void **state)
{
	app_keys_close(&app);
	events_free(app.events);
	return 0;
}

static struct auth_chain *take(struct config *config)
{
	assert_true(app_keys_take(&app, config));
	return config->chains[0];
}

static void the_same_keys_are_the_same_object(void **state)
{
	struct config *first = config_with("secret"), *second = config_with("secret");
	struct auth_chain *chain = take(first);

	assert_ptr_equal(take(second), chain);
	app.config = second;
	config_free(first);
	app_keys_sweep(&app);
	assert_int_equal(asked, 0);
	app.config = &empty;
	config_free(second);
	app_keys_sweep(&app);
	assert_int_equal(asked, 1);
	assert_ptr_equal(last_asked, chain);
	app_keys_sweep(&app); /* it is retiring */
	assert_int_equal(asked, 1);
	app_keys_retired(&app, chain);
	assert_null(app.keys);
}

/* For want of memory, or of room in the ring: nobody waits, the chain stays, and a second later it goes. */
static void who_cannot_ask_asks_again(void **state)
{
	struct config *config = config_with("secret");
	struct auth_chain *chain = take(config);

	config_free(config);
	refusals = 2;
	app_keys_sweep(&app);
	assert_int_equal(asked, 1);
	assert_true(app.keys_left);
	assert_int_equal(chain->keys[0].id, 1); /* still there */
	app_keys_second(&app);
	assert_int_equal(asked, 2);
	app_keys_second(&app);
	assert_int_equal(asked, 3);
	assert_false(app.keys_left);
	app_keys_second(&app);
	assert_int_equal(asked, 3);
	app_keys_retired(&app, chain);
	assert_null(app.keys);
}

/* Meanwhile it may be wanted again. */
static void what_was_not_asked_for_can_be_used_again(void **state)
{
	struct config *config = config_with("secret");
	struct auth_chain *chain = take(config);

	config_free(config);
	refusals = 1;
	app_keys_sweep(&app);
	config = config_with("secret");
	assert_ptr_equal(take(config), chain);
	app.config = config;
	app_keys_second(&app);
	assert_int_equal(asked, 1);
	app.config = &empty;
	config_free(config);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_same_keys_are_the_same_object),
		TEST(who_cannot_ask_asks_again),
		TEST(what_was_not_asked_for_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
