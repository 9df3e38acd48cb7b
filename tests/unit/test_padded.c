/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a router means that could not pass on a packet: each of ten thousand, and nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "app_padded.h"

#define MANY 10000
#define FLOOD 200000

static struct addr address(uint8_t net, unsigned n)
{
	return (struct addr){AF_INET, {10, net, (uint8_t)(n >> 8), (uint8_t)n}};
}

/* Ports are shared, as they are when there are more sessions than ports. */
static struct app_padded_peer peer(unsigned n)
{
	return (struct app_padded_peer){
		.peer = address(1, n),
		.local = address(2, n % 3),
		.source_port = (uint16_t)(49152 + n % 1000),
		.port = n % 2 ? 3784 : 4784,
		.index = n,
	};
}

static struct icmp_too_big told(const struct app_padded_peer *of)
{
	return (struct icmp_too_big){.local = of->local,
				     .peer = of->peer,
				     .source_port = of->source_port,
				     .port = of->port,
				     .mtu = 1400};
}

static void fill(struct app_padded *padded, unsigned n)
{
	struct app_padded_peer *list = calloc(n, sizeof(*list));

	for (unsigned i = 0; i < n; i++)
		list[i] = peer(i * 7919 % n);
	app_padded_set(padded, list, n);
}

static void each_is_found(void **state)
{
	struct app_padded padded = {0};

	fill(&padded, MANY);
	for (unsigned n = 0; n < MANY; n++) {
		struct app_padded_peer wanted = peer(n);
		struct icmp_too_big message = told(&wanted);
		const struct app_padded_peer *found = app_padded_find(&padded, &message);

		assert_non_null(found);
		assert_int_equal(found->index, n);
	}
	fill(&padded, 10);
	assert_int_equal(padded.n, 10);
	app_padded_set(&padded, NULL, 0);
}

static void nobody_else_is_meant(void **state)
{
	struct app_padded padded = {0};
	struct app_padded_peer one = peer(7);
	struct icmp_too_big right = told(&one), wrong[5];

	assert_null(app_padded_find(&padded, &right));
	fill(&padded, 100);
	assert_non_null(app_padded_find(&padded, &right));
	for (unsigned i = 0; i < 5; i++)
		wrong[i] = right;
	wrong[0].peer = address(1, 8);
	wrong[1].local = address(2, 5);
	wrong[2].source_port++;
	wrong[3].port = 4784;
	wrong[4].peer.family = AF_INET6;
	for (unsigned i = 0; i < 5; i++)
		assert_null(app_padded_find(&padded, &wrong[i]));
	app_padded_set(&padded, NULL, 0);
}

/* Gone through one by one, these would be two billion peers: several seconds. */
static void a_flood_is_cheap_with_many_peers(void **state)
{
	struct app_padded padded = {0};
	unsigned found = 0;
	clock_t used;

	fill(&padded, MANY);
	used = clock();
	for (unsigned n = 0; n < FLOOD; n++) {
		struct app_padded_peer forged = peer(n % MANY);
		struct icmp_too_big message = told(&forged);

		message.source_port ^= n % 2;
		found += app_padded_find(&padded, &message) != NULL;
	}
	used = clock() - used;
	assert_int_equal(found, FLOOD / 2);
	assert_true(used < CLOCKS_PER_SEC);
	app_padded_set(&padded, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found),
		cmocka_unit_test(nobody_else_is_meant),
		cmocka_unit_test(a_flood_is_cheap_with_many_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
