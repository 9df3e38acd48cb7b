/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reload means for each peer, for the policy, and for what only a restart changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/schema.h"

#define PEERS 6
#define CALLS 64

/* Two sites of two peers, one service with two prefixes, two peers beside. */
struct sample {
	struct config config;
	struct config_peer peers[PEERS];
	struct config_site sites[2];
	struct config_service service;
	unsigned members[2][2], order[2];
	struct prefix prefixes[2];
};

static struct addr addr(const char *text)
{
	struct addr a;

	assert_true(addr_parse(&a, text));
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(&p, text), PREFIX_OK);
	return p;
}

static const char *name_of(char letter)
{
	static char names[26][2];

	names[letter - 'a'][0] = letter;
	return names[letter - 'a'];
}

static struct config_peer make_peer(char name)
{
	char text[ADDR_TEXT];
	struct config_peer peer = {
		.name = name_of(name),
		.interface = "eth1",
		.local_address = addr("192.0.2.254"),
		.session = {.desired_min_tx = 300000,
			    .required_min_rx = 300000,
			    .detect_mult = 3,
			    .min_ttl = 255},
	};

	snprintf(text, sizeof(text), "192.0.2.%d", name);
	peer.address = addr(text);
	return peer;
}

static struct config *make(struct sample *s)
{
	memset(s, 0, sizeof(*s));
	for (int i = 0; i < PEERS; i++)
		s->peers[i] = make_peer((char)('a' + i));
	for (unsigned i = 0; i < 2; i++) {
		snprintf(s->sites[i].name, CONFIG_NAME, "site-%u", i);
		s->sites[i].npeers = 2;
		s->sites[i].peers = s->members[i];
		s->members[i][0] = 2 * i;
		s->members[i][1] = 2 * i + 1;
		s->order[i] = i;
	}
	s->prefixes[0] = prefix("52.112.0.0/14");
	s->prefixes[1] = prefix("2603:1063::/38");
	s->service = (struct config_service){.name = "voice",
					     .nprefixes = 2,
					     .prefixes = s->prefixes,
					     .nsites = 2,
					     .sites = s->order,
					     .wait_to_restore = USEC_S};
	s->config = (struct config){.npeers = PEERS,
				    .nsites = 2,
				    .nservices = 1,
				    .peers = s->peers,
				    .sites = s->sites,
				    .services = &s->service,
				    .steering = {158, 58800, 1000, 1, false, true, 0xff000000},
				    .daemon = {.realtime = true,
					       .realtime_priority = 90,
					       .realtime_deadline = true,
					       .kernel_filter = true,
					       .packet_socket = true,
					       .events = 1000}};
	return &s->config;
}

struct calls {
	unsigned n;
	struct call {
		enum config_change change;
		char old, new;
	} list[CALLS];
};

static void record(void *context, enum config_change change, const struct config_peer *old,
		   const struct config_peer *new)
{
	struct calls *calls = context;

	assert_true(calls->n < CALLS);
	calls->list[calls->n++] = (struct call){change, old ? old->name[0] : '-', new ? new->name[0] : '-'};
}

/* One letter a call: kind, then the peer, and what it is called now. */
static void assert_diff(const struct config *old, const struct config *new, const char *wanted)
{
	static const char letters[] = {[CONFIG_SAME] = '=',
				       [CONFIG_ADDED] = '+',
				       [CONFIG_REMOVED] = '-',
				       [CONFIG_TIMERS] = '~',
				       [CONFIG_MOVED] = '!'};
	struct calls calls = {0};
	char found[4 * CALLS] = "", *p = found;

	config_diff(old, new, record, &calls);
	for (unsigned i = 0; i < calls.n; i++) {
		const struct call *call = &calls.list[i];

		assert_int_equal(call->old == '-', call->change == CONFIG_ADDED);
		assert_int_equal(call->new == '-', call->change == CONFIG_REMOVED);
		p += sprintf(p, "%c%c", letters[call->change], call->old == '-' ? call->new : call->old);
		if (call->old != '-' && call->new != '-' && call->old != call->new)
			p += sprintf(p, ">%c", call->new);
		p += sprintf(p, " ");
	}
	assert_string_equal(found, wanted);
}

static void test_same(void **state)
{
	struct sample a, b;

	assert_diff(make(&a), make(&b), "=a =b =c =d =e =f ");
	assert_diff(NULL, NULL, "");
	assert_diff(NULL, &a.config, "+a +b +c +d +e +f ");
	assert_diff(&a.config, NULL, "-a -b -c -d -e -f ");
}

static void test_order(void **state)
{
	struct sample a, b;

	make(&a);
	make(&b);
	b.peers[0] = make_peer('x');					      /* a goes, x comes */
	b.peers[1].session.detect_mult = 5;				      /* b */
	snprintf(b.peers[4].interface, sizeof(b.peers[4].interface), "eth2"); /* e */
	b.peers[5] = make_peer('y');					      /* f goes, y comes */
	assert_diff(&a.config, &b.config, "-a !e -f +x +y ~b =c =d ");
}

/* Names count, not places. */
static void test_shuffled(void **state)
{
	struct sample a, b;

	make(&a);
	make(&b);
	for (int i = 0; i < PEERS; i++)
		b.peers[i] = a.peers[PEERS - 1 - i];
	assert_diff(&a.config, &b.config, "=f =e =d =c =b =a ");
	b.config.npeers = 3;
	assert_diff(&a.config, &b.config, "-a -b -c =f =e =d ");
	assert_diff(&b.config, &a.config, "+a +b +c =d =e =f ");
}

/* Another name alone is the same peer, unless that name, or the old one, is somebody's already. */
static void test_renamed(void **state)
{
	struct sample a, b;

	make(&a);
	make(&b);
	b.peers[1].name = name_of('x');
	b.peers[4].name = name_of('y');
	b.peers[4].session.detect_mult = 5;
	assert_diff(&a.config, &b.config, "=a =b>x =c =d ~e>y =f ");
	assert_true(config_policy_differs(&a.config, &b.config));
	b.peers[1].address = addr("192.0.2.7");
	assert_diff(&a.config, &b.config, "-b +x =a =c =d ~e>y =f ");
	make(&b)->peers[1].name = name_of('a');
	b.peers[0].name = name_of('b');
	assert_diff(&a.config, &b.config, "!a !b =c =d =e =f ");
}

static void test_moved(void **state)
{
	struct sample a, b;

	make(&a);
	make(&b)->peers[2].address = addr("192.0.2.7");
	assert_diff(&a.config, &b.config, "!c =a =b =d =e =f ");
	make(&b)->peers[2].local_address = addr("192.0.2.7");
	assert_diff(&a.config, &b.config, "!c =a =b =d =e =f ");
	make(&b)->peers[2].local_address = (struct addr){0};
	assert_diff(&a.config, &b.config, "!c =a =b =d =e =f ");
	make(&b)->peers[2].interface[0] = '\0';
	assert_diff(&a.config, &b.config, "!c =a =b =d =e =f ");
	make(&b)->peers[2].type = SESSION_MULTIHOP;
	b.peers[2].session.min_ttl = 254;
	assert_diff(&a.config, &b.config, "!c =a =b =d =e =f ");
}

/* Each of the session's values, and neither the profile's name nor the gateway. */
static void test_timers(void **state)
{
	struct sample a, b;

	make(&a);
	for (enum schema_index key = KEY_TRANSMIT_INTERVAL; key <= KEY_SHUTDOWN; key++) {
		make(&b);
		schema_store(&schema_keys[key], &b.peers[3].session, 1);
		assert_diff(&a.config, &b.config, "=a =b =c ~d =e =f ");
		assert_false(config_policy_differs(&a.config, &b.config));
	}
	make(&b)->peers[3].via = addr("192.0.2.9");
	b.peers[3].profile = "other";
	assert_diff(&a.config, &b.config, "=a =b =c =d =e =f ");
}

static void test_policy_same(void **state)
{
	struct sample a, b;

	assert_false(config_policy_differs(make(&a), make(&b)));
	assert_false(config_policy_differs(NULL, NULL));
	assert_true(config_policy_differs(NULL, &a.config));
	assert_true(config_policy_differs(&a.config, NULL));
	make(&b);
	b.peers[4].address = addr("192.0.2.7"); /* in no site */
	b.config.steering.hold_on_stop = true;
	b.config.daemon.events = 10;
	b.service.line = b.sites[0].line = 9;
	assert_false(config_policy_differs(&a.config, &b.config));
	/* the same sites after a peer came before theirs in the file */
	make(&b);
	for (int i = PEERS - 1; i > 0; i--)
		b.peers[i] = b.peers[i - 1];
	b.peers[0] = make_peer('x');
	for (int i = 0; i < 4; i++)
		b.members[i / 2][i % 2]++;
	assert_false(config_policy_differs(&a.config, &b.config));
}

static void assert_policy_differs(const struct sample *b)
{
	struct sample a;

	assert_true(config_policy_differs(make(&a), &b->config));
	assert_true(config_policy_differs(&b->config, &a.config));
}

static void test_policy_sites(void **state)
{
	struct sample b;

	make(&b)->nsites = 1;
	b.service.nsites = 1;
	assert_policy_differs(&b);
	make(&b)->sites[1].name[0] = 'S';
	assert_policy_differs(&b);
	make(&b)->sites[1].npeers = 1;
	assert_policy_differs(&b);
	make(&b);
	b.members[1][1] = 5;
	assert_policy_differs(&b);
	make(&b)->peers[3].via = addr("192.0.2.9");
	assert_policy_differs(&b);
	make(&b)->peers[3].address = addr("192.0.2.9");
	assert_policy_differs(&b);
	make(&b)->peers[3].interface[0] = 'x';
	assert_policy_differs(&b);
	make(&b)->peers[3].local_address.family = AF_UNSPEC;
	assert_policy_differs(&b);
	make(&b)->peers[3].type = SESSION_MULTIHOP;
	assert_policy_differs(&b);
}

static void test_policy_services(void **state)
{
	struct sample b;

	make(&b)->nservices = 0;
	assert_policy_differs(&b);
	make(&b)->services[0].name[0] = 'V';
	assert_policy_differs(&b);
	make(&b)->services[0].wait_to_restore = 0;
	assert_policy_differs(&b);
	make(&b)->services[0].follow = true;
	assert_policy_differs(&b);
	make(&b)->services[0].withdraw_delay = 1;
	assert_policy_differs(&b);
	make(&b)->services[0].nprefixes = 1;
	assert_policy_differs(&b);
	make(&b);
	b.prefixes[1] = prefix("2603:1063::/39");
	assert_policy_differs(&b);
	make(&b)->services[0].nsites = 1;
	assert_policy_differs(&b);
	make(&b);
	b.order[0] = 1;
	b.order[1] = 0;
	assert_policy_differs(&b);
}

/* The schema says which keys need a restart; of the numbers among them, the kernel's need a new policy, too.
 */
static void test_restart(void **state)
{
	struct sample a, b;
	unsigned n = 0;

	assert_null(config_needs_restart(make(&a), make(&b)));
	assert_null(config_needs_restart(NULL, &b.config));
	for (unsigned i = 0; i < SCHEMA_KEYS; i++) {
		const struct schema_key *key = &schema_keys[i];
		bool steering = key->sections == SCHEMA_STEERING;
		char wanted[64];

		if (!steering && key->sections != SCHEMA_DAEMON)
			continue;
		make(&b);
		schema_store(key, steering ? (void *)&b.config.steering : (void *)&b.config.daemon,
			     key->type == SCHEMA_BOOL ? !key->fallback : key->least + 7);
		snprintf(wanted, sizeof(wanted), "%s.%s", steering ? "steering" : "daemon", key->name);
		if (key->reload == SCHEMA_RESTART) {
			assert_string_equal(config_needs_restart(&a.config, &b.config), wanted);
			n++;
		} else {
			assert_null(config_needs_restart(&a.config, &b.config));
		}
		assert_int_equal(config_policy_differs(&a.config, &b.config),
				 steering && key->reload == SCHEMA_RESTART);
	}
	assert_int_equal(n, 11);
	make(&b);
	b.config.flight_recorder = !b.config.flight_recorder;
	assert_string_equal(config_needs_restart(&a.config, &b.config), "flight-recorder");
	assert_false(config_policy_differs(&a.config, &b.config));
}

/* Any two sets of peers: each name once, in the right group, whatever the order in the files. */
static void test_random(void **state)
{
	struct sample a, b;
	struct calls calls;

	srand(5880);
	for (int round = 0; round < 2000; round++) {
		unsigned seen[26] = {0};

		make(&a);
		make(&b);
		for (int i = 0; i < 2; i++) {
			struct sample *s = i ? &b : &a;

			s->config.npeers = (unsigned)rand() % (PEERS + 1);
			for (unsigned j = 0; j < PEERS; j++) {
				unsigned k = (unsigned)rand() % PEERS;
				struct config_peer swap = s->peers[j];

				s->peers[j] = s->peers[k];
				s->peers[k] = swap;
			}
		}
		calls.n = 0;
		config_diff(&a.config, &b.config, record, &calls);
		for (unsigned i = 0; i < calls.n; i++)
			seen[(calls.list[i].old == '-' ? calls.list[i].new : calls.list[i].old) - 'a']++;
		for (unsigned i = 0; i < PEERS; i++) {
			bool in = false;

			for (unsigned j = 0; j < PEERS; j++)
				in |= (j < a.config.npeers && a.peers[j].name[0] == (char)('a' + i)) ||
				      (j < b.config.npeers && b.peers[j].name[0] == (char)('a' + i));
			assert_int_equal(seen[i], in);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_shuffled),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_renamed),
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_policy_same),
		cmocka_unit_test(test_policy_sites),
		cmocka_unit_test(test_policy_services),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
