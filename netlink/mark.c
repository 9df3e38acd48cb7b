/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thread would do, but that the processor on which it sleeps may be in the kernel for another program and
 * not leave it, whatever the thread's priority: a kernel without full preemption that takes 100,000 routes
 * away, because their interface lost its carrier, stays there for most of a second. That is just when a
 * failover is due. So two more threads, each bound to a processor of its own, are woken with it, and
 * whichever comes first does the work.
 */
#include "netlink/mark.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "netlink/mark_message.h"
#include "netlink/nl.h"

#define MARK_STANDBYS 2
#define LOOK_EVERY 5000	 /* ms: somebody may have flushed all tables */
#define RETRY_FIRST 20	 /* ms, twice that after each failure */
#define RETRY_BUSY 5000	 /* at most, while packets should lose their mark */
#define RETRY_MOST 60000 /* at most: the kernel may look for a module each time */

struct bit {
	atomic_uint raised;			     /* how often it was raised and not lowered */
	atomic_int_least64_t since;		     /* packets carry it; 0: they do not */
	atomic_uint interfaces[MARK_BIT_INTERFACES]; /* 0: no more */
	atomic_bool anywhere;			     /* there are more */
};

/* A thread that carries out what is wanted. */
struct hand {
	struct mark *mark;
	pthread_t thread;
	bool runs;
	bool bound; /* it stands by, on this processor */
	unsigned cpu;
};

struct mark {
	struct mark_config config;
	char table[MARK_TABLE];
	struct hand hands[1 + MARK_STANDBYS];
	atomic_bool stopping;
	atomic_int error;		/* 0: the table is in place; -errno */
	const char *failed;		/* what the error is of */
	char words[NETLINK_WORDS + 32]; /* why there is no socket */
	int wake_fd;
	struct bit bits[MARK_BITS];

	pthread_mutex_t work; /* whoever holds it owns the rest */
	struct netlink *nl;
	uint32_t applied; /* what packets get, or may get where the kernel's answer was lost */
	int retry;	  /* ms */
	struct mark_state state;
	struct mark_message message;
};

static usec_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * USEC_S + ts.tv_nsec / 1000;
}

static void wake(const struct mark *mark)
{
	uint64_t one = 1;

	/* Can only fail when 2^64 wake-ups wait already. */
	(void)!write(mark->wake_fd, &one, sizeof(one));
}

static struct bit *take_bit(struct mark *mark, uint32_t *bits)
{
	int i = __builtin_ctz(*bits);

	*bits &= *bits - 1;
	return &mark->bits[i];
}

static uint32_t wanted(const struct mark *mark)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < MARK_BITS; i++)
		if (atomic_load(&mark->bits[i].raised))
			bits |= UINT32_C(1) << i;
	return bits;
}

static void add_interface(struct mark_state *state, uint32_t interface)
{
	for (unsigned i = 0; i < state->ninterfaces; i++)
		if (state->interfaces[i] == interface)
			return;
	state->interfaces[state->ninterfaces++] = interface;
}

/* False: they cannot be told apart from others. */
static bool add_interfaces(struct mark_state *state, struct bit *bit)
{
	if (atomic_load(&bit->anywhere))
		return false;
	for (unsigned i = 0; i < MARK_BIT_INTERFACES; i++) {
		uint32_t interface = atomic_load(&bit->interfaces[i]);

		if (!interface)
			break;
		if (state->ninterfaces == MARK_INTERFACES)
			return false;
		add_interface(state, interface);
	}
	return true;
}

static void fill_state(struct mark *mark, uint32_t dead)
{
	struct mark_state *state = &mark->state;

	state->dead = dead;
	state->ninterfaces = 0;
	while (dead) {
		if (!add_interfaces(state, take_bit(mark, &dead))) {
			state->ninterfaces = 0;
			return;
		}
	}
}

static int send_set(struct mark *mark, bool make)
{
	mark_message_set(&mark->message, mark->table, &mark->state, make);
	if (mark->message.full)
		return -EMSGSIZE;
	return netlink_transaction(mark->nl, mark->message.bytes, mark->message.size);
}

static void note_lowered(struct mark *mark, uint32_t bits)
{
	while (bits)
		atomic_store(&take_bit(mark, &bits)->since, 0);
}

static void note_raised(struct mark *mark, uint32_t bits)
{
	usec_t at = now();

	while (bits) {
		struct bit *bit = take_bit(mark, &bits);

		if (!atomic_load(&bit->since))
			atomic_store(&bit->since, at);
	}
}

/* Packets get DEAD from here on. What was taken away by others is made again by the same transaction. */
static void apply(struct mark *mark, uint32_t dead)
{
	int err;

	note_lowered(mark, ~dead);
	fill_state(mark, dead);
	err = send_set(mark, atomic_load(&mark->error));
	if (err == -ENOENT)
		err = send_set(mark, true);
	if (!err) {
		note_raised(mark, dead);
		mark->applied = dead;
		mark->retry = 0;
	} else {
		mark->retry = mark->retry ? 2 * mark->retry : RETRY_FIRST;
		if (mark->retry > RETRY_MOST)
			mark->retry = RETRY_MOST;
	}
	if (err == NETLINK_LOST)
		mark->applied |= dead;
	atomic_store(&mark->error, err);
}

/* A table that is not in place is not tried for each switch. */
static void follow(struct mark *mark)
{
	uint32_t dead;

	while ((dead = wanted(mark)) != mark->applied && (!atomic_load(&mark->error) || mark->applied)) {
		apply(mark, dead);
		if (atomic_load(&mark->error))
			return;
	}
}

static void look(struct mark *mark)
{
	int err = atomic_load(&mark->error);

	if (!err) {
		mark_message_look(&mark->message, mark->table);
		err = netlink_transaction(mark->nl, mark->message.bytes, mark->message.size);
	}
	if (err)
		apply(mark, wanted(mark));
}

/* In ms; -1: others look after the table. */
static int rest(const struct hand *hand)
{
	const struct mark *mark = hand->mark;

	if (hand->bound)
		return -1;
	if (!atomic_load(&mark->error))
		return LOOK_EVERY;
	return mark->applied && mark->retry > RETRY_BUSY ? RETRY_BUSY : mark->retry;
}

static void bind_to(unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

static void begin(const struct hand *hand)
{
	const struct mark_config *config = &hand->mark->config;

	if (hand->bound)
		bind_to(hand->cpu);
	if (hand->bound)
		config->standby_start(config->standby_context);
	else if (config->thread_start)
		config->thread_start(config->thread_context);
}

static int wait_for_work(struct hand *hand)
{
	struct pollfd fds = {.fd = hand->mark->wake_fd, .events = POLLIN};
	int wait = rest(hand), woken;

	pthread_mutex_unlock(&hand->mark->work);
	woken = poll(&fds, 1, wait);
	pthread_mutex_lock(&hand->mark->work);
	return woken;
}

/* A wake-up reaches all hands, or those that have not gone back to sleep when one of them reads it; they find
 * nothing left to do. */
static void *run(void *arg)
{
	struct hand *hand = arg;
	struct mark *mark = hand->mark;
	uint64_t count;

	begin(hand);
	pthread_mutex_lock(&mark->work);
	while (!atomic_load(&mark->stopping)) {
		if (!wait_for_work(hand))
			look(mark);
		else if (read(mark->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
			break;
		follow(mark);
	}
	pthread_mutex_unlock(&mark->work);
	wake(mark); /* another one, which stops as well */
	return NULL;
}

static void name_table(char *name, uint32_t rule_priority)
{
	snprintf(name, MARK_TABLE, "bfdd-%u", rule_priority);
}

struct mark *mark_create(const struct mark_config *config)
{
	struct mark *mark = calloc(1, sizeof(*mark));

	if (!mark)
		return NULL;
	mark->config = *config;
	pthread_mutex_init(&mark->work, NULL);
	name_table(mark->table, config->rule_priority);
	mark->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	mark->nl = netlink_open_filter(mark->words, sizeof(mark->words));
	if (mark->wake_fd < 0) {
		mark_free(mark);
		return NULL;
	}
	mark->failed = "nf_tables";
	atomic_store(&mark->error, -ENOENT);
	if (mark->nl)
		apply(mark, 0);
	return mark;
}

static void remove_table(struct mark *mark)
{
	mark_message_remove(&mark->message, mark->table);
	netlink_transaction(mark->nl, mark->message.bytes, mark->message.size);
}

static int start_hand(struct mark *mark, const struct hand *how)
{
	struct hand *hand = mark->hands;
	int err;

	while (hand->runs)
		hand++;
	*hand = *how;
	hand->mark = mark;
	err = -pthread_create(&hand->thread, NULL, run, hand);
	hand->runs = !err;
	return err;
}

static void start_standbys(struct mark *mark)
{
	unsigned found = 0;
	cpu_set_t ours;

	if (!mark->config.standby_start || sched_getaffinity(0, sizeof(ours), &ours) || CPU_COUNT(&ours) < 2)
		return;
	for (unsigned cpu = 0; cpu < CPU_SETSIZE && found < MARK_STANDBYS; cpu++)
		if (CPU_ISSET(cpu, &ours) && ++found)
			start_hand(mark, &(struct hand){.bound = true, .cpu = cpu});
}

void mark_start(struct mark *mark)
{
	int err;

	/* Without a socket there is nothing to do, ever. */
	if (!mark || !mark->nl)
		return;
	err = start_hand(mark, &(struct hand){.bound = false});
	if (!err) {
		start_standbys(mark);
		return;
	}
	remove_table(mark);
	mark->failed = "its thread";
	atomic_store(&mark->error, err);
}

void mark_stop(struct mark *mark)
{
	if (!mark || !mark->nl)
		return;
	atomic_store(&mark->stopping, true);
	wake(mark);
	for (unsigned i = 0; i < sizeof(mark->hands) / sizeof(*mark->hands); i++) {
		if (mark->hands[i].runs)
			pthread_join(mark->hands[i].thread, NULL);
		mark->hands[i].runs = false;
	}
	remove_table(mark);
}

void mark_free(struct mark *mark)
{
	if (!mark)
		return;
	if (mark->wake_fd >= 0)
		close(mark->wake_fd);
	netlink_close(mark->nl);
	pthread_mutex_destroy(&mark->work);
	free(mark);
}

void mark_interfaces(struct mark *mark, uint32_t bits, const uint32_t *interfaces, unsigned n)
{
	struct bit *bit;
	unsigned used = 0;

	if (!mark || !bits)
		return;
	bit = take_bit(mark, &bits);
	atomic_store(&bit->anywhere, true); /* meanwhile */
	for (unsigned i = 0; i < n && used <= MARK_BIT_INTERFACES; i++)
		if (interfaces[i] && used++ < MARK_BIT_INTERFACES)
			atomic_store(&bit->interfaces[used - 1], interfaces[i]);
	for (unsigned i = used; i < MARK_BIT_INTERFACES; i++)
		atomic_store(&bit->interfaces[i], 0);
	atomic_store(&bit->anywhere, used > MARK_BIT_INTERFACES);
}

void mark_raise(struct mark *mark, uint32_t bits)
{
	while (mark && bits)
		atomic_fetch_add(&take_bit(mark, &bits)->raised, 1);
}

void mark_flush(struct mark *mark)
{
	if (mark)
		wake(mark);
}

void mark_lower(struct mark *mark, uint32_t bits)
{
	if (!mark || !bits)
		return;
	while (bits)
		atomic_fetch_sub(&take_bit(mark, &bits)->raised, 1);
	wake(mark);
}

usec_t mark_moved(const struct mark *mark, uint32_t bits, usec_t at)
{
	usec_t latest = 0;

	if (!mark || !bits)
		return at;
	for (; bits; bits &= bits - 1) {
		usec_t since = atomic_load(&mark->bits[__builtin_ctz(bits)].since);

		if (!since)
			return at;
		if (since > latest)
			latest = since;
	}
	return latest < at ? latest : at;
}

const char *mark_why_not(const struct mark *mark, char *buf, size_t size)
{
	int error = mark ? atomic_load(&mark->error) : -ENOMEM;

	if (!error)
		return NULL;
	if (!mark)
		snprintf(buf, size, "out of memory or file descriptors");
	else if (!mark->nl)
		snprintf(buf, size, "%s: %s", mark->failed, mark->words);
	else
		snprintf(buf, size, "%s: %s", mark->failed, strerrordesc_np(-error));
	return buf;
}

uint32_t mark_port(const struct mark *mark)
{
	return mark && mark->nl ? netlink_port(mark->nl) : 0;
}

void mark_remove(uint32_t rule_priority)
{
	struct mark_message *message = malloc(sizeof(*message));
	char table[MARK_TABLE], words[NETLINK_WORDS + 32];
	struct netlink *nl = message ? netlink_open_filter(words, sizeof(words)) : NULL;

	name_table(table, rule_priority);
	if (nl) {
		mark_message_remove(message, table);
		netlink_transaction(nl, message->bytes, message->size);
	}
	netlink_close(nl);
	free(message);
}
