// SPDX-License-Identifier: GPL-2.0-or-later
#include "io/gate.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ops/log.h"

#define SINGLE_HOP_TTL 255 /* RFC 5881 5 */

_Static_assert(DROP_COUNT <= GATE_REASONS, "gate_layout.h has no room for all reasons");
_Static_assert(sizeof(struct gate_slot) == 192, "three cache lines");

/* The program, as the Makefile lets clang make it of gate.bpf.c. */
__asm__(".pushsection .rodata\n"
	".balign 8\n"
	"gate_object: .incbin \"bfdd/io/gate.bpf.o\"\n"
	"gate_object_end:\n"
	".popsection\n");
extern const char gate_object[] __attribute__((visibility("hidden")));
extern const char gate_object_end[] __attribute__((visibility("hidden")));

struct gate {
	struct bpf_object *object;
	struct gate_slot *slots; /* as the program sees them */
	struct gate_totals *totals;
	unsigned long long *sheds; /* by enum drop */
	int program, peers;
	uint8_t arming;
};

static int say(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[LOG_MESSAGE_MAX];
	size_t end;

	/* The verifier's words are libbpf's warnings: whoever wants them runs with -d. */
	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	end = strlen(line);
	if (end && line[end - 1] == '\n')
		line[end - 1] = '\0';
	log_debug("%s", line);
	return 0;
}

static const char *explain(int error)
{
	switch (error) {
	case EPERM:
		return "eBPF is not permitted: CAP_BPF is missing, or does not count in this container";
	case ENOSYS:
		return "the kernel is without eBPF";
	default:
		return strerror(error);
	}
}

/* SIZE bytes of the map's values, shared with the program. */
static void *map_memory(const struct bpf_object *object, const char *name, size_t size)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);
	void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int load(struct gate *gate)
{
	gate->object = bpf_object__open_mem(gate_object, gate_object_end - gate_object, NULL);
	if (!gate->object || bpf_object__load(gate->object))
		return -1;
	gate->slots = map_memory(gate->object, "slots", GATE_SLOTS * sizeof(*gate->slots));
	gate->totals = map_memory(gate->object, "totals", sizeof(*gate->totals));
	gate->sheds = map_memory(gate->object, "sheds", GATE_REASONS * sizeof(*gate->sheds));
	gate->peers = bpf_object__find_map_fd_by_name(gate->object, "peers");
	gate->program = bpf_program__fd(bpf_object__find_program_by_name(gate->object, "gate"));
	return gate->slots && gate->totals && gate->sheds ? 0 : -1;
}

/* The program's clock is the host's: useless where ours is another (time_namespaces(7)). */
static bool own_time(void)
{
	FILE *file = fopen("/proc/self/timens_offsets", "re");
	long seconds = 0, nanoseconds = 0;

	if (!file)
		return false;
	if (fscanf(file, "monotonic %ld %ld", &seconds, &nanoseconds) != 2)
		seconds = nanoseconds = 0;
	fclose(file);
	return seconds || nanoseconds;
}

struct gate *gate_open(char *error, size_t size)
{
	struct gate *gate;

	if (own_time()) {
		snprintf(error, size, "in a time namespace its clock is not ours");
		return NULL;
	}
	gate = calloc(1, sizeof(*gate));

	if (!gate) {
		snprintf(error, size, "out of memory");
		return NULL;
	}
	libbpf_set_print(say);
	if (load(gate)) {
		snprintf(error, size, "%s", explain(errno));
		gate_close(gate);
		return NULL;
	}
	return gate;
}

void gate_close(struct gate *gate)
{
	if (!gate)
		return;
	if (gate->slots)
		munmap(gate->slots, GATE_SLOTS * sizeof(*gate->slots));
	if (gate->totals)
		munmap(gate->totals, sizeof(*gate->totals));
	if (gate->sheds)
		munmap(gate->sheds, GATE_REASONS * sizeof(*gate->sheds));
	bpf_object__close(gate->object);
	free(gate);
}

void gate_detach(int fd)
{
	int none = 0;

	setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, &none, sizeof(none));
}

int gate_attach(struct gate *gate, int fd)
{
	int size = sizeof(gate->program);

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &gate->program, size) ? -errno : 0;
}

int gate_program(const struct gate *gate)
{
	return gate->program;
}

static struct gate_slot *slot_of(const struct gate *gate, uint16_t slot)
{
	return gate && slot < GATE_SLOTS ? &gate->slots[slot] : NULL;
}

/* What is stored before this is seen before what is stored after it. */
static void barrier(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static struct gate_peer peer_of(const struct gate_slot *slot)
{
	struct gate_peer peer = {.family = slot->family, .multihop = slot->multihop};

	memcpy(peer.addr, slot->peer, sizeof(peer.addr));
	return peer;
}

/* Elements are allocated beforehand, and enough of them: these do not fail. */
static void peer_add(struct gate *gate, const struct gate_slot *slot)
{
	struct gate_peer peer = peer_of(slot);
	struct gate_peer_state state = {0};

	if (bpf_map_lookup_elem(gate->peers, &peer, &state) || slot->min_ttl < state.min_ttl)
		state.min_ttl = slot->min_ttl;
	state.sessions++;
	bpf_map_update_elem(gate->peers, &peer, &state, BPF_ANY);
}

static void peer_drop(struct gate *gate, const struct gate_slot *slot)
{
	struct gate_peer peer = peer_of(slot);
	struct gate_peer_state state;

	if (bpf_map_lookup_elem(gate->peers, &peer, &state))
		return;
	if (--state.sessions)
		bpf_map_update_elem(gate->peers, &peer, &state, BPF_ANY);
	else
		bpf_map_delete_elem(gate->peers, &peer);
}

static void put_discr(uint8_t *at, uint32_t discr)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(discr >> (24 - 8 * i));
}

/* The part of a slot that says whose it is. */
static struct gate_slot describe(const struct session *session)
{
	const struct session_key *key = &session->key;
	struct gate_slot slot = {
		.ifindex = key->type == SESSION_MULTIHOP ? 0 : key->ifindex,
		.family = key->peer.family == AF_INET ? 4 : 6,
		.multihop = key->type == SESSION_MULTIHOP,
		.min_ttl = key->type == SESSION_MULTIHOP ? session->config.min_ttl : SINGLE_HOP_TTL,
	};

	put_discr(slot.packet + 8, session->local_discr);
	memcpy(slot.peer, key->peer.bytes, addr_size(key->peer.family));
	memcpy(slot.local, key->local.bytes, addr_size(key->local.family));
	return slot;
}

void gate_forget(struct gate *gate, uint16_t number)
{
	struct gate_slot *slot = slot_of(gate, number);

	if (!slot || !slot->family)
		return;
	gate_disarm(gate, number);
	peer_drop(gate, slot);
	slot->family = 0;
	barrier();
}

/* Its sockets are those of ports 3784 and 4784 in no VRF. */
static bool comes_by(const struct session_key *key)
{
	return !key->vrf && (key->type == SESSION_SINGLE_HOP || key->type == SESSION_MULTIHOP);
}

void gate_session(struct gate *gate, const struct session *session)
{
	struct gate_slot *slot = slot_of(gate, session->slot), next;

	if (!slot) {
		if (gate)
			gate->totals->beyond = 1;
		return;
	}
	if (!comes_by(&session->key)) {
		gate_forget(gate, session->slot);
		return;
	}
	next = describe(session);
	gate_disarm(gate, session->slot);
	/* In this order its peer is known at all times. */
	peer_add(gate, &next);
	if (slot->family)
		peer_drop(gate, slot);
	memcpy(slot->packet + 8, next.packet + 8, 4);
	memcpy(slot->peer, next.peer, sizeof(slot->peer));
	memcpy(slot->local, next.local, sizeof(slot->local));
	slot->ifindex = next.ifindex;
	slot->multihop = next.multihop;
	slot->min_ttl = next.min_ttl;
	barrier();
	slot->family = next.family;
}

void gate_arm(struct gate *gate, uint16_t number, const uint8_t packet[GATE_PACKET])
{
	struct gate_slot *slot = slot_of(gate, number);

	if (!slot || !slot->family)
		return;
	gate_disarm(gate, number);
	memcpy(slot->packet, packet, 8);
	memcpy(slot->packet + 12, packet + 12, 12);
	if (!++gate->arming)
		gate->arming = 1;
	__atomic_store_n(&slot->armed, gate->arming, __ATOMIC_RELEASE);
}

void gate_disarm(struct gate *gate, uint16_t number)
{
	struct gate_slot *slot = slot_of(gate, number);

	if (!slot)
		return;
	__atomic_store_n(&slot->armed, 0, __ATOMIC_RELAXED);
	barrier();
}

bool gate_armed(const struct gate *gate, uint16_t number)
{
	const struct gate_slot *slot = slot_of(gate, number);

	return slot && slot->armed;
}

static usec_t time_of(const struct gate_slot *slot, uint64_t packet)
{
	return (usec_t)(__atomic_load_n(&slot->times[packet % GATE_TIMES], __ATOMIC_RELAXED) / 1000);
}

uint64_t gate_taken(const struct gate *gate, uint16_t number, usec_t *last)
{
	const struct gate_slot *slot = slot_of(gate, number);
	uint64_t count = slot ? __atomic_load_n(&slot->count, __ATOMIC_ACQUIRE) : 0;

	if (count)
		*last = time_of(slot, count - 1);
	return count;
}

unsigned gate_times(const struct gate *gate, uint16_t number, usec_t times[GATE_TIMES])
{
	const struct gate_slot *slot = slot_of(gate, number);
	uint64_t count = slot ? __atomic_load_n(&slot->count, __ATOMIC_ACQUIRE) : 0;
	unsigned n = count < GATE_TIMES ? (unsigned)count : GATE_TIMES;

	for (unsigned i = 0; i < n; i++)
		times[i] = time_of(slot, count - n + i);
	return n;
}

void gate_shed(const struct gate *gate, uint64_t drops[DROP_COUNT])
{
	for (unsigned i = 0; gate && i < DROP_COUNT; i++)
		drops[i] += __atomic_load_n(&gate->sheds[i], __ATOMIC_RELAXED);
}

uint64_t gate_dropped(const struct gate *gate)
{
	return gate ? __atomic_load_n(&gate->totals->dropped, __ATOMIC_RELAXED) : 0;
}
