// SPDX-License-Identifier: GPL-2.0-or-later
#include "ops/view.h"

#include "ops/escape.h"
#include "ops/events.h"

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

json_t *view_text(const char *text)
{
	char escaped[1024];
	json_t *string;

	if (!text || !*text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	escape_text(escaped, sizeof(escaped), text);
	return json_string(escaped);
}

json_t *view_ms(usec_t duration)
{
	return duration % USEC_MS ? json_real((double)duration / USEC_MS) : json_integer(duration / USEC_MS);
}

json_t *view_drops(const uint64_t drops[DROP_COUNT])
{
	json_t *object = json_object();

	for (int reason = DROP_NONE + 1; reason < DROP_COUNT; reason++)
		if (drops[reason])
			set(object, drop_name(reason), json_integer((json_int_t)drops[reason]));
	return object;
}

static json_t *view_time(usec_t at)
{
	char text[EVENTS_TIME];

	return at ? json_string(events_time(at, text)) : json_null();
}

/* What the session says before there is one. */
static struct session unmade(const struct view_peer *peer)
{
	if (peer->bond)
		return (struct session){
			.state = peer->bond->state,
			.remote_state = BFD_DOWN,
			.since = peer->bond->since,
		};
	return (struct session){
		.state = peer->config->shutdown ? BFD_ADMIN_DOWN : BFD_DOWN,
		.remote_state = BFD_DOWN,
		.local_diag = peer->config->shutdown ? DIAG_ADMIN_DOWN : DIAG_NONE,
	};
}

/* The peers' are many: they are written, not built. */

static void put_string(struct writer *out, const char *key, const char *text)
{
	writer_key(out, key);
	writer_string(out, text);
}

static void put_integer(struct writer *out, const char *key, uint64_t value)
{
	writer_key(out, key);
	writer_integer(out, value);
}

static void put_boolean(struct writer *out, const char *key, bool value)
{
	writer_key(out, key);
	writer_boolean(out, value);
}

static void put_ms(struct writer *out, const char *key, usec_t duration)
{
	writer_key(out, key);
	writer_ms(out, duration);
}

static void put_addr(struct writer *out, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT];

	put_string(out, key, addr_format(addr, text));
}

static void put_time(struct writer *out, const char *key, usec_t at)
{
	char text[EVENTS_TIME];

	put_string(out, key, at ? events_time(at, text) : NULL);
}

static void put_negotiated(struct writer *out, const struct session *session)
{
	uint32_t rx = session->required_min_rx_used;

	if (rx < session->remote_min_tx)
		rx = session->remote_min_tx;
	put_ms(out, "transmit-interval", session->tx_interval);
	put_ms(out, "receive-interval", rx);
	put_ms(out, "detection-time", session->detection_time);
}

static void put_counters(struct writer *out, const struct session *session)
{
	put_integer(out, "up-transitions", session->up_transitions);
	put_integer(out, "down-transitions", session->down_transitions);
	put_integer(out, "packets-in", session->packets_in);
	put_integer(out, "packets-out", session->packets_out);
	writer_key(out, "drops");
	writer_open(out, '{');
	for (int reason = DROP_NONE + 1; reason < DROP_COUNT; reason++)
		if (session->drops[reason])
			put_integer(out, drop_name(reason), session->drops[reason]);
	writer_close(out, '}');
}

static void put_bgp(struct writer *out, const struct view_bgp *bgp)
{
	writer_key(out, "bgp");
	if (!bgp) {
		writer_null(out);
		return;
	}
	writer_open(out, '{');
	put_string(out, "state", bgp->state);
	put_integer(out, "prefixes", bgp->prefixes);
	put_boolean(out, "graceful-restart", bgp->graceful_restart);
	put_string(out, "daemon", bgp->daemon);
	put_string(out, "protocol", bgp->protocol);
	put_string(out, "warning", bgp->warning);
	writer_close(out, '}');
}

/* Opens an object, for the caller to add to and to close. False: it is null. */
static bool put_rtt_begin(struct writer *out, const struct rtt *measured)
{
	struct rtt_summary rtt;

	writer_key(out, "rtt");
	if (!measured || !rtt_summary(measured, &rtt)) {
		writer_null(out);
		return false;
	}
	writer_open(out, '{');
	put_ms(out, "minimum", rtt.least);
	put_ms(out, "mean", rtt.mean);
	put_ms(out, "p99", rtt.p99);
	put_ms(out, "maximum", rtt.most);
	put_ms(out, "jitter", rtt.jitter);
	put_ms(out, "last", rtt.last);
	put_integer(out, "count", rtt.count);
	return true;
}

static void put_rtt(struct writer *out, const struct session *session)
{
	if (!put_rtt_begin(out, session->extra ? &session->extra->rtt : NULL))
		return;
	put_integer(out, "unanswered", session->extra->rtt_unanswered);
	writer_close(out, '}');
}

static void put_common(struct writer *out, const struct view_peer *peer, const struct session *session)
{
	const struct session_key *key = peer->session ? &session->key : peer->key;

	put_string(out, "name", peer->name);
	put_addr(out, "address", &key->peer);
	put_addr(out, "local-address", &key->local);
	put_string(out, "interface", peer->interface);
	put_boolean(out, "multihop", key->type == SESSION_MULTIHOP);
	put_string(out, "type", session_type_name(key->type));
	put_string(out, "state", bfd_state_name(session->state));
	put_string(out, "diagnostic", bfd_diag_name(session->local_diag));
	put_string(out, "remote-state", bfd_state_name(session->remote_state));
	put_integer(out, "local-discriminator", session->local_discr);
	put_integer(out, "remote-discriminator", session->remote_discr);
	put_negotiated(out, session);
	put_counters(out, session);
	put_time(out, "since", session->since);
	put_string(out, "waiting", peer->waiting);
	put_string(out, "source", peer->source);
	put_bgp(out, peer->bgp);
	put_rtt(out, session);
}

/* Poll Sequences, Demand mode, and what else packets say or bear. */
static void put_protocol(struct writer *out, const struct session_config *config,
			 const struct session *session)
{
	put_boolean(out, "poll-active", session->poll_active);
	put_time(out, "last-poll-answered", session->poll_answered);
	put_ms(out, "rtt-interval", config->rtt_interval);
	put_boolean(out, "demand-mode", config->demand_mode);
	put_ms(out, "demand-poll-interval", config->demand_poll_interval);
	put_boolean(out, "demand-active", session->demand_used);
	put_boolean(out, "remote-demand", session->remote_demand);
	put_boolean(out, "control-plane-independent", config->control_plane_independent);
	put_boolean(out, "remote-control-plane-independent", session->remote_cpi);
	put_integer(out, "dscp", config->dscp);
}

/* What the peer said. Before it is heard of the session has initial values here, which nobody said (RFC 5880
 * 6.8.1). */
static void put_remote(struct writer *out, const struct session *session)
{
	bool heard = session->remote_discr;

	writer_key(out, "remote-detect-multiplier");
	heard ? writer_integer(out, session->remote_detect_mult) : writer_null(out);
	writer_key(out, "remote-transmit-interval");
	heard ? writer_ms(out, session->remote_min_tx) : writer_null(out);
	writer_key(out, "remote-receive-interval");
	heard ? writer_ms(out, session->remote_min_rx) : writer_null(out);
	put_string(out, "remote-diagnostic", bfd_diag_name(session->remote_diag));
}

/* Large packets (RFC 9764). */
static void put_sizes(struct writer *out, const struct view_peer *peer, const struct session *session)
{
	if (session->rx_size)
		put_integer(out, "received-size", session->rx_size);
	if (!peer->needed_mtu)
		return;
	put_integer(out, "padded-pdu-size", peer->config->padded_pdu_size);
	put_integer(out, "needed-mtu", peer->needed_mtu);
	writer_key(out, "interface-mtu");
	peer->interface_mtu ? writer_integer(out, peer->interface_mtu) : writer_null(out);
	if (!peer->path_mtu)
		return;
	put_integer(out, "path-mtu", peer->path_mtu);
	put_addr(out, "path-mtu-router", peer->path_mtu_router);
	put_time(out, "path-mtu-at", peer->path_mtu_at);
}

static void put_key(struct writer *out, const char *type_key, enum auth_type type, const char *id_key,
		    uint8_t id)
{
	put_string(out, type_key, type ? auth_type_name(type) : NULL);
	writer_key(out, id_key);
	type ? writer_integer(out, id) : writer_null(out);
}

static void put_sequence(struct writer *out, const char *key, bool known, uint32_t seq)
{
	writer_key(out, key);
	known ? writer_integer(out, seq) : writer_null(out);
}

/* What is sent now, and what was received last. */
static void put_authentication(struct writer *out, const struct auth_chain *chain,
			       const struct session *session)
{
	const struct auth_state none = {0}, *state = session->extra ? &session->extra->auth : &none;
	const struct auth_key *key = chain ? auth_chain_sends(chain) : NULL;

	writer_key(out, "authentication");
	if (!chain) {
		writer_null(out);
		return;
	}
	writer_open(out, '{');
	put_string(out, "key-chain", chain->name);
	put_key(out, "type", key ? key->type : AUTH_NONE, "key-id", key ? key->id : 0);
	put_sequence(out, "sequence", state->started, state->xmit_seq);
	put_key(out, "remote-type", state->received_type, "remote-key-id", state->received_key);
	put_sequence(out, "remote-sequence", state->known, state->rcv_seq);
	writer_close(out, '}');
}

/* Of a session that only loops its own packets nobody says anything but itself. */
static void put_echo_terms(struct writer *out, const struct session_config *config,
			   const struct session *session, const struct echo *echo, bool loop)
{
	put_ms(out, "transmit-interval", loop ? session->tx_interval : session->echo_interval);
	writer_key(out, "receive-interval");
	loop ? writer_null(out) : writer_ms(out, config->echo_rx);
	writer_key(out, "remote-receive-interval");
	loop ? writer_null(out) : writer_ms(out, session->remote_min_echo_rx);
	put_ms(out, "detection-time", loop ? session->detection_time : echo_detection_time(echo));
}

/* RFC 5880 6.4, RFC 9747. What runs, not what is configured. */
static void put_echo(struct writer *out, const struct session_config *config, const struct session *session,
		     enum session_type type)
{
	static const struct echo nothing;
	const struct echo *echo = session->extra ? &session->extra->echo : &nothing;

	writer_key(out, "echo");
	if (!config->echo && !config->echo_rx && type != SESSION_ECHO) {
		writer_null(out);
		return;
	}
	writer_open(out, '{');
	put_echo_terms(out, config, session, echo, type == SESSION_ECHO);
	put_integer(out, "packets-out", echo->packets_out);
	put_integer(out, "packets-in", echo->packets_in);
	put_integer(out, "lost", echo_lost(echo));
	put_integer(out, "reflected", echo->reflected);
	put_string(out, "reflected-by", !config->echo_rx ? NULL : echo->kernel_reflects ? "kernel" : "bfdd");
	if (put_rtt_begin(out, session->extra ? &session->extra->echo_rtt : NULL))
		writer_close(out, '}');
	writer_close(out, '}');
}

static void put_detail(struct writer *out, const struct view_peer *peer, const struct session *session)
{
	const struct session_config *config = peer->config;

	if (peer->vrf && *peer->vrf)
		put_string(out, "vrf", peer->vrf);
	if (peer->bond) {
		put_integer(out, "members", peer->bond->members);
		put_integer(out, "members-up", peer->bond->members_up);
		put_integer(out, "minimum-links", peer->bond->minimum);
	}
	if (peer->bond_peer) {
		put_string(out, "member-of", peer->bond_peer);
		put_boolean(out, "in-service", peer->in_service);
	}
	put_string(out, "site", peer->site);
	put_string(out, "profile", peer->profile);
	writer_key(out, "frr-session");
	peer->frr_session ? writer_integer(out, peer->frr_session) : writer_null(out);
	put_boolean(out, "passive", config->passive);
	if (session_routed((peer->session ? &session->key : peer->key)->type))
		put_integer(out, "minimum-ttl", config->min_ttl);
	put_integer(out, "detect-multiplier", config->detect_mult);
	put_ms(out, "configured-transmit-interval", config->desired_min_tx);
	put_ms(out, "configured-receive-interval", config->required_min_rx);
	put_remote(out, session);
	put_protocol(out, config, session);
	put_authentication(out, config->auth, session);
	put_echo(out, config, session, (peer->session ? &session->key : peer->key)->type);
	writer_key(out, "source-port");
	session->source_port ? writer_integer(out, session->source_port) : writer_null(out);
	put_string(out, "transmit-path", peer->transmit_path);
	put_sizes(out, peer, session);
	put_time(out, "created", session->created);
	put_time(out, "resumed", session->resumed);
	put_time(out, "last-packet", session->last_rx);
	view_ietf(out, config, session);
}

static void write_peer(struct writer *out, const struct view_peer *peer, bool detail)
{
	struct session none = unmade(peer);
	const struct session *session = peer->session ? peer->session : &none;

	writer_open(out, '{');
	put_common(out, peer, session);
	if (detail)
		put_detail(out, peer, session);
	writer_close(out, '}');
}

void view_peer(struct writer *out, const struct view_peer *peer)
{
	write_peer(out, peer, false);
}

void view_peer_detail(struct writer *out, const struct view_peer *peer)
{
	write_peer(out, peer, true);
}

static json_t *view_paths(const struct view_path *paths, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++) {
		json_t *path = json_object();

		set(path, "peer", view_text(paths[i].peer));
		set(path, "site", view_text(paths[i].site));
		set(path, "usable", json_boolean(paths[i].usable));
		set(path, "in-use", json_boolean(paths[i].in_use));
		json_array_append_new(array, path);
	}
	return array;
}

static json_t *view_switch(const struct view_switch *last)
{
	json_t *object;

	if (!last->at)
		return json_null();
	object = json_object();
	set(object, "at", view_time(last->at));
	set(object, "reason", view_text(last->reason));
	set(object, "detection-to-kernel-us",
	    last->detection_to_kernel < 0 ? json_null() : json_integer(last->detection_to_kernel));
	return object;
}

json_t *view_service(const struct view_service *service)
{
	json_t *object = json_object(), *sites = json_object();

	set(sites, "ipv4", view_text(service->active_site_v4));
	set(sites, "ipv6", view_text(service->active_site_v6));
	set(object, "name", view_text(service->name));
	set(object, "active-site", view_text(service->active_site));
	set(object, "active-sites", sites);
	set(object, "paths", view_paths(service->paths, service->npaths));
	set(object, "switches", json_integer((json_int_t)service->switches));
	set(object, "last-switch", view_switch(&service->last));
	return object;
}

json_t *view_site(const struct view_site *site)
{
	json_t *object = json_object();

	set(object, "name", view_text(site->name));
	set(object, "usable", json_boolean(site->nusable > 0));
	set(object, "paths", view_paths(site->paths, site->npaths));
	return object;
}
