// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's thread: how time passes in it.
 *
 * A turn. Everything happens in turns, and a turn has one time, `now`, read when it begins. First all sockets
 * are read dry, then the timers due at `now` are carried out, then commands, then the packets that came of
 * all this go out in one batch, then the main thread is woken. A detection time is judged by a deadline that
 * is at most `now`, and every packet that lay in a socket at `now` has been heard before: so a peer is never
 * declared dead while its word waits to be read. When it was heard is the kernel's receive time stamp, not
 * the time of reading: after a pause of ours an old packet is no proof of life. Only our own periodic packets
 * do not wait for their place in a long turn: they have a wheel of their own, looked at every so many pieces
 * of work, so that no flood of packets and no wave of Downs makes the peers of the others believe that we are
 * dead.
 *
 * Wake-ups. One costs as much as ten packets, so few of them are the art. Packets are sent on a grid
 * (session_grid()), where those of many sessions meet. Whether a session was heard is looked at on the grid
 * too, before its detection time ends; only where nothing came the timer is set to the very end. And the gate
 * takes a steady peer's packets before they reach a socket. What does reach one wakes the loop at once, but
 * when that happens too often, because there is no gate or a flood, the socket watchers are stopped and a
 * tick reads what has gathered: the number of wake-ups is bounded whatever comes. The clock is a timerfd: the
 * poll timeouts of libev's own timers are whole milliseconds, rounded up.
 *
 * Stalls. The timerfd is armed for a known moment. A turn that begins more than STALL after it has found us
 * starved: by other programs, by the hypervisor, by memory pressure, and the threads that stand by for us
 * with us (standby.c). Then the packets may have starved too, between the wire and the socket, where reading
 * the sockets dry does not find them: the softirq that carries them runs on the same processor. So a session
 * whose detection time ends in such a turn is not judged yet. It gets as long as the stall was, but no more
 * than one interval of its peer, within which a live one must have been heard, and no less than a tick; then
 * it is judged like any other. A stall in that time again puts it off again, but one silence is put off by a
 * detection time in all: a dead peer is found even by a host that stalls for ever. We cannot know which part
 * of a silence was the peer's; we only never take our own for it.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/engine_private.h"

#define STALL (2 * USEC_MS)
#define STALL_EVENTS 10 /* told a second; the counters have them all */
#define GOODBYES_A_TURN 64
#define WINDOW (100 * USEC_MS)
#define ENTER_WAKEUPS 150 /* in a window: begin to tick */
#define LEAVE_PACKETS 100 /* in a window: fewer than that, and ticks cost more than events */

static void set_ticking(struct engine *engine, bool ticking)
{
	struct back *back = &engine->back;

	atomic_store_explicit(&engine->counters.tick_mode, ticking, memory_order_relaxed);
	if (ticking)
		ev_io_stop(back->loop, &back->socket_watcher);
	else
		ev_io_start(back->loop, &back->socket_watcher);
}

/* What the gate dropped is asked for last: what it drops meanwhile hides an overflow for a while, and never
 * makes one up. */
void engine_count_overflows(struct engine *engine)
{
	struct counters *counters = &engine->counters;
	uint64_t dropped = udp_drops(engine->back.udp), meant = gate_dropped(engine->back.gate);

	if (dropped > meant + atomic_load_explicit(&counters->receive_overflows, memory_order_relaxed))
		atomic_store_explicit(&counters->receive_overflows, dropped - meant, memory_order_relaxed);
	recorder_overflows(engine);
}

/* Each wake-up by a socket stands for at least one packet, so with fewer packets than LEAVE_PACKETS there are
 * not ENTER_WAKEUPS: the two modes do not alternate. */
static void weigh_load(struct engine *engine)
{
	struct load *load = &engine->back.load;
	usec_t now = engine->back.clock.now, span = now - load->since;

	load->wakeups += engine->back.socket_woke;
	engine->back.socket_woke = false;
	if (!engine_ticking(engine) && load->wakeups > ENTER_WAKEUPS && span <= WINDOW)
		set_ticking(engine, true);
	else if (span < WINDOW)
		return;
	else if (engine_ticking(engine) && load->packets * WINDOW / span < LEAVE_PACKETS)
		set_ticking(engine, false);
	if (load->packets)
		engine_count_overflows(engine);
	load->since = now;
	load->wakeups = 0;
	load->packets = 0;
}

static void note_lateness(struct engine *engine)
{
	struct back *back = &engine->back;
	usec_t now = back->clock.now, late = back->armed < now ? now - back->armed : 0;
	struct engine_event event = {
		.kind = ENGINE_STALL, .at = now, .lateness = late, .slot = ENGINE_NO_SLOT};

	recorder_late(engine, late);
	back->lateness = late > STALL ? late : 0;
	if (!back->lateness)
		return;
	counter_add(&engine->counters.stalls, 1);
	if (late > atomic_load_explicit(&engine->counters.stall_max, memory_order_relaxed))
		atomic_store_explicit(&engine->counters.stall_max, late, memory_order_relaxed);
	if (now - back->stall_second >= USEC_S) {
		back->stall_second = now;
		back->stall_events = 0;
	}
	if (back->stall_events++ < STALL_EVENTS)
		events_push(engine, &event);
}

/* Setting the timerfd also makes it unreadable again, so it is never read. */
static void arm(struct engine *engine)
{
	struct back *back = &engine->back;
	usec_t next = wheel_next(&back->wheel), next_tx = wheel_next(&back->tx_wheel);
	struct itimerspec spec = {0};

	if (next_tx < next)
		next = next_tx;
	if (back->again) {
		next = back->clock.now;
	} else if (engine_ticking(engine)) {
		usec_t tick = (back->clock.now / ENGINE_TICK + 1) * ENGINE_TICK;

		next = next < tick ? next : tick;
	}
	if (next == back->armed && next > back->clock.now)
		return;
	if (next != USEC_NEVER) {
		spec.it_value.tv_sec = next / USEC_S;
		spec.it_value.tv_nsec = next % USEC_S * 1000;
	}
	timerfd_settime(back->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL);
	standby_arm(engine, next);
	back->armed = next;
}

/* Says goodbye to some sessions, or their last word before others go on with them. Those whose turn is yet to
 * come live on meanwhile. */
static void stop_slice(struct engine *engine)
{
	struct back *back = &engine->back;
	usec_t linger = atomic_load_explicit(&engine->linger, memory_order_relaxed);
	unsigned told = 0;

	back->stopping = true;
	for (; back->stop_slot < back->high && told < GOODBYES_A_TURN; back->stop_slot++) {
		struct session *session = table_slot(&back->table, back->stop_slot);

		if (!session)
			continue;
		if (linger == ENGINE_HOLD)
			sessions_last_word(engine, session);
		else
			sessions_farewell(engine, session, linger);
		told++;
	}
	if (back->stop_slot < back->high) {
		back->again = true;
		return;
	}
	back->stop_at = back->clock.now + (linger == ENGINE_HOLD ? 0 : linger + ENGINE_RETRY);
	/* Should nothing else wake us. */
	wheel_arm(&back->wheel, &back->retry_timer, back->stop_at);
}

static void take_turn(struct engine *engine)
{
	struct back *back = &engine->back;
	/* Before the commands are read, so that those given before the stop are seen. */
	bool stop = atomic_load_explicit(&engine->stop, memory_order_acquire);
	struct timer *timer;
	unsigned received;

	clock_turn(&back->clock);
	note_lateness(engine);
	received = udp_receive(back->udp, sessions_packet, engine);
	sessions_transmit(engine);
	while ((timer = wheel_expire(&back->wheel, back->clock.now))) {
		sessions_timer(engine, timer);
		sessions_breathe(engine);
	}
	back->again = false;
	commands_run(engine);
	if (stop && !back->again && back->stop_at == USEC_NEVER)
		stop_slice(engine);
	snapshot_slice(engine);
	filter_slice(engine);
	transmit_flush(engine);
	state_file_alive(engine->config.state_file, back->clock.now);
	recorder_losses(engine);
	events_publish(engine);

	counter_add(&engine->counters.wakeups, 1);
	counter_add(&engine->counters.ticks, engine_ticking(engine));
	counter_add(&engine->counters.packets_in, received);
	atomic_store_explicit(&engine->counters.drops[DROP_HEADERS], udp_malformed(back->udp),
			      memory_order_relaxed);
	atomic_store_explicit(&engine->counters.send_errors, transmit_errors(engine), memory_order_relaxed);
	back->load.packets += received;
}

void engine_turn(struct engine *engine)
{
	take_turn(engine);
	weigh_load(engine);
	arm(engine);
}

static bool stopped(const struct back *back)
{
	return back->stopping && (!back->table.count || back->clock.now >= back->stop_at);
}

/* The timer that was to wake the engine's thread has just been set anew, or not at all: when this was the
 * last turn nothing else would, as epoll does not report a timer that is not due any more. */
void engine_relief(struct engine *engine)
{
	take_turn(engine);
	arm(engine);
	if (stopped(&engine->back))
		eventfd_write(engine->command_fd, 1);
}

/* Watchers only wake the loop; what is to be done is the same for all of them. */
static void timer_due(struct ev_loop *loop, ev_io *watcher, int revents) {}

static void socket_readable(struct ev_loop *loop, ev_io *watcher, int revents)
{
	struct back *back = watcher->data;

	back->socket_woke = true;
}

static void command_came(struct ev_loop *loop, ev_io *watcher, int revents)
{
	eventfd_t value;

	eventfd_read(watcher->fd, &value);
}

static void start_watchers(struct engine *engine)
{
	struct back *back = &engine->back;

	ev_io_init(&back->socket_watcher, socket_readable, udp_wait_fd(back->udp), EV_READ);
	back->socket_watcher.data = back;
	ev_io_start(back->loop, &back->socket_watcher);
	ev_io_init(&back->timer_watcher, timer_due, back->timer_fd, EV_READ);
	ev_io_init(&back->command_watcher, command_came, engine->command_fd, EV_READ);
	ev_io_start(back->loop, &back->timer_watcher);
	ev_io_start(back->loop, &back->command_watcher);
}

void engine_begin(struct engine *engine)
{
	struct back *back = &engine->back;

	clock_turn(&back->clock);
	wheel_init(&back->wheel, back->clock.now);
	wheel_init(&back->tx_wheel, back->clock.now);
	back->load.since = back->clock.now;
	back->armed = back->stop_at = USEC_NEVER;
	back->policy_timer.kind = TIMER_POLICY;
	back->doubt_timer.kind = TIMER_DOUBT;
	back->presume_timer.kind = TIMER_PRESUME;
	back->retry_timer.kind = TIMER_RETRY;
	back->carrier_timer.kind = TIMER_CARRIER;
}

/* What was ordered before the thread began. Packets for these sessions may lie in the sockets already, and
 * peers of a predecessor's sessions have waited long enough. */
static void catch_up(struct engine *engine)
{
	do {
		engine->back.again = false;
		commands_run(engine);
		transmit_flush(engine);
	} while (engine->back.again);
}

void *engine_thread(void *arg)
{
	struct engine *engine = arg;
	struct back *back = &engine->back;
	bool over;

	if (engine->config.thread_start)
		engine->config.thread_start(engine->config.thread_context);
	state_file_thread(engine->config.state_file);
	start_watchers(engine);
	engine_begin(engine);
	catch_up(engine);
	do {
		pthread_mutex_lock(&engine->turn);
		engine_turn(engine);
		over = stopped(back);
		atomic_store(&engine->over, over);
		pthread_mutex_unlock(&engine->turn);
		if (!over)
			ev_run(back->loop, EVRUN_ONCE);
	} while (!over);
	if (back->adoption)
		events_notice(engine, &back->adoption->notice);
	back->adoption = NULL;
	events_publish(engine);
	return NULL;
}
