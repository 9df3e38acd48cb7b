/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches whether each processor runs at all, in two ways at once:
 *
 *   a clock event, stamped by the kernel in a timer's interrupt each 2 ms: no program and no scheduling class
 * can hold that up. (But the kernel may leave some out, above all while a processor is idle.) a thread above
 * every other program's that wakes up each 2 ms. (But real-time throttling strikes it as well.)
 *
 * A processor stood still where neither ran: the hypervisor took it away, or the kernel kept interrupts out.
 * So this is the machine's doing and no program's. That both keep the virtual processors from sleeping for
 * long is so for all programs alike.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/stress.h"

#define PERIOD (2 * MS)
#define NOTED (2 * MS)
#define PRIORITY 99
#define PAGES 64
#define GAPS 100000

struct gaps {
	struct standstill *list;
	size_t count; /* of the thread's: published with release */
};

struct still_cpu {
	int cpu;
	struct perf_event_mmap_page *page;
	int64_t last;
	struct gaps interrupt, thread;
};

static void gaps_add(struct gaps *gaps, int cpu, int64_t from, int64_t to)
{
	size_t count = __atomic_load_n(&gaps->count, __ATOMIC_RELAXED);

	if (to - from <= NOTED || count == GAPS)
		return;
	gaps->list[count] = (struct standstill){.from = from, .to = to, .cpu = cpu};
	__atomic_store_n(&gaps->count, count + 1, __ATOMIC_RELEASE);
}

static void *watch(void *arg)
{
	struct sched_param param = {.sched_priority = PRIORITY};
	struct still_cpu *mine = arg;
	int64_t due, now;
	struct timespec ts;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(mine->cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) || sched_setscheduler(0, SCHED_FIFO, &param))
		die("witness");
	for (due = now_ns();; due = now > due + PERIOD ? now : due) {
		due += PERIOD;
		ts = (struct timespec){.tv_sec = due / (1000 * MS), .tv_nsec = due % (1000 * MS)};
		while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL) == EINTR)
			;
		now = now_ns();
		gaps_add(&mine->thread, mine->cpu, due, now);
	}
	return NULL;
}

static void open_cpu(struct still_cpu *mine)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD,
		.sample_type = PERF_SAMPLE_TIME,
		.use_clockid = 1,
		.clockid = CLOCK_REALTIME,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, mine->cpu, -1, PERF_FLAG_FD_CLOEXEC);
	pthread_t thread;
	void *memory;

	if (fd < 0)
		die("perf_event_open");
	memory = mmap(NULL, (PAGES + 1) * (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (memory == MAP_FAILED)
		die("perf ring");
	mine->page = memory;
	mine->interrupt.list = calloc(GAPS, sizeof(struct standstill));
	mine->thread.list = calloc(GAPS, sizeof(struct standstill));
	if (!mine->interrupt.list || !mine->thread.list)
		die("memory");
	if (pthread_create(&thread, NULL, watch, mine))
		die("witness");
}

void still_open(struct still *still)
{
	still->ncpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	still->cpus = calloc((size_t)still->ncpus, sizeof(*still->cpus));
	if (!still->cpus)
		die("memory");
	for (int cpu = 0; cpu < still->ncpus; cpu++) {
		still->cpus[cpu].cpu = cpu;
		open_cpu(&still->cpus[cpu]);
	}
}

/* Records are multiples of 8 bytes, so a header never wraps round. What is no sample says that some were left
 * out: nothing is known about that time. */
static void drain_cpu(struct still_cpu *mine)
{
	struct perf_event_mmap_page *page = mine->page;
	const uint8_t *data = (const uint8_t *)page + page->data_offset;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), tail = page->data_tail;
	struct perf_event_header header;
	int64_t at;

	while (tail < head) {
		memcpy(&header, data + tail % page->data_size, sizeof(header));
		if (!header.size)
			die("perf record");
		at = 0;
		if (header.type == PERF_RECORD_SAMPLE)
			memcpy(&at, data + (tail + sizeof(header)) % page->data_size, sizeof(at));
		if (at && mine->last)
			gaps_add(&mine->interrupt, mine->cpu, mine->last + PERIOD, at);
		mine->last = at;
		tail += header.size;
	}
	__atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}

void still_drain(struct still *still)
{
	for (int cpu = 0; cpu < still->ncpus; cpu++)
		drain_cpu(&still->cpus[cpu]);
}

/* Both lists of a processor are in order of time. */
static void meet(struct still *still, const struct still_cpu *mine, int64_t since)
{
	size_t i = 0, j = 0, threads = __atomic_load_n(&mine->thread.count, __ATOMIC_ACQUIRE);

	while (i < mine->interrupt.count && j < threads) {
		const struct standstill *a = &mine->interrupt.list[i], *b = &mine->thread.list[j];
		int64_t from = a->from > b->from ? a->from : b->from, to = a->to < b->to ? a->to : b->to;

		if (from >= since && to > from)
			still->list[still->count++] = (struct standstill){
				.from = from, .to = to, .cpu = mine->cpu};
		if (a->to < b->to)
			i++;
		else
			j++;
	}
}

void still_judge(struct still *still, int64_t since)
{
	still->list = calloc((size_t)still->ncpus * 2 * GAPS, sizeof(*still->list));
	if (!still->list)
		die("memory");
	for (int cpu = 0; cpu < still->ncpus; cpu++) {
		const struct gaps *thread = &still->cpus[cpu].thread;

		meet(still, &still->cpus[cpu], since);
		for (size_t i = 0; i < __atomic_load_n(&thread->count, __ATOMIC_ACQUIRE); i++)
			if (thread->list[i].from >= since &&
			    thread->list[i].to - thread->list[i].from > still->late)
				still->late = thread->list[i].to - thread->list[i].from;
	}
}
