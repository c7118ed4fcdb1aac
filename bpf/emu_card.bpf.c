/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated NIC's table: drops frames by their source, one hop before the server.  One look-up,
 * three places to run: as XDP program, as egress program of a device map (frames that a generator
 * redirects), and as tc program (frames that a stack sends).  Not part of the protected server's
 * data plane; the card of an experiment without hardware.  Yet the experiment's server pays for it,
 * so it costs as little as it can.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "emu_card.h"
#include "parse.h"
#include "table.h"

/* Ethernet, two VLAN tags and an IPv6 header: all that is ever looked at. */
#define CARD_HEADERS 62u

/* In a map of its own, since it is pinned: .rodata also gets what the compiler puts there. */
SEC(".rodata.card")
const volatile struct emu_card_info emu_card = {
	.magic = EMU_CARD_MAGIC,
	.layout = EMU_CARD_LAYOUT,
};

/* The sizes of all three are set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct emu_card_bucket);
} emu_buckets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct emu_card_key);
	__type(value, struct emu_card_hits);
} emu_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct emu_card_cpu);
} emu_totals SEC(".maps");

/* A frame, or what will be several on the wire. */
struct load {
	__u32 packets, bytes;
};

static __always_inline void count(struct emu_card_hits *hits, struct load load)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct emu_card_cpu *total = bpf_map_lookup_elem(&emu_totals, &cpu);

	/* Several CPUs may drop for one rule: a plain addition would lose some. */
	if (emu_card.counters) {
		__sync_fetch_and_add(&hits->packets, load.packets);
		__sync_fetch_and_add(&hits->bytes, load.bytes);
	}
	if (total) {
		total->dropped.packets += load.packets;
		total->dropped.bytes += load.bytes;
	}
}

static __always_inline bool matches_hash(const struct emu_card_key *key, struct load load)
{
	struct emu_card_hits *hits = bpf_map_lookup_elem(&emu_hash, key);

	if (!hits)
		return false;
	count(hits, load);
	return true;
}

/* The way that holds `addr` plus one, or 0.  A key is in a bucket once, so a sum will do. */
static __always_inline __u64 find_way(const struct emu_card_bucket *bucket, __be32 addr)
{
	__u64 found = 0;

#pragma unroll
	for (int i = 0; i < EMU_CARD_WAYS; i++)
		found += table_is_zero32(bucket->key[i] ^ addr) * (i + 1);
	return found;
}

static __always_inline bool matches_ipv4(__be32 addr, struct load load)
{
	const __u64 hash_key[2] = { emu_card.hash_key[0], emu_card.hash_key[1] };
	__u32 index = emu_card_bucket_of(hash_key, emu_card.n_buckets, addr);
	struct emu_card_bucket *bucket = bpf_map_lookup_elem(&emu_buckets, &index);
	__u64 way;

	if (!bucket)
		return false;
	/* 0.0.0.0 would find the empty ways. */
	way = find_way(bucket, addr) - 1;
	if (way < EMU_CARD_WAYS && addr) {
		count(&bucket->hits[way], load);
		return true;
	}
	if (unlikely(bucket->spilled)) {
		struct emu_card_key key = { .addr = { addr }, .family = 4 };

		return matches_hash(&key, load);
	}
	return false;
}

static __always_inline bool matches_ipv6(const struct ipv6hdr *ip, struct load load)
{
	struct emu_card_key key = { .family = 6 };

#pragma unroll
	for (int i = 0; i < 4; i++)
		key.addr[i] = ip->saddr.in6_u.u6_addr32[i] & emu_card.v6_mask[i];
	return matches_hash(&key, load);
}

/* Counts and says drop if a rule matches.  No rule can match a frame without an IP source. */
static __always_inline bool matches_rule(void *data, void *data_end, struct load load)
{
	struct parse_cursor cursor = { .at = data, .end = data_end };
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (likely(type.value == bpf_htons(ETH_P_IP))) {
		const struct iphdr *ip = parse_ipv4(&cursor);

		return ip && matches_ipv4(ip->saddr, load);
	}
	if (type.value == bpf_htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip = parse_ipv6(&cursor);

		return ip && matches_ipv6(ip, load);
	}
	return false;
}

static __always_inline int drop_xdp(const struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	struct load load = { 1, ctx->data_end - ctx->data };

	return matches_rule(data, data_end, load) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int emu_card_xdp(struct xdp_md *ctx)
{
	return drop_xdp(ctx);
}

SEC("xdp/devmap")
int emu_card_egress(struct xdp_md *ctx)
{
	return drop_xdp(ctx);
}

SEC("tc")
int emu_card_tc(struct __sk_buff *skb)
{
	/* On the wire a large send is as many frames as it has segments. */
	struct load load = { skb->gso_segs ? skb->gso_segs : 1, skb->len };
	void *data, *data_end;

	if (skb->data + CARD_HEADERS > skb->data_end)
		bpf_skb_pull_data(skb, skb->len < CARD_HEADERS ? skb->len : CARD_HEADERS);
	data = (void *)(long)skb->data;
	data_end = (void *)(long)skb->data_end;
	/* A miss leaves the verdict to whatever other filters there are. */
	return matches_rule(data, data_end, load) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
