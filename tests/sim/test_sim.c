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

/* Many are short, some long. */
static uint32_t random_interval(void)
{
	static const uint32_t most[] = {20000, 60000, 300000, 1000000};

	return sim_range(&sim, 10000, most[sim_range(&sim, 0, 3)]);
}

static struct session_config random_config(uint8_t mult_min)
{
	return (struct session_config){
		.desired_min_tx = random_interval(),
		.required_min_rx = random_interval(),
		.detect_mult = (uint8_t)sim_range(&sim, mult_min, sim_range(&sim, 0, 1) ? 3 : 10),
		.min_ttl = 255,
	};
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

		*wire = (struct sim_wire){.delay = sim_range(&sim, 0, 1) ? sim_range(&sim, 0, 40000) : 200,
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
	unsigned passive = sim_range(&sim, 0, 5), i;

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
