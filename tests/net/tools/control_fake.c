// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * control_fake SOCKET [PEERS]    answers bfdctl as the daemon would, with made-up peers, until it is killed
 *
 * Beside the daemon's commands: peer "gone" closes its ears (the process ends), peer "silent" gets no answer,
 * peer "event" makes an event. The last peers and one service have names as an enemy would choose them.
 */
#include <ev.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ops/control.h"
#include "ops/events.h"
#include "ops/view.h"

#define HOSTILE                           \
	"\033[2J\033]0;owned\007\xc2\x9b" \
	"31m\r\nroot\xe2\x80\xae"

static struct events *events;
static unsigned npeers = 3;
static usec_t started;
static bool toggled; /* by each event: one session more or fewer is up */

static usec_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

static json_t *make_peer(unsigned i, bool detail)
{
	/* The first one's peer is silent and is asked. */
	const struct session_config config = {.desired_min_tx = 50000,
					      .required_min_rx = 50000,
					      .detect_mult = 3,
					      .min_ttl = 255,
					      .rtt_interval = 250000,
					      .demand_mode = i == 0,
					      .demand_poll_interval = 500000,
					      .control_plane_independent = i == 0,
					      .dscp = SESSION_DSCP};
	struct session_extra extra = {.rtt_unanswered = 1};
	struct session session = {
		.state = i == 1 ? BFD_DOWN : BFD_UP,
		.remote_state = i == 1 ? BFD_DOWN : BFD_UP,
		.local_diag = i == 1 ? DIAG_DETECTION_EXPIRED : DIAG_NONE,
		.local_discr = 0x1000 + i,
		.remote_discr = i == 1 ? 0 : 0x2000 + i,
		.remote_detect_mult = 3,
		.remote_min_rx = 50000,
		.remote_min_tx = 50000,
		.required_min_rx_used = 50000,
		.tx_interval = i == 1 ? 1000000 : 50000,
		.detection_time = i == 1 ? 0 : 150000,
		.source_port = 49152,
		.packets_in = 1234,
		.packets_out = 1240,
		.since = started - 51 * 3600 * USEC_S,
		.created = started - 52 * 3600 * USEC_S,
		.last_rx = now() - 12 * USEC_MS,
		.up_transitions = 1,
		.down_transitions = i == 1,
		.demand_used = i == 0,
		.extra = i ? NULL : &extra,
		.config = config,
	};
	struct view_peer peer = {.interface = i == 2 ? HOSTILE : "eth1",
				 .profile = "pni",
				 .site = "ams",
				 .session = &session,
				 .config = &config};
	char name[32], address[64];
	struct writer out = {.limit = 65536};
	json_t *object;

	rtt_add(&extra.rtt, 210);
	rtt_add(&extra.rtt, 250);
	snprintf(name, sizeof(name), "ams-%u", i + 1);
	snprintf(address, sizeof(address), i % 2 ? "2001:db8::%x" : "192.0.2.%u", i % 250 + 1);
	addr_parse(&session.key.peer, address);
	peer.name = i == 2 ? HOSTILE : name;
	session.drops[DROP_TTL] = i ? 3 : 0;
	peer.waiting = i == 3 ? "interface eth9" : NULL;
	detail ? view_peer_detail(&out, &peer) : view_peer(&out, &peer);
	object = json_loadb(out.bytes, out.end, 0, NULL);
	free(out.bytes);
	return object;
}

static json_t *make_peers(void)
{
	json_t *peers = json_array();

	for (unsigned i = 0; i < npeers; i++)
		json_array_append_new(peers, make_peer(i, false));
	return peers;
}

static json_t *make_services(void)
{
	struct view_path paths[] = {
		{"ams-1", "ams", true, true}, {"fra-1", "fra", true, false}, {"ams-2", "ams", false, false}};
	struct view_service voice = {.name = "voice",
				     .active_site = "ams",
				     .active_site_v4 = "ams",
				     .active_site_v6 = "fra",
				     .npaths = 3,
				     .paths = paths,
				     .switches = 2,
				     .last = {started - 5 * 3600 * USEC_S, "peer ams-2 down", 412}};
	struct view_service other = {.name = HOSTILE, .npaths = 0};

	return json_pack("[o, o]", view_service(&voice), view_service(&other));
}

static json_t *make_sites(void)
{
	struct view_path paths[] = {{"ams-1", "ams", true, true}, {"ams-2", "ams", false, false}};
	struct view_site ams = {.name = "ams", .npaths = 2, .nusable = 1, .paths = paths};
	struct view_site fra = {.name = "fra"};

	return json_pack("[o, o]", view_site(&ams), view_site(&fra));
}

static json_t *make_status(void)
{
	char since[EVENTS_TIME];

	return json_pack("{s:s, s:i, s:I, s:s, s:s, s:{s:i, s:i, s:i}, s:{s:s}, s:{s:i, s:b, s:i, s:{s:i}}, "
			 "s:[s, s], s:n}",
			 "version", "0.1.0", "pid", (int)getpid(), "uptime",
			 (json_int_t)((now() - started) / USEC_S), "since", events_time(started, since),
			 "realtime", "SCHED_DEADLINE, memory locked", "sessions", "total", (int)npeers, "up",
			 (int)npeers - 1 - toggled, "down", 1, "config", "file", "/etc/bfdd/" HOSTILE,
			 "engine", "wakeups", 12345678, "tick-mode", 0, "stall-max-us", 1203, "drops",
			 "no-session", 4, "new-" HOSTILE, "a", HOSTILE, "later");
}

static void push(void *context, json_t *event)
{
	control_push(context, event);
}

static void stream_closed(void *context)
{
	events_unsubscribe(events, (unsigned)(uintptr_t)context);
}

static void answer_events(struct control_request *request, const json_t *args)
{
	unsigned handle;

	if (!json_array_size(args)) {
		control_reply(request, events_all(events));
		return;
	}
	handle = events_subscribe(events, push, request);
	control_stream(request, events_all(events), stream_closed, (void *)(uintptr_t)handle);
}

static void answer_peer(struct control_request *request, const char *name)
{
	if (!strcmp(name, "gone"))
		_exit(0);
	if (!strcmp(name, "silent"))
		return;
	if (!strcmp(name, "event")) {
		toggled = !toggled;
		events_add(events, LOG_LEVEL_DEBUG, "state", now(),
			   json_pack("{s:s, s:s, s:s}", "peer", HOSTILE, "from", "up", "to", "down"));
	}
	for (unsigned i = 0; i < npeers; i++) {
		char candidate[32];

		snprintf(candidate, sizeof(candidate), "ams-%u", i + 1);
		if (!strcmp(name, candidate) || !strcmp(name, "event")) {
			control_reply(request, make_peer(i, true));
			return;
		}
	}
	control_fail(request, "there is no peer %s\nsecond line", name);
}

/* Of "ams-1" as it may be, of another peer as nobody should send it. */
static json_t *make_postmortem(const char *name, bool capture)
{
	if (capture)
		return json_pack("{s:s}", "pcap",
				 strcmp(name, "ams-1") ? "4d3cb2zz" HOSTILE
						       : "4d3cb2a1020004000000000000000000ffff000065000000");
	if (strcmp(name, "ams-1") != 0)
		return json_pack("{s:s s:s s:s s:s s:f s:[{s:s s:f s:s s:s s:f}, {s:s s:f s:f}, s, {s:i}]}",
				 "peer", HOSTILE, "sentence", HOSTILE, "verdict", HOSTILE, "interface",
				 HOSTILE, "receive-interval", 1e-300, "timeline", "what", HOSTILE, "ms",
				 -1e300, "dropped", HOSTILE, "diagnostic", HOSTILE, "handled-after-us", 1e308,
				 "what", "late", "late-us", 1e308, "ms", 1e308, HOSTILE, "what", 7);
	return json_pack(
		"{s:s s:i s:s s:s s:s s:s s:s s:s s:s s:s s:i s:i s:i s:i s:i "
		"s:[{s:s s:i s:s s:s s:i s:n}, {s:s s:f s:s s:s s:i s:b}, {s:s s:f s:s s:s s:i s:s}, "
		"{s:s s:f s:i}, {s:s s:i}]}",
		"peer", "ams-1", "number", 1, "at", "2026-01-31T12:34:56.123456Z", "verdict", "peer-silent",
		"sentence", "nothing came", "state", "down", "diagnostic", "control-expiry", "address",
		"192.0.2.1", "local-address", "192.0.2.0", "interface", "eth1", "receive-interval", 10,
		"detection-time", 30, "transmit-interval", 10, "remote-detection-time", 30, "further-downs",
		2, "timeline", /* moments */
		"what", "in", "ms", -30, "state", "up", "diagnostic", "none", "ttl", 255, "dropped", "what",
		"out", "ms", -25.5, "state", "up", "diagnostic", "none", "ttl", 255, "poll", 1, "what", "in",
		"ms", -9.25, "state", "up", "diagnostic", "none", "ttl", 17, "dropped", "ttl", "what", "late",
		"ms", -5.125, "late-us", 1500, "what", "down", "ms", 0);
}

static void answer_postmortem(struct control_request *request, const json_t *args)
{
	const char *name = json_string_value(json_array_get(args, 0));

	if (name)
		control_reply(request, make_postmortem(name, json_array_size(args) == 3));
	else
		control_reply(request, json_pack("[{s:s s:i s:s s:s s:s}]", "peer", HOSTILE, "number", 1,
						 "at", HOSTILE, "verdict", HOSTILE, "sentence", HOSTILE));
}

static void answer(void *context, struct control_request *request, const char *command, const json_t *args)
{
	if (!strcmp(command, "peers"))
		control_reply(request, make_peers());
	else if (!strcmp(command, "peer"))
		answer_peer(request, json_string_value(json_array_get(args, 0)));
	else if (!strcmp(command, "poll"))
		control_reply(request, json_pack("{s:O}", "peer", json_array_get(args, 0)));
	else if (!strcmp(command, "status"))
		control_reply(request, make_status());
	else if (!strcmp(command, "services"))
		control_reply(request, make_services());
	else if (!strcmp(command, "sites"))
		control_reply(request, make_sites());
	else if (!strcmp(command, "events"))
		answer_events(request, args);
	else if (!strcmp(command, "postmortem"))
		answer_postmortem(request, args);
	else if (!strcmp(command, "reload"))
		control_reply(request, json_pack("{s:{s:i, s:[s]}, s:[s]}", "changed", "added", 1, "removed",
						 "fra-1", "warnings", "a " HOSTILE));
	else
		control_fail(request, "no such command");
}

int main(int argc, char **argv)
{
	struct ev_loop *loop = ev_default_loop(0);
	char error[512];

	if (argc < 2)
		return 2;
	if (argc > 2)
		npeers = (unsigned)atoi(argv[2]);
	started = now();
	events = events_create(100);
	for (int i = 0; i < 5; i++)
		events_add(events, LOG_LEVEL_DEBUG, "state", started - (5 - i) * USEC_S,
			   json_pack("{s:s, s:s, s:s, s:f}", "peer", i ? "ams-1" : HOSTILE, "from", "down",
				     "to", "up", "ms", 16.667));
	if (!control_create(loop, argv[1], answer, NULL, error, sizeof(error))) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	ev_run(loop, 0);
	return 0;
}
