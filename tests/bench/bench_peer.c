/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_peer: the far end of many sessions, towards any BFD program; run in the namespace of side b (see
 * lib.sh). It brings the sessions Up, speaks at 87.5 % of the interval, without jitter of its own, and
 *
 *   bench_peer detect INTERFACE SESSIONS INTERVAL-MS DETECTIONS
 *       falls silent in one session after the other, at random. The delay of a detection is the time from the
 *       detection time's end (its last packet on the wire + 3 x INTERVAL) to the first packet of the program
 *       that says Down with diagnostic 1; in a session that is Down it then begins again.
 *   bench_peer pacing INTERFACE SESSIONS INTERVAL-MS SECONDS
 *       looks at the time between the program's packets (without its Finals) in each session.
 *
 * Prints one JSON object. Status 3: the sessions did not come Up and to their interval in time.
 */
#include "tests/bench/peer.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define READY_WITHIN (25 * SECOND)
#define DOWN_WITHIN (5 * SECOND) /* behind the detection time */

/* Coming Up, speaking at the interval, silent, silent for a little longer. */
enum phase { COMING, STEADY, SILENT, RESTING };

struct session {
	enum phase phase;
	uint8_t state, remote_state;
	uint32_t remote_discr;
	bool poll;	  /* ours, not answered yet */
	int64_t due;	  /* our next packet */
	int64_t until;	  /* the phase's end, where that is a time */
	int64_t sent;	  /* our last packet, as seen on the wire */
	int64_t received; /* the program's last packet in this measurement; 0: none */
};

static struct wire wire;
static struct session *sessions;
static unsigned nsessions, nsteady;
static int64_t interval;
static bool detecting, measuring;
static size_t detections;
static struct samples samples;
static unsigned missed, other_diag, false_alarms;
static int64_t own_gap; /* the longest between two packets of ours while steady */

static int64_t between(int64_t low, int64_t high)
{
	return low + (int64_t)((double)random() / RAND_MAX * (double)(high - low));
}

static void send_control(unsigned i, bool final)
{
	struct session *session = &sessions[i];
	struct packet packet = {
		.session = i,
		.state = session->state,
		.poll = session->poll && !final,
		.final = final,
		.my_discr = i + 1,
		.your_discr = session->remote_discr,
		/* RFC 5880 6.8.3: not below a second while not Up */
		.min_tx = (uint32_t)((session->state == STATE_UP ? interval : SECOND) / 1000),
		.min_rx = (uint32_t)(interval / 1000),
	};

	wire_send(&wire, &packet);
}

static void enter(struct session *session, enum phase phase, int64_t until)
{
	nsteady += (phase == STEADY) - (session->phase == STEADY);
	session->phase = phase;
	session->until = until;
}

static void start_over(struct session *session, int64_t due)
{
	enter(session, COMING, 0);
	session->state = STATE_DOWN;
	session->poll = false;
	session->remote_discr = 0;
	session->received = 0;
	session->due = due;
}

/* RFC 5880 6.8.6, as far as a well-meaning neighbour needs it. True: there is something to say at once. */
static bool follow(struct session *session, const struct packet *packet)
{
	uint8_t before = session->state;

	session->remote_discr = packet->my_discr;
	if (packet->final)
		session->poll = false;
	if (session->state == STATE_DOWN) {
		if (packet->state == STATE_DOWN)
			session->state = STATE_INIT;
		else if (packet->state == STATE_INIT)
			session->state = STATE_UP;
	} else if (session->state == STATE_INIT && packet->state >= STATE_INIT) {
		session->state = STATE_UP;
	}
	if (session->state == before)
		return false;
	session->poll = session->state == STATE_UP;
	return true;
}

static void ended(struct session *session, const struct packet *packet)
{
	if (packet->diag == DIAG_EXPIRED) {
		if (samples.count < detections)
			samples_add(&samples, packet->at - session->sent - MULTIPLIER * interval);
	} else {
		other_diag++;
	}
	enter(session, RESTING, packet->at + between(50 * MS, 250 * MS));
}

static void receive(const struct packet *packet)
{
	struct session *session = &sessions[packet->session];

	if (session->phase == RESTING)
		return;
	if (session->phase == SILENT) {
		if (packet->state == STATE_DOWN)
			ended(session, packet);
		return;
	}
	if (session->state == STATE_UP && packet->state <= STATE_DOWN) {
		false_alarms += session->phase == STEADY;
		start_over(session, packet->at + between(50 * MS, 250 * MS));
		return;
	}
	if (measuring && session->phase == STEADY && !packet->final) {
		if (session->received)
			samples_add(&samples, packet->at - session->received);
		session->received = packet->at;
	}
	if (follow(session, packet) || packet->poll) {
		send_control(packet->session, packet->poll);
		session->due = packet->at + interval * 7 / 8;
	}
	if (session->phase == COMING && session->state == STATE_UP && packet->state == STATE_UP &&
	    !session->poll && !packet->poll && packet->min_tx <= interval / 1000)
		enter(session, STEADY, packet->at + 6 * interval + between(200 * MS, 700 * MS));
}

static void drain(void)
{
	struct packet packets[64];
	size_t count;
	bool more;

	do {
		more = wire_read(&wire, packets, 64, &count);
		for (size_t i = 0; i < count; i++) {
			struct session *session = &sessions[packets[i].session];

			if (!packets[i].ours) {
				receive(&packets[i]);
				continue;
			}
			if (session->phase == STEADY && packets[i].at - session->sent > own_gap)
				own_gap = packets[i].at - session->sent;
			session->sent = packets[i].at;
		}
	} while (more);
}

/* What is due in a session; returns when it next is. */
static int64_t turn(unsigned i, int64_t now)
{
	struct session *session = &sessions[i];

	switch (session->phase) {
	case SILENT:
		if (now < session->until)
			return session->until;
		missed++;
		start_over(session, now);
		break;
	case RESTING:
		if (now < session->until)
			return session->until;
		start_over(session, now);
		break;
	case COMING:
	case STEADY:
		break;
	}
	if (now < session->due)
		return session->due;
	send_control(i, false);
	if (detecting && session->phase == STEADY && now >= session->until) {
		enter(session, SILENT, now + MULTIPLIER * interval + DOWN_WITHIN);
		return session->until;
	}
	session->due += (session->state == STATE_UP ? interval : SECOND) * 7 / 8;
	if (session->due < now)
		session->due = now + interval * 7 / 8;
	return session->due;
}

static void run(int64_t until, bool (*done)(void))
{
	struct pollfd fd = {.fd = wire.capture, .events = POLLIN};
	int64_t now, next, due;
	struct timespec wait;

	while ((now = now_ns()) < until && !(done && done())) {
		next = until;
		for (unsigned i = 0; i < nsessions; i++) {
			due = turn(i, now);
			if (due < next)
				next = due;
		}
		wait.tv_sec = 0;
		wait.tv_nsec = 0;
		now = now_ns();
		if (next > now) {
			wait.tv_sec = (next - now) / SECOND;
			wait.tv_nsec = (next - now) % SECOND;
		}
		ppoll(&fd, 1, &wait, NULL);
		drain();
	}
}

static bool all_steady(void)
{
	return nsteady == nsessions;
}

static bool enough(void)
{
	return samples.count >= detections;
}

static void report(const char *what)
{
	samples_sort(&samples);
	printf("{\"%s\": %zu", what, samples.count);
	if (samples.count) {
		print_ms("min-ms", (double)samples_percentile(&samples, 0));
		print_ms("mean-ms", samples_mean(&samples));
		print_ms("p1-ms", (double)samples_percentile(&samples, 1));
		print_ms("p50-ms", (double)samples_percentile(&samples, 50));
		print_ms("p99-ms", (double)samples_percentile(&samples, 99));
		print_ms("max-ms", (double)samples_percentile(&samples, 100));
	}
	printf(", \"false-alarms\": %u, \"lost\": %u", false_alarms, wire_lost(&wire));
	print_ms("own-gap-ms", (double)own_gap);
}

/* The time limit is for a program that does not say Down at all. */
static void detect(unsigned count)
{
	detections = count;
	detecting = true;
	run(now_ns() + ((int64_t)count / nsessions + 2) * 6 * SECOND, enough);
	report("detections");
	printf(", \"early\": %zu, \"missed\": %u, \"other-diagnostic\": %u, \"delays-ms\": [",
	       samples_below(&samples, 0), missed, other_diag);
	for (size_t i = 0; i < samples.count; i++)
		printf("%s%.6f", i ? ", " : "", (double)samples.values[i] / (double)MS);
	puts("]}");
}

static void pacing(unsigned seconds)
{
	int64_t open = 0, end;
	double count;

	run(now_ns() + SECOND, NULL);
	false_alarms = 0;
	own_gap = 0;
	measuring = true;
	run(now_ns() + seconds * SECOND, NULL);
	end = now_ns();
	for (unsigned i = 0; i < nsessions; i++)
		if (sessions[i].received && end - sessions[i].received > open)
			open = end - sessions[i].received;
	report("gaps");
	count = samples.count ? (double)samples.count : 1;
	printf(", \"below-75\": %.6f, \"above-100\": %.6f, \"above-110\": %.6f",
	       (double)samples_below(&samples, interval * 3 / 4) / count,
	       1 - (double)samples_below(&samples, interval + 1) / count,
	       1 - (double)samples_below(&samples, interval * 11 / 10) / count);
	print_ms("open-gap-ms", (double)open);
	puts("}");
}

static unsigned number(const char *text, unsigned most)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || !value || value > most) {
		fprintf(stderr, "bench_peer: not a number from 1 to %u: %s\n", most, text);
		exit(2);
	}
	return (unsigned)value;
}

int main(int argc, char **argv)
{
	struct sched_param param = {.sched_priority = 10};
	unsigned amount;

	if (argc != 6 || (strcmp(argv[1], "detect") && strcmp(argv[1], "pacing"))) {
		fputs("usage: bench_peer detect|pacing INTERFACE SESSIONS INTERVAL-MS DETECTIONS|SECONDS\n",
		      stderr);
		return 2;
	}
	nsessions = number(argv[3], SESSIONS_MAX);
	interval = number(argv[4], 10000) * MS;
	amount = number(argv[5], 100000);
	sessions = calloc(nsessions, sizeof(*sessions));
	if (!sessions)
		return 1;
	wire_open(&wire, argv[2], nsessions);
	/* Its own lateness is reported: where real time is not permitted it shows there. */
	sched_setscheduler(0, SCHED_FIFO, &param);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	prctl(PR_SET_TIMERSLACK, 1);
	for (unsigned i = 0; i < nsessions; i++)
		start_over(&sessions[i], now_ns() + between(0, SECOND));
	run(now_ns() + READY_WITHIN, all_steady);
	if (nsteady < nsessions) {
		printf("{\"steady\": %u, \"of\": %u}\n", nsteady, nsessions);
		return 3;
	}
	if (!strcmp(argv[1], "detect"))
		detect(amount);
	else
		pacing(amount);
	return 0;
}
