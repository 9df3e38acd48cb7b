/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "config/config.h"

/* Nearly always, the next name looked for is the one after the last found: *CURSOR is where to begin. */
static const struct config_peer *find_peer(const struct config *config, const char *name, unsigned *cursor)
{
	for (unsigned i = 0; config && i < config->npeers; i++) {
		unsigned at = (*cursor + i) % config->npeers;

		if (strcmp(config->peers[at].name, name) == 0) {
			*cursor = at + 1;
			return &config->peers[at];
		}
	}
	return NULL;
}

static bool same_key(const struct config_peer *a, const struct config_peer *b)
{
	return addr_equal(&a->address, &b->address) && addr_equal(&a->local_address, &b->local_address) &&
	       a->type == b->type && a->awaited == b->awaited && strcmp(a->interface, b->interface) == 0 &&
	       strcmp(a->vrf, b->vrf) == 0 && a->session.remote_discr == b->session.remote_discr;
}

/* One session may go on: where FRR's number says that it is, interface and local address may be those of
 * either. */
static bool same_place(const struct config_peer *a, const struct config_peer *b)
{
	return same_key(a, b) ||
	       (a->frr_lid && a->frr_lid == b->frr_lid && addr_equal(&a->address, &b->address) &&
		a->type == b->type && a->awaited == b->awaited);
}

static bool same_session(const struct session_config *a, const struct session_config *b)
{
	return a->desired_min_tx == b->desired_min_tx && a->required_min_rx == b->required_min_rx &&
	       a->detect_mult == b->detect_mult && a->min_ttl == b->min_ttl && a->passive == b->passive &&
	       a->shutdown == b->shutdown && a->padded_pdu_size == b->padded_pdu_size &&
	       auth_chain_equal(a->auth, b->auth) && a->rtt_interval == b->rtt_interval &&
	       a->demand_mode == b->demand_mode && a->demand_poll_interval == b->demand_poll_interval &&
	       a->control_plane_independent == b->control_plane_independent && a->dscp == b->dscp &&
	       a->echo == b->echo && a->echo_tx == b->echo_tx && a->echo_rx == b->echo_rx &&
	       a->minimum_up == b->minimum_up;
}

/* The peer of ONE that PEER of OTHER is: of the same name, else one that differs in name only. */
static const struct config_peer *counterpart(const struct config *one, const struct config *other,
					     const struct config_peer *peer, unsigned *cursor)
{
	const struct config_peer *same = find_peer(one, peer->name, cursor);
	unsigned ignored = 0;

	for (unsigned i = 0; !same && one && i < one->npeers; i++)
		if (same_place(&one->peers[i], peer) && !find_peer(other, one->peers[i].name, &ignored))
			same = &one->peers[i];
	return same;
}

static enum config_change compare(const struct config_peer *old, const struct config_peer *new)
{
	if (!old)
		return CONFIG_ADDED;
	if (!new)
		return CONFIG_REMOVED;
	if (!same_place(old, new))
		return CONFIG_MOVED;
	return same_session(&old->session, &new->session) ? CONFIG_SAME : CONFIG_TIMERS;
}

static unsigned count(const struct config *config)
{
	return config ? config->npeers : 0;
}

void config_diff(const struct config *old, const struct config *new, config_diff_fn *fn, void *context)
{
	unsigned cursor = 0;

	for (unsigned i = 0; i < count(old); i++) {
		const struct config_peer *peer = counterpart(new, old, &old->peers[i], &cursor);
		enum config_change change = compare(&old->peers[i], peer);

		if (change == CONFIG_REMOVED || change == CONFIG_MOVED)
			fn(context, change, &old->peers[i], peer);
	}
	cursor = 0;
	for (unsigned i = 0; i < count(new); i++)
		if (!counterpart(old, new, &new->peers[i], &cursor))
			fn(context, CONFIG_ADDED, NULL, &new->peers[i]);
	cursor = 0;
	for (unsigned i = 0; i < count(new); i++) {
		const struct config_peer *peer = counterpart(old, new, &new->peers[i], &cursor);
		enum config_change change = compare(peer, &new->peers[i]);

		if (change == CONFIG_SAME || change == CONFIG_TIMERS)
			fn(context, change, peer, &new->peers[i]);
	}
}

static bool sites_differ(const struct config *old, const struct config_site *a, const struct config *new,
			 const struct config_site *b)
{
	if (strcmp(a->name, b->name) != 0 || a->npeers != b->npeers)
		return true;
	for (unsigned i = 0; i < a->npeers; i++) {
		const struct config_peer *x = &old->peers[a->peers[i]], *y = &new->peers[b->peers[i]];

		if (strcmp(x->name, y->name) != 0 || !same_key(x, y) || !addr_equal(&x->via, &y->via))
			return true;
	}
	return false;
}

static bool services_differ(const struct config *old, const struct config_service *a,
			    const struct config *new, const struct config_service *b)
{
	if (strcmp(a->name, b->name) != 0 || a->wait_to_restore != b->wait_to_restore ||
	    a->follow != b->follow || a->withdraw_delay != b->withdraw_delay ||
	    a->nprefixes != b->nprefixes || a->nsites != b->nsites)
		return true;
	for (unsigned i = 0; i < a->nprefixes; i++)
		if (prefix_compare(&a->prefixes[i], &b->prefixes[i]) != 0)
			return true;
	for (unsigned i = 0; i < a->nsites; i++)
		if (strcmp(old->sites[a->sites[i]].name, new->sites[b->sites[i]].name) != 0)
			return true;
	return false;
}

static bool ranges_differ(const struct config_steering *a, const struct config_steering *b)
{
	return a->protocol != b->protocol || a->table != b->table || a->rule_priority != b->rule_priority ||
	       a->nexthop_id != b->nexthop_id || a->fast_failover != b->fast_failover ||
	       a->fast_failover_mark != b->fast_failover_mark;
}

bool config_policy_differs(const struct config *old, const struct config *new)
{
	if (!old || !new)
		return old != new;
	if (old->nsites != new->nsites || old->nservices != new->nservices ||
	    ranges_differ(&old->steering, &new->steering))
		return true;
	for (unsigned i = 0; i < old->nsites; i++)
		if (sites_differ(old, &old->sites[i], new, &new->sites[i]))
			return true;
	for (unsigned i = 0; i < old->nservices; i++)
		if (services_differ(old, &old->services[i], new, &new->services[i]))
			return true;
	return false;
}

const char *config_needs_restart(const struct config *old, const struct config *new)
{
	if (!old || !new)
		return NULL;
	if (old->steering.protocol != new->steering.protocol)
		return "steering.protocol";
	if (old->steering.table != new->steering.table)
		return "steering.table";
	if (old->steering.rule_priority != new->steering.rule_priority)
		return "steering.rule-priority";
	if (old->steering.nexthop_id != new->steering.nexthop_id)
		return "steering.nexthop-id";
	if (old->steering.fast_failover != new->steering.fast_failover)
		return "steering.fast-failover";
	if (old->steering.fast_failover_mark != new->steering.fast_failover_mark)
		return "steering.fast-failover-mark";
	if (old->daemon.realtime != new->daemon.realtime)
		return "daemon.realtime";
	if (old->daemon.realtime_priority != new->daemon.realtime_priority)
		return "daemon.realtime-priority";
	if (old->daemon.realtime_deadline != new->daemon.realtime_deadline)
		return "daemon.realtime-deadline";
	if (old->daemon.kernel_filter != new->daemon.kernel_filter)
		return "daemon.kernel-filter";
	if (old->daemon.events != new->daemon.events)
		return "daemon.events";
	if (old->flight_recorder != new->flight_recorder)
		return "flight-recorder";
	return NULL;
}
