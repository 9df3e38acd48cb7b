// SPDX-License-Identifier: GPL-2.0-or-later
/* The main thread's side of the commands: chooses slots, discriminators and source ports, provides the
 * memory, queues. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "io/engine_private.h"

#define SLOTS ENGINE_NO_SLOT /* 0 ... 65534 */

static uint32_t random32(void)
{
	uint32_t value;

	/* Does not fail or come short for 4 bytes once the kernel has its entropy; it waits for that. */
	while (getrandom(&value, sizeof(value), 0) != sizeof(value))
		;
	return value;
}

bool front_queue(struct engine *engine, const struct command *command)
{
	if (!ring_push(&engine->commands, command))
		return false;
	eventfd_write(engine->command_fd, 1);
	return true;
}

/* Memory that the engine will write: touched here, so that it takes no page fault there. */
static void *touched(size_t size)
{
	void *memory = NULL;

	if (posix_memalign(&memory, 64, size))
		return NULL;
	return memset(memory, 0, size);
}

void front_free_chunk(struct chunk *chunk)
{
	for (unsigned i = 0; chunk && i < TABLE_CHUNK; i++)
		free(chunk->extras[i]);
	if (chunk)
		free(chunk->records);
	free(chunk);
}

static struct chunk *create_chunk(const struct engine_config *config, unsigned index)
{
	struct chunk *chunk = touched(sizeof(*chunk));
	bool recorder = config->recorder;

	if (chunk && config->state_file)
		chunk->kept = state_file_chunk(config->state_file, index);

	if (chunk && recorder)
		chunk->records = touched(TABLE_CHUNK * sizeof(*chunk->records));
	if (!chunk || !recorder || chunk->records)
		return chunk;
	free(chunk);
	return NULL;
}

/* Of those used least, at random (RFC 5881 4: unique among sessions; there are more slots than ports). */
static uint16_t choose_port(const struct front *front)
{
	unsigned start = random32() % SOURCE_PORTS, best = start;

	for (unsigned i = 0; i < SOURCE_PORTS && front->port_uses[best]; i++) {
		unsigned port = (start + i) % SOURCE_PORTS;

		if (front->port_uses[port] < front->port_uses[best])
			best = port;
	}
	return BFD_SOURCE_PORT_MIN + best;
}

void engine_sbfd_port(struct engine *engine, uint16_t port)
{
	struct front *front = &engine->front;

	/* Others choose another one. */
	if (front->sbfd_port)
		front->port_uses[front->sbfd_port - BFD_SOURCE_PORT_MIN]--;
	if (port)
		front->port_uses[port - BFD_SOURCE_PORT_MIN]++;
	front->sbfd_port = port;
}

void front_free_slot(struct front *front, unsigned slot)
{
	front->port_uses[front->slot_port[slot] - BFD_SOURCE_PORT_MIN]--;
	front->free[front->nfree++] = slot;
}

/* The slot's, if it is NEEDED; made when it is needed first. False: no memory. */
static bool find_extra(struct engine *engine, uint16_t slot, bool needed, struct session_extra **extra)
{
	struct chunk *chunk = engine->front.chunks[slot / TABLE_CHUNK];
	struct session_extra **at = &chunk->extras[slot % TABLE_CHUNK];

	*extra = NULL;
	if (!needed)
		return true;
	if (!*at) {
		*at = touched(sizeof(**at));
		engine->front.nextras += *at != NULL;
	}
	*extra = *at;
	return *at;
}

/* COMMAND has slot, discriminator and port. */
static int add(struct engine *engine, struct command *command)
{
	struct front *front = &engine->front;
	unsigned index = command->slot / TABLE_CHUNK;

	if (!front->handed[index]) {
		if (!front->chunks[index])
			front->chunks[index] = create_chunk(&engine->config, index);
		command->object = front->chunks[index];
		if (!command->object)
			return -ENOMEM;
	}
	if (!find_extra(engine, command->slot,
			session_needs_extra(&command->config) || command->key.type == SESSION_ECHO,
			&command->extra))
		return -ENOMEM;
	if (!front_queue(engine, command))
		return -EAGAIN;
	front->handed[index] = true;
	front->slot_port[command->slot] = command->source_port;
	front->port_uses[command->source_port - BFD_SOURCE_PORT_MIN]++;
	return command->slot;
}

int engine_add(struct engine *engine, const struct session_config *config, const struct session_key *key,
	       uint16_t path)
{
	struct front *front = &engine->front;
	struct command command = {.kind = COMMAND_ADD, .index = path, .config = *config, .key = *key};
	unsigned slot = front->nfree ? front->free[front->nfree - 1] : front->high;
	int result;

	if (slot >= SLOTS)
		return -ENOSPC;
	command.slot = slot;
	command.discr = table_discr(slot, random32());
	command.source_port = key->type == SESSION_SBFD ? front->sbfd_port : choose_port(front);
	if (!command.source_port)
		return -EAGAIN;
	result = add(engine, &command);
	if (result < 0)
		return result;
	if (front->nfree)
		front->nfree--;
	else
		front->high++;
	return result;
}

static bool reserved(const struct front *front, uint16_t slot)
{
	return front->reserved[slot / 8] >> slot % 8 & 1;
}

void engine_reserve(struct engine *engine, const uint16_t *slots, unsigned count)
{
	struct front *front = &engine->front;

	for (unsigned i = 0; i < count; i++) {
		front->reserved[slots[i] / 8] |= 1u << slots[i] % 8;
		if (slots[i] >= front->high)
			front->high = slots[i] + 1;
	}
	/* The lowest is given out first. */
	for (unsigned slot = front->high; slot-- > 0;)
		if (!reserved(front, slot))
			front->free[front->nfree++] = slot;
}

int engine_resume(struct engine *engine, const struct session_config *config, const struct session_key *key,
		  uint16_t path, uint32_t discr, uint16_t source_port, bool go_on)
{
	struct command command = {
		.kind = COMMAND_ADD,
		.index = path,
		.config = *config,
		.key = *key,
		.slot = discr,
		.discr = discr,
		.source_port = source_port,
		.on = go_on,
	};
	int result;

	if (!reserved(&engine->front, command.slot))
		return -EBUSY;
	result = add(engine, &command);
	if (result >= 0)
		engine->front.reserved[command.slot / 8] &= ~(1u << command.slot % 8);
	return result;
}

void engine_release(struct engine *engine, uint16_t slot)
{
	struct front *front = &engine->front;
	uint8_t *kept = state_file_chunk(engine->config.state_file, slot / TABLE_CHUNK);

	if (!reserved(front, slot))
		return;
	if (kept)
		memset(kept + (size_t)(slot % TABLE_CHUNK) * RESUME_RECORD, 0, RESUME_RECORD);
	front->reserved[slot / 8] &= ~(1u << slot % 8);
	front->free[front->nfree++] = slot;
}

bool engine_provide(struct engine *engine, uint16_t slot, const struct session_config *config)
{
	struct session_extra *extra;

	return find_extra(engine, slot, session_needs_extra(config), &extra);
}

bool engine_configure(struct engine *engine, uint16_t slot, const struct session_config *config)
{
	struct command command = {.kind = COMMAND_CONFIGURE, .slot = slot, .config = *config};

	return find_extra(engine, slot, session_needs_extra(config), &command.extra) &&
	       front_queue(engine, &command);
}

bool engine_remove(struct engine *engine, uint16_t slot)
{
	return front_queue(engine, &(struct command){.kind = COMMAND_REMOVE, .slot = slot});
}

bool engine_path(struct engine *engine, uint16_t slot, bool up, const struct addr *local, uint32_t ifindex,
		 uint32_t vrf)
{
	struct command command = {.kind = COMMAND_PATH, .slot = slot, .on = up};

	if (up) {
		command.key.local = *local;
		command.key.ifindex = ifindex;
		command.key.vrf = vrf;
	}
	return front_queue(engine, &command);
}

bool engine_usable(struct engine *engine, uint16_t slot, bool usable)
{
	return front_queue(engine, &(struct command){.kind = COMMAND_USABLE, .slot = slot, .on = usable});
}

bool engine_poll(struct engine *engine, uint16_t slot)
{
	return front_queue(engine, &(struct command){.kind = COMMAND_POLL, .slot = slot});
}

bool engine_reflected(struct engine *engine, uint16_t slot, bool by_kernel)
{
	return front_queue(engine,
			   &(struct command){.kind = COMMAND_REFLECTED, .slot = slot, .on = by_kernel});
}

bool engine_frames(const struct engine *engine)
{
	return engine->back.frame; /* set before the thread began */
}

uint16_t engine_source_port(const struct engine *engine, uint16_t slot)
{
	return engine->front.slot_port[slot];
}

bool engine_route_all(struct engine *engine)
{
	return front_queue(engine, &(struct command){.kind = COMMAND_ROUTE_ALL});
}

bool engine_neighbour(struct engine *engine, uint16_t slot, const uint8_t lladdr[6], const uint8_t own[6],
		      bool control)
{
	struct command command = {
		.kind = COMMAND_NEIGHBOUR, .slot = slot, .link.known = lladdr, .link.control = control};

	if (lladdr) {
		memcpy(command.link.peer, lladdr, sizeof(command.link.peer));
		memcpy(command.link.own, own, sizeof(command.link.own));
	}
	return front_queue(engine, &command);
}

bool engine_policy(struct engine *engine, struct policy *policy, void *map, uint16_t *slot_path,
		   unsigned nslots)
{
	struct adoption *adoption = touched(sizeof(*adoption));
	struct command command = {.kind = COMMAND_POLICY, .object = adoption};

	if (!adoption)
		return false;
	*adoption = (struct adoption){
		.notice.kind = ENGINE_POLICY_RETIRED,
		.policy = policy,
		.map = map,
		.slot_path = slot_path,
		.nslots = nslots,
		.active = touched(policy->nways + 1),
	};
	if (!adoption->active || !front_queue(engine, &command)) {
		free(adoption->active);
		free(adoption);
		return false;
	}
	engine->front.have_policy = true;
	engine->front.npaths = policy->npaths;
	engine->front.ngroups = policy->ngroups;
	engine->front.nways = policy->nways;
	return true;
}

bool engine_resolved(struct engine *engine, uint16_t group, uint8_t member, bool resolved)
{
	struct command command = {.kind = COMMAND_RESOLVED, .index = group, .member = member, .on = resolved};

	return front_queue(engine, &command);
}

bool engine_ready(struct engine *engine, uint16_t rule, bool ready)
{
	return front_queue(engine, &(struct command){.kind = COMMAND_READY, .index = rule, .on = ready});
}

bool engine_lost_member(struct engine *engine, uint16_t group, uint8_t member)
{
	return front_queue(engine,
			   &(struct command){.kind = COMMAND_LOST_MEMBER, .index = group, .member = member});
}

bool engine_lost_group(struct engine *engine, uint16_t group)
{
	return front_queue(engine, &(struct command){.kind = COMMAND_LOST_GROUP, .index = group});
}

bool engine_lost_rule(struct engine *engine, uint16_t rule)
{
	return front_queue(engine, &(struct command){.kind = COMMAND_LOST_RULE, .index = rule});
}

bool engine_snapshot(struct engine *engine, engine_snapshot_fn *fn, void *context)
{
	/* Slots given out later are not looked at, so this is room enough. */
	unsigned slots = engine->front.high;
	unsigned extras = engine->front.nextras;
	struct snapshot *snapshot = touched(sizeof(*snapshot) + slots * sizeof(struct session) +
					    extras * sizeof(struct session_extra));
	struct command command = {.kind = COMMAND_SNAPSHOT, .object = snapshot};

	if (!snapshot)
		return false;
	snapshot->notice.kind = NOTICE_SNAPSHOT;
	snapshot->fn = fn;
	snapshot->context = context;
	snapshot->slots = slots;
	snapshot->extras = (struct session_extra *)&snapshot->sessions[slots];
	snapshot->nextras = extras;
	if (front_queue(engine, &command))
		return true;
	free(snapshot);
	return false;
}

bool engine_snapshot_policy(struct engine *engine, engine_policy_fn *fn, void *context)
{
	const struct front *front = &engine->front;
	struct policy_snapshot *snapshot = touched(sizeof(*snapshot));
	struct command command = {.kind = COMMAND_POLICY_SNAPSHOT, .object = snapshot};

	if (!snapshot)
		return false;
	*snapshot = (struct policy_snapshot){
		.notice.kind = NOTICE_POLICY_SNAPSHOT, .fn = fn, .context = context};
	if (front->have_policy)
		snapshot->policy = policy_create(front->npaths, front->ngroups, front->nways);
	if ((snapshot->policy || !front->have_policy) && front_queue(engine, &command))
		return true;
	if (snapshot->policy)
		policy_free(snapshot->policy);
	free(snapshot);
	return false;
}

bool engine_fetch_recording(struct engine *engine, uint16_t slot, engine_recording_fn *fn, void *context)
{
	bool runs = engine->config.recorder && engine->front.running;
	struct recording *recording = runs ? touched(sizeof(*recording)) : NULL;
	struct command command = {.kind = COMMAND_RECORDING, .object = recording};

	if (!recording)
		return false;
	recording->notice.kind = NOTICE_RECORDING;
	recording->fn = fn;
	recording->context = context;
	recording->slot = slot;
	if (front_queue(engine, &command))
		return true;
	free(recording);
	return false;
}

void engine_stats(const struct engine *engine, struct engine_stats *stats)
{
	const struct counters *c = &engine->counters;
	struct engine_stats *s = stats;

	s->wakeups = atomic_load_explicit(&c->wakeups, memory_order_relaxed);
	s->ticks = atomic_load_explicit(&c->ticks, memory_order_relaxed);
	s->packets_in = atomic_load_explicit(&c->packets_in, memory_order_relaxed);
	s->packets_out = atomic_load_explicit(&c->packets_out, memory_order_relaxed);
	s->send_errors = atomic_load_explicit(&c->send_errors, memory_order_relaxed);
	s->receive_overflows = atomic_load_explicit(&c->receive_overflows, memory_order_relaxed);
	s->stalls = atomic_load_explicit(&c->stalls, memory_order_relaxed);
	s->reflected = atomic_load_explicit(&c->reflected, memory_order_relaxed);
	s->relieved = atomic_load_explicit(&c->relieved, memory_order_relaxed);
	s->stall_max = atomic_load_explicit(&c->stall_max, memory_order_relaxed);
	s->sessions = atomic_load_explicit(&c->sessions, memory_order_relaxed);
	s->tick_mode = atomic_load_explicit(&c->tick_mode, memory_order_relaxed);
	for (unsigned i = 0; i < DROP_COUNT; i++)
		s->drops[i] = atomic_load_explicit(&c->drops[i], memory_order_relaxed);
	s->kernel_filter = atomic_load_explicit(&c->gate, memory_order_relaxed);
	gate_shed(engine->front.gate, s->drops);
}
