/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every call changes what it is about (a packet's values, the state, the configuration) and then settles:
 * what we advertise, the Poll Sequence, the intervals in force and the transmission schedule follow from the
 * variables, and the effects from comparing with before.
 */
#include "core/session.h"

#include <string.h>

#include "core/fsm.h"
#include "core/offer.h"
#include "core/poll.h"
#include "core/resume.h"
#include "core/sbfd.h"
#include "core/schedule.h"

#define PROMPT_EVERY (250 * USEC_MS) /* packets out of turn: one of these on average, */
#define PROMPT_BURST USEC_S	     /* and as many at once as fit in here, and one */

struct before {
	uint32_t tx_interval, echo_interval;
	usec_t detection_time, deadline, next_tx;
	bool demand_used, remote_demand, remote_cpi;
	uint32_t remote_min_echo_rx;
};

/* A packet out of turn tells of a change of state faster (6.8.7). Paced, so that two ends, or a hostile one,
 * cannot chase a session through its states at line rate. */
static bool session_prompt_allowed(struct session *session, usec_t now)
{
	usec_t due = session->prompt > now ? session->prompt : now;

	if (due - now > PROMPT_BURST)
		return false;
	session->prompt = due + PROMPT_EVERY;
	return true;
}

static void session_poll_start(struct session *session, usec_t now)
{
	if (session->poll_pending || session->poll_active || now >= session->poll_next)
		poll_start(session, now);
}

const char *session_type_name(enum session_type type)
{
	static const char *const names[SESSION_TYPES] = {
		[SESSION_SINGLE_HOP] = "single-hop",
		[SESSION_MULTIHOP] = "multihop",
		[SESSION_MICRO] = "micro",
		[SESSION_SBFD] = "s-bfd",
		[SESSION_ECHO] = "unaffiliated-echo",
	};

	return names[type];
}

uint16_t session_port(enum session_type type)
{
	static const uint16_t ports[SESSION_TYPES] = {
		[SESSION_SINGLE_HOP] = BFD_PORT_SINGLE_HOP,
		[SESSION_MULTIHOP] = BFD_PORT_MULTIHOP,
		[SESSION_MICRO] = BFD_PORT_MICRO,
		[SESSION_SBFD] = BFD_PORT_SBFD,
		[SESSION_ECHO] = BFD_PORT_ECHO,
	};

	return ports[type];
}

bool session_needs_extra(const struct session_config *config)
{
	return config->auth || config->rtt_interval || config->echo || config->echo_rx;
}

static struct before session_begin(const struct session *session, struct session_effects *effects)
{
	memset(effects, 0, sizeof(*effects));
	return (struct before){
		.tx_interval = session->tx_interval,
		.echo_interval = session->echo_interval,
		.detection_time = session->detection_time,
		.deadline = session_detect_deadline(session),
		.next_tx = session->next_tx,
		.demand_used = session->demand_used,
		.remote_demand = session->remote_demand,
		.remote_cpi = session->remote_cpi,
		.remote_min_echo_rx = session->remote_min_echo_rx,
	};
}

/* 6.8.1: the number is forgotten after "at least" two detection times. In Demand mode silence does not tell
 * that the peer began anew, and whoever heard it before could replay that. DETECTION_TIME: without it. */
static void session_trust(struct session *session, usec_t since, usec_t detection_time)
{
	if (session->extra)
		auth_heard(&session->extra->auth, since, session->demand_used ? USEC_NEVER : detection_time);
}

static void session_settle(struct session *session, usec_t now, const struct before *before,
			   struct session_effects *effects)
{
	usec_t deadline;

	offer_update(session, now);
	if ((session->config.rtt_interval || session->config.demand_mode || session->poll_ordered ||
	     session->poll_asks) &&
	    session->key.type != SESSION_ECHO)
		poll_schedule(session, now);
	session_poll_start(session, now);
	schedule_next(session);
	session->detection_time = offer_detection_time(session);
	if (session->config.auth && session->demand_used != before->demand_used)
		session_trust(session, now, before->detection_time);

	deadline = session_detect_deadline(session);
	if (deadline < before->deadline || (deadline == USEC_NEVER && before->deadline != USEC_NEVER))
		effects->what |= EFFECT_DETECT;
	if (session->next_tx != before->next_tx)
		effects->what |= EFFECT_TX;
	if (session->tx_interval != before->tx_interval ||
	    session->detection_time != before->detection_time ||
	    session->demand_used != before->demand_used || session->remote_demand != before->remote_demand ||
	    session->remote_cpi != before->remote_cpi ||
	    session->remote_min_echo_rx != before->remote_min_echo_rx)
		effects->what |= EFFECT_NEGOTIATED;
	if (before->demand_used && !session->demand_used && session->state == BFD_UP &&
	    !session->remote_min_rx && session_prompt_allowed(session, now))
		effects->what |= EFFECT_SEND;
	if (session->echo_interval != before->echo_interval)
		effects->what |= EFFECT_ECHO;
	if (effects->what & EFFECT_STATE && schedule_allowed(session) && session_prompt_allowed(session, now))
		effects->what |= EFFECT_SEND;
}

static void session_step(struct session *session, struct fsm_step step, usec_t now,
			 struct session_effects *effects)
{
	uint8_t from = session->state;

	if (step.diag != FSM_DIAG_KEEP)
		session->local_diag = step.diag;
	if (step.next == from)
		return;
	session->state = step.next;
	session->since = now;
	session->up_transitions += step.next == BFD_UP;
	session->down_transitions += from == BFD_UP;
	session->downs += step.next == BFD_DOWN;
	session->admin_downs += step.next == BFD_ADMIN_DOWN;
	if (step.next == BFD_UP)
		session->last_up = now;
	else if (step.next == BFD_DOWN)
		session->last_down = now;
	effects->what |= EFFECT_STATE;
	effects->from = from;
	effects->to = step.next;
	effects->diag = session->local_diag;
}

static void session_event(struct session *session, enum fsm_event event, usec_t now,
			  struct session_effects *effects)
{
	session_step(session, fsm_step(session->state, event), now, effects);
}

/* 6.8.1: back to the initial values of what the peer told. */
static void session_forget(struct session *session)
{
	session->remote_discr = session->key.type == SESSION_SBFD ? session->config.remote_discr : 0;
	session->remote_state = BFD_DOWN;
	session->remote_min_rx = 1;
	session->remote_min_tx = 0;
	session->remote_min_echo_rx = 0;
	session->remote_detect_mult = 0;
	session->remote_demand = false;
	session->remote_cpi = false;
}

void session_init(struct session *session, const struct session_config *config, const struct session_key *key,
		  uint32_t local_discr, uint16_t source_port, usec_t now)
{
	struct session_effects effects;
	struct before before;

	memset(session, 0, sizeof(*session));
	session->config = *config;
	session->key = *key;
	session->local_discr = local_discr;
	session->source_port = source_port;
	session->path = SESSION_NO_PATH;
	session->state = config->shutdown ? BFD_ADMIN_DOWN : BFD_DOWN;
	session->local_diag = config->shutdown ? DIAG_ADMIN_DOWN : DIAG_NONE;
	session->jitter = local_discr; /* random where it counts */
	session->tight = config->detect_mult == 1;
	session->poll_next = USEC_NEVER;
	session->since = session->created = session->last_tx = now;
	session_forget(session);
	before = session_begin(session, &effects);
	session_settle(session, now, &before, &effects);
}

static void session_recall(struct session *session, const struct resume *resume)
{
	session->state = resume->state;
	session->local_diag = resume->local_diag;
	session->remote_discr = resume->remote_discr;
	session->remote_state = resume->remote_state;
	session->remote_diag = resume->remote_diag;
	session->remote_detect_mult = resume->remote_detect_mult;
	session->remote_demand = resume->remote_demand;
	session->remote_cpi = resume->remote_cpi;
	session->remote_min_rx = resume->remote_min_rx;
	session->remote_min_tx = resume->remote_min_tx;
	session->desired_min_tx = resume->desired_min_tx;
	session->required_min_rx = resume->required_min_rx;
	session->desired_min_tx_used = resume->desired_min_tx_used;
	session->required_min_rx_used = resume->required_min_rx_used;
	session->since = resume->since;
	session->created = resume->created;
	session->up_transitions = resume->up_transitions;
	session->down_transitions = resume->down_transitions;
	if (session->extra)
		resume_sequence(resume, &session->extra->auth);
}

void session_resume(struct session *session, const struct resume *resume, usec_t now,
		    struct session_effects *effects)
{
	struct before before = session_begin(session, effects);

	session_recall(session, resume);
	session->resumed = session->last_rx = session->last_tx = now;
	session->tight |= resume->detect_mult == 1;
	session->path_up = true;
	/* Whether it was answered nobody knows: another one, not to be ended by a Final of that. */
	session->poll_pending = resume->polling;
	session->poll_earliest = now + POLL_PAUSE_MIN;
	if (resume->demand) { /* nothing else would tell that the peer is still there */
		session->demand = session->demand_used = session->poll_ordered = true;
		session->poll_next = now;
	}
	if (session->config.shutdown)
		session_event(session, FSM_ADMIN_DISABLE, now, effects);
	session_settle(session, now, &before, effects);
	session_trust(session, now, session->detection_time);
	effects->what |= EFFECT_SEND;
}

/* RFC 9747 2: the packet is our own, so what it says about the peer's intervals says nothing. */
static void session_learn_loop(struct session *session, const struct packet *packet, usec_t received)
{
	session->remote_discr = packet->my_discr;
	session->remote_state = packet->state;
	session->remote_diag = packet->diag;
	session->remote_detect_mult = session->config.detect_mult;
	session->excused = session->extra ? echo_owed(&session->extra->echo) : 0;
	if (received > session->last_rx)
		session->last_rx = received;
	session->packets_in++;
}

static void session_learn(struct session *session, const struct packet *packet, usec_t received)
{
	session->remote_discr = packet->my_discr;
	session->remote_state = packet->state;
	session->remote_diag = packet->diag;
	session->remote_demand = packet->demand;
	session->remote_cpi = packet->control_plane_independent;
	session->remote_min_rx = packet->required_min_rx;
	session->remote_min_tx = packet->desired_min_tx;
	session->remote_min_echo_rx = packet->required_min_echo_rx;
	session->remote_detect_mult = packet->detect_mult;
	if (received > session->last_rx)
		session->last_rx = received;
	session->packets_in++;
}

enum drop session_receive(struct session *session, const struct packet *packet, usec_t received,
			  struct session_effects *effects)
{
	struct before before = session_begin(session, effects);
	bool sbfd = session->key.type == SESSION_SBFD;

	if (packet->auth_present != !!session->config.auth)
		return packet->auth_present ? DROP_AUTH_UNEXPECTED : DROP_AUTH_MISSING;
	if (!session->path_up)
		return DROP_NO_PATH;
	if (session->state == BFD_ADMIN_DOWN)
		return DROP_ADMIN_DOWN;
	if (sbfd && sbfd_accept(session, packet))
		return sbfd_accept(session, packet);

	if (session->key.type == SESSION_ECHO) {
		session_learn_loop(session, packet, received);
		session_event(session, FSM_RECV_ADMIN_DOWN + packet->state, received, effects);
		session_settle(session, received, &before, effects);
		return DROP_NONE;
	}
	session_learn(session, packet, received);
	if (packet->final)
		offer_accepted(session, received);
	if (sbfd)
		session_step(session, sbfd_step(session, packet), received, effects);
	else
		session_event(session, FSM_RECV_ADMIN_DOWN + packet->state, received, effects);
	session_settle(session, received, &before, effects);
	if (packet->auth_present)
		session_trust(session, received, session->detection_time);
	if (packet->poll && !sbfd)
		effects->what |= EFFECT_SEND | EFFECT_SEND_FINAL;
	return DROP_NONE;
}

bool session_steady(const struct session *session, const struct packet *packet)
{
	return session->state == BFD_UP && packet->state == BFD_UP && !packet->poll && !packet->final &&
	       !session->poll_active && !session->poll_pending && !session->remote_demand &&
	       !session->demand_used && session->key.type != SESSION_SBFD;
}

void session_heard(struct session *session, uint64_t count, usec_t received)
{
	session->packets_in += count;
	if (received > session->last_rx)
		session->last_rx = received;
}

void session_detect_expired(struct session *session, usec_t now, struct session_effects *effects)
{
	struct before before = session_begin(session, effects);

	if (now < before.deadline) {
		effects->what = EFFECT_DETECT;
		return;
	}
	session_event(session, session->key.type == SESSION_ECHO ? FSM_ECHO_FAILED : FSM_DETECTION_EXPIRED,
		      now, effects);
	session_forget(session);
	session_settle(session, now, &before, effects);
}

void session_configure(struct session *session, const struct session_config *config, usec_t now,
		       struct session_effects *effects)
{
	struct before before = session_begin(session, effects);
	bool was_shut = session->config.shutdown;

	/* 6.6: in Demand mode a change of anything that packets say. */
	if ((session->demand_used || session->remote_demand) &&
	    (session->config.detect_mult != config->detect_mult ||
	     session->config.echo_rx != config->echo_rx ||
	     session->config.control_plane_independent != config->control_plane_independent))
		session->poll_pending = true;
	session->config = *config;
	if (!session->poll_ordered)
		session->poll_next = USEC_NEVER;
	session->tight |= config->detect_mult == 1;
	if (session->key.type == SESSION_ECHO && session->remote_discr) {
		session->remote_detect_mult = config->detect_mult;
		session->excused = now - session->last_rx; /* a whole, perhaps shorter, time from now on */
	}
	if (session->echo_interval) /* Detect Mult is for Echo packets too */
		effects->what |= EFFECT_ECHO;
	if (config->shutdown != was_shut)
		session_event(session, config->shutdown ? FSM_ADMIN_DISABLE : FSM_ADMIN_ENABLE, now, effects);
	/* With no Poll Sequence the new detection time begins by itself. */
	if (session->key.type == SESSION_SBFD && session->last_rx)
		session->last_rx = now;
	session_settle(session, now, &before, effects);
}

bool session_poll(struct session *session, usec_t now, struct session_effects *effects)
{
	struct before before = session_begin(session, effects);

	if (session->state != BFD_UP || session->remote_state != BFD_UP)
		return false;
	session->poll_ordered = true;
	session->poll_next = now;
	session_settle(session, now, &before, effects);
	return true;
}

bool session_doubt(struct session *session, usec_t now, struct session_effects *effects)
{
	return session->demand_used && !session->poll_active && !session->poll_ordered &&
	       session_poll(session, now, effects);
}

void session_path(struct session *session, bool up, usec_t now, struct session_effects *effects)
{
	struct before before = session_begin(session, effects);

	if (session->path_up != up) {
		session->path_up = up;
		if (!up)
			session_event(session, FSM_PATH_DOWN, now, effects);
		else if (session_prompt_allowed(session, now))
			schedule_start_soon(session, now);
	}
	session_settle(session, now, &before, effects);
}

void session_echo_able(struct session *session, bool able, usec_t now, struct session_effects *effects)
{
	struct before before = session_begin(session, effects);

	session->echo_able = able;
	session_settle(session, now, &before, effects);
}

void session_echo_proven(struct session *session, usec_t now, struct session_effects *effects)
{
	struct before before = session_begin(session, effects);

	session->echo_proven = true;
	session_settle(session, now, &before, effects);
	effects->what |= EFFECT_ECHO;
}

void session_echo_failed(struct session *session, usec_t now, struct session_effects *effects)
{
	struct before before = session_begin(session, effects);

	session_event(session, FSM_ECHO_FAILED, now, effects);
	session_settle(session, now, &before, effects);
}

usec_t session_detect_deadline(const struct session *session)
{
	if (!session->remote_discr || !session->detection_time)
		return USEC_NEVER;
	if (session->demand_used) /* 6.8.4: only a Poll that is not answered tells */
		return session->poll_active && session->poll_sent
			       ? session->poll_sent + session->detection_time
			       : USEC_NEVER;
	return session->last_rx + session->excused + session->detection_time;
}

usec_t session_patience(const struct session *session)
{
	return (usec_t)session->config.detect_mult *
	       max32(session->desired_min_tx_used, session->remote_min_rx);
}

enum drop session_authenticate(struct session *session, const struct packet *packet, const uint8_t *data,
			       usec_t received)
{
	/* What is dropped for these reasons, or for its A bit, is not worth a digest. */
	if (!session->config.auth || !packet->auth_present || !session->path_up ||
	    session->state == BFD_ADMIN_DOWN)
		return DROP_NONE;
	if (!session->extra)
		return DROP_AUTH_UNKNOWN_KEY;
	return auth_verify(session->config.auth, &session->extra->auth, packet, data, received);
}

void session_packet(const struct session *session, bool final, struct packet *packet)
{
	memset(packet, 0, sizeof(*packet));
	packet->diag = session->local_diag;
	packet->state = session->state;
	packet->poll = !final && poll_says(session);
	packet->final = final;
	packet->demand = session->demand || session->key.type == SESSION_SBFD; /* RFC 7880 7.3.2 */
	packet->control_plane_independent = session->config.control_plane_independent;
	packet->detect_mult = session->config.detect_mult;
	packet->length = PACKET_SIZE;
	packet->my_discr = session->local_discr;
	packet->your_discr = session->remote_discr;
	packet->desired_min_tx = session->desired_min_tx;
	packet->required_min_rx = session->required_min_rx;
	if (session->key.type == SESSION_SINGLE_HOP)
		packet->required_min_echo_rx = session->config.echo_rx;
	else if (session->key.type == SESSION_ECHO) /* RFC 9747 2: whoever reads them is to ignore them */
		packet->desired_min_tx = packet->required_min_rx = USEC_S;
}

/* Of one's own packets those that go out late come back late. */
static void session_excuse(struct session *session, usec_t now)
{
	/* The interval may have become shorter with the state. */
	usec_t asked = session->last_tx > session->since ? session->last_tx : session->since;

	if (now > asked + session->tx_interval)
		session->excused += now - asked - session->tx_interval;
}

void session_transmitted(struct session *session, usec_t now, uint32_t random)
{
	if (session->key.type == SESSION_ECHO)
		session_excuse(session, now);
	session->last_tx = now;
	session->jitter = random;
	session->tight = session->config.detect_mult == 1;
	session_poll_start(session, now);
	schedule_next(session);
}

bool session_break_silence(struct session *session, usec_t now)
{
	poll_start(session, now);
	schedule_next(session);
	return session->tx_interval;
}
