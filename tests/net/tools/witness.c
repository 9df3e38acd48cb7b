/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * witness: watches whether the machine stands still. On each processor a thread above every other program's
 * wakes up each 2 ms, or as many as its argument says; at SIGTERM the largest delay of all is printed, in ms.
 * It shares no code with the daemon, so that a delay of the daemon's own making is not taken for the
 * machine's.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CPUS 1024

static int64_t period_ns = 2000000;
static int64_t worst[CPUS]; /* ns; each written by its own thread */

static void *watch(void *arg)
{
	int64_t *mine = arg, late;
	struct timespec due, now;

	clock_gettime(CLOCK_MONOTONIC, &due);
	for (;;) {
		due.tv_nsec += period_ns;
		if (due.tv_nsec >= 1000000000) {
			due.tv_nsec -= 1000000000;
			due.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		late = (now.tv_sec - due.tv_sec) * 1000000000ll + now.tv_nsec - due.tv_nsec;
		if (late > __atomic_load_n(mine, __ATOMIC_RELAXED))
			__atomic_store_n(mine, late, __ATOMIC_RELAXED);
		if (late > period_ns)
			due = now;
	}
	return NULL;
}

static void start(int cpu)
{
	struct sched_param param = {.sched_priority = 99};
	pthread_t thread;
	cpu_set_t one;

	if (pthread_create(&thread, NULL, watch, &worst[cpu])) {
		perror("witness: pthread_create");
		exit(1);
	}
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	/* Where either is not permitted the witness is more easily late, which is its caller's to know. */
	pthread_setaffinity_np(thread, sizeof(one), &one);
	pthread_setschedparam(thread, SCHED_FIFO, &param);
}

int main(int argc, char **argv)
{
	int64_t most = 0;
	sigset_t end;
	cpu_set_t all;
	int signal, period_ms;

	if (argc > 1) {
		period_ms = atoi(argv[1]);
		if (period_ms < 1 || period_ms > 500) {
			fputs("usage: witness [PERIOD-MS]\n", stderr);
			return 2;
		}
		period_ns = period_ms * 1000000ll;
	}
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	if (sched_getaffinity(0, sizeof(all), &all)) {
		perror("witness: sched_getaffinity");
		return 1;
	}
	for (int cpu = 0; cpu < CPUS; cpu++)
		if (CPU_ISSET(cpu, &all))
			start(cpu);
	sigwait(&end, &signal);
	for (int cpu = 0; cpu < CPUS; cpu++)
		if (__atomic_load_n(&worst[cpu], __ATOMIC_RELAXED) > most)
			most = worst[cpu];
	printf("%lld\n", (long long)most / 1000000);
	return 0;
}
