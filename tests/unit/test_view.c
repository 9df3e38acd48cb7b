// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/events.h"
#include "ops/view.h"

static void assert_dump(json_t *json, const char *expected)
{
	char *text = json_dumps(json, VIEW_DUMP);

	assert_string_equal(text, expected);
	free(text);
	json_decref(json);
}

/* What is written is what jansson would write. */
static json_t *written(void (*view)(struct writer *out, const struct view_peer *peer),
		       const struct view_peer *peer)
{
	struct writer out = {.limit = 65536};
	json_t *json;
	char *text;

	view(&out, peer);
	assert_false(out.failed);
	json = json_loadb(out.bytes, out.end, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	text = json_dumps(json, VIEW_DUMP);
	assert_int_equal(strlen(text), out.end);
	assert_memory_equal(text, out.bytes, out.end);
	free(text);
	free(out.bytes);
	return json;
}

static struct session sample(void)
{
	struct session session = {
		.local_discr = 0x80000001,
		.remote_discr = 7,
		.state = BFD_UP,
		.remote_state = BFD_UP,
		.remote_diag = DIAG_DETECTION_EXPIRED,
		.remote_detect_mult = 5,
		.remote_min_rx = 10000,
		.remote_min_tx = 16667,
		.tx_interval = 20000,
		.detection_time = 5 * 16667,
		.desired_min_tx = 20000,
		.required_min_rx = 10000,
		.desired_min_tx_used = 20000,
		.required_min_rx_used = 10000,
		.source_port = 49152,
		.since = 100 * USEC_S,
		.created = 90 * USEC_S,
		.resumed = 91 * USEC_S,
		.last_rx = 101 * USEC_S,
		.packets_in = 5000000000,
		.packets_out = 2,
		.up_transitions = 2,
		.down_transitions = 1,
	};

	addr_parse(&session.key.peer, "192.0.2.1");
	addr_parse(&session.key.local, "192.0.2.0");
	session.drops[DROP_TTL] = 3;
	session.drops[DROP_NO_PATH] = 1;
	return session;
}

static const struct session_config config = {
	.desired_min_tx = 20000, .required_min_rx = 10000, .detect_mult = 3, .min_ttl = 255};

static void test_peer(void **state)
{
	static const struct view_bgp bgp = {.state = "established",
					    .daemon = "bird",
					    .protocol = "pa",
					    .prefixes = 7,
					    .graceful_restart = true};
	struct session session = sample();
	struct view_peer peer = {.name = "ams-1",
				 .interface = "eth1",
				 .source = "config",
				 .session = &session,
				 .config = &config,
				 .bgp = &bgp};
	char since[EVENTS_TIME], expected[1024];

	events_time(session.since, since);
	snprintf(expected, sizeof(expected),
		 "{\"name\":\"ams-1\",\"address\":\"192.0.2.1\",\"local-address\":\"192.0.2.0\","
		 "\"interface\":\"eth1\","
		 "\"multihop\":false,\"type\":\"single-hop\",\"state\":\"up\",\"diagnostic\":\"none\","
		 "\"remote-state\":\"up\","
		 "\"local-discriminator\":2147483649,\"remote-discriminator\":7,\"transmit-interval\":20,"
		 "\"receive-interval\":16.667,\"detection-time\":83.335,\"up-transitions\":2,\"down-"
		 "transitions\":1,"
		 "\"packets-in\":5000000000,\"packets-out\":2,\"drops\":{\"ttl\":3,\"no-path\":1},\"since\":"
		 "\"%s\","
		 "\"waiting\":null,\"source\":\"config\",\"bgp\":{\"state\":\"established\","
		 "\"prefixes\":7,\"graceful-restart\":true,\"daemon\":\"bird\",\"protocol\":\"pa\","
		 "\"warning\":null},\"rtt\":null}",
		 since);
	assert_dump(written(view_peer, &peer), expected);
}

/* Ours is the larger: it is the one that counts. */
static void test_receive_interval(void **state)
{
	struct session session = sample();
	struct view_peer peer = {.name = "x", .session = &session, .config = &config};
	json_t *object;

	session.required_min_rx_used = 50000;
	object = written(view_peer, &peer);
	assert_int_equal(json_integer_value(json_object_get(object, "receive-interval")), 50);
	json_decref(object);
}

static void test_peer_unmade(void **state)
{
	struct session_config shut = {.shutdown = true};
	struct session_key key = {0};
	struct view_peer peer = {
		.name = "x", .interface = "", .waiting = "interface eth9", .config = &config, .key = &key};

	addr_parse(&key.peer, "2001:db8::1");
	assert_dump(written(view_peer, &peer),
		    "{\"name\":\"x\",\"address\":\"2001:db8::1\",\"local-address\":null,"
		    "\"interface\":null,\"multihop\":false,\"type\":\"single-hop\","
		    "\"state\":\"down\",\"diagnostic\":\"none\",\"remote-state\":\"down\","
		    "\"local-discriminator\":0,"
		    "\"remote-discriminator\":0,\"transmit-interval\":0,\"receive-"
		    "interval\":0,\"detection-time\":0,"
		    "\"up-transitions\":0,\"down-transitions\":0,\"packets-in\":0,"
		    "\"packets-out\":0,\"drops\":{},\"since\":null,"
		    "\"waiting\":\"interface eth9\",\"source\":null,\"bgp\":null,\"rtt\":null}");
	peer.config = &shut;
	json_t *object = written(view_peer, &peer);
	assert_string_equal(json_string_value(json_object_get(object, "state")), "admin-down");
	json_decref(object);
}

static void test_detail(void **state)
{
	struct session session = sample();
	struct view_peer peer = {.name = "ams-1",
				 .profile = "pni",
				 .frr_session = 4000000000,
				 .transmit_path = "routed",
				 .session = &session,
				 .config = &config};
	char created[EVENTS_TIME], resumed[EVENTS_TIME], last[EVENTS_TIME], expected[1024];
	json_t *plain = written(view_peer, &peer), *detail = written(view_peer_detail, &peer), *value;
	const char *key;

	events_time(session.created, created);
	events_time(session.resumed, resumed);
	events_time(session.last_rx, last);
	json_object_foreach(plain, key, value)
	{
		assert_true(json_equal(value, json_object_get(detail, key)));
		json_object_del(detail, key);
	}
	json_object_del(detail, "ietf-bfd"); /* test_ietf() */
	json_decref(plain);
	snprintf(
		expected, sizeof(expected),
		"{\"site\":null,\"profile\":\"pni\",\"frr-session\":4000000000,\"passive\":false,\"detect-"
		"multiplier\":3,"
		"\"configured-transmit-interval\":20,\"configured-receive-interval\":10,\"remote-detect-"
		"multiplier\":5,"
		"\"remote-transmit-interval\":16.667,\"remote-receive-interval\":10,"
		"\"remote-diagnostic\":\"control-expiry\",\"poll-active\":false,\"last-poll-"
		"answered\":null,"
		"\"rtt-interval\":0,\"demand-mode\":false,\"demand-poll-interval\":0,\"demand-active\":false,"
		"\"remote-demand\":false,\"control-plane-independent\":false,"
		"\"remote-control-plane-independent\":false,\"dscp\":0,\"authentication\":null,\"echo\":null,"
		"\"source-"
		"port\":49152,"
		"\"transmit-path\":\"routed\",\"created\":\"%s\",\"resumed\":\"%s\","
		"\"last-packet\":\"%s\"}",
		created, resumed, last);
	assert_dump(detail, expected);
}

/* RFC 9764. */
static void test_large_packets(void **state)
{
	struct session_config padded = {.padded_pdu_size = 1472};
	struct addr router = {AF_INET, {192, 0, 2, 9}};
	struct session session = sample();
	struct view_peer peer = {.name = "ams-1", .session = &session, .config = &padded};
	json_t *detail;

	session.rx_size = 1500;
	detail = written(view_peer_detail, &peer);
	assert_int_equal(json_integer_value(json_object_get(detail, "received-size")), 1500);
	assert_null(json_object_get(detail, "padded-pdu-size"));
	json_decref(detail);
	peer.needed_mtu = 1500;
	detail = written(view_peer_detail, &peer);
	assert_int_equal(json_integer_value(json_object_get(detail, "padded-pdu-size")), 1472);
	assert_int_equal(json_integer_value(json_object_get(detail, "needed-mtu")), 1500);
	assert_true(json_is_null(json_object_get(detail, "interface-mtu")));
	assert_null(json_object_get(detail, "path-mtu"));
	json_decref(detail);
	peer.interface_mtu = 9000;
	peer.path_mtu = 1400;
	peer.path_mtu_router = &router;
	detail = written(view_peer_detail, &peer);
	assert_int_equal(json_integer_value(json_object_get(detail, "interface-mtu")), 9000);
	assert_int_equal(json_integer_value(json_object_get(detail, "path-mtu")), 1400);
	assert_string_equal(json_string_value(json_object_get(detail, "path-mtu-router")), "192.0.2.9");
	json_decref(detail);
}

/* RFC 9314: its leaves, states and units. */
static void test_ietf(void **state)
{
	struct session session = sample();
	struct view_peer peer = {.name = "ams-1", .session = &session, .config = &config};
	char created[EVENTS_TIME], up[EVENTS_TIME], down[EVENTS_TIME], expected[2048], *text;
	json_t *detail;

	session.last_up = session.since;
	session.last_down = 95 * USEC_S;
	session.downs = 4;
	session.admin_downs = 2;
	session.demand_used = true;
	session.echo_interval = 70000;
	session.remote_state = BFD_ADMIN_DOWN;
	session.slot = 12;
	events_time(session.created, created);
	events_time(session.last_up, up);
	events_time(session.last_down, down);
	snprintf(expected, sizeof(expected),
		 "{\"path-type\":\"path-ip-sh\",\"ip-encapsulation\":true,\"source-addr\":\"192.0.2.0\","
		 "\"dest-addr\":\"192.0.2.1\",\"local-discriminator\":2147483649,"
		 "\"remote-discriminator\":7,\"local-multiplier\":3,\"remote-multiplier\":5,"
		 "\"desired-min-tx-interval\":20000,\"required-min-rx-interval\":10000,"
		 "\"demand-enabled\":false,\"demand-capability\":true,\"admin-down\":false,"
		 "\"source-port\":49152,\"dest-port\":3784,\"session-running\":{\"session-index\":12,"
		 "\"local-state\":\"up\",\"remote-state\":\"adminDown\",\"local-diagnostic\":\"none\","
		 "\"remote-diagnostic\":\"control-expiry\",\"remote-authenticated\":false,"
		 "\"remote-authentication-type\":null,\"detection-mode\":\"demand-with-echo\","
		 "\"negotiated-tx-interval\":20000,\"negotiated-rx-interval\":16667,"
		 "\"detection-time\":83335,\"echo-tx-interval-in-use\":70000},\"session-statistics\":{"
		 "\"create-time\":\"%s\","
		 "\"last-down-time\":\"%s\",\"last-up-time\":\"%s\",\"down-count\":4,"
		 "\"admin-down-count\":2,\"receive-packet-count\":5000000004,\"send-packet-count\":2,"
		 "\"receive-invalid-packet-count\":4}}",
		 created, down, up);
	detail = written(view_peer_detail, &peer);
	text = json_dumps(json_object_get(detail, "ietf-bfd"), VIEW_DUMP);
	assert_string_equal(text, expected);
	free(text);
	json_decref(detail);
}

static void test_rtt(void **state)
{
	struct session session = sample();
	struct session_extra extra = {.rtt_unanswered = 2};
	struct view_peer peer = {.name = "ams-1", .session = &session, .config = &config};
	json_t *object;
	char *text;

	session.extra = &extra;
	rtt_add(&extra.rtt, 210);
	rtt_add(&extra.rtt, 250);
	rtt_add(&extra.rtt, 1400);
	object = written(view_peer, &peer);
	text = json_dumps(json_object_get(object, "rtt"), VIEW_DUMP);
	assert_string_equal(text, "{\"minimum\":0.21,\"mean\":0.62,\"p99\":1.4,\"maximum\":1.4,"
				  "\"jitter\":0.074,\"last\":1.4,\"count\":3,\"unanswered\":2}");
	free(text);
	json_decref(object);
}

/* What the RFC has a session begin with is not what the remote said. */
static void test_detail_unheard(void **state)
{
	static const char *const keys[] = {"remote-detect-multiplier", "remote-transmit-interval",
					   "remote-receive-interval"};
	struct session session = sample();
	struct view_peer peer = {.name = "ams-1", .session = &session, .config = &config};
	json_t *detail;

	session.remote_discr = 0;
	session.remote_min_rx = 1;
	detail = written(view_peer_detail, &peer);
	for (unsigned i = 0; i < 3; i++)
		assert_true(json_is_null(json_object_get(detail, keys[i])));
	assert_true(json_is_number(json_object_get(detail, "detection-time")));
	json_decref(detail);
}

/* What is said of a key, and no secret. */
static void test_detail_authentication(void **state)
{
	union {
		struct auth_chain chain;
		uint8_t bytes[sizeof(struct auth_chain) + sizeof(struct auth_key)];
	} memory = {.chain = {.name = "ams", .nkeys = 1}};
	struct auth_key *key = memory.chain.keys;
	struct session session = sample();
	struct session_config with = config;
	struct session_extra extra = {0};
	struct view_peer peer = {.name = "ams-1", .session = &session, .config = &with};
	json_t *detail;

	*key = (struct auth_key){
		.id = 2, .type = AUTH_METICULOUS_SHA1, .size = 6, .secret = "hidden", .send_end = AUTH_EVER};
	auth_chain_renew(&memory.chain, 1);
	with.auth = &memory.chain;
	session.extra = &extra;
	detail = written(view_peer_detail, &peer);
	assert_dump(
		json_incref(json_object_get(detail, "authentication")),
		"{\"key-chain\":\"ams\",\"type\":\"meticulous-keyed-sha1\",\"key-id\":2,\"sequence\":null,"
		"\"remote-type\":null,\"remote-key-id\":null,\"remote-sequence\":null}");
	json_decref(detail);
	key->send_end = 1;
	auth_chain_renew(&memory.chain, 1);
	extra.auth = (struct auth_state){.started = true,
					 .xmit_seq = UINT32_MAX,
					 .known = AUTH_KNOWN,
					 .rcv_seq = 7,
					 .received_type = AUTH_MD5,
					 .received_key = 255};
	detail = written(view_peer_detail, &peer);
	assert_dump(json_incref(json_object_get(detail, "authentication")),
		    "{\"key-chain\":\"ams\",\"type\":null,\"key-id\":null,\"sequence\":4294967295,"
		    "\"remote-type\":\"keyed-md5\",\"remote-key-id\":255,\"remote-sequence\":7}");
	json_decref(detail);
}

static void test_detail_multihop(void **state)
{
	struct session_config many = {.min_ttl = 250};
	struct session_key key = {.type = SESSION_MULTIHOP};
	struct view_peer peer = {.name = "core", .site = "ams", .config = &many, .key = &key};
	json_t *detail = written(view_peer_detail, &peer);

	assert_int_equal(json_integer_value(json_object_get(detail, "minimum-ttl")), 250);
	assert_string_equal(json_string_value(json_object_get(detail, "site")), "ams");
	assert_true(json_is_null(json_object_get(detail, "last-packet")));
	assert_true(json_is_null(json_object_get(detail, "source-port")));
	json_decref(detail);
}

static void test_service(void **state)
{
	struct view_path paths[] = {{"ams-1", "ams", true, true}, {"fra-1", "fra", false, false}};
	struct view_service service = {
		.name = "voice", .active_site = "ams", .active_site_v4 = "ams", .npaths = 2, .paths = paths};
	char at[EVENTS_TIME], expected[1024];

#define PATHS                                                                                               \
	"\"paths\":[{\"peer\":\"ams-1\",\"site\":\"ams\",\"usable\":true,\"in-use\":true},{\"peer\":\"fra-" \
	"1\","                                                                                              \
	"\"site\":\"fra\",\"usable\":false,\"in-use\":false}]"
	assert_dump(view_service(&service),
		    "{\"name\":\"voice\",\"active-site\":\"ams\",\"active-sites\":{\"ipv4\":\"ams\","
		    "\"ipv6\":null}," PATHS ",\"switches\":0,\"last-switch\":null}");
	service.switches = 4;
	service.active_site = NULL;
	service.last = (struct view_switch){7 * USEC_S, "peer ams-1 down", 87};
	snprintf(expected, sizeof(expected),
		 "{\"name\":\"voice\",\"active-site\":null,\"active-sites\":{\"ipv4\":\"ams\",\"ipv6\":null}"
		 "," PATHS ",\"switches\":4,\"last-switch\":{\"at\":\"%s\",\"reason\":\"peer ams-1 down\","
		 "\"detection-to-kernel-us\":87}}",
		 events_time(service.last.at, at));
	assert_dump(view_service(&service), expected);
	service.last.detection_to_kernel = -1;
	json_t *object = view_service(&service);
	json_t *last = json_object_get(object, "last-switch");
	assert_true(json_is_null(json_object_get(last, "detection-to-kernel-us")));
	json_decref(object);
}

static void test_site(void **state)
{
	struct view_path paths[] = {{"ams-1", "ams", false, false}};
	struct view_site site = {.name = "ams", .npaths = 1, .paths = paths};

	assert_dump(view_site(&site),
		    "{\"name\":\"ams\",\"usable\":false,\"paths\":[{\"peer\":\"ams-1\",\"site\":\"ams\","
		    "\"usable\":false,\"in-use\":false}]}");
	site.nusable = 1;
	json_t *object = view_site(&site);
	assert_true(json_is_true(json_object_get(object, "usable")));
	json_decref(object);
}

static void test_values(void **state)
{
	uint64_t drops[DROP_COUNT] = {[DROP_NONE] = 9, [DROP_SHORT] = 1ull << 40};

	assert_dump(json_pack("[o,o,o,o,o]", view_ms(0), view_ms(300 * USEC_MS), view_ms(16667), view_ms(1),
			      view_ms((usec_t)255 * UINT32_MAX)),
		    "[0,300,16.667,0.001,1095216660.225]");
	assert_dump(view_drops(drops), "{\"short\":1099511627776}");
	/* an interface may be called so */
	assert_dump(json_pack("[o,o,o]", view_text("e\xff\x01"), view_text(""), view_text(NULL)),
		    "[\"e\\\\xff\\\\x01\",null,null]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer),
		cmocka_unit_test(test_receive_interval),
		cmocka_unit_test(test_peer_unmade),
		cmocka_unit_test(test_detail),
		cmocka_unit_test(test_detail_unheard),
		cmocka_unit_test(test_detail_multihop),
		cmocka_unit_test(test_service),
		cmocka_unit_test(test_site),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_large_packets),
		cmocka_unit_test(test_detail_authentication),
		cmocka_unit_test(test_ietf),
		cmocka_unit_test(test_rtt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
