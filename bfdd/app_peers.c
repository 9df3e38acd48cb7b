/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers: from the configuration to sessions, and the search for each one's interface and local address. A
 * session is handed to the engine once its path was found for the first time; from then on the path comes and
 * goes, the session stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app_private.h"
#include "core/table.h"
#include "ops/view.h"

#define LOOPBACK_IFINDEX 1 /* in each network namespace; an unnumbered link borrows the address of lo */
#define SUBSECOND USEC_S
#define RETRY_REFUSED 1.     /* s */
#define BEGIN_TRIES 50	     /* while the engine empties its ring */
#define SETTLED (5 * USEC_S) /* after Up: the Poll Sequences are over */

struct app_peer *app_peer_by_slot(struct app *app, unsigned slot)
{
	return slot < TABLE_SLOTS && app->slot_peer[slot] ? &app->peers[app->slot_peer[slot] - 1] : NULL;
}

struct app_peer *app_peer_by_name(struct app *app, const char *name)
{
	for (unsigned i = 0; i < app->npeers; i++)
		if (!strcmp(app->peers[i].config->name, name))
			return &app->peers[i];
	return NULL;
}

const char *app_peer_cause(const struct app_peer *peer, uint8_t state, uint8_t diag, char *buf, size_t size)
{
	if (state == BFD_UP && peer->barred)
		snprintf(buf, size, "the BGP session with %s is down", peer->config->name);
	else if (state == BFD_UP)
		snprintf(buf, size, "%s is up", peer->config->name);
	else
		snprintf(buf, size, "%s went down: %s", peer->config->name, bfd_diag_name(diag));
	return buf;
}

bool app_peer_lacks_key(const struct app_peer *peer)
{
	const struct auth_chain *chain = peer->config->session.auth;

	return chain && !auth_chain_sends(chain);
}

const char *app_peer_waiting(const struct app *app, const struct app_peer *peer, char buf[APP_WAITING])
{
	static const char *const formats[] = {
		[APP_WAITS_NOT] = "%.0s",
		[APP_WAITS_INTERFACE] = "interface %s",
		[APP_WAITS_SUBNET] = "a local address for %s",
		[APP_WAITS_LOCAL] = "local address %s",
		[APP_WAITS_SET_UP] = "interface %s to be set up",
		[APP_WAITS_CARRIER] = "carrier on %s",
		[APP_WAITS_FRR] = "FRR to bring it%.0s",
		[APP_WAITS_PEER] = "the peer to speak%.0s",
		[APP_WAITS_VRF] = "VRF %s",
		[APP_WAITS_MEMBERSHIP] = "interface %s to be in its VRF",
		[APP_WAITS_OUTSIDE] = "interface %s to be in no VRF (vrf is not set)",
		[APP_WAITS_BOND] = "interface %s to be a bond, or a member of one",
		[APP_WAITS_LACP] = "LACP on %s",
		[APP_WAITS_DOOR] = "a socket for its packets%.0s",
		[APP_WAITS_PORT] = "a UDP port%.0s",
		[APP_WAITS_ONE_VRF] = "only one VRF to have %s",
	};
	const struct monitor_link *link = peer->waiting_ifindex
						  ? monitor_link_by_index(app->monitor, peer->waiting_ifindex)
						  : NULL;
	const char *what = link ? link->name : peer->config->interface;
	char text[ADDR_TEXT];

	if (!peer->waiting && app_peer_lacks_key(peer)) {
		snprintf(buf, APP_WAITING, "a key to send of %s", peer->config->session.auth->name);
		return buf;
	}
	if (peer->waiting == APP_WAITS_SUBNET)
		what = addr_format(&peer->config->address, text);
	else if (peer->waiting == APP_WAITS_VRF)
		what = peer->config->vrf;
	else if (peer->waiting == APP_WAITS_LOCAL || peer->waiting == APP_WAITS_ONE_VRF)
		what = addr_format(&peer->config->local_address, text);
	snprintf(buf, APP_WAITING, formats[peer->waiting], what);
	return buf;
}

static int waits(struct app_peer *peer, enum app_waiting waiting, uint32_t ifindex)
{
	peer->waiting = waiting;
	peer->waiting_ifindex = ifindex;
	return waiting == APP_WAITS_NOT ? 0 : -1;
}

/* Interface and VRF exist, and the one is in the other. */
static int find_links(struct app *app, struct app_peer *peer, uint32_t *ifindex, uint32_t *vrf)
{
	const struct config_peer *config = peer->config;
	const struct monitor_link *link;

	if (config->type == SESSION_SBFD && !app_sbfd_ready(app))
		return waits(peer, APP_WAITS_PORT, 0);
	if (config->vrf[0]) {
		link = monitor_link_by_name(app->monitor, config->vrf);
		if (!link || link->kind != MONITOR_VRF)
			return waits(peer, APP_WAITS_VRF, 0);
		*vrf = link->ifindex;
	}
	if (config->interface[0]) {
		link = monitor_link_by_name(app->monitor, config->interface);
		if (!link)
			return waits(peer, APP_WAITS_INTERFACE, 0);
		if (config->source == CONFIG_FRR) /* which does not tell */
			*vrf = monitor_vrf(app->monitor, link->ifindex);
		if (monitor_vrf(app->monitor, link->ifindex) != *vrf)
			return waits(peer, *vrf ? APP_WAITS_MEMBERSHIP : APP_WAITS_OUTSIDE, link->ifindex);
		*ifindex = link->ifindex;
	} else if (config->source == CONFIG_FRR && !app_doors_vrf_of(app, &config->local_address, vrf)) {
		return waits(peer, APP_WAITS_ONE_VRF, 0);
	}
	return 0;
}

/* 0: path found; -1: it waits. */
static int find_path(struct app *app, struct app_peer *peer, struct addr *local, uint32_t *ifindex,
		     uint32_t *vrf)
{
	const struct config_peer *config = peer->config;
	const struct monitor_link *link = NULL;
	uint32_t found = 0, shared;

	*local = config->local_address;
	*ifindex = *vrf = 0;
	if (config->awaited)
		return waits(peer, config->source == CONFIG_FRR ? APP_WAITS_FRR : APP_WAITS_PEER, 0);
	if (config->type == SESSION_MICRO) {
		/* A bond's peer has no session. */
		uint8_t waiting = app_lag_waits(app, peer, ifindex);

		return waits(peer, waiting, *ifindex) || config->source == CONFIG_FILE ? -1 : 0;
	}
	if (find_links(app, peer, ifindex, vrf))
		return -1;
	shared = *vrf ? *vrf : LOOPBACK_IFINDEX; /* whose addresses an unnumbered link borrows */
	if (local->family == AF_UNSPEC) {
		if (!monitor_local_for(app->monitor, *vrf, *ifindex, &config->address, local, &found))
			return waits(peer, APP_WAITS_SUBNET, 0);
	} else if (session_routed(config->type)) {
		found = monitor_holder(app->monitor, *vrf, local);
	} else if (*ifindex && monitor_has_address(app->monitor, *ifindex, local)) {
		found = *ifindex;
	} else {
		found = monitor_holder(app->monitor, *vrf, local);
		if (*ifindex && found != shared)
			found = 0;
	}
	if (!found)
		return waits(peer, APP_WAITS_LOCAL, 0);
	if (!*ifindex && !session_routed(config->type) && found != shared)
		*ifindex = found;
	if (!link && *ifindex)
		link = monitor_link_by_index(app->monitor, *ifindex);
	if (link && !link->up)
		return waits(peer, APP_WAITS_SET_UP, link->ifindex);
	if (link && !link->carrier)
		return waits(peer, APP_WAITS_CARRIER, link->ifindex);
	return waits(peer, APP_WAITS_NOT, 0);
}

/* Where a service's packets to this peer leave; changes of the index ask for a new map. */
static bool find_gateway(struct app *app, struct app_peer *peer, uint32_t session_ifindex)
{
	const struct monitor_link *link = NULL;
	uint32_t before = peer->gateway_ifindex;

	if (peer->config->interface[0])
		link = monitor_link_by_name(app->monitor, peer->config->interface);
	else
		link = monitor_link_by_index(app->monitor,
					     session_ifindex ? session_ifindex : peer->gateway_ifindex);
	/* An interface that went keeps its index here until another takes its place: the kernel's objects
	 * went with it. */
	if (link)
		peer->gateway_ifindex = link->ifindex;
	peer->gateway_up = link && link->up && link->carrier;
	return peer->gateway_ifindex != before;
}

/* False: the engine could not take it now; asked again soon. */
static bool hand_over(struct app *app, struct app_peer *peer, const struct addr *local, uint32_t ifindex,
		      uint32_t vrf)
{
	struct session_key key = {
		.peer = peer->config->address,
		.local = *local,
		.ifindex = ifindex,
		.type = peer->config->type,
		.vrf = vrf,
	};

	if (!app_doors_need(app, peer, ifindex, vrf)) {
		waits(peer, APP_WAITS_DOOR, 0);
		app->peers_dirty = true;
		return true;
	}
	if (peer->slot == APP_NO_SLOT) {
		peer->path = app_lag_path(app, peer);
		peer->slot = app_survive_add(app, peer, &key);
		if (peer->slot < 0) {
			peer->slot = APP_NO_SLOT;
			return false;
		}
		app->slot_peer[peer->slot] = peer - app->peers + 1;
		peer->added = ++app->added;
		peer->path_up = peer->barred = false;
	}
	if (!engine_path(app->engine, peer->slot, true, local, ifindex, vrf))
		return false;
	peer->path_up = true;
	peer->neighbour.known = false; /* the engine forgot it */
	peer->local = *local;
	peer->ifindex = ifindex;
	peer->vrf = vrf;
	return true;
}

/* False: to be tried again. */
static bool resolve(struct app *app, struct app_peer *peer, bool *gateway_moved)
{
	struct addr local;
	uint32_t ifindex, vrf, before_ifindex = peer->waiting_ifindex;
	uint8_t before = peer->waiting;
	char text[APP_WAITING];
	bool found;

	found = !find_path(app, peer, &local, &ifindex, &vrf);
	*gateway_moved |= find_gateway(app, peer, found ? ifindex : 0);
	if (!found && peer->waiting && (peer->waiting != before || peer->waiting_ifindex != before_ifindex))
		log_notice("peer %s waits for %s", peer->config->name, app_peer_waiting(app, peer, text));
	if (!found) {
		if (peer->slot == APP_NO_SLOT || !peer->path_up)
			return true;
		if (!engine_path(app->engine, peer->slot, false, &peer->local, peer->ifindex, peer->vrf))
			return false;
		peer->path_up = false;
		peer->neighbour.known = false;
		return true;
	}
	if (peer->slot != APP_NO_SLOT && peer->path_up && peer->ifindex == ifindex && peer->vrf == vrf &&
	    addr_equal(&peer->local, &local))
		return true;
	return hand_over(app, peer, &local, ifindex, vrf);
}

static int start_engine(struct app *app)
{
	int err = app->engine_runs ? 0 : engine_start(app->engine);

	app->engine_runs |= !err;
	return err;
}

int app_peers_begin(struct app *app)
{
	bool moved = false; /* nothing hangs on it yet */
	int err = 0;

	app_sbfd_update(app);
	for (unsigned i = 0; i < app->npeers && !err; i++) {
		unsigned tries = 0;

		while (!err && !resolve(app, &app->peers[i], &moved) && tries++ < BEGIN_TRIES) {
			err = start_engine(app);
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
		}
	}
	return err ? err : start_engine(app);
}

void app_peers_find_gateways(struct app *app)
{
	struct addr local;
	uint32_t ifindex, vrf;

	for (unsigned i = 0; i < app->npeers; i++) {
		bool found = !find_path(app, &app->peers[i], &local, &ifindex, &vrf);

		find_gateway(app, &app->peers[i], found ? ifindex : 0);
	}
}

/* Said once; asked again soon, then each second. */
static void refused(struct app *app, struct app_peer *peer)
{
	if (!peer->refused)
		log_error("peer %s: another session has its addresses and interface; it waits for the end of "
			  "that",
			  peer->config->name);
	app->retry_timer.repeat = peer->refused ? RETRY_REFUSED : APP_RETRY_PEERS;
	peer->refused = true;
	app->peers_dirty = true;
	ev_timer_again(app->loop, &app->retry_timer);
}

void app_peer_refused(struct app *app, unsigned slot)
{
	struct app_peer *peer = app_peer_by_slot(app, slot);

	if (!peer)
		return;
	app->slot_peer[slot] = 0;
	peer->slot = APP_NO_SLOT;
	peer->state = peer->config->session.shutdown ? BFD_ADMIN_DOWN : BFD_DOWN;
	refused(app, peer);
}

void app_peer_path_refused(struct app *app, unsigned slot)
{
	struct app_peer *peer = app_peer_by_slot(app, slot);

	if (!peer)
		return;
	peer->path_up = false;
	refused(app, peer);
}

/* AdminDown, ours or the peer's, is maintenance and no failure (RFC 5882 3.2). True: this was a failure. */
static bool note_state(struct app *app, struct app_peer *peer, uint8_t state, uint8_t remote_state)
{
	bool told = state == BFD_ADMIN_DOWN || (state == BFD_DOWN && remote_state == BFD_ADMIN_DOWN);
	bool was_up = peer->state == BFD_UP, failure = was_up && state != BFD_UP && !told;
	bool before = peer->failed;

	peer->failed = failure || (peer->failed && state != BFD_UP && !told);
	peer->was_up &= state != BFD_UP && !told;
	peer->state = state;
	if (peer->config->source == CONFIG_MEMBER) /* a bond is not what a member of it is */
		return failure;
	if (peer->failed != before || was_up != (state == BFD_UP)) {
		app_marks_peer(app, peer);
		app_bird_peer(app, peer);
	}
	return failure;
}

void app_peer_lost(struct app *app, struct app_peer *peer)
{
	peer->was_up = false;
	peer->failed = true;
	log_notice("peer %s was up before the restart, and is not up again: it is taken for failed",
		   peer->config->name);
	app_marks_peer(app, peer);
	app_bird_peer(app, peer);
}

void app_peer_computed(struct app *app, struct app_peer *peer, bool up, bool told)
{
	uint8_t before = peer->state, down = peer->config->session.shutdown ? BFD_ADMIN_DOWN : BFD_DOWN;
	uint8_t state = up ? BFD_UP : down;

	if (state == before)
		return;
	peer->state_since = app_now();
	note_state(app, peer, state, told ? BFD_ADMIN_DOWN : state);
	events_add(app->events, up ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, "bond", peer->state_since,
		   json_pack("{s:s s:s s:s s:i s:i}", "peer", peer->config->name, "from",
			     bfd_state_name(before), "to", bfd_state_name(state), "members",
			     (int)peer->members, "members-up", (int)peer->members_up));
}

static void recount(void *context, const struct session *sessions, unsigned count)
{
	struct app *app = context;

	app->recounts_answered++;
	for (unsigned i = 0; i < count; i++) {
		struct app_peer *peer = app_peer_by_slot(app, sessions[i].slot);

		/* The copy is made in slices: what was told since it was asked for may be newer. If that,
		 * too, was followed by something lost, another recount is on its way. */
		if (!peer || peer->recounts >= app->recounts_answered)
			continue;
		peer->diag = sessions[i].local_diag;
		peer->remote_independent = sessions[i].remote_cpi;
		note_state(app, peer, sessions[i].state, sessions[i].remote_state);
		peer->state_since = sessions[i].since;
		peer->detection_time = sessions[i].detection_time;
		peer->remote = (struct app_remote){
			.discr = sessions[i].remote_discr,
			.min_tx = sessions[i].remote_min_tx,
			.min_rx = sessions[i].remote_min_rx,
			.min_echo_rx = sessions[i].remote_min_echo_rx,
			.detect_mult = sessions[i].remote_detect_mult,
			.diag = sessions[i].remote_diag,
			.demand = sessions[i].remote_demand,
			.admin_down = sessions[i].state == BFD_DOWN &&
				      sessions[i].remote_state == BFD_ADMIN_DOWN,
		};
		app_frr_peer(app, peer);
	}
}

void app_peers_recount(struct app *app)
{
	app->recounts_asked++;
	APP_UNTIL_TAKEN(engine_snapshot(app->engine, recount, app));
}

void app_peers_resolve(struct app *app)
{
	bool gateway_moved = false;

	app_sbfd_update(app);
	app->peers_dirty = false;
	for (unsigned i = 0; i < app->npeers; i++)
		if (!resolve(app, &app->peers[i], &gateway_moved))
			app->peers_dirty = true;
	app_lag_links(app);
	if (!app_links_watch(app))
		app->peers_dirty = true;
	if (!app_doors_sweep(app))
		app->peers_dirty = true;
	if (!gateway_moved || !app->map || !app_policy_build(app, "an interface changed"))
		app_policy_resolve(app);
	app_neighbours_update(app);
	app_mtu_update(app);
	app_unsolicited_update(app);
	app_echo_update(app);
	app->retry_timer.repeat = APP_RETRY_PEERS;
	if (app->peers_dirty)
		ev_timer_again(app->loop, &app->retry_timer);
	else
		ev_timer_stop(app->loop, &app->retry_timer);
}

struct load {
	struct app *app;
	const struct config *old, *new;
	struct app_peer *peers;	       /* of NEW */
	const struct app_peer *before; /* of OLD */
	bool no_memory;
};

static void make_peer(void *context, enum config_change change, const struct config_peer *old,
		      const struct config_peer *new)
{
	struct load *load = context;
	struct app_peer *peer;

	if (change == CONFIG_REMOVED)
		return;
	peer = &load->peers[new - load->new->peers];
	if (change == CONFIG_SAME || change == CONFIG_TIMERS)
		*peer = load->before[old - load->old->peers];
	else
		*peer = (struct app_peer){.slot = APP_NO_SLOT,
					  .path = SESSION_NO_PATH,
					  .recounts = load->app->recounts_asked,
					  .state = new->session.shutdown ? BFD_ADMIN_DOWN : BFD_DOWN};
	peer->config = new;
	/* Later nothing could be refused any more. */
	if (change == CONFIG_TIMERS && peer->slot != APP_NO_SLOT &&
	    !engine_provide(load->app->engine, peer->slot, &new->session))
		load->no_memory = true;
}

struct app_peer *app_peers_make(struct app *app, const struct config *config, const struct config *old)
{
	struct load load = {.app = app, .old = old, .new = config, .before = app->peers};

	load.peers = calloc(config->npeers + 1, sizeof(*load.peers));
	if (load.peers)
		config_diff(old, config, make_peer, &load);
	if (!load.no_memory)
		return load.peers;
	free(load.peers);
	return NULL;
}

static void tell_engine(void *context, enum config_change change, const struct config_peer *old,
			const struct config_peer *new)
{
	struct load *load = context;
	struct app *app = load->app;
	int slot = old ? load->before[old - load->old->peers].slot : APP_NO_SLOT;

	if (change == CONFIG_REMOVED || change == CONFIG_MOVED)
		app_lag_gone(app, &load->before[old - load->old->peers]);
	if (slot == APP_NO_SLOT)
		return;
	if (change == CONFIG_TIMERS)
		APP_UNTIL_TAKEN(engine_configure(app->engine, slot, &new->session));
	if (change != CONFIG_REMOVED && change != CONFIG_MOVED)
		return;
	APP_UNTIL_TAKEN(engine_remove(app->engine, slot));
	app->slot_peer[slot] = 0;
}

void app_peers_tell(struct app *app, const struct app_peer *before, const struct config *old)
{
	struct load load = {.app = app, .old = old, .new = app->config, .before = before};

	config_diff(old, app->config, tell_engine, &load);
	for (unsigned i = 0; i < app->npeers; i++)
		if (app->peers[i].slot != APP_NO_SLOT)
			app->slot_peer[app->peers[i].slot] = i + 1;
}

void app_peers_free(struct app *app)
{
	free(app->peers);
	app->peers = NULL;
	app->npeers = 0;
}

static void note_remote(struct app_peer *peer, const struct engine_event *event)
{
	peer->remote.discr = event->remote_discr;
	peer->remote.min_tx = event->remote_min_tx;
	peer->remote.min_rx = event->remote_min_rx;
	peer->remote.min_echo_rx = event->remote_min_echo_rx;
	peer->remote.detect_mult = event->remote_detect_mult;
	peer->remote.diag = event->remote_diag;
	peer->remote.demand = event->remote_demand;
	peer->remote_independent = event->remote_independent;
}

static void state_event(struct app *app, struct app_peer *peer, const struct engine_event *event)
{
	enum log_level level = LOG_LEVEL_NOTICE;
	char address[ADDR_TEXT];

	peer->refused &= event->to != BFD_UP;
	if (event->to == BFD_UP) /* the path has just carried our packets: what a router said is history */
		peer->path_mtu = 0;
	peer->recounts = app->recounts_asked;
	peer->diag = event->diag;
	peer->state_since = event->at;
	note_remote(peer, event);
	if (event->to != BFD_INIT)
		peer->remote.admin_down = event->to == BFD_DOWN && event->remote_state == BFD_ADMIN_DOWN;
	if (note_state(app, peer, event->to, event->remote_state))
		level = LOG_LEVEL_WARNING;
	if (peer->config->source == CONFIG_MEMBER)
		app_lag_update(app);
	app_frr_peer(app, peer);
	app_echo_peer(app, peer);
	events_add(app->events, level, "session", event->at,
		   json_pack("{s:s s:s s:s s:s s:s s:s s:s}", "peer", peer->config->name, "address",
			     addr_format(&peer->config->address, address), "from",
			     bfd_state_name(event->from), "to", bfd_state_name(event->to), "diagnostic",
			     bfd_diag_name(event->diag), "remote-state", bfd_state_name(event->remote_state),
			     "remote-diagnostic", bfd_diag_name(event->remote_diag)));
	if (event->from == BFD_UP)
		app_postmortem_ask(app, peer);
}

static void negotiated_event(struct app *app, struct app_peer *peer, const struct engine_event *event)
{
	peer->detection_time = event->detection_time;
	note_remote(peer, event);
	app_frr_peer(app, peer);
	events_add(app->events, LOG_LEVEL_DEBUG, "negotiated", event->at,
		   json_pack("{s:s s:o s:o}", "peer", peer->config->name, "transmit-interval",
			     view_ms(event->tx_interval), "detection-time", view_ms(event->detection_time)));
}

void app_peers_warn(struct app *app)
{
	usec_t now = app_now();

	for (unsigned i = 0; i < app->npeers; i++) {
		struct app_peer *peer = &app->peers[i];
		/* With Echo packets that time is not what finds a failure. */
		bool slow = peer->state == BFD_UP && peer->detection_time > SUBSECOND &&
			    !peer->config->session.echo;

		if (slow && now - peer->state_since < SETTLED)
			continue;
		if (slow && !peer->slow_told)
			log_warning("peer %s: the negotiated detection time of %u ms misses subsecond "
				    "convergence; "
				    "the slower side wins",
				    peer->config->name, peer->detection_time / 1000);
		peer->slow_told = slow;
	}
}

void app_peer_event(struct app *app, const struct engine_event *event)
{
	struct app_peer *peer = app_peer_by_slot(app, event->slot);

	if (!peer) /* removed meanwhile: its session only says goodbye */
		return;
	if (event->kind == ENGINE_STATE)
		state_event(app, peer, event);
	else
		negotiated_event(app, peer, event);
}
