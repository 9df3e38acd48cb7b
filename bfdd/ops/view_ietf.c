// SPDX-License-Identifier: GPL-2.0-or-later
/* A session in the words of the YANG model of RFC 9314: the grouping all-session of ietf-bfd-types. Intervals
 * are in microseconds there. A table in bfdctl(8) has what our own words for the same are. */
#include "ops/events.h"
#include "ops/view.h"

static void put_text(struct writer *out, const char *key, const char *text)
{
	writer_key(out, key);
	writer_string(out, text);
}

static void put_number(struct writer *out, const char *key, uint64_t value)
{
	writer_key(out, key);
	writer_integer(out, value);
}

static void put_flag(struct writer *out, const char *key, bool value)
{
	writer_key(out, key);
	writer_boolean(out, value);
}

static void put_time(struct writer *out, const char *key, usec_t at)
{
	char text[EVENTS_TIME];

	put_text(out, key, at ? events_time(at, text) : NULL);
}

/* NULL: the model has none. */
static const char *path_type(enum session_type type)
{
	switch (type) {
	case SESSION_SINGLE_HOP:
		return "path-ip-sh";
	case SESSION_MULTIHOP:
		return "path-ip-mh";
	case SESSION_MICRO:
		return "path-lag";
	default:
		return NULL;
	}
}

static const char *state_name(enum bfd_state state)
{
	return state == BFD_ADMIN_DOWN ? "adminDown" : bfd_state_name(state);
}

static uint64_t receive_interval(const struct session *session)
{
	return session->required_min_rx_used > session->remote_min_tx ? session->required_min_rx_used
								      : session->remote_min_tx;
}

static const char *detection_mode(const struct session *session)
{
	if (session->demand_used)
		return session->echo_interval ? "demand-with-echo" : "demand-without-echo";
	return session->echo_interval ? "async-with-echo" : "async-without-echo";
}

/* Of the packets that come. NULL: it has no name in iana-bfd-types. */
static const char *authentication_name(enum auth_type type)
{
	static const char *const names[] = {
		[AUTH_SIMPLE] = "simple-password",
		[AUTH_MD5] = "keyed-md5",
		[AUTH_METICULOUS_MD5] = "meticulous-keyed-md5",
		[AUTH_SHA1] = "keyed-sha-1",
		[AUTH_METICULOUS_SHA1] = "meticulous-keyed-sha-1",
	};

	return type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}

static void put_running(struct writer *out, const struct session_config *config,
			const struct session *session)
{
	enum auth_type authentication = config->auth && session->extra ? session->extra->auth.received_type
								       : AUTH_NONE;

	writer_key(out, "session-running");
	writer_open(out, '{');
	put_number(out, "session-index", session->slot);
	put_text(out, "local-state", state_name(session->state));
	put_text(out, "remote-state", state_name(session->remote_state));
	put_text(out, "local-diagnostic", bfd_diag_name(session->local_diag));
	put_text(out, "remote-diagnostic", bfd_diag_name(session->remote_diag));
	put_flag(out, "remote-authenticated", authentication != AUTH_NONE);
	put_text(out, "remote-authentication-type", authentication_name(authentication));
	put_text(out, "detection-mode", detection_mode(session));
	put_number(out, "negotiated-tx-interval", session->tx_interval);
	put_number(out, "negotiated-rx-interval", receive_interval(session));
	put_number(out, "detection-time", (uint64_t)session->detection_time);
	put_number(out, "echo-tx-interval-in-use", session->echo_interval);
	writer_close(out, '}');
}

static void put_statistics(struct writer *out, const struct session *session)
{
	uint64_t invalid = 0;

	for (int reason = DROP_NONE + 1; reason < DROP_COUNT; reason++)
		invalid += session->drops[reason];
	writer_key(out, "session-statistics");
	writer_open(out, '{');
	put_time(out, "create-time", session->created);
	put_time(out, "last-down-time", session->last_down);
	put_time(out, "last-up-time", session->last_up);
	put_number(out, "down-count", session->downs);
	put_number(out, "admin-down-count", session->admin_downs);
	put_number(out, "receive-packet-count", session->packets_in + invalid);
	put_number(out, "send-packet-count", session->packets_out);
	put_number(out, "receive-invalid-packet-count", invalid);
	writer_close(out, '}');
}

void view_ietf(struct writer *out, const struct session_config *config, const struct session *session)
{
	char text[ADDR_TEXT];

	writer_key(out, "ietf-bfd");
	writer_open(out, '{');
	put_text(out, "path-type", path_type(session->key.type));
	put_flag(out, "ip-encapsulation", true);
	put_text(out, "source-addr", addr_format(&session->key.local, text));
	put_text(out, "dest-addr", addr_format(&session->key.peer, text));
	put_number(out, "local-discriminator", session->local_discr);
	put_number(out, "remote-discriminator", session->remote_discr);
	put_number(out, "local-multiplier", config->detect_mult);
	put_number(out, "remote-multiplier", session->remote_detect_mult);
	put_number(out, "desired-min-tx-interval", config->desired_min_tx);
	put_number(out, "required-min-rx-interval", config->required_min_rx);
	put_flag(out, "demand-enabled", config->demand_mode);
	put_flag(out, "demand-capability", true);
	put_flag(out, "admin-down", config->shutdown);
	put_number(out, "source-port", session->source_port);
	put_number(out, "dest-port", session_port(session->key.type));
	put_running(out, config, session);
	put_statistics(out, session);
	writer_close(out, '}');
}
