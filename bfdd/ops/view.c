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

static json_t *view_addr(const struct addr *addr)
{
	char text[ADDR_TEXT];

	return view_text(addr_format(addr, text));
}

/* What the session says before there is one. */
static struct session unmade(const struct view_peer *peer)
{
	return (struct session){
		.state = peer->config->shutdown ? BFD_ADMIN_DOWN : BFD_DOWN,
		.remote_state = BFD_DOWN,
		.local_diag = peer->config->shutdown ? DIAG_ADMIN_DOWN : DIAG_NONE,
	};
}

static void set_negotiated(json_t *object, const struct session *session)
{
	uint32_t rx = session->required_min_rx_used;

	if (rx < session->remote_min_tx)
		rx = session->remote_min_tx;
	set(object, "transmit-interval", view_ms(session->tx_interval));
	set(object, "receive-interval", view_ms(rx));
	set(object, "detection-time", view_ms(session->detection_time));
}

static void set_counters(json_t *object, const struct session *session)
{
	uint64_t drops[DROP_COUNT];

	for (int reason = 0; reason < DROP_COUNT; reason++)
		drops[reason] = session->drops[reason];
	set(object, "up-transitions", json_integer(session->up_transitions));
	set(object, "down-transitions", json_integer(session->down_transitions));
	set(object, "packets-in", json_integer((json_int_t)session->packets_in));
	set(object, "packets-out", json_integer((json_int_t)session->packets_out));
	set(object, "drops", view_drops(drops));
}

json_t *view_peer(const struct view_peer *peer)
{
	struct session none = unmade(peer);
	const struct session *session = peer->session ? peer->session : &none;
	const struct session_key *key = peer->session ? &session->key : peer->key;
	json_t *object = json_object();

	set(object, "name", view_text(peer->name));
	set(object, "address", view_addr(&key->peer));
	set(object, "local-address", view_addr(&key->local));
	set(object, "interface", view_text(peer->interface));
	set(object, "multihop", json_boolean(key->multihop));
	set(object, "state", json_string(bfd_state_name(session->state)));
	set(object, "diagnostic", json_string(bfd_diag_name(session->local_diag)));
	set(object, "remote-state", json_string(bfd_state_name(session->remote_state)));
	set(object, "local-discriminator", json_integer(session->local_discr));
	set(object, "remote-discriminator", json_integer(session->remote_discr));
	set_negotiated(object, session);
	set_counters(object, session);
	set(object, "since", view_time(session->since));
	set(object, "waiting", view_text(peer->waiting));
	return object;
}

json_t *view_peer_detail(const struct view_peer *peer)
{
	struct session none = unmade(peer);
	const struct session *session = peer->session ? peer->session : &none;
	const struct session_config *config = peer->config;
	bool heard = session->remote_discr;
	json_t *object = view_peer(peer);

	set(object, "site", view_text(peer->site));
	set(object, "profile", view_text(peer->profile));
	set(object, "passive", json_boolean(config->passive));
	if (peer->session ? session->key.multihop : peer->key->multihop)
		set(object, "minimum-ttl", json_integer(config->min_ttl));
	set(object, "detect-multiplier", json_integer(config->detect_mult));
	set(object, "configured-transmit-interval", view_ms(config->desired_min_tx));
	set(object, "configured-receive-interval", view_ms(config->required_min_rx));
	/* Before it is heard of the session has initial values here, which nobody said (RFC 5880 6.8.1). */
	set(object, "remote-detect-multiplier",
	    heard ? json_integer(session->remote_detect_mult) : json_null());
	set(object, "remote-transmit-interval", heard ? view_ms(session->remote_min_tx) : json_null());
	set(object, "remote-receive-interval", heard ? view_ms(session->remote_min_rx) : json_null());
	set(object, "remote-diagnostic", json_string(bfd_diag_name(session->remote_diag)));
	set(object, "poll-active", json_boolean(session->poll_active));
	set(object, "source-port", session->source_port ? json_integer(session->source_port) : json_null());
	set(object, "transmit-path", view_text(peer->transmit_path));
	set(object, "created", view_time(session->created));
	set(object, "last-packet", view_time(session->last_rx));
	return object;
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
