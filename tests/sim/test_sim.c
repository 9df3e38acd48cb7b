/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scenarios of two sessions in virtual time (see sim.h). SCENARIOS=n runs so many of each kind; SEED=n runs
 * scenario n of each kind only, exactly as it ran before.
 */
#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define SCENARIOS 2000

static struct sim sim;
static bool demanding; /* also Demand mode and measuring polls, and delays that leave a Final its time */
static uint64_t measured;

/* Many are short, some long. */
static uint32_t random_interval(void)
{
	static const uint32_t most[] = {20000, 60000, 300000, 1000000};

	return sim_range(&sim, 10000, most[sim_range(&sim, 0, 3)]);
}

static void random_polls(struct session_config *config)
{
	static const uint32_t intervals[] = {0, 100000, 250000, 3000000};

	config->rtt_interval = intervals[sim_range(&sim, 0, 3)];
	config->demand_mode = sim_range(&sim, 0, 2);
	config->demand_poll_interval = intervals[sim_range(&sim, 0, 3)];
}

static struct session_config random_config(uint8_t mult_min)
{
	struct session_config config = {
		.desired_min_tx = random_interval(),
		.required_min_rx = random_interval(),
		.detect_mult = (uint8_t)sim_range(&sim, mult_min, sim_range(&sim, 0, 1) ? 3 : 10),
		.min_ttl = 255,
	};

	if (demanding)
		random_polls(&config);
	return config;
}

static void run_for(usec_t least, usec_t most)
{
	sim_run(&sim, sim.now + sim_range(&sim, (uint32_t)least, (uint32_t)most));
}

/* SIM's link without fault, its delay varying by no more than JITTER. */
static void wires_sound(usec_t jitter)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct sim_wire *wire = &sim.wires[i];
		usec_t last = wire->last_arrival;

		*wire = (struct sim_wire){
			.delay = sim_range(&sim, 0, 1) && !demanding ? sim_range(&sim, 0, 40000) : 200,
			.jitter = jitter,
			.fifo = true,
			.last_arrival = last};
	}
}

static void wires_faulty(bool fifo)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		sim.wires[i] = (struct sim_wire){
			.delay = sim_range(&sim, 0, 1) ? sim_range(&sim, 0, 50000) : 200,
			.jitter = sim_range(&sim, 0, 30000),
			.loss = sim_range(&sim, 0, 1) ? sim_range(&sim, 0, 300) : 0,
			.duplicate = fifo ? 0 : sim_range(&sim, 0, 200),
			.fifo = fifo,
			.last_arrival = sim.wires[i].last_arrival,
		};
}

static void start_both(uint8_t mult_min)
{
	/* Who is silent for another in Demand mode, and passive after a restart, is never heard of again. */
	unsigned passive = demanding ? 2 : sim_range(&sim, 0, 5), i;

	for (i = 0; i < 2; i++) {
		struct session_config config = random_config(mult_min);

		config.passive = passive == i;
		sim_start(&sim.nodes[i], &config);
		if (sim_range(&sim, 0, 1))
			run_for(0, 2 * USEC_S);
	}
}

static void reconfigure(struct sim_node *node, uint8_t mult_min)
{
	struct session_config config = random_config(mult_min);
	const struct session_config *old = &node->session->config;

	config.passive = old->passive;
	config.shutdown = old->shutdown;
	if (sim_range(&sim, 0, 2) == 0)
		config.desired_min_tx = old->desired_min_tx;
	if (sim_range(&sim, 0, 2) == 0)
		config.required_min_rx = old->required_min_rx;
	sim_configure(node, &config);
}

/* Whatever is reconfigured, a link without fault never sees a Down. */
static void scenario_sound(void)
{
	uint8_t mult_min = (uint8_t)sim_range(&sim, 1, 2);
	unsigned changes = sim_range(&sim, 5, 25);

	/* With multiplier 1 there is 10 % of the shortest interval to spare, and that is all. */
	wires_sound(mult_min == 1 ? sim_range(&sim, 0, 400) : sim_range(&sim, 0, 3000));
	if (sim_range(&sim, 0, 1))
		sim.nodes[0].tick = sim.nodes[1].tick = USEC_MS;
	sim.no_down = true;
	start_both(mult_min);
	sim_run(&sim, sim.now + 4 * USEC_S);
	while (changes--) {
		reconfigure(&sim.nodes[sim_range(&sim, 0, 1)], mult_min);
		run_for(0, sim_range(&sim, 0, 1) ? 50 * USEC_MS : USEC_S);
	}
	sim_run(&sim, sim.now + 10 * USEC_S);
	watch_settled(&sim);
}

static void disturb(bool fifo)
{
	struct sim_node *node = &sim.nodes[sim_range(&sim, 0, 1)];
	struct session_config config = node->session->config;
	struct sim_wire *wire = &sim.wires[node->index];

	switch (sim_range(&sim, 0, 9)) {
	case 0:
	case 1:
		reconfigure(node, 1);
		break;
	case 2:
		wire->cut = !wire->cut;
		break;
	case 3:
		sim.wires[0].cut = sim.wires[1].cut = true;
		break;
	case 4:
	case 5:
		wires_faulty(fifo);
		break;
	case 6:
		sim_path(node, !node->session->path_up);
		break;
	case 7:
		config.shutdown = !config.shutdown;
		sim_configure(node, &config);
		break;
	case 8:
		if (node->session->path_up)
			sim_start(node, &config);
		break;
	case 9:
		node->asleep_until = sim.now + sim_range(&sim, 0, 2000000);
		break;
	}
}

static void heal(void)
{
	unsigned i;

	wires_sound(400);
	for (i = 0; i < 2; i++) {
		struct sim_node *node = &sim.nodes[i];
		struct session_config config = node->session->config;

		watch_path(node); /* the last interval was one of ticks */
		node->tick = 0;
		config.shutdown = false;
		sim_configure(node, &config);
		if (!node->session->path_up)
			sim_path(node, true);
	}
}

/* Faults of all kinds; then they end, and all is well again. */
static void scenario_disturbed(bool fifo)
{
	unsigned disturbances = sim_range(&sim, 3, 15), i;

	wires_faulty(fifo);
	for (i = 0; i < 2; i++)
		sim.nodes[i].tick = sim_range(&sim, 0, 1) ? sim_range(&sim, 100, 5000) : 0;
	start_both(1);
	while (disturbances--) {
		run_for(0, sim_range(&sim, 0, 1) ? 100 * USEC_MS : 4 * USEC_S);
		disturb(fifo);
	}
	run_for(0, 4 * USEC_S);
	heal();
	sim_run(&sim, sim.now + 20 * USEC_S);
	watch_settled(&sim);
	sim.no_down = true;
	sim_run(&sim, sim.now + 5 * USEC_S);
	watch_settled(&sim);
}

static void scenario_lossy(void)
{
	scenario_disturbed(true);
}

static void scenario_shuffled(void)
{
	scenario_disturbed(false);
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
	print_message("%lu packets (%lu lost, %lu to nobody), %lu Up, %lu timeouts, %lu P, %lu F\n",
		      sim.seen.packets, sim.seen.lost, sim.seen.drops, sim.seen.ups, sim.seen.timeouts,
		      sim.seen.polls, sim.seen.finals);
	if (!seed)
		assert_true(sim.seen.ups && sim.seen.finals);
}

static void no_reconfiguration_takes_a_sound_link_down(void **state)
{
	run_scenarios(scenario_sound);
	assert_int_equal(sim.seen.timeouts, 0);
}

/* Both, one or neither end demands, changes its mind, polls or not: no link without fault sees a Down. */
static void scenario_demand(void)
{
	unsigned changes = sim_range(&sim, 5, 25);

	wires_sound(sim_range(&sim, 0, 1000));
	sim.no_down = true;
	start_both(2);
	sim_run(&sim, sim.now + 4 * USEC_S);
	while (changes--) {
		struct sim_node *node = &sim.nodes[sim_range(&sim, 0, 1)];
		struct session_effects effects;

		if (sim_range(&sim, 0, 3) || !session_poll(node->session, sim.now, &effects))
			reconfigure(node, 2);
		else
			sim_effects(node, &effects);
		run_for(0, sim_range(&sim, 0, 1) ? 50 * USEC_MS : 4 * USEC_S);
	}
	sim_run(&sim, sim.now + 10 * USEC_S);
	watch_settled(&sim);
}

/* In Demand mode nobody hears a silence: whether the peer is there tells a poll, and within its time. */
static void scenario_demand_dies(void)
{
	struct session_config config = random_config(2);
	struct sim_node *node = &sim.nodes[0];
	bool polls = sim_range(&sim, 0, 1);
	usec_t died;

	config.demand_mode = true;
	config.rtt_interval = 0;
	config.demand_poll_interval = polls ? sim_range(&sim, 100000, 1000000) : 0;
	wires_sound(400);
	sim_start(node, &config);
	config.demand_mode = sim_range(&sim, 0, 1);
	config.demand_poll_interval = 0;
	sim_start(&sim.nodes[1], &config);
	sim_run(&sim, sim.now + 15 * USEC_S);
	watch_settled(&sim);
	died = sim.now;
	sim.wires[0].cut = sim.wires[1].cut = true;
	sim_run(&sim, sim.now + 20 * USEC_S);
	if ((node->session->state != BFD_UP) != polls)
		sim_fail(node, polls ? "a dead peer is Up" : "Down without a poll");
	if (polls && node->session->since > died + 13 * (usec_t)USEC_S)
		sim_fail(node, "noticed late");
	sim.wires[0].cut = sim.wires[1].cut = false;
	if (!polls && sim_range(&sim, 0, 1)) { /* the other end came back as another one */
		sim_start(&sim.nodes[1], &config);
		sim_run(&sim, sim.now + 20 * USEC_S);
		watch_settled(&sim);
	}
}

/* Whatever the wires lose, shuffle and double: a round-trip time is one. */
static void scenario_rtt(void)
{
	struct sim_wire *wires = sim.wires;
	struct rtt_summary rtt;
	usec_t least, most;

	wires_faulty(false);
	sim.nodes[1].tick = sim_range(&sim, 0, 1) ? USEC_MS : 0;
	start_both(3);
	run_for(10 * USEC_S, 30 * USEC_S);
	least = wires[0].delay + wires[1].delay;
	most = least + wires[0].jitter + wires[1].jitter + sim.nodes[1].tick;
	if (!rtt_summary(&sim.nodes[0].extra.rtt, &rtt))
		return;
	if (rtt.least < least || rtt.most > most)
		sim_fail(&sim.nodes[0], "round trips of %u to %u us, possible are %lld to %lld", rtt.least,
			 rtt.most, (long long)least, (long long)most);
	measured += rtt.count;
}

static void demand_mode_takes_no_sound_link_down(void **state)
{
	demanding = true;
	run_scenarios(scenario_demand);
	demanding = false;
	assert_int_equal(sim.seen.timeouts, 0);
	assert_true(getenv("SEED") || sim.seen.demands > 0);
}

static void demand_mode_finds_the_dead_by_polling(void **state)
{
	demanding = true;
	run_scenarios(scenario_demand_dies);
	demanding = false;
	assert_true(getenv("SEED") || sim.seen.unanswered > 0);
}

static void demand_mode_recovers_on_lossy_links(void **state)
{
	demanding = true;
	run_scenarios(scenario_lossy);
	demanding = false;
	assert_true(getenv("SEED") || sim.seen.unanswered > 0);
}

static void demand_mode_recovers_on_links_that_reorder(void **state)
{
	demanding = true;
	run_scenarios(scenario_shuffled);
	demanding = false;
	assert_true(getenv("SEED") || sim.seen.unanswered > 0);
}

static void round_trips_are_of_one_poll_and_its_final(void **state)
{
	demanding = true;
	measured = 0;
	run_scenarios(scenario_rtt);
	demanding = false;
	assert_true(getenv("SEED") || measured > SCENARIOS);
}

static void lossy_links_recover(void **state)
{
	run_scenarios(scenario_lossy);
	assert_true(getenv("SEED") || sim.seen.timeouts > 0);
}

static void links_that_reorder_and_duplicate_recover(void **state)
{
	run_scenarios(scenario_shuffled);
	assert_true(getenv("SEED") || sim.seen.timeouts > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_reconfiguration_takes_a_sound_link_down),
		cmocka_unit_test(lossy_links_recover),
		cmocka_unit_test(links_that_reorder_and_duplicate_recover),
		cmocka_unit_test(demand_mode_takes_no_sound_link_down),
		cmocka_unit_test(demand_mode_finds_the_dead_by_polling),
		cmocka_unit_test(demand_mode_recovers_on_lossy_links),
		cmocka_unit_test(demand_mode_recovers_on_links_that_reorder),
		cmocka_unit_test(round_trips_are_of_one_poll_and_its_final),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
