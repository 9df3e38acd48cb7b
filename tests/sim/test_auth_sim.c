/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authenticated sessions in virtual time (see sim.h): keys that change on a sound link, links that lose,
 * reorder and duplicate, ends that begin anew with other numbers, and somebody who sends old packets again.
 * SCENARIOS and SEED as for test_sim.
 */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCENARIOS 500
#define KEYS 3
#define OVERLAP (3 * USEC_S) /* keys are accepted for so much longer than they are sent, before and after */
#define SKEW (2 * USEC_S)    /* at most: between the wall clocks of the ends */

static struct sim sim;
static union {
	struct auth_chain chain;
	uint8_t bytes[sizeof(struct auth_chain) + KEYS * sizeof(struct auth_key)];
} memory[2];
static int64_t skew[2];

/* Wall clocks begin with the simulation's. */
static void renew(void)
{
	for (unsigned i = 0; i < 2; i++)
		auth_chain_renew(&memory[i].chain, sim.now + skew[i]);
}

static struct auth_key random_key(uint8_t id, enum auth_type least)
{
	struct auth_key key = {.id = id,
			       .type = (uint8_t)sim_range(&sim, least, AUTH_TYPES - 1),
			       .send_start = AUTH_ALWAYS,
			       .send_end = AUTH_EVER,
			       .accept_start = AUTH_ALWAYS,
			       .accept_end = AUTH_EVER};

	key.size = (uint8_t)sim_range(&sim, 1, auth_secret_most(key.type));
	for (unsigned i = 0; i < key.size; i++)
		key.secret[i] = (uint8_t)sim_random(&sim);
	return key;
}

static void same_chains(const struct auth_key *keys, unsigned n)
{
	for (unsigned i = 0; i < 2; i++) {
		memory[i].chain = (struct auth_chain){.nkeys = n};
		memcpy(memory[i].chain.keys, keys, n * sizeof(*keys));
		skew[i] = 0;
	}
	renew();
}

static struct session_config random_config(unsigned node)
{
	return (struct session_config){
		.desired_min_tx = sim_range(&sim, 10000, 300000),
		.required_min_rx = sim_range(&sim, 10000, 300000),
		.detect_mult = (uint8_t)sim_range(&sim, 2, 5),
		.min_ttl = 255,
		.auth = &memory[node].chain,
	};
}

static void start(unsigned node)
{
	struct session_config config = random_config(node);

	sim_start(&sim.nodes[node], &config);
}

static void wires(usec_t jitter, unsigned loss, unsigned duplicate, bool fifo)
{
	for (unsigned i = 0; i < 2; i++) {
		usec_t last = sim.wires[i].last_arrival;

		sim.wires[i] = (struct sim_wire){.delay = sim_range(&sim, 200, 20000),
						 .jitter = jitter,
						 .loss = loss,
						 .duplicate = duplicate,
						 .fifo = fifo,
						 .last_arrival = last};
	}
}

static void run_for(usec_t time)
{
	sim_run(&sim, sim.now + time);
}

static void both_up(void)
{
	for (unsigned i = 0; i < 2; i++)
		if (sim.nodes[i].session->state != BFD_UP)
			sim_fail(&sim.nodes[i], "not Up");
}

/* One key behind the other, of whatever types, the clocks of the ends apart: nobody goes Down. */
static void scenario_roll_over(void)
{
	struct auth_key keys[KEYS];
	int64_t begin = sim.now + 10 * USEC_S, at = begin;

	for (unsigned i = 0; i < KEYS; i++) {
		keys[i] = random_key((uint8_t)(7 * i), AUTH_SIMPLE);
		if (i) {
			keys[i].send_start = at;
			keys[i].accept_start = at - OVERLAP;
		}
		at += sim_range(&sim, USEC_S, 6 * USEC_S);
		if (i < KEYS - 1) {
			keys[i].send_end = at;
			keys[i].accept_end = at + OVERLAP;
		}
	}
	wires(sim_range(&sim, 0, 2000), 0, 0, true);
	same_chains(keys, KEYS);
	skew[1] = (int64_t)sim_range(&sim, 0, 2 * SKEW) - SKEW;
	renew();
	sim.no_down = true;
	start(0);
	start(1);
	while (sim.now < begin + 20 * USEC_S) {
		run_for(sim_range(&sim, 100000, 900000));
		renew();
	}
	both_up();
	for (unsigned i = 0; i < 2; i++)
		if (sim.nodes[i].extra.auth.received_key != 7 * (KEYS - 1))
			sim_fail(&sim.nodes[i], "an old key");
}

/* Loss, reordering, duplicates, new beginnings; then all is well again. */
static void scenario_faulty(void)
{
	struct auth_key key = random_key(1, AUTH_MD5);

	same_chains(&key, 1);
	wires(0, 0, 0, true);
	start(0);
	start(1);
	for (unsigned n = sim_range(&sim, 2, 8); n; n--) {
		unsigned node = sim_range(&sim, 0, 1);

		run_for(sim_range(&sim, 0, 3 * USEC_S));
		switch (sim_range(&sim, 0, 3)) {
		case 0:
			start(node);
			break;
		case 1:
			sim.wires[node].cut = !sim.wires[node].cut;
			break;
		default:
			wires(sim_range(&sim, 0, 100000), sim_range(&sim, 0, 300), sim_range(&sim, 0, 300),
			      sim_range(&sim, 0, 1));
		}
	}
	wires(0, 0, 0, true);
	run_for(20 * USEC_S);
	both_up();
}

/* What was sent once comes again, from whenever: nobody goes Down, and nobody notices. */
static void scenario_replay(void)
{
	struct auth_key key = random_key(1, AUTH_MD5);

	same_chains(&key, 1);
	wires(0, 0, 0, true);
	start(0);
	start(1);
	sim_run(&sim, sim.now + sim_range(&sim, 0, 2 * USEC_S));
	run_for(8 * USEC_S);
	both_up();
	sim.no_down = true;
	sim.replays = sim_range(&sim, 1, 1000);
	for (unsigned i = 0; i < 5; i++) {
		struct sim_node *node = &sim.nodes[sim_range(&sim, 0, 1)];
		struct session_config config = random_config(node->index);

		run_for(sim_range(&sim, 0, 3 * USEC_S));
		sim_configure(node, &config);
	}
	run_for(5 * USEC_S);
	both_up();
}

/* Silence that is agreed upon, many times a detection time of it, in which old packets come: their numbers
 * are not forgotten. WHO: bits of who demands. */
static void silent_pair(unsigned who)
{
	struct auth_key key = random_key(1, AUTH_MD5);

	same_chains(&key, 1);
	wires(0, 0, 0, true);
	for (unsigned i = 0; i < 2; i++) {
		struct session_config config = random_config(i);

		config.demand_mode = who >> i & 1;
		config.demand_poll_interval = sim_range(&sim, 0, 1) ? sim_range(&sim, 500000, 5000000) : 0;
		sim_start(&sim.nodes[i], &config);
	}
	run_for(10 * USEC_S);
	both_up();
}

static void scenario_silence(void)
{
	silent_pair(sim_range(&sim, 1, 3));
	sim.no_down = true;
	for (unsigned i = 0; i < 10; i++) {
		run_for(sim_range(&sim, 0, 5 * USEC_S));
		for (unsigned n = sim_range(&sim, 0, 5); n; n--)
			sim_replay(&sim);
	}
	run_for(5 * USEC_S);
	both_up();
}

/* A peer that begins anew is not taken for somebody who replays, though nobody polls by the clock. */
static void scenario_anew_in_silence(void)
{
	unsigned node = sim_range(&sim, 0, 1);
	uint32_t detection;

	silent_pair(1u << !node);
	run_for(sim_range(&sim, 0, 10 * USEC_S));
	detection = (uint32_t)sim.nodes[!node].session->detection_time;
	start(node);
	/* A packet in a second, the answer that does not come, and twice that until its numbers count. */
	run_for(2 * USEC_S + 4 * (usec_t)detection + 3 * USEC_S);
	both_up();
}

static void run_scenarios(void (*scenario)(void))
{
	const char *seed = getenv("SEED"), *count = getenv("SCENARIOS");
	unsigned long first = seed ? strtoul(seed, NULL, 0) : 1;
	unsigned long last = seed ? first : count ? strtoul(count, NULL, 0) : SCENARIOS;

	sim.seen = (struct sim_seen){0};
	for (; first <= last; first++) {
		sim_init(&sim, first);
		scenario();
	}
	print_message("%lu packets (%lu lost, %lu sent again), %lu refused for their number, %lu doubts, "
		      "%lu Up, %lu timeouts\n",
		      sim.seen.packets, sim.seen.lost, sim.seen.replayed, sim.seen.stale, sim.seen.doubts,
		      sim.seen.ups, sim.seen.timeouts);
	if (!seed)
		assert_true(sim.seen.ups > 0);
}

static void keys_change_without_a_down(void **state)
{
	run_scenarios(scenario_roll_over);
	assert_int_equal(sim.seen.timeouts + sim.seen.stale, 0);
}

static void faulty_links_recover(void **state)
{
	run_scenarios(scenario_faulty);
	assert_true(getenv("SEED") || (sim.seen.timeouts > 0 && sim.seen.stale > 0));
}

static void old_packets_change_nothing(void **state)
{
	run_scenarios(scenario_replay);
	assert_true(getenv("SEED") || sim.seen.stale > 1000);
}

static void old_packets_in_an_agreed_silence_change_nothing(void **state)
{
	run_scenarios(scenario_silence);
	assert_true(getenv("SEED") || (sim.seen.stale > 1000 && sim.seen.doubts > 100));
}

static void a_new_beginning_in_an_agreed_silence_is_noticed(void **state)
{
	run_scenarios(scenario_anew_in_silence);
	assert_true(getenv("SEED") || (sim.seen.doubts > 100 && sim.seen.timeouts > 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_change_without_a_down),
		cmocka_unit_test(faulty_links_recover),
		cmocka_unit_test(old_packets_change_nothing),
		cmocka_unit_test(old_packets_in_an_agreed_silence_change_nothing),
		cmocka_unit_test(a_new_beginning_in_an_agreed_silence_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
