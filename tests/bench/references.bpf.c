// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What the filter is measured against, and the harness that draws a random source per packet.  All
 * run through the same tail call, so that its cost is in every figure and cancels.
 */
#include <stdbool.h>

#include "parse.h"

/* Programs with and without frags support do not tail-call each other. */
#ifndef BENCH_SECTION
#define BENCH_SECTION "xdp.frags"
#endif

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 first_source = 0; /* Host byte order. */
const volatile __u32 n_sources = 1;
const volatile __u32 limit_lines = 1;

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bench_target SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} bench_hash SEC(".maps");

struct line {
	__u64 word[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct line);
} bench_lines SEC(".maps");

static __always_inline struct iphdr *ipv4_of(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };

	if (parse_ethernet(&cursor).value != bpf_htons(ETH_P_IP))
		return NULL;
	return parse_ipv4(&cursor);
}

SEC(BENCH_SECTION)
int bench_random(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);

	if (ip)
		ip->saddr =
			bpf_htonl(first_source + ((__u64)bpf_get_prandom_u32() * n_sources >> 32));
	bpf_tail_call(ctx, &bench_target, 0);
	return XDP_ABORTED;
}

SEC(BENCH_SECTION)
int bench_drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}

SEC(BENCH_SECTION)
int bench_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* The least that a table in memory can cost: one random line read and written. */
SEC(BENCH_SECTION)
int bench_limit(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);

	if (!ip)
		return XDP_PASS;
	__u32 index = ((__u64)(ip->saddr * 2654435761u) * limit_lines) >> 32;
	struct line *line = bpf_map_lookup_elem(&bench_lines, &index);

	if (line)
		line->word[0]++;
	return XDP_DROP;
}

/* The blocklist of P1: BPF_HASH, source -> packets. */
SEC(BENCH_SECTION)
int bench_hash_drop(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);

	if (!ip)
		return XDP_PASS;
	__u64 *packets = bpf_map_lookup_elem(&bench_hash, &ip->saddr);

	if (!packets)
		return XDP_PASS;
	__sync_fetch_and_add(packets, 1);
	return XDP_DROP;
}
