// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a member of a bond is to send, but must not carry (RFC 7130 3), goes out by other members instead: run
 * at the member's egress, after the bond has chosen it. What is addressed to the other end of this very link
 * stays: the addresses that no bridge passes on (IEEE 802.1Q 8.6.3: LACP, LLDP) and that of micro-BFD.
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include "io/detour_layout.h"

#define PASS -1 /* TC_ACT_UNSPEC: on to the next filter */

typedef unsigned int u32;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DETOUR_LINKS);
	__type(key, u32); /* the member's index */
	__type(value, struct detour_ways);
} detours SEC(".maps");

static __always_inline bool stays(struct __sk_buff *skb)
{
	unsigned char to[6];

	if (bpf_skb_load_bytes(skb, 0, to, sizeof(to)))
		return true;
	if (to[0] != 0x01)
		return false;
	if (to[1] == 0x80 && to[2] == 0xc2 && !to[3] && !to[4])
		return true;
	return !to[1] && to[2] == 0x5e && to[3] == 0x90 && !to[4] && to[5] == 0x01;
}

SEC("tc")
int detour(struct __sk_buff *skb)
{
	u32 ifindex = skb->ifindex, at;
	struct detour_ways *ways = bpf_map_lookup_elem(&detours, &ifindex);

	if (!ways || !ways->n || stays(skb))
		return PASS;
	/* A flow keeps its way and its order. */
	at = bpf_get_hash_recalc(skb) % ways->n;
	return bpf_redirect(ways->out[at & (DETOUR_WAYS - 1)], 0);
}

char licence[] SEC("license") = "GPL";
