/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An initiator of S-BFD and a reflector in virtual time, joined by two wires that lose and delay. Rules of
 * its own say when it must be Up and when Down. SCENARIOS=n runs so many of each kind, SEED=n only number n.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/sbfd.h"

#define SCENARIOS 500
#define DISCR 4711u
#define FLIGHTS 1024
#define RTT_MOST (20 * USEC_MS)

struct flight {
	usec_t at;
	uint8_t bytes[PACKET_SIZE];
	bool back; /* to the initiator */
};

static uint64_t random_state;
static unsigned number;
static usec_t now;
static struct session session;
static struct sbfd_reflector reflector;
static struct flight flights[FLIGHTS];
static unsigned nflights;
static usec_t last_at[2];
static bool cut;
static unsigned loss; /* per mille, each way */
static usec_t delay_most;
static usec_t last_reply, last_periodic;
static unsigned ups, downs, replies, periodic;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dULL) >> 32) % n;
}

#define rule(condition)                                                                                  \
	do {                                                                                             \
		if (!(condition))                                                                        \
			fail_msg("SEED=%u, at %lld us: broken: %s", number, (long long)now, #condition); \
	} while (0)

static void launch(const struct packet *packet, bool back)
{
	struct flight *flight = &flights[nflights];

	if (cut || random_below(1000) < loss)
		return;
	rule(nflights < FLIGHTS);
	nflights++;
	flight->at = now + 1 + random_below((uint32_t)delay_most);
	if (flight->at <= last_at[back]) /* none overtakes another */
		flight->at = last_at[back] + 1;
	last_at[back] = flight->at;
	flight->back = back;
	packet_encode(packet, flight->bytes);
}

static void send_packet(void)
{
	struct packet packet;

	session_packet(&session, false, &packet);
	rule(packet.demand && !packet.poll && !packet.final && packet.your_discr == DISCR);
	rule(packet.state != BFD_INIT);
	launch(&packet, false);
}

static void apply(const struct session_effects *effects)
{
	rule(!(effects->what & EFFECT_SEND_FINAL));
	if (effects->what & EFFECT_STATE) {
		ups += effects->to == BFD_UP;
		downs += effects->from == BFD_UP;
		last_periodic = 0;
		rule(effects->to != BFD_INIT);
	}
	if (effects->what & EFFECT_NEGOTIATED)
		last_periodic = 0;
	if (effects->what & EFFECT_SEND)
		send_packet();
}

static void arrive(const struct flight *flight)
{
	struct session_effects effects;
	struct packet packet, reply;

	rule(packet_decode(&packet, flight->bytes, PACKET_SIZE) == DROP_NONE);
	if (!flight->back) {
		rule(sbfd_reflect(&reflector, &packet, 57784, &reply) == DROP_NONE);
		launch(&reply, true);
		return;
	}
	replies++;
	if (session.state == BFD_ADMIN_DOWN || !session.path_up)
		return;
	last_reply = now;
	rule(session_receive(&session, &packet, now, &effects) == DROP_NONE);
	rule(session.state == (packet.state == BFD_UP ? BFD_UP : BFD_DOWN));
	apply(&effects);
}

static void periodic_packet(void)
{
	usec_t least = session.tx_interval - session.tx_interval / 4;

	if (last_periodic)
		rule(now - last_periodic >= least - 1 && now - last_periodic <= session.tx_interval);
	send_packet();
	session_transmitted(&session, now, random_below(UINT32_MAX));
	last_periodic = now;
	periodic++;
}

static void expire(void)
{
	struct session_effects effects;

	session_detect_expired(&session, now, &effects);
	if (effects.what & EFFECT_STATE)
		rule(now - last_reply >= session.config.detect_mult * (usec_t)session.config.desired_min_tx);
	apply(&effects);
}

static usec_t next_event(int *flight)
{
	usec_t at = session.next_tx, deadline = session_detect_deadline(&session);

	*flight = -1;
	if (deadline < at)
		at = deadline;
	for (unsigned i = 0; i < nflights; i++)
		if (flights[i].at <= at) {
			at = flights[i].at;
			*flight = (int)i;
		}
	return at;
}

static void run_until(usec_t end)
{
	int which;

	for (usec_t at; (at = next_event(&which)) <= end;) {
		now = at > now ? at : now;
		if (which >= 0) {
			struct flight flight = flights[which];

			flights[which] = flights[--nflights];
			arrive(&flight);
		} else if (session_detect_deadline(&session) <= now) {
			expire();
		} else {
			periodic_packet();
		}
		rule((session.state == BFD_UP) == (session_detect_deadline(&session) != USEC_NEVER));
	}
	now = end;
}

static void path(bool up)
{
	struct session_effects effects;

	session_path(&session, up, now, &effects);
	apply(&effects);
}

static void start(void)
{
	static const uint32_t intervals[] = {10000, 20000, 50000, 300000, 1000000};
	struct session_config config = {.required_min_rx = 300000, .min_ttl = 254, .remote_discr = DISCR};
	const struct session_key key = {
		.peer = {AF_INET, {192, 0, 2, 1}}, .local = {AF_INET, {192, 0, 2, 2}}, .type = SESSION_SBFD};

	random_state = 0x9e3779b97f4a7c15ull * (number + 1);
	config.desired_min_tx = intervals[random_below(5)];
	config.detect_mult = (uint8_t)(3 + random_below(3));
	now = 1000 * USEC_S;
	nflights = loss = ups = downs = 0;
	last_reply = last_periodic = last_at[0] = last_at[1] = 0;
	cut = false;
	delay_most = 1 + random_below(RTT_MOST / 2);
	reflector = (struct sbfd_reflector){
		.n = 1, .discriminators = {DISCR}, .required_min_rx = intervals[random_below(3)]};
	session_init(&session, &config, &key, 0x70001, 57784, now);
	path(true);
}

static usec_t detection(void)
{
	uint32_t interval = session.config.desired_min_tx;

	if (interval < reflector.required_min_rx)
		interval = reflector.required_min_rx;
	return (usec_t)session.config.detect_mult * interval;
}

/* A sound path comes up at once and stays so; a dead one is found out in time, and a living one again. */
static void cut_and_mended(void)
{
	usec_t since;

	start();
	run_until(now + 100 * USEC_MS + RTT_MOST);
	rule(session.state == BFD_UP);
	run_until(now + 20 * USEC_S);
	rule(session.state == BFD_UP && ups == 1 && !downs);
	rule(session.detection_time == detection());
	cut = true;
	since = now;
	run_until(since + detection() + RTT_MOST);
	rule(session.state == BFD_DOWN && downs == 1);
	rule(session.local_diag == DIAG_DETECTION_EXPIRED);
	run_until(now + random_below(10000000));
	rule(session.state == BFD_DOWN);
	cut = false;
	run_until(now + SESSION_SLOW_TX + RTT_MOST);
	rule(session.state == BFD_UP);
}

/* The reflector is told to say AdminDown, and Up again. */
static void out_of_service(void)
{
	start();
	run_until(now + 5 * USEC_S);
	rule(session.state == BFD_UP);
	reflector.admin_down = true;
	run_until(now + detection() + RTT_MOST);
	rule(session.state == BFD_DOWN && session.local_diag == DIAG_NEIGHBOR_DOWN);
	run_until(now + 5 * USEC_S);
	rule(session.state == BFD_DOWN && downs == 1);
	reflector.admin_down = false;
	run_until(now + SESSION_SLOW_TX + 2 * RTT_MOST);
	rule(session.state == BFD_UP);
}

/* Loss, and whatever we are told meanwhile. In the end it is sound, and up. */
static void disturbed(void)
{
	struct session_effects effects;
	struct session_config config;

	start();
	loss = random_below(300);
	for (unsigned i = 0; i < 20; i++) {
		run_until(now + random_below(2000000));
		config = session.config;
		switch (random_below(5)) {
		case 0:
			config.desired_min_tx = 10000 + random_below(1000000);
			break;
		case 1:
			config.shutdown = !config.shutdown;
			break;
		case 2:
			config.detect_mult = (uint8_t)(1 + random_below(9));
			break;
		case 3:
			path(!session.path_up);
			continue;
		default:
			reflector.admin_down = !reflector.admin_down;
		}
		session_configure(&session, &config, now, &effects);
		last_reply = now;
		apply(&effects);
	}
	loss = 0;
	reflector.admin_down = false;
	config = session.config;
	config.shutdown = false;
	config.detect_mult = 3;
	session_configure(&session, &config, now, &effects);
	apply(&effects);
	if (!session.path_up)
		path(true);
	run_until(now + 10 * USEC_S);
	rule(session.state == BFD_UP);
}

static void each(void (*scenario)(void))
{
	const char *seed = getenv("SEED"), *count = getenv("SCENARIOS");
	unsigned most = count ? (unsigned)atoi(count) : SCENARIOS;

	replies = periodic = 0;
	for (number = 0; number < most; number++)
		if (!seed || number == (unsigned)atoi(seed))
			scenario();
	print_message("%u packets, %u replies\n", periodic, replies);
	assert_true(replies > 0 && periodic > 0);
}

static void test_cut_and_mended(void **state)
{
	each(cut_and_mended);
}

static void test_out_of_service(void **state)
{
	each(out_of_service);
}

static void test_disturbed(void **state)
{
	each(disturbed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_and_mended),
		cmocka_unit_test(test_out_of_service),
		cmocka_unit_test(test_disturbed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
