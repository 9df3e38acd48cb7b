/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/schedule.h"

#include "core/poll.h"

#define GRID_SHARE 12		     /* of an interval: leaves two places or three in what jitter allows */
#define GRID_MAX 16384		     /* us: beyond, bursts grow and there is nothing left to save */
#define START_SPREAD (100 * USEC_MS) /* sessions that start together do not all speak at once */

/* 6.8.7: whether anything may be sent at all. */
bool schedule_allowed(const struct session *session)
{
	return session->path_up && !(session->config.passive && !session->remote_discr);
}

/* 6.8.2, 6.8.7. */
static uint32_t tx_interval(const struct session *session)
{
	if (session->key.type == SESSION_SBFD)
		return schedule_allowed(session) && session->state != BFD_ADMIN_DOWN
			       ? max32(session->desired_min_tx_used, session->remote_min_rx)
			       : 0;
	if (!schedule_allowed(session) || !session->remote_min_rx)
		return 0;
	if (session->remote_demand && session->state == BFD_UP && session->remote_state == BFD_UP &&
	    !session->poll_active)
		return 0;
	return max32(session->desired_min_tx_used, session->remote_min_rx);
}

usec_t session_grid(usec_t interval)
{
	usec_t grid = 1;

	while (grid < GRID_MAX && grid * 2 * GRID_SHARE <= interval)
		grid *= 2;
	return grid;
}

usec_t session_on_grid(usec_t at, usec_t interval)
{
	return at & ~(session_grid(interval) - 1);
}

/* 6.8.7: when a packet is due after one at SINCE: 75 to 100 % of INTERVAL, no more than 90 % when one lost
 * packet is a Down. That is meant for the wire: what the owner may add is taken off the upper end. On the
 * grid, unless what is left is narrower than that. */
static usec_t due(const struct session *session, usec_t since, usec_t interval)
{
	usec_t grid = session_grid(interval);
	usec_t least = since + interval - interval / 4;
	usec_t most = since + interval - (session->tight ? interval / 10 : 0) - session->tx_late;
	usec_t room = most > least ? most - least : 0;
	bool on_grid = room >= grid;

	if (on_grid) {
		least += grid - 1;
		room -= grid - 1;
	}
	least += (usec_t)(((uint64_t)room * session->jitter) >> 32);
	return on_grid ? session_on_grid(least, interval) : least;
}

void schedule_next(struct session *session)
{
	session->tx_interval = tx_interval(session);
	if (session->tx_interval)
		session->next_tx = due(session, session->last_tx, session->tx_interval);
	else if (session->remote_demand && session->remote_min_rx && schedule_allowed(session))
		session->next_tx = poll_due(
			session); /* 6.6: silent for a peer in Demand mode, but for Polls */
	else
		session->next_tx = USEC_NEVER;
}

/* Sets the schedule so that the next packet is due within START_SPREAD. */
void schedule_start_soon(struct session *session, usec_t now)
{
	usec_t wait = (usec_t)(((uint64_t)START_SPREAD * session->jitter) >> 32);
	uint32_t interval = tx_interval(session);

	/* Counted from a moment on the grid, a packet falls due as much later as from any other one. */
	if (interval)
		session->last_tx = session_on_grid(now + wait, interval) - due(session, 0, interval);
}
