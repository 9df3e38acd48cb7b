// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A second pair of hands. A thread of the highest priority still waits when the processor that it is to run
 * on is in the kernel for another program, and that kernel was built without full preemption: a flood of
 * routes, of timers, of new processes has held one for 20 ms and more, while the other processors were free.
 * The scheduler does not move a thread away from there.
 *
 * So two more threads sleep, each bound to a processor of its own, on a timer that is set for a little after
 * that of the engine's thread, and set anew in each turn: they never wake while turns begin in time. When one
 * does, it takes the turn instead: all that a turn works on belongs to whoever holds the lock. Only the
 * libev loop is the engine's thread's own.
 */
#include <errno.h>
#include <sched.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/engine_private.h"

#define PATIENCE USEC_MS /* behind the engine's own thread; below what counts as a stall */

static void bind_to(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void relieve(struct engine *engine)
{
	struct back *back = &engine->back;

	/* Held by the engine's thread: it has woken up. */
	if (pthread_mutex_trylock(&engine->turn))
		return;
	if (!atomic_load(&engine->over) && back->armed != USEC_NEVER &&
	    clock_now() - back->armed >= PATIENCE) {
		engine_relief(engine);
		counter_add(&engine->counters.relieved, 1);
	}
	pthread_mutex_unlock(&engine->turn);
}

static void *stand_by(void *arg)
{
	struct standby *standby = arg;
	struct engine *engine = standby->engine;
	uint64_t times;

	bind_to(standby->cpu);
	engine->config.standby_start(engine->config.standby_context);
	state_file_thread(engine->config.state_file);
	while (!atomic_load(&engine->over)) {
		if (read(engine->late_fd, &times, sizeof(times)) == sizeof(times))
			relieve(engine);
		else if (errno != EINTR)
			break;
	}
	return NULL;
}

void standby_start(struct engine *engine)
{
	unsigned found = 0;
	cpu_set_t ours;

	if (!engine->config.standby_start || sched_getaffinity(0, sizeof(ours), &ours) ||
	    CPU_COUNT(&ours) < 2)
		return;
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && found < ENGINE_STANDBYS; cpu++) {
		struct standby *standby = &engine->standby[found];

		if (!CPU_ISSET(cpu, &ours))
			continue;
		*standby = (struct standby){.engine = engine, .cpu = cpu};
		standby->runs = !pthread_create(&standby->thread, NULL, stand_by, standby);
		found++;
	}
}

void standby_stop(struct engine *engine)
{
	/* Again and again: a tick wakes only one of them. */
	static const struct itimerspec ticks = {.it_value.tv_nsec = 1, .it_interval.tv_nsec = 1000000};

	atomic_store(&engine->over, true);
	timerfd_settime(engine->late_fd, 0, &ticks, NULL);
	for (unsigned i = 0; i < ENGINE_STANDBYS; i++)
		if (engine->standby[i].runs)
			pthread_join(engine->standby[i].thread, NULL);
}

void standby_arm(struct engine *engine, usec_t armed)
{
	struct itimerspec spec = {0};
	usec_t late = armed + PATIENCE;

	if (armed != USEC_NEVER) {
		spec.it_value.tv_sec = late / USEC_S;
		spec.it_value.tv_nsec = late % USEC_S * 1000;
	}
	timerfd_settime(engine->late_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}
