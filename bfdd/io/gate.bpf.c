// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate's program: a socket filter, run for each datagram after its UDP checksum was verified and before
 * it is queued. It returns 0 to drop. Its data begins at the UDP header.
 *
 * What a session expects again is taken: counted and timed. All else is judged as core/packet.c and
 * core/table.c would. What they would drop may pass within one budget for all, so that ordinary mistakes are
 * counted with their session; what they would accept, within one for each session, or for each peer that may
 * begin one. So whoever floods with garbage starves garbage, and whoever replays one session's packets
 * starves that session's changes at most.
 *
 * Several processors may run this at once. What decides is written by the engine's thread alone. Buckets and
 * a session's counter are plain memory: when two processors meet there, a packet may pass too many or be
 * counted too few. The totals are exact.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "core/drop.h"
#include "io/gate_layout.h"

#define PASS -1
#define DROP 0
#define MULTIHOP_PORT 4784
#define SINGLE_HOP_TTL 255
#define SECOND 1000000000ull
#define GARBAGE_COST (SECOND / 1000) /* a packet's share of the time, in nanoseconds */
#define PLAUSIBLE_COST (SECOND / 4000)
#define BUCKET_DEPTH (SECOND / 4)

#define FLAG_AUTH 0x04
#define FLAG_MULTIPOINT 0x01
#define STATE_DOWN 1

#define once(x) (*(volatile typeof(x) *)&(x))

typedef unsigned int u32;
typedef unsigned long long u64;

/* UDP header and mandatory section; both are multiples of eight bytes. */
struct packet {
	unsigned short source, port, length, checksum;
	unsigned char bfd[GATE_PACKET];
} __attribute__((aligned(8)));

struct origin {
	unsigned char peer[16], local[16];
	u32 ifindex;
	unsigned char family, multihop, ttl;
} __attribute__((aligned(8)));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, GATE_SLOTS);
	__type(key, u32);
	__type(value, struct gate_slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct gate_totals);
} totals SEC(".maps");

/* By enum drop. A map of its own, because a look-up may be indexed by what the verifier cannot follow. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, GATE_REASONS);
	__type(key, u32);
	__type(value, u64);
} sheds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, GATE_SLOTS);
	__type(key, struct gate_peer);
	__type(value, struct gate_peer_state);
} peers SEC(".maps");

static __always_inline u64 word(const unsigned char *bytes, int n)
{
	return ((const u64 *)bytes)[n];
}

static __always_inline bool address_equal(const unsigned char *a, const unsigned char *b)
{
	return word(a, 0) == word(b, 0) && word(a, 1) == word(b, 1);
}

/* BUCKET is the time until which it is filled; it runs out as time passes. */
static __always_inline bool allowed(u64 *bucket, u64 cost)
{
	u64 now = bpf_ktime_get_ns(), until = *bucket;

	if (until < now)
		until = now;
	if (until + cost > now + BUCKET_DEPTH)
		return false;
	*bucket = until + cost;
	return true;
}

static __always_inline int shed(struct gate_totals *total, u32 reason)
{
	u64 *count = bpf_map_lookup_elem(&sheds, &reason);

	if (count)
		__sync_fetch_and_add(count, 1);
	__sync_fetch_and_add(&total->dropped, 1);
	return DROP;
}

static __always_inline int garbage(struct gate_totals *total, u32 reason)
{
	return allowed(&total->bucket, GARBAGE_COST) ? PASS : shed(total, reason);
}

static __always_inline int plausible(struct gate_totals *total, u64 *bucket)
{
	return allowed(bucket, PLAUSIBLE_COST) ? PASS : shed(total, DROP_RATE);
}

static __always_inline bool read_ipv4(struct __sk_buff *skb, struct origin *origin)
{
	unsigned char ip[20] __attribute__((aligned(8)));

	if (bpf_skb_load_bytes_relative(skb, 0, ip, sizeof(ip), BPF_HDR_START_NET))
		return false;
	origin->family = 4;
	origin->ttl = ip[8];
	*(u32 *)origin->peer = *(u32 *)(ip + 12);
	*(u32 *)origin->local = *(u32 *)(ip + 16);
	return true;
}

static __always_inline bool read_ipv6(struct __sk_buff *skb, struct origin *origin)
{
	unsigned char ip[40] __attribute__((aligned(8)));

	if (bpf_skb_load_bytes_relative(skb, 0, ip, sizeof(ip), BPF_HDR_START_NET))
		return false;
	origin->family = 6;
	origin->ttl = ip[7];
	__builtin_memcpy(origin->peer, ip + 8, 16);
	__builtin_memcpy(origin->local, ip + 24, 16);
	return true;
}

static __always_inline bool read_origin(struct __sk_buff *skb, const struct packet *packet,
					struct origin *origin)
{
	__builtin_memset(origin, 0, sizeof(*origin));
	origin->ifindex = skb->ifindex;
	origin->multihop = packet->port == bpf_htons(MULTIHOP_PORT);
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return read_ipv4(skb, origin);
	return skb->protocol == bpf_htons(ETH_P_IPV6) && read_ipv6(skb, origin);
}

/* auth_length_valid() of core/packet.c. */
static __always_inline bool auth_length_valid(unsigned char type, unsigned char length)
{
	switch (type) {
	case 1:
		return length >= 4 && length <= 19;
	case 2:
	case 3:
		return length == 24;
	case 4:
	case 5:
		return length == 28;
	}
	return length >= 2;
}

/* packet_decode() of core/packet.c, for a packet that is not too short. */
static __always_inline u32 decode(struct __sk_buff *skb, const struct packet *packet)
{
	const unsigned char *bfd = packet->bfd;
	bool auth = bfd[1] & FLAG_AUTH;
	unsigned char section[2];

	if (bfd[0] >> 5 != 1)
		return DROP_VERSION;
	if (bfd[3] < (auth ? GATE_PACKET + 2 : GATE_PACKET))
		return DROP_LENGTH;
	if (bfd[3] > skb->len - (sizeof(*packet) - GATE_PACKET))
		return DROP_TRUNCATED;
	if (!bfd[2])
		return DROP_DETECT_MULT_ZERO;
	if (bfd[1] & FLAG_MULTIPOINT)
		return DROP_MULTIPOINT;
	if (!*(u32 *)(bfd + 4))
		return DROP_MY_DISCR_ZERO;
	if (!*(u32 *)(bfd + 8) && bfd[1] >> 6 > STATE_DOWN)
		return DROP_YOUR_DISCR_ZERO;
	if (auth && (bpf_skb_load_bytes(skb, sizeof(*packet), section, sizeof(section)) ||
		     section[1] > bfd[3] - GATE_PACKET || !auth_length_valid(section[0], section[1])))
		return DROP_AUTH_LENGTH;
	return DROP_NONE;
}

/* table_check() of core/table.c. */
static __always_inline u32 check(const struct gate_slot *slot, const struct origin *origin)
{
	if (slot->family != origin->family || !address_equal(slot->peer, origin->peer))
		return DROP_WRONG_PEER;
	if ((word(slot->local, 0) || word(slot->local, 1)) && !address_equal(slot->local, origin->local))
		return DROP_WRONG_PEER;
	if (slot->ifindex && slot->ifindex != origin->ifindex)
		return DROP_WRONG_INTERFACE;
	if (slot->multihop != origin->multihop)
		return DROP_WRONG_PORT;
	return origin->ttl < slot->min_ttl ? DROP_TTL : DROP_NONE;
}

static __always_inline bool expected(const struct gate_slot *slot, const struct packet *packet)
{
	return word(slot->packet, 0) == word(packet->bfd, 0) &&
	       word(slot->packet, 1) == word(packet->bfd, 1) && word(slot->packet, 2) == word(packet->bfd, 2);
}

/* The time first, then the count that makes it valid. */
static __always_inline int take(struct gate_totals *total, struct gate_slot *slot)
{
	u64 count = slot->count, at = count % GATE_TIMES;

	asm volatile("" : "+r"(at)); /* or clang drops the check that the verifier wants to see */
	if (at < GATE_TIMES)
		slot->times[at] = bpf_ktime_get_ns();
	asm volatile("" ::: "memory");
	once(slot->count) = count + 1;
	__sync_fetch_and_add(&total->dropped, 1);
	return DROP;
}

/* SLOT's session is who the packet says that it is for. */
static __always_inline int session(struct __sk_buff *skb, struct gate_totals *total, struct gate_slot *slot,
				   const struct packet *packet, const struct origin *origin)
{
	unsigned char armed = once(slot->armed);
	u32 reason;

	asm volatile("" ::: "memory");
	if (armed && skb->len == sizeof(*packet) && expected(slot, packet) && !check(slot, origin)) {
		asm volatile("" ::: "memory");
		/* Armed anew meanwhile, it might have been compared with half of this and half of that. */
		if (once(slot->armed) == armed)
			return take(total, slot);
	}
	reason = decode(skb, packet);
	if (!reason)
		reason = check(slot, origin);
	/* In a VRF, and on loopback, sockets tell of another interface than we see: not ours to judge. */
	if (reason && reason != DROP_WRONG_INTERFACE)
		return garbage(total, reason);
	return plausible(total, &slot->bucket);
}

/* Nobody's discriminator, or none. */
static __always_inline int stranger(struct __sk_buff *skb, struct gate_totals *total,
				    const struct packet *packet, const struct origin *origin)
{
	struct gate_peer key = {.family = origin->family, .multihop = origin->multihop};
	u32 reason = decode(skb, packet), discr = bpf_ntohl(*(u32 *)(packet->bfd + 8));
	struct gate_peer_state *peer;

	if (reason)
		return garbage(total, reason);
	if (total->beyond && (!discr || (discr & 0xffff) >= GATE_SLOTS))
		return PASS;
	if (discr)
		return garbage(total, DROP_UNKNOWN_DISCR);
	__builtin_memcpy(key.addr, origin->peer, sizeof(key.addr));
	peer = bpf_map_lookup_elem(&peers, &key);
	if (!peer)
		return garbage(total, DROP_NO_SESSION);
	if (origin->ttl < peer->min_ttl)
		return garbage(total, DROP_TTL);
	return plausible(total, &peer->buckets[origin->ifindex & (GATE_LINKS - 1)]);
}

SEC("socket")
int gate(struct __sk_buff *skb)
{
	struct gate_totals *total;
	struct gate_slot *slot;
	struct packet packet;
	struct origin origin;
	u32 zero = 0, number, discr;

	total = bpf_map_lookup_elem(&totals, &zero);
	if (!total)
		return PASS;
	if (bpf_skb_load_bytes(skb, 0, &packet, sizeof(packet)))
		return garbage(total, DROP_SHORT);
	if (!read_origin(skb, &packet, &origin))
		return PASS;
	discr = *(u32 *)(packet.bfd + 8);
	number = bpf_ntohl(discr) & 0xffff;
	slot = bpf_map_lookup_elem(&slots, &number);
	if (slot && discr && slot->family && *(u32 *)(slot->packet + 8) == discr)
		return session(skb, total, slot, &packet, &origin);
	return stranger(skb, total, &packet, &origin);
}

char licence[] SEC("license") = "GPL";
