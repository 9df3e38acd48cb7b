/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the session share: session `s` wants 50 ms x 3 both ways and hears a scripted peer with
 * discriminator 77 that wants the same. The clock `now` moves only when a test moves it.
 */
#ifndef TESTS_UNIT_SESSION_FIXTURE_H
#define TESTS_UNIT_SESSION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/session.h"

#define PEER_DISCR 77
#define MS USEC_MS

static struct session s;
static struct session_effects effects;
static usec_t now;
static const struct session_key key;
static const struct session_config usual = {
	.desired_min_tx = 50000, .required_min_rx = 50000, .detect_mult = 3, .min_ttl = 255};

/* What the peer says, but for state, P and F, which each call gives. */
static struct packet peer;

static inline void start(const struct session_config *config)
{
	now = 1000 * USEC_S;
	peer = (struct packet){.detect_mult = 3,
			       .my_discr = PEER_DISCR,
			       .your_discr = 1,
			       .length = PACKET_SIZE,
			       .desired_min_tx = 50000,
			       .required_min_rx = 50000};
	session_init(&s, config, &key, 1, 50000, now);
	session_path(&s, true, now, &effects);
}

static inline int setup(void **state)
{
	start(&usual);
	return 0;
}

static inline enum drop receive_flags(enum bfd_state remote, bool poll, bool final)
{
	struct packet packet = peer;

	packet.state = (uint8_t)remote;
	packet.poll = poll;
	packet.final = final;
	if (final && s.poll_active && !s.polls) /* what it answers */
		session_polled(&s, s.poll_since);
	return session_receive(&s, &packet, now, &effects);
}

static inline void receive(enum bfd_state remote)
{
	assert_int_equal(receive_flags(remote, false, false), DROP_NONE);
}

static inline void receive_final(enum bfd_state remote)
{
	assert_int_equal(receive_flags(remote, false, true), DROP_NONE);
}

static inline struct packet sent(void)
{
	struct packet packet;

	session_packet(&s, false, &packet);
	return packet;
}

/* Up by the three-way handshake; the Poll Sequence that tells of the fast interval is answered, and the pause
 * after it is over. */
static inline void bring_up(void)
{
	receive(BFD_DOWN);
	receive(BFD_INIT);
	assert_int_equal(s.state, BFD_UP);
	receive_final(BFD_UP);
	assert_false(s.poll_active);
	now += USEC_S;
	receive(BFD_UP);
	session_transmitted(&s, now, 0);
}

static inline void configure(uint32_t desired_min_tx, uint32_t required_min_rx)
{
	struct session_config config = s.config;

	config.desired_min_tx = desired_min_tx;
	config.required_min_rx = required_min_rx;
	session_configure(&s, &config, now, &effects);
}

#endif
