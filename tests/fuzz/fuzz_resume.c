/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A state file of anybody's making: what of it is believed is a session that can be, says the same when it is
 * written again, and goes on without harm. The first byte tells whether the checksum is to be made right. */
#include <string.h>

#include "core/resume.h"
#include "tests/fuzz/fuzz.h"

#define NOW (1000 * USEC_S)
#define SLOT 1

static const struct resume_owner owner = {{1, 2, 3}, 4, 5};

static void try_header(const uint8_t *data, size_t size)
{
	uint8_t ours[RESUME_FIXED];

	resume_header_encode(&owner, ours);
	promise((resume_header_check(&owner, data, size) == RESUME_FINE) ==
		(size >= RESUME_FIXED && !memcmp(data, ours, RESUME_FIXED)));
}

/* As many checksums as bytes cannot be guessed: what the fuzzer has put into the fields is written as
 * resume_encode() would, from a struct. */
static void repair(uint8_t record[RESUME_RECORD])
{
	struct resume any;

	memset(&any, 0, sizeof(any));
	memcpy(any.key.peer.bytes, record + 80, 16);
	memcpy(any.key.local.bytes, record + 96, 16);
	any.key.peer.family = record[25] & 1 ? AF_INET : AF_INET6;
	any.key.local.family = record[26] & 1 ? any.key.peer.family : AF_UNSPEC;
	any.key.type = record[27];
	memcpy(&any.key.ifindex, record + 28, 4);
	memcpy(&any.local_discr, record + 8, 4);
	memcpy(&any.remote_discr, record + 12, 4);
	memcpy(&any.source_port, record + 16, 2);
	any.state = record[18];
	any.remote_state = record[19];
	any.local_diag = record[20];
	any.remote_diag = record[21];
	any.detect_mult = record[22];
	any.remote_detect_mult = record[23];
	any.polling = record[24] & 4;
	any.remote_demand = record[24] & 1;
	any.remote_cpi = record[24] & 2;
	any.demand = record[24] & 32;
	any.xmit_started = record[24] & 8;
	any.rcv_known = record[24] & 16;
	memcpy(&any.xmit_seq, record + 116, 4);
	memcpy(&any.rcv_seq, record + 120, 4);
	memcpy(&any.chain, record + 124, 4);
	memcpy(&any.remote_min_rx, record + 32, 4);
	memcpy(&any.remote_min_tx, record + 36, 4);
	memcpy(&any.desired_min_tx, record + 40, 4);
	memcpy(&any.required_min_rx, record + 44, 4);
	memcpy(&any.desired_min_tx_used, record + 48, 4);
	memcpy(&any.required_min_rx_used, record + 52, 4);
	memcpy(&any.since, record + 56, 8);
	memcpy(&any.created, record + 64, 8);
	resume_encode(&any, record);
}

static void go_on(const struct resume *resume)
{
	const struct session_config config = resume_config(resume);
	struct session_effects effects;
	struct session_extra extra = {0};
	struct session session;
	struct packet packet;

	session_init(&session, &config, &resume->key, resume->local_discr, resume->source_port, NOW);
	session.extra = &extra;
	session_resume(&session, resume, NOW, &effects);
	session_packet(&session, false, &packet);
	promise(packet.my_discr && packet.your_discr && packet.detect_mult);
	promise(effects.what & EFFECT_SEND);
	promise(session.next_tx > NOW);
	promise(!session.tx_interval || session.tx_interval >= USEC_MS);
	if (session.demand_used) { /* nothing but a Poll tells */
		session_transmitted(&session, NOW + USEC_S, 0);
		promise(session.poll_active);
		session_polled(&session, NOW + USEC_S);
	}
	promise(session_detect_deadline(&session) > NOW && session_detect_deadline(&session) < USEC_NEVER);
	session_detect_expired(&session, session_detect_deadline(&session), &effects);
	promise(session.state == BFD_DOWN);
}

static void try_record(const uint8_t record[RESUME_RECORD])
{
	uint8_t again[RESUME_RECORD];
	struct resume resume;

	if (!resume_decode(&resume, record, SLOT, NOW))
		return;
	resume_encode(&resume, again);
	promise(!memcmp(record, again, RESUME_RECORD));
	promise((uint16_t)resume.local_discr == SLOT && resume.since <= NOW);
	promise(!resume_key_compare(&resume.key, &resume.key));
	if (resume_in_time(&resume, 0))
		go_on(&resume);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t record[RESUME_RECORD] = {0};

	try_header(data, size);
	if (!size)
		return 0;
	memcpy(record, data + 1, size - 1 < RESUME_RECORD ? size - 1 : RESUME_RECORD);
	if (data[0] & 1)
		repair(record);
	try_record(record);
	return 0;
}
