// SPDX-License-Identifier: GPL-2.0-or-later
/* Making, starting, stopping and freeing the engine: main thread. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "io/engine_private.h"
#include "ops/log.h"

static bool open_rings(struct engine *engine)
{
	engine->commands_memory = calloc(ENGINE_COMMANDS, sizeof(struct command));
	engine->events_memory = calloc(ENGINE_EVENTS, sizeof(struct event));
	if (!engine->commands_memory || !engine->events_memory)
		return false;
	/* Touched here, so that the engine's thread takes no page fault for them. */
	memset(engine->events_memory, 0xff, ENGINE_EVENTS * sizeof(struct event));
	ring_init(&engine->commands, engine->commands_memory, sizeof(struct command), ENGINE_COMMANDS);
	ring_init(&engine->events, engine->events_memory, sizeof(struct event), ENGINE_EVENTS);
	engine->command_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	engine->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	engine->late_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC); /* blocking: it is waited on */
	return engine->command_fd >= 0 && engine->event_fd >= 0 && engine->late_fd >= 0;
}

static bool open_back(struct back *back, char *error, size_t size)
{
	struct {
		uint64_t random;
		uint32_t table;
		uint8_t echo[SIPHASH_KEY];
	} seed;

	back->udp = udp_open(error, size);
	if (!back->udp)
		return false;
	back->raw = raw_open(error, size);
	if (!back->raw)
		return false;
	back->frame = frame_open(error, size);
	if (!back->frame)
		log_notice("%s: all packets are routed one by one", error);
	back->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	back->carrier.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	back->loop = ev_loop_new(EVBACKEND_EPOLL);
	if (back->timer_fd < 0 || back->carrier.fd < 0 || !back->loop ||
	    getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		snprintf(error, size, "timerfd, socket, epoll or random numbers: %s", strerror(errno));
		return false;
	}
	back->random = seed.random | 1;
	memcpy(back->echo_key, seed.echo, sizeof(seed.echo));
	table_init(&back->table, seed.table);
	back->snapshots_tail = &back->snapshots;
	back->notices_tail = &back->notices;
	return true;
}

struct engine *engine_create(const struct engine_config *config, char *error, size_t size)
{
	struct engine *engine = NULL;

	if (posix_memalign((void **)&engine, 64, sizeof(*engine))) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	memset(engine, 0, sizeof(*engine));
	engine->config = *config;
	engine->command_fd = engine->event_fd = engine->late_fd = engine->back.timer_fd =
		engine->back.carrier.fd = -1;
	pthread_mutex_init(&engine->turn, NULL);
	snprintf(error, size, "out of memory or file descriptors");
	if (!open_rings(engine) || !open_back(&engine->back, error, size)) {
		engine_free(engine);
		return NULL;
	}
	return engine;
}

int engine_start(struct engine *engine)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&engine->front.thread, NULL, engine_thread, engine);
	if (!error)
		standby_start(engine);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	engine->front.running = !error;
	return -error;
}

void engine_stop(struct engine *engine, usec_t linger)
{
	if (!engine->front.running)
		return;
	atomic_store_explicit(&engine->linger, linger, memory_order_relaxed);
	atomic_store_explicit(&engine->stop, true, memory_order_release);
	eventfd_write(engine->command_fd, 1);
	pthread_join(engine->front.thread, NULL);
	standby_stop(engine);
	engine->front.running = false;
}

bool engine_stopped(const struct engine *engine)
{
	return atomic_load_explicit(&engine->stop, memory_order_relaxed);
}

static void free_adoption(struct adoption *adoption)
{
	free(adoption->active);
	free(adoption);
}

static void free_policy_snapshot(struct policy_snapshot *snapshot)
{
	if (snapshot->policy)
		policy_free(snapshot->policy);
	free(snapshot);
}

/* Commands that nobody carried out, because the thread never ran. The policy itself stays the caller's. */
static void free_commands(struct engine *engine)
{
	struct command command;

	while (engine->commands_memory && ring_pop(&engine->commands, &command)) {
		if (command.kind == COMMAND_POLICY)
			free_adoption(command.object);
		else if (command.kind == COMMAND_SNAPSHOT || command.kind == COMMAND_RECORDING ||
			 command.kind == COMMAND_UNSOLICITED || command.kind == COMMAND_KEYS ||
			 command.kind == COMMAND_VRFS || command.kind == COMMAND_LINKS ||
			 command.kind == COMMAND_REFLECTOR)
			free(command.object);
		else if (command.kind == COMMAND_POLICY_SNAPSHOT)
			free_policy_snapshot(command.object);
		else if (command.kind == COMMAND_DOOR)
			doors_free(command.object);
	}
}

static void free_notice(struct notice *notice)
{
	if (notice->kind == NOTICE_SNAPSHOT || notice->kind == NOTICE_RECORDING ||
	    notice->kind == NOTICE_FREE || notice->kind == ENGINE_KEYS_RETIRED)
		free(notice);
	else if (notice->kind == NOTICE_POLICY_SNAPSHOT)
		free_policy_snapshot((struct policy_snapshot *)notice);
	else if (notice->kind == ENGINE_POLICY_RETIRED)
		free_adoption((struct adoption *)notice);
	else if (notice->kind == NOTICE_DOOR)
		doors_hand((struct door_change *)notice);
}

static void free_news(struct engine *engine)
{
	struct back *back = &engine->back;
	struct event event;

	while (engine->events_memory && ring_pop(&engine->events, &event))
		if (event.notice)
			free_notice(event.notice);
	while (back->notices) {
		struct notice *notice = back->notices;

		back->notices = notice->next;
		free_notice(notice);
	}
	while (back->snapshots) {
		struct snapshot *snapshot = back->snapshots;

		back->snapshots = snapshot->next;
		free(snapshot);
	}
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	free_commands(engine);
	free_news(engine);
	for (unsigned i = 0; i < TABLE_SLOTS / TABLE_CHUNK; i++)
		front_free_chunk(engine->front.chunks[i]);
	if (engine->back.loop)
		ev_loop_destroy(engine->back.loop);
	if (engine->back.timer_fd >= 0)
		close(engine->back.timer_fd);
	if (engine->command_fd >= 0)
		close(engine->command_fd);
	if (engine->event_fd >= 0)
		close(engine->event_fd);
	if (engine->late_fd >= 0)
		close(engine->late_fd);
	if (engine->back.raw)
		raw_close(engine->back.raw);
	frame_close(engine->back.frame);
	free(engine->back.vrfs);
	free(engine->back.carrier.links);
	if (engine->back.carrier.fd >= 0)
		close(engine->back.carrier.fd);
	udp_close(engine->back.udp);
	gate_close(engine->front.gate);
	pthread_mutex_destroy(&engine->turn);
	free(engine->back.unsolicited.set);
	free(engine->commands_memory);
	free(engine->events_memory);
	free(engine);
}
