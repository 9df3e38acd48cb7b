/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is made of a record: a table of cases, each with what happened in ms before the Down at 0. The peer's
 * packets come each 10 ms, ours go out each 10 ms, both detection times are 30 ms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/verdict.h"

#define DOWN (1000 * USEC_S)
#define MS(x) ((usec_t)((x)*1000))

struct stall {
	double from, until;
};

struct test_case {
	const char *what;
	uint8_t diag, remote_state, remote_diag;
	double heard;		/* ms before the Down, the last packet */
	double sent;		/* the last packet of ours; 0: 5 ms before */
	double gap_at, gap;	/* before: a packet of ours at -GAP_AT, and the one before it GAP earlier */
	struct stall stalls[4]; /* ms before the Down */
	unsigned drops;		/* in the silence, each ms from the Down backwards */
	uint8_t drop;
	unsigned strangers, overflows, errors;
	bool restarted;
	double old; /* overflows, errors and drops came this many ms earlier */
	uint16_t padded, remote_size;
	bool too_big;
	uint32_t path_mtu; /* by the word of a router */
	enum verdict_kind wanted;
	const char *says; /* part of the sentence */
};

#define SILENT .diag = DIAG_DETECTION_EXPIRED
#define DEAF .diag = DIAG_NEIGHBOR_DOWN, .remote_state = BFD_DOWN, .remote_diag = DIAG_DETECTION_EXPIRED

static const struct test_case cases[] = {
	{"the peer died", SILENT, .heard = 30.1, .wanted = VERDICT_PEER_SILENT,
	 .says = "nothing came from the peer for 30.1 ms"},
	{"a turn was a bit late", SILENT, .heard = 31, .stalls = {{1, 0}}, .wanted = VERDICT_PEER_SILENT},
	{"many turns were a bit late, together less than half an interval", SILENT, .heard = 30.5,
	 .stalls = {{20, 19}, {15, 14}, {9, 8}, {1, 0}}, .wanted = VERDICT_PEER_SILENT},
	{"we stood still before the silence only", SILENT, .heard = 30.5, .stalls = {{100, 31}},
	 .wanted = VERDICT_PEER_SILENT},
	{"we stood still for all of the silence", SILENT, .heard = 50, .stalls = {{49, 10}},
	 .wanted = VERDICT_LOCAL_STALL, .says = "we ourselves were late for 39.0 ms of them"},
	{"we stood still for all but an interval", SILENT, .heard = 30.5, .stalls = {{25, 4.9}},
	 .wanted = VERDICT_LOCAL_STALL},
	{"stalls add up", SILENT, .heard = 32, .stalls = {{30, 22}, {20, 12}, {10, 5}},
	 .wanted = VERDICT_LOCAL_STALL},
	{"a stall that began before the silence counts from there", SILENT, .heard = 30.5,
	 .stalls = {{90, 26}}, .wanted = VERDICT_PEER_SILENT},
	{"half of the silence: two missing packets are not ours", SILENT, .heard = 31, .stalls = {{15, 1}},
	 .wanted = VERDICT_UNCLEAR, .says = "not enough to tell"},
	{"a stall, but a whole detection time of silence beside it", SILENT, .heard = 75,
	 .stalls = {{70, 31}}, .wanted = VERDICT_PEER_SILENT},
	{"all dropped for their TTL", SILENT, .heard = 30.5, .drops = 3, .drop = DROP_TTL,
	 .wanted = VERDICT_DROPPED_HERE, .says = "3 with its addresses (ttl)"},
	{"all with another secret", SILENT, .heard = 30.5, .drops = 3, .drop = DROP_AUTH_DIGEST,
	 .wanted = VERDICT_AUTHENTICATION, .says = "3 with its addresses (auth-digest)"},
	{"all without a digest", SILENT, .heard = 30.5, .drops = 3, .drop = DROP_AUTH_MISSING,
	 .wanted = VERDICT_AUTHENTICATION},
	{"one with another secret", SILENT, .heard = 30.5, .drops = 1, .drop = DROP_AUTH_DIGEST,
	 .wanted = VERDICT_UNCLEAR},
	{"dropped, and we stood still", SILENT, .heard = 35, .drops = 3, .drop = DROP_TTL,
	 .stalls = {{30, 5}}, .wanted = VERDICT_DROPPED_HERE},
	{"one stray packet does not make it alive", SILENT, .heard = 30.5, .drops = 1, .drop = DROP_SHORT,
	 .wanted = VERDICT_UNCLEAR, .says = "1 with its addresses (short)"},
	{"drops before the silence say nothing", SILENT, .heard = 30.5, .drops = 3, .drop = DROP_TTL,
	 .old = 50, .wanted = VERDICT_PEER_SILENT},
	{"it moved to another address", SILENT, .heard = 30.5, .strangers = 3, .wanted = VERDICT_DROPPED_HERE,
	 .says = "the last from 192.0.2.66"},
	{"our sockets overflowed", SILENT, .heard = 30.5, .overflows = 50, .wanted = VERDICT_UNCLEAR,
	 .says = "50 packets, of whomever, found no room"},
	{"they overflowed because we did not read", SILENT, .heard = 31, .overflows = 50, .stalls = {{15, 1}},
	 .wanted = VERDICT_LOCAL_STALL, .says = "50 packets, of whomever"},
	{"they overflowed long ago", SILENT, .heard = 30.5, .overflows = 50, .old = 50,
	 .wanted = VERDICT_PEER_SILENT},

	{"one way: it does not hear us", DEAF, .wanted = VERDICT_NOT_HEARD,
	 .says = "does not hear us (down, control-expiry), though we never paused for more than 10.0 ms"},
	{"one way: we were a bit late", DEAF, .gap_at = 25, .gap = 14, .wanted = VERDICT_NOT_HEARD},
	{"we sent nothing for as long as it waits", DEAF, .gap_at = 15, .gap = 31,
	 .wanted = VERDICT_LOCAL_STALL, .says = "we sent nothing for 31.0 ms, and it waits 30.0 ms"},
	{"its clock runs a bit faster than ours", DEAF, .gap_at = 15, .gap = 29.5,
	 .wanted = VERDICT_LOCAL_STALL},
	{"we sent nothing until its word came", DEAF, .sent = 500, .wanted = VERDICT_LOCAL_STALL},
	{"a gap that one lost packet makes too long", DEAF, .gap_at = 15, .gap = 21,
	 .wanted = VERDICT_UNCLEAR, .says = "we sent nothing for 21.0 ms"},
	{"the kernel refused what we sent", DEAF, .errors = 4, .wanted = VERDICT_UNCLEAR,
	 .says = "refused to send 4 packets"},
	{"it refused something two seconds ago", DEAF, .errors = 4, .old = 2000, .wanted = VERDICT_NOT_HEARD},

	{"its Echo packets are lost", .diag = DIAG_ECHO_FAILED, .wanted = VERDICT_ECHO_LOST,
	 .says = "did not come back"},
	{"they are lost while we stand still", .diag = DIAG_ECHO_FAILED, .stalls = {{100, 85}},
	 .wanted = VERDICT_UNCLEAR, .says = "late for 15.0 ms"},
	{"we were a bit late, they are lost", .diag = DIAG_ECHO_FAILED, .stalls = {{20, 16}},
	 .wanted = VERDICT_ECHO_LOST},
	{"our sockets lost something, perhaps them", .diag = DIAG_ECHO_FAILED, .overflows = 50,
	 .wanted = VERDICT_UNCLEAR},

	{"it was taken down by its operator", .diag = DIAG_NEIGHBOR_DOWN, .remote_state = BFD_ADMIN_DOWN,
	 .remote_diag = DIAG_ADMIN_DOWN, .wanted = VERDICT_PEER_SAID,
	 .says = "the peer said so: admin-down, admin-down"},
	{"AdminDown with an old diagnostic", .diag = DIAG_NEIGHBOR_DOWN, .remote_state = BFD_ADMIN_DOWN,
	 .remote_diag = DIAG_DETECTION_EXPIRED, .sent = 500, .wanted = VERDICT_PEER_SAID},
	{"its path failed", .diag = DIAG_NEIGHBOR_DOWN, .remote_state = BFD_DOWN,
	 .remote_diag = DIAG_PATH_DOWN, .wanted = VERDICT_PEER_SAID, .says = "down, path-down"},
	{"it restarted", .diag = DIAG_NEIGHBOR_DOWN, .remote_state = BFD_DOWN, .restarted = true,
	 .wanted = VERDICT_PEER_SAID, .says = "it has restarted"},
	{"it restarted, and its successor has a diagnostic", DEAF, .restarted = true, .sent = 500,
	 .wanted = VERDICT_PEER_SAID},

	{"one way, padded: perhaps too narrow", DEAF, .padded = 1472, .wanted = VERDICT_NOT_HEARD,
	 .says = "or too narrow: our packets are padded to 1472 bytes, 1500 with their headers"},
	{"a size that a packet has anyway is no padding", DEAF, .padded = 24, .path_mtu = 20,
	 .wanted = VERDICT_NOT_HEARD, .says = "the path towards it is broken"},
	{"a router says that our packets are too big", DEAF, .padded = 1472, .path_mtu = 1400,
	 .wanted = VERDICT_TOO_BIG, .says = "and 192.0.2.66 passes on no more than 1400"},
	{"a router says so of smaller ones than ours are", DEAF, .padded = 1472, .path_mtu = 1500,
	 .wanted = VERDICT_NOT_HEARD},
	{"it says so, but the peer restarted", DEAF, .padded = 1472, .path_mtu = 1400, .restarted = true,
	 .sent = 500, .wanted = VERDICT_PEER_SAID},
	{"it says so, but it is the peer who is silent", SILENT, .heard = 30.1, .padded = 1472,
	 .path_mtu = 1400, .wanted = VERDICT_PEER_SILENT},
	{"our own interface is, whatever a router said", DEAF, .padded = 1472, .too_big = true,
	 .path_mtu = 1400, .wanted = VERDICT_TOO_BIG, .says = "more than the MTU of our own interface"},
	{"our own interface is too narrow", DEAF, .padded = 1472, .too_big = true, .errors = 3,
	 .wanted = VERDICT_TOO_BIG,
	 .says = "1500 with their headers, more than the MTU of our own interface"},
	{"the peer's padded packets stay away", SILENT, .heard = 30.1, .remote_size = 1472,
	 .wanted = VERDICT_PEER_SILENT, .says = "its packets were padded to 1472 bytes, 1500 with"},
	{"the longest packet is no padded one", SILENT, .heard = 30.1, .remote_size = 52,
	 .wanted = VERDICT_PEER_SILENT, .says = "it is dead, or the path from it is"},

	{"no carrier", .diag = DIAG_PATH_DOWN, .wanted = VERDICT_PATH_DOWN,
	 .says = "the path went down here: no carrier on eth1"},
	{"shut down here", .diag = DIAG_ADMIN_DOWN, .wanted = VERDICT_SHUT_DOWN},
	{"a diagnostic that we do not set", .diag = DIAG_FORWARDING_RESET, .wanted = VERDICT_UNCLEAR,
	 .says = "does not tell why"},
};

static struct record record;
static struct record_delays delays;

static void heard(usec_t at, uint32_t discr)
{
	struct packet packet = {.my_discr = discr, .state = BFD_UP, .detect_mult = 3};
	uint8_t bytes[PACKET_SIZE];

	packet_encode(&packet, bytes);
	record_in(&record, bytes, PACKET_SIZE, at, at, 255, 50000, DROP_NONE);
}

static void speak(const struct test_case *c)
{
	double last = c->sent ? c->sent : 5;
	usec_t at[RECORD_PACKETS];
	const uint8_t bytes[PACKET_SIZE] = {0};

	for (unsigned i = 0; i < RECORD_PACKETS; i++) {
		double before = last + 10 * i;

		/* What was sent before the gap lies so much further back. */
		if (c->gap && before > c->gap_at)
			before += c->gap - 10;
		at[RECORD_PACKETS - 1 - i] = DOWN - MS(before);
	}
	for (unsigned i = 0; i < RECORD_PACKETS; i++)
		record_out(&record, bytes, at[i], at[i]);
}

static void happen(const struct test_case *c)
{
	const struct addr stranger = {AF_INET, {192, 0, 2, 66}};
	const uint8_t bytes[PACKET_SIZE] = {0};
	struct session session = {
		.state = BFD_DOWN,
		.local_diag = c->diag,
		.remote_state = c->remote_state,
		.remote_diag = c->remote_diag,
		.last_rx = DOWN - MS(c->heard),
		.rx_size = c->remote_size,
		.config.padded_pdu_size = c->padded,
		.key.peer = stranger,
	};

	memset(&delays, 0, sizeof(delays));
	record_reset(&record, 0);
	record.terms = (struct record_terms){
		.detection_time = MS(30), .patience = MS(30), .rx_interval = 10000, .tx_interval = 10000};
	for (int i = 15; i > 0; i--)
		heard(session.last_rx - MS(10) * i, 7);
	heard(session.last_rx, c->restarted ? 8 : 7);
	speak(c);
	for (unsigned i = c->drops; i > 0; i--)
		record_in(&record, bytes, PACKET_SIZE, DOWN - MS(i + c->old), DOWN, 3, 50000, c->drop);
	for (unsigned i = c->strangers; i > 0; i--)
		record_stranger(&record, DOWN - MS(i), session.last_rx, &stranger, &stranger);
	for (unsigned i = 0; i < 4 && c->stalls[i].from; i++)
		record_late(&delays, DOWN - MS(c->stalls[i].until),
			    MS(c->stalls[i].from) - MS(c->stalls[i].until));
	if (c->overflows)
		record_overflow(&delays, DOWN - MS(c->old), DOWN - MS(c->old), c->overflows);
	if (c->errors)
		record_error(&delays, DOWN - MS(c->old), c->errors);
	record_seal(&record, &session, DOWN, NULL, 0);
	record.fall.too_big = c->too_big;
}

static void each_case_gets_its_verdict(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict verdict;
		char text[VERDICT_TEXT];

		happen(&cases[i]);
		verdict_find(&verdict, &record, &delays);
		if (cases[i].path_mtu)
			verdict_path_mtu(&verdict, cases[i].path_mtu,
					 &(struct addr){AF_INET, {192, 0, 2, 66}});
		verdict_text(&verdict, "carrier on eth1", text);
		if (verdict.kind != cases[i].wanted)
			fail_msg("%s: %s, not %s (%s)", cases[i].what, verdict_name(verdict.kind),
				 verdict_name(cases[i].wanted), text);
		if (cases[i].says && !strstr(text, cases[i].says))
			fail_msg("%s: does not say \"%s\": %s", cases[i].what, cases[i].says, text);
	}
}

/* Demand mode: the peer's silence began when it should have answered; ours is none that it could blame. */
static void who_is_asked_to_be_silent_is_not_blamed(void **state)
{
	struct test_case silent = {
		.what = "silent for an hour", .diag = DIAG_DETECTION_EXPIRED, .heard = 3600000};
	struct test_case unheard = {.what = "did not hear us", DEAF};
	struct verdict verdict;
	char text[VERDICT_TEXT];

	happen(&silent);
	record.terms.demand = true;
	record.fall.asked = DOWN - MS(31);
	verdict_find(&verdict, &record, &delays);
	assert_int_equal(verdict.kind, VERDICT_PEER_SILENT);
	assert_int_equal(verdict.silence, MS(31));
	assert_non_null(strstr(verdict_text(&verdict, NULL, text), "answered no poll for 31.0 ms"));
	happen(&unheard);
	record.terms.remote_demand = true;
	verdict_find(&verdict, &record, &delays);
	assert_int_equal(verdict.kind, VERDICT_PEER_SAID);
}

/* With slower packets the record reaches back further than the peer's word can. */
static void an_old_gap_is_no_reason(void **state)
{
	struct verdict verdict;
	struct test_case deaf = {.what = "300 ms", DEAF};
	const uint8_t bytes[PACKET_SIZE] = {0};
	unsigned before;

	for (before = 1000; before < 3500; before += 250) {
		usec_t at = DOWN - 16 * MS(300);

		happen(&deaf);
		record.sealed = false;
		record.nout = 0;
		record.terms.patience = MS(900);
		record.terms.tx_interval = MS(300);
		while (at < DOWN) {
			record_out(&record, bytes, at, at);
			at += at <= DOWN - MS(before + 950) && at + MS(300) > DOWN - MS(before + 950)
				      ? MS(950)
				      : MS(300);
		}
		verdict_find(&verdict, &record, &delays);
		assert_int_equal(verdict.kind, before > 1900 ? VERDICT_NOT_HEARD : VERDICT_LOCAL_STALL);
	}
}

/* A record of a session that has only just begun, or that makes no sense. */
static void late_turns(unsigned count, double first, double step, double late)
{
	for (unsigned i = 0; i < count; i++)
		record_late(&delays, DOWN - MS(first - step * i), MS(late));
}

static void expect(enum verdict_kind wanted, const char *says)
{
	struct verdict verdict;
	char text[VERDICT_TEXT];

	verdict_find(&verdict, &record, &delays);
	verdict_text(&verdict, NULL, text);
	if (verdict.kind != wanted || !strstr(text, says))
		fail_msg("%s, not %s: %s", verdict_name(verdict.kind), verdict_name(wanted), text);
}

/* The ring of late turns was written more than once around within the silence. */
static void forgotten_stalls_blame_nobody(void **state)
{
	const struct test_case silent = {SILENT, .heard = 30.5}, long_ago = {SILENT, .heard = 75};

	happen(&silent);
	record_late(&delays, DOWN - MS(20), MS(10));
	late_turns(RECORD_DELAYS, 19, 0.01, 0.001);
	expect(VERDICT_UNCLEAR, "not all of it is remembered");
	/* forgotten, but in time before the silence */
	happen(&silent);
	record_late(&delays, DOWN - MS(100), MS(10));
	late_turns(RECORD_DELAYS, 90, 1, 0.001);
	expect(VERDICT_PEER_SILENT, "nothing came from the peer for 30.5 ms");
	/* what is remembered is enough to tell that it was us */
	happen(&silent);
	record_late(&delays, DOWN - MS(29), MS(1));
	late_turns(RECORD_DELAYS, 28, 0.4, 0.35);
	expect(VERDICT_LOCAL_STALL, "we ourselves were late");
	/* a detection time in which we are known to have been awake */
	happen(&long_ago);
	record_late(&delays, DOWN - MS(60), MS(10));
	late_turns(RECORD_DELAYS, 40, 0.001, 0.001);
	expect(VERDICT_PEER_SILENT, "nothing came from the peer for 75.0 ms");
}

/* The peer's word may be older than the last packets that are recorded. */
static void unrecorded_packets_blame_nobody(void **state)
{
	const struct test_case deaf = {DEAF};

	happen(&deaf);
	record.nout += RECORD_PACKETS; /* written once around: nothing is known from before 155 ms */
	expect(VERDICT_NOT_HEARD, "never paused for more than 10.0 ms");
	late_turns(1, 500, 0, 8);
	expect(VERDICT_NOT_HEARD, "never paused for more than 18.0 ms");
	late_turns(1, 600, 0, 40);
	expect(VERDICT_UNCLEAR, "a turn of ours was late by 40.0 ms");
	/* too old for its word */
	happen(&deaf);
	record.nout += RECORD_PACKETS;
	late_turns(1, 2000, 0, 40);
	expect(VERDICT_NOT_HEARD, "never paused");
	/* what is recorded is not asked of the turns */
	happen(&deaf);
	record.nout += RECORD_PACKETS;
	late_turns(1, 20, 0, 40);
	expect(VERDICT_NOT_HEARD, "never paused for more than 10.0 ms");
	/* whether there was a turn so late is forgotten */
	happen(&deaf);
	record.nout += RECORD_PACKETS;
	late_turns(RECORD_DELAYS + 1, 140, 0.001, 0.001);
	expect(VERDICT_UNCLEAR, "not all of it is remembered");
}

/* They are counted now and then, also after the Down. */
static void overflows_are_counted_late(void **state)
{
	const struct test_case silent = {SILENT, .heard = 30.5};

	happen(&silent);
	record_overflow(&delays, DOWN - MS(20), DOWN + MS(80), 7);
	expect(VERDICT_UNCLEAR, "7 packets, of whomever");
	happen(&silent);
	record_overflow(&delays, DOWN + MS(1), DOWN + MS(80), 7);
	expect(VERDICT_PEER_SILENT, "");
	happen(&silent);
	record_overflow(&delays, DOWN - MS(131), DOWN - MS(31), 7);
	expect(VERDICT_PEER_SILENT, "");
}

static void an_empty_record_is_no_riddle(void **state)
{
	for (unsigned diag = 0; diag < 256; diag++) {
		struct verdict verdict;
		char text[VERDICT_TEXT];

		memset(&record, 0, sizeof(record));
		memset(&delays, 0, sizeof(delays));
		record.fall.diag = (uint8_t)diag;
		record.fall.remote_diag = DIAG_DETECTION_EXPIRED;
		record.fall.remote_state = BFD_DOWN;
		verdict_find(&verdict, &record, &delays);
		assert_non_null(verdict_text(&verdict, NULL, text));
		assert_true(strlen(text) > 10);
	}
}

static void all_words_fit(void **state)
{
	struct verdict verdict;
	char text[VERDICT_TEXT + 1];

	memset(&verdict, 0x7f, sizeof(verdict));
	verdict.restarted = verdict.terms.demand = true;
	verdict.stranger = (struct addr){AF_INET6, {0x20, 1, [2 ... 15] = 0xfe}};
	verdict.reason = DROP_YOUR_DISCR_ZERO;
	for (unsigned kind = 0; kind < VERDICT_KINDS; kind++) {
		verdict.kind = kind;
		text[VERDICT_TEXT] = 'x';
		verdict_text(&verdict, "a local address for 2001:db8:1234:1234:1234:1234:1234:1234", text);
		assert_true(strlen(text) < VERDICT_TEXT);
		assert_int_equal(text[VERDICT_TEXT], 'x');
		assert_string_not_equal(verdict_name(kind), "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_gets_its_verdict),
		cmocka_unit_test(an_old_gap_is_no_reason),
		cmocka_unit_test(who_is_asked_to_be_silent_is_not_blamed),
		cmocka_unit_test(forgotten_stalls_blame_nobody),
		cmocka_unit_test(unrecorded_packets_blame_nobody),
		cmocka_unit_test(overflows_are_counted_late),
		cmocka_unit_test(an_empty_record_is_no_riddle),
		cmocka_unit_test(all_words_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
