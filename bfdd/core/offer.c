/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intervals (6.8.3). A change is advertised at once. It is in force at once where that cannot make either end
 * declare the other dead: sending more often, waiting longer. The other directions wait for the Final of a
 * Poll Sequence that began after the change, because only then the peer is known to count on it. Finals carry
 * no number, so one that answers an earlier sequence could be taken for the next one's: after each sequence
 * there is a pause of twice its length, which outlasts the Finals still under way.
 */
#include "core/offer.h"

#include "core/poll.h"

/* 6.6, 6.8.7: D is said while both ends are Up, and changes by a Poll Sequence. That the peer may be silent
 * is so at once, that it may not be only when it is known to have heard of it. Who wants no packets cannot be
 * asked, so nothing is demanded of it, and it has a detection time to hear of that. */
static void offer_demand(struct session *session)
{
	bool both_up = session->state == BFD_UP && session->remote_state == BFD_UP && session->remote_min_rx;
	bool demand = session->config.demand_mode && both_up;

	if (demand != session->demand)
		session->poll_pending |= both_up;
	session->demand = demand;
	if (demand && !session->demand_used)
		session->poll_sent = 0; /* of one that runs: the detection time begins with its next P */
	session->demand_used = both_up && (demand || session->demand_used);
}

/* RFC 7880 7.3: nothing is agreed on with a reflector, and it is not to send by itself. */
static void offer_sbfd(struct session *session)
{
	uint32_t desired_min_tx = session->config.desired_min_tx;

	if (session->state != BFD_UP)
		desired_min_tx = max32(desired_min_tx, SESSION_SLOW_TX);
	session->desired_min_tx = session->desired_min_tx_used = desired_min_tx;
	session->required_min_rx = session->required_min_rx_used = 0;
	session->poll_pending = false;
	session->poll_active &=
		session->poll_asks; /* the round-trip time may be measured (7.2.2: F is copied) */
}

/* 6.8.9: only while both are Up, only if the peer sends them back, no more often than it can. */
static uint32_t echo_rate(const struct session *session)
{
	if (!session->config.echo || !session->echo_able || !session->remote_min_echo_rx ||
	    session->state != BFD_UP || session->remote_state != BFD_UP ||
	    session->key.type != SESSION_SINGLE_HOP)
		return 0;
	return max32(session->config.echo_tx, session->remote_min_echo_rx);
}

/* RFC 9747 2: only we ourselves have to agree. */
static void offer_loop(struct session *session)
{
	uint32_t interval = session->config.desired_min_tx;

	if (session->state != BFD_UP)
		interval = max32(interval, SESSION_SLOW_TX);
	session->desired_min_tx = session->desired_min_tx_used = interval;
	session->required_min_rx = session->required_min_rx_used = interval;
	session->remote_min_tx = session->remote_discr ? interval : 0;
}

/* 6.8.3: what packets say, and what of it is in force already. */
static void offer_values(struct session *session, usec_t now)
{
	bool answered = session->remote_discr && session->state != BFD_ADMIN_DOWN;
	uint32_t required_min_rx = session->config.required_min_rx;
	uint32_t desired_min_tx = session->config.desired_min_tx;

	if (session->state != BFD_UP)
		desired_min_tx = max32(desired_min_tx, SESSION_SLOW_TX);
	if (session->echo_interval && session->echo_proven) /* a SHOULD: Echo packets tell sooner */
		required_min_rx = max32(required_min_rx, SESSION_SLOW_TX);
	if (desired_min_tx != session->desired_min_tx || required_min_rx != session->required_min_rx)
		session->poll_pending = true;
	session->desired_min_tx = desired_min_tx;
	session->required_min_rx = required_min_rx;
	if (session->config.demand_mode || session->demand_used)
		offer_demand(session);

	if (session->state == BFD_UP || session->state == BFD_INIT)
		desired_min_tx = min32(desired_min_tx, session->desired_min_tx_used);
	session->desired_min_tx_used = desired_min_tx;

	if (answered) {
		required_min_rx = max32(required_min_rx, session->required_min_rx_used);
	} else {
		poll_drop(session, now);
		session->poll_pending = false;
	}
	session->required_min_rx_used = required_min_rx;
}

void offer_update(struct session *session, usec_t now)
{
	session->echo_interval = echo_rate(session);
	if (session->key.type == SESSION_SBFD)
		offer_sbfd(session);
	else if (session->key.type == SESSION_ECHO)
		offer_loop(session);
	else
		offer_values(session, now);
}

/* 6.5: a Final came. What changed meanwhile it may not answer. */
void offer_accepted(struct session *session, usec_t received)
{
	if (!poll_end(session, received))
		return;
	session->demand_used = session->demand;
	session->desired_min_tx_used = session->desired_min_tx;
	session->required_min_rx_used = session->required_min_rx;
}

/* 6.8.4. Of S-BFD as of an end in Demand mode, once it was answered: each packet of ours asks for one. */
usec_t offer_detection_time(const struct session *session)
{
	if (session->key.type == SESSION_SBFD)
		return session->state == BFD_UP ? (usec_t)session->config.detect_mult * session->tx_interval
						: 0;
	if (session->demand_used)
		return session_patience(session);
	return (usec_t)session->remote_detect_mult *
	       max32(session->required_min_rx_used, session->remote_min_tx);
}
