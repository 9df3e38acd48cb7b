/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/poll.h"

static bool both_up(const struct session *session)
{
	return session->state == BFD_UP && session->remote_state == BFD_UP;
}

/* 6.6: "repeated until the Detection Time expires"; and P is then all that is sent to a peer in Demand mode.
 */
static bool repeats(const struct session *session)
{
	return !session->poll_asks || session->demand_used || session->remote_demand || session->poll_pending;
}

bool poll_says(const struct session *session)
{
	return session->poll_active && (!session->polls || repeats(session));
}

/* How often the peer is asked for an answer; 0: never. */
static usec_t interval_of(const struct session *session)
{
	usec_t rtt = session->config.rtt_interval;
	usec_t verify = session->demand ? session->config.demand_poll_interval : 0;

	if (!both_up(session))
		return 0;
	if (rtt && rtt < POLL_RTT_EVERY)
		rtt = POLL_RTT_EVERY;
	return !rtt || (verify && verify < rtt) ? verify : rtt;
}

/* A Final that comes after all must not be taken for the next one's. */
void poll_drop(struct session *session, usec_t now)
{
	if (session->poll_active && session->polls)
		session->poll_earliest = now + POLL_PAUSE_MAX;
	session->poll_active = false;
}

/* The first one falls anywhere in the interval: sessions that came up together need not poll together. */
void poll_schedule(struct session *session, usec_t now)
{
	usec_t interval = interval_of(session);

	if (!both_up(session)) {
		session->poll_ordered = false;
		if (session->poll_asks)
			poll_drop(session, now);
	}
	if (session->poll_ordered)
		return;
	if (!interval)
		session->poll_next = USEC_NEVER;
	else if (session->poll_next > now + interval)
		session->poll_next = now + (usec_t)(((uint64_t)interval * session->jitter) >> 32);
}

static void give_up(struct session *session, usec_t now)
{
	usec_t wait = session->detection_time > POLL_GIVE_UP ? session->detection_time : POLL_GIVE_UP;

	if (repeats(session) || !session->polls || now - session->poll_sent < wait)
		return;
	poll_drop(session, now);
	if (session->extra)
		session->extra->rtt_unanswered++;
}

usec_t poll_due(const struct session *session)
{
	if (session->poll_pending || session->poll_next < session->poll_earliest)
		return session->poll_earliest;
	return session->poll_next;
}

void poll_start(struct session *session, usec_t now)
{
	usec_t interval;

	if (session->poll_active) {
		give_up(session, now);
		return;
	}
	if (!session->poll_pending && now < session->poll_next)
		return;
	if (now < session->poll_earliest)
		return;
	session->poll_asks = !session->poll_pending;
	session->poll_pending = false;
	session->poll_ordered = false;
	session->poll_active = true;
	session->poll_since = now;
	session->polls = 0;
	session->poll_sent = 0;
	interval = interval_of(session);
	session->poll_next = interval ? now + interval : USEC_NEVER;
}

void session_polled(struct session *session, usec_t now)
{
	if (!session->poll_sent)
		session->poll_sent = now;
	if (session->polls < UINT32_MAX)
		session->polls++;
}

bool poll_end(struct session *session, usec_t received)
{
	usec_t pause = 2 * (received - session->poll_since);

	if (!session->poll_active || !session->polls || received < session->poll_since)
		return false;
	if (pause < POLL_PAUSE_MIN)
		pause = POLL_PAUSE_MIN;
	else if (pause > POLL_PAUSE_MAX)
		pause = POLL_PAUSE_MAX;
	session->poll_earliest = received + pause;
	session->poll_active = false;
	session->poll_answered = received;
	if (session->extra && session->config.rtt_interval && session->polls == 1 && session->poll_sent)
		rtt_add(&session->extra->rtt, received - session->poll_sent);
	return !session->poll_pending;
}
