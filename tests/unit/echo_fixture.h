/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine with one session whose packets come back to it, in virtual time (turn_fixture.h): of a peer that
 * sends Echo packets back, or of one that only loops our Control packets. The way there and back delays,
 * loses and reorders; the engine may stand still meanwhile, and the kernel with it.
 */
#ifndef TESTS_UNIT_ECHO_FIXTURE_H
#define TESTS_UNIT_ECHO_FIXTURE_H

#include "turn_fixture.h"

#define FLIGHTS 4096
#define CONTROL (300 * USEC_MS) /* so often the peer's own packets come */

struct flight {
	usec_t at;
	unsigned number; /* in the order in which they were sent */
	uint8_t bytes[PACKET_SIZE + ECHO_SIZE];
	size_t size;
};

static bool loop; /* the peer knows no BFD (RFC 9747) */
static uint32_t interval;
static uint8_t mult;
static usec_t delay, jitter;
static unsigned loss; /* per mille */
static bool cut;
static uint64_t random_state;
static struct flight flights[FLIGHTS];
static unsigned nflights, nechoes;	 /* on their way; sent */
static usec_t echo_sent_at[FLIGHTS * 8]; /* by number */
static int newest;			 /* number of the newest one that came back; -1: none */
static usec_t last_back;		 /* when one did last */
static usec_t next_control;		 /* USEC_NEVER: the peer says nothing */
static usec_t asleep_until;		 /* no turn before */
static bool starved;			 /* nor does the kernel take packets in */
static void (*after_turn)(void);

static inline uint32_t random_below(uint32_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)(((random_state * 0x2545f4914f6cdd1dULL >> 32) * n) >> 32);
}

static inline usec_t detection(void)
{
	return (usec_t)interval * mult;
}

static inline struct echo *echo_of(void)
{
	return &session_of(0)->extra->echo;
}

static void launch(const struct raw_path *path, const uint8_t *payload, size_t size)
{
	struct flight *flight = &flights[nflights];

	if (path->port != BFD_PORT_ECHO)
		return;
	assert_true(nechoes < sizeof(echo_sent_at) / sizeof(*echo_sent_at));
	assert_true(addr_equal(&path->peer, &path->local)); /* to ourselves, by way of the peer */
	echo_sent_at[nechoes++] = now;
	if (cut || random_below(1000) < loss)
		return;
	assert_true(nflights < FLIGHTS && size <= sizeof(flight->bytes));
	nflights++;
	flight->at = now + delay + random_below((uint32_t)jitter + 1);
	flight->number = nechoes - 1;
	flight->size = size;
	memcpy(flight->bytes, payload, size);
}

/* BYTES as they come back to us. */
static inline void echo_arrives(const uint8_t *bytes, size_t size, usec_t stamp)
{
	struct queued *queued = &queue[nqueue++];

	assert_true(nqueue < QUEUE);
	*queued = (struct queued){
		.origin = {.peer = address(2, 0),
			   .local = address(2, 0),
			   .ifindex = 1,
			   .type = SESSION_ECHO,
			   .ttl = 254,
			   .size = (uint16_t)size},
		.stamp = stamp,
		.size = size,
	};
	memcpy(queued->bytes, bytes, size);
}

static inline void land(unsigned i)
{
	struct flight flight = flights[i];

	if (starved && now < asleep_until) {
		flights[i].at = asleep_until;
		return;
	}
	flights[i] = flights[--nflights];
	echo_arrives(flight.bytes, flight.size, flight.at);
	newest = (int)flight.number > newest ? (int)flight.number : newest;
	last_back = flight.at;
}

static inline void control_arrives(enum bfd_state state)
{
	arrive(0, state, USEC_S, now);
	queue[nqueue - 1].packet.required_min_echo_rx = interval;
}

/* What happens next, and carries it out if that is not after END. */
static inline bool step(usec_t end)
{
	usec_t wake = nqueue ? now : engine->back.armed, at;
	int first = -1;

	if (wake < asleep_until)
		wake = asleep_until;
	at = wake < next_control ? wake : next_control;
	for (unsigned i = 0; i < nflights; i++)
		if (flights[i].at < at || (flights[i].at == at && first < 0)) {
			at = flights[i].at;
			first = (int)i;
		}
	if (at > end)
		return false;
	now = at > now ? at : now;
	if (first >= 0) {
		land((unsigned)first);
	} else if (at == next_control) {
		control_arrives(BFD_UP);
		next_control += CONTROL;
	} else {
		turn_at(now);
		if (after_turn)
			after_turn();
	}
	return true;
}

static inline void run(usec_t end)
{
	while (step(end))
		;
	now = end;
}

static inline void stall(usec_t length, bool kernel_too)
{
	asleep_until = now + length;
	starved = kernel_too;
}

/* After setup(): the session is Up, and packets come back. */
static inline void bring_up_echo(void)
{
	static const uint8_t theirs[6] = {2, 1, 1, 1, 1, 1}, ours[6] = {2, 2, 2, 2, 2, 2};
	struct session_config config = {.desired_min_tx = loop ? interval : USEC_S,
					.required_min_rx = loop ? interval : USEC_S,
					.detect_mult = mult,
					.min_ttl = 255,
					.echo = !loop,
					.echo_tx = interval};
	struct session_key key = {.peer = address(1, 0),
				  .local = address(2, 0),
				  .ifindex = 1,
				  .type = loop ? SESSION_ECHO : SESSION_SINGLE_HOP};

	nflights = nechoes = 0;
	newest = -1;
	cut = starved = false;
	asleep_until = last_back = 0;
	next_control = USEC_NEVER;
	on_frame = launch;
	engine->back.random = random_state;
	assert_int_equal(engine_add(engine, &config, &key, SESSION_NO_PATH), 0);
	turn_at(now);
	session_of(0)->jitter = (uint32_t)random_state; /* as all the rest, by the seed alone */
	assert_true(engine_path(engine, 0, true, &key.local, 1, 0));
	assert_true(engine_neighbour(engine, 0, theirs, ours, true));
	turn_at(now);
	for (unsigned i = 0; i < 4 && !loop; i++) {
		control_arrives(i ? BFD_UP : BFD_DOWN);
		turn_at(now);
		now += USEC_MS;
	}
	if (!loop)
		next_control = now + CONTROL;
	run(now + 3 * USEC_S + 4 * (usec_t)delay);
	assert_int_equal(session_of(0)->state, BFD_UP);
	assert_true(loop || session_of(0)->echo_proven);
}

static inline int teardown_echo(void **state)
{
	on_frame = NULL;
	after_turn = NULL;
	loss = 0;
	return teardown(state);
}

#endif
