/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must be true of a node, told from its packets and from what it was ordered, by rules written here once
 * more from RFC 5880.
 */
#include "sim.h"

#include <string.h>

/* 6.8.4: with at least MIN_RX in force, silence since `heard` becomes a Down; in Demand mode that since the
 * first Poll. */
static usec_t detection_end(const struct sim_node *node, uint32_t min_rx)
{
	const struct sim_watch *watch = &node->watch;

	if (watch->demanding)
		return watch->asked ? watch->asked + watch->patience : USEC_NEVER;
	return watch->heard + (usec_t)watch->heard_mult * max32(min_rx, watch->heard_min_tx);
}

void watch_started(struct sim_node *node)
{
	memset(&node->watch, 0, sizeof(node->watch));
	node->watch.since = node->sim->now;
	watch_configured(node);
}

void watch_path(struct sim_node *node)
{
	node->watch.last_periodic = 0;
}

/* 6.8.3: while Up a reduced Required Min RX is not in force yet. */
void watch_configured(struct sim_node *node)
{
	struct sim_watch *watch = &node->watch;
	uint32_t configured = node->session->config.required_min_rx;

	if (node->session->state != BFD_UP)
		watch->min_rx_in_force = configured;
	watch->min_rx_in_force = max32(watch->min_rx_in_force, configured);
	if (configured != watch->min_rx_configured)
		watch->min_rx_polled = false;
	watch->min_rx_configured = configured;
	watch->last_periodic = 0;
}

/* The interval in force (6.8.2) as it is now; notes when it is another than at the last periodic packet. */
static usec_t interval_now(struct sim_node *node)
{
	struct sim_watch *watch = &node->watch;
	const struct session *session = node->session;
	usec_t interval = max32(session->desired_min_tx_used, session->remote_min_rx);

	if (interval != watch->interval || !session->tx_interval ||
	    session->config.detect_mult != watch->mult || (session->config.passive && !session->remote_discr))
		watch->interval_changed = true;
	return interval;
}

/* 6.8.2, 6.8.7: between two periodic packets 75 to 100 % (90 % with multiplier 1) of the interval, when it
 * did not change between them; and never below a second's 75 % when not Up. A tick does not count as an
 * excuse unless it is longer than all of the jitter. */
static void check_interval(struct sim_node *node)
{
	struct sim_watch *watch = &node->watch;
	usec_t gap = node->sim->now - watch->last_periodic, interval = interval_now(node);
	unsigned most = node->session->config.detect_mult == 1 ? 90 : 100;
	bool same = !watch->interval_changed;
	usec_t late = 0;

	if (node->tick > interval * (most - 75) / 100)
		late = node->tick;
	if (node->asleep_until > watch->last_periodic)
		late += node->asleep_until - watch->last_periodic;
	watch->interval = interval;
	watch->mult = node->session->config.detect_mult;
	watch->interval_changed = false;
	if (!watch->last_periodic)
		return;
	if (node->session->state != BFD_UP && gap < 750 * USEC_MS)
		sim_fail(node, "%lld us between packets when not Up", (long long)gap);
	if (same && gap < interval * 75 / 100)
		sim_fail(node, "%lld us is below 75 %% of %lld", (long long)gap, (long long)interval);
	if (same && gap > interval * most / 100 + late)
		sim_fail(node, "%lld us is above %u %% of %lld", (long long)gap, most, (long long)interval);
}

void watch_sent(struct sim_node *node, const struct packet *packet, enum sim_send kind)
{
	struct sim_watch *watch = &node->watch;
	const struct session *session = node->session;

	if (packet->poll && packet->final)
		sim_fail(node, "Poll and Final in one packet");
	if (packet->final != (kind == SIM_FINAL))
		sim_fail(node, "Final misplaced");
	if (packet->state != BFD_UP && packet->desired_min_tx < USEC_S)
		sim_fail(node, "advertises %u us when not Up", packet->desired_min_tx);
	if (!packet->your_discr && (packet->state == BFD_INIT || packet->state == BFD_UP))
		sim_fail(node, "state %u without Your Discriminator", packet->state);
	if (session->config.passive && !packet->your_discr)
		sim_fail(node, "passive, and speaks first");
	if (!session->path_up)
		sim_fail(node, "sends without a path");
	if (packet->demand && (packet->state != BFD_UP || watch->heard_state != BFD_UP))
		sim_fail(node, "Demand, and not both are Up");
	if (kind == SIM_PERIODIC && watch->heard_demand && watch->heard_state == BFD_UP &&
	    packet->state == BFD_UP && !packet->poll)
		sim_fail(node, "a periodic packet to a peer in Demand mode");
	if (packet->poll && !watch->asked)
		watch->asked = node->sim->now;
	node->sim->seen.demands += packet->demand;

	node->sim->seen.polls += packet->poll;
	if (packet->poll && packet->required_min_rx == session->config.required_min_rx)
		watch->min_rx_polled = true;
	if (kind == SIM_FINAL) {
		if (!watch->owes_final)
			sim_fail(node, "a Final that nobody asked for");
		watch->owes_final = false;
		node->sim->seen.finals++;
	} else if (kind == SIM_PROMPT) {
		watch->prompts++;
		if (watch->prompts > watch->changes ||
		    watch->prompts > 5 + (node->sim->now - watch->since) / (250 * USEC_MS))
			sim_fail(node, "%u packets out of turn", watch->prompts);
	} else {
		check_interval(node);
		watch->last_periodic = node->sim->now;
	}
}

void watch_accepted(struct sim_node *node, const struct packet *packet, usec_t received,
		    const struct session_effects *effects)
{
	struct sim_watch *watch = &node->watch;

	if (received > watch->heard)
		watch->heard = received;
	watch->heard_min_tx = packet->desired_min_tx;
	watch->heard_min_rx = packet->required_min_rx;
	watch->heard_mult = packet->detect_mult;
	watch->heard_state = packet->state;
	watch->heard_demand = packet->demand;
	if (packet->final)
		watch->asked = 0;
	watch->listening = true;
	if (packet->final && watch->min_rx_polled)
		watch->min_rx_in_force = node->session->config.required_min_rx;
	if (packet->poll != !!(effects->what & EFFECT_SEND_FINAL))
		sim_fail(node, packet->poll ? "a Poll without answer" : "a Final without Poll");
	watch->owes_final = packet->poll;
}

/* Whoever begins to demand counts from the next P; who stops has just been answered. */
static void watch_demand(struct sim_node *node)
{
	struct sim_watch *watch = &node->watch;

	if (node->session->demand_used != watch->demanding)
		watch->asked = 0;
	watch->demanding = node->session->demand_used;
	watch->patience = (usec_t)node->session->config.detect_mult *
			  max32(node->session->desired_min_tx_used, watch->heard_min_rx);
}

void watch_effects(struct sim_node *node, const struct session_effects *effects)
{
	struct sim_watch *watch = &node->watch;
	struct sim *sim = node->sim;

	interval_now(node);
	if (!(effects->what & EFFECT_STATE)) {
		watch_demand(node);
		return;
	}
	watch->changes++;
	sim->seen.ups += effects->to == BFD_UP;
	if (effects->to == BFD_DOWN && effects->diag == DIAG_DETECTION_EXPIRED) {
		sim->seen.timeouts++;
		sim->seen.unanswered += watch->demanding;
		if (!watch->listening || sim->now < detection_end(node, watch->min_rx_in_force))
			sim_fail(node, "detection %lld us early",
				 (long long)(detection_end(node, watch->min_rx_in_force) - sim->now));
	}
	watch_demand(node);
	if (sim->no_down && effects->to < effects->from)
		sim_fail(node, "down (diagnostic %u) on a link without fault", effects->diag);
	if (effects->to != BFD_UP)
		watch->min_rx_in_force = node->session->config.required_min_rx;
	if (effects->to <= BFD_DOWN && effects->diag != DIAG_NEIGHBOR_DOWN)
		watch->listening = false;
}

/* Whoever wakes at or after the end of the detection time is Down when it goes back to sleep. */
void watch_woken(struct sim_node *node)
{
	const struct session *session = node->session;
	usec_t end = detection_end(node, session->required_min_rx_used);

	if (node->watch.owes_final)
		sim_fail(node, "a Poll was not answered");
	if ((session->state == BFD_UP || session->state == BFD_INIT) && end <= node->sim->now)
		sim_fail(node, "detection %lld us late", (long long)(node->sim->now - end));
}

static void check_agreed(struct sim_node *node, const struct sim_node *other)
{
	const struct session *s = node->session, *o = other->session;
	uint32_t tx = max32(s->config.desired_min_tx, o->config.required_min_rx);
	usec_t detection = (usec_t)o->config.detect_mult *
			   max32(s->config.required_min_rx, o->config.desired_min_tx);

	if (s->state != BFD_UP)
		sim_fail(node, "not Up again: %s, remote %s", bfd_state_name(s->state),
			 bfd_state_name(s->remote_state));
	if ((s->poll_active && !s->poll_asks) || s->poll_pending)
		sim_fail(node, "still polling");
	if (s->demand != s->config.demand_mode || s->demand_used != s->demand ||
	    s->remote_demand != o->config.demand_mode)
		sim_fail(node, "not agreed upon Demand mode");
	if (s->demand)
		detection = (usec_t)s->config.detect_mult * tx;
	if (s->tx_interval != tx && !(o->demand && !s->tx_interval))
		sim_fail(node, "sends every %u us, agreed are %u", s->tx_interval, tx);
	if (s->detection_time != detection)
		sim_fail(node, "detection time %lld us, agreed are %lld", (long long)s->detection_time,
			 (long long)detection);
	if (s->local_diag != DIAG_NONE || s->remote_discr != o->local_discr)
		sim_fail(node, "diagnostic or discriminator of another life");
}

void watch_settled(struct sim *sim)
{
	check_agreed(&sim->nodes[0], &sim->nodes[1]);
	check_agreed(&sim->nodes[1], &sim->nodes[0]);
}
