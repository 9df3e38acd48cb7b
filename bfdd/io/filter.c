// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the gate comes before the sockets. Making it takes the main thread 13 ms, most of them for the pages of
 * its maps, and after a restart peers wait: so the engine runs already and sends. Its thread then tells the
 * gate of the sessions that there are, some in each turn, and lets it begin when it knows all of them: what
 * it did not know it would take for strangers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/engine_private.h"
#include "ops/log.h"

#define SLICE 64 /* sessions told in a turn: two system calls for each */

/* Whether it can be attached, by a socket that is nobody's: the engine's thread could not say why not. */
static int try_it(struct gate *gate)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	error = gate_attach(gate, fd);
	close(fd);
	return error;
}

static struct gate *make(char *reason, size_t size)
{
	struct gate *gate = gate_open(reason, size);
	int error = gate ? try_it(gate) : 0;

	if (!error)
		return gate;
	snprintf(reason, size, "attaching it: %s", strerror(-error));
	gate_close(gate);
	return NULL;
}

bool engine_filter(struct engine *engine)
{
	struct front *front = &engine->front;
	char reason[256] = "";

	if (!front->gate)
		front->gate = make(reason, sizeof(reason));
	if (front->gate)
		return front_queue(engine, &(struct command){.kind = COMMAND_GATE, .object = front->gate});
	/* Without it everything works, so the reason is for the log only. */
	log_notice("no filter in the kernel, receiving costs more: %s", reason);
	return true;
}

/* In the engine's thread. */

void filter_begin(struct engine *engine, struct gate *gate)
{
	engine->back.gate = gate;
	engine->back.gate_slot = 0;
	engine->back.gate_due = true;
}

static bool attach(const struct back *back)
{
	for (unsigned i = 0; i < UDP_SOCKETS; i++) {
		if (udp_fd(back->udp, i) < 0 || !gate_attach(back->gate, udp_fd(back->udp, i)))
			continue;
		while (i--)
			if (udp_fd(back->udp, i) >= 0)
				gate_detach(udp_fd(back->udp, i));
		return false;
	}
	return true;
}

void filter_slice(struct engine *engine)
{
	struct back *back = &engine->back;

	if (!back->gate_due)
		return;
	for (unsigned i = 0; i < SLICE && back->gate_slot < back->high; i++) {
		const struct session *session = table_slot(&back->table, back->gate_slot++);

		if (session)
			gate_session(back->gate, session);
	}
	if (back->gate_slot < back->high) {
		back->again = true;
		return;
	}
	back->gate_due = false;
	if (attach(back))
		atomic_store_explicit(&engine->counters.gate, true, memory_order_relaxed);
	else
		back->gate = NULL;
}
