// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * What Sluice is measured against, and the harness around all of it: a program that draws a source
 * per packet and tail-calls the design, so that its cost is in every figure and cancels; and one that
 * floods a device with such packets.
 */
#include <stdbool.h>

#include "parse.h"
#include "references_shared.h"

/* Programs with and without frags support do not tail-call each other. */
#ifndef BENCH_SECTION
#define BENCH_SECTION "xdp.frags"
#endif

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 n_sources = 1;
const volatile __u32 limit_lines = 1;
const volatile __u32 floor_lines = 1;

/* Set by user space between two runs. */
volatile __u32 first_source; /* Host byte order. */
__u32 next_source;	     /* For bench_sequential. */
__u32 flood_device;	     /* For bench_flood: index into bench_devices. */

#define PROGRAM_ARRAY(name)                            \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, 1);                \
		__type(key, __u32);                    \
		__type(value, __u32);                  \
	} name SEC(".maps")

PROGRAM_ARRAY(bench_target);
PROGRAM_ARRAY(bench_next); /* From P1's filter to its feature program. */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} bench_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct references_features);
} bench_features SEC(".maps");

struct line {
	__u64 word[8];
};

#define LINES(name)                                \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1);            \
		__type(key, __u32);                \
		__type(value, struct line);        \
	} name SEC(".maps")

LINES(bench_limit_lines);
LINES(bench_floor_lines);
LINES(bench_exact_lines); /* One a CPU: packets and bytes. */

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, REFERENCES_DEVICES);
	__type(key, __u32);
	__type(value, __u32);
} bench_devices SEC(".maps");

static __always_inline struct iphdr *ipv4_of(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };

	if (parse_ethernet(&cursor).value != bpf_htons(ETH_P_IP))
		return NULL;
	return parse_ipv4(&cursor);
}

static __always_inline __be32 random_source(void)
{
	return bpf_htonl(first_source + ((__u64)bpf_get_prandom_u32() * n_sources >> 32));
}

SEC(BENCH_SECTION)
int bench_random(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);

	if (ip)
		ip->saddr = random_source();
	bpf_tail_call(ctx, &bench_target, 0);
	return XDP_ABORTED;
}

/* Random ports, too: what rules look up must not stay in the nearest cache. */
SEC(BENCH_SECTION)
int bench_random_ports(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);
	__u32 *ports = (__u32 *)(ip + 1);

	if (ip && (void *)(ports + 1) <= (void *)(long)ctx->data_end) {
		ip->saddr = random_source();
		*ports = bpf_get_prandom_u32();
	}
	bpf_tail_call(ctx, &bench_target, 0);
	return XDP_ABORTED;
}

/* One source after the other: fills the tables of a design through its own programs. */
SEC(BENCH_SECTION)
int bench_sequential(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);

	if (ip) {
		__u32 next = next_source;

		ip->saddr = bpf_htonl(first_source + next);
		next_source = next + 1 < n_sources ? next + 1 : 0;
	}
	bpf_tail_call(ctx, &bench_target, 0);
	return XDP_ABORTED;
}

/* The template's header checksum is that of source 0.0.0.0; nobody here looks at it. */
SEC("xdp")
int bench_flood(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);

	if (ip)
		ip->saddr = random_source();
	return bpf_redirect_map(&bench_devices, flood_device, 0);
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

/* What any filter on sources must do at least: find the source. */
SEC(BENCH_SECTION)
int bench_parse(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);

	/* The load must not be optimised away. */
	return ip && ip->saddr == 0 ? XDP_ABORTED : XDP_PASS;
}

static __always_inline struct line *line_of(const struct iphdr *ip, void *lines, __u32 n_lines)
{
	__u32 index = ((__u64)(ip->saddr * 2654435761u) * n_lines) >> 32;

	return bpf_map_lookup_elem(lines, &index);
}

static __always_inline int touch_line(struct xdp_md *ctx, void *lines, __u32 n_lines)
{
	struct iphdr *ip = ipv4_of(ctx);

	if (!ip)
		return XDP_PASS;
	struct line *line = line_of(ip, lines, n_lines);

	if (line)
		line->word[0]++;
	return XDP_DROP;
}

/*
 * The least that buckets of a cache line can cost, eight keys and eight counters each and half of
 * them taken: one random line read and written.
 */
SEC(BENCH_SECTION)
int bench_limit(struct xdp_md *ctx)
{
	return touch_line(ctx, &bench_limit_lines, limit_lines);
}

/* The same in an array that is only as large as Sluice's own table. */
SEC(BENCH_SECTION)
int bench_floor(struct xdp_md *ctx)
{
	return touch_line(ctx, &bench_floor_lines, floor_lines);
}

/*
 * The floor, but no hit is lost when two CPUs meet in a line, and the drop is told by packets and
 * bytes: what a filter of exact counts must do at least, without a key, a hash or a comparison.
 */
SEC(BENCH_SECTION)
int bench_exact(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);
	__u32 cpu = bpf_get_smp_processor_id();

	if (!ip)
		return XDP_PASS;
	struct line *line = line_of(ip, &bench_floor_lines, floor_lines);
	struct line *counters = bpf_map_lookup_elem(&bench_exact_lines, &cpu);

	if (line)
		__sync_fetch_and_add(&line->word[0], 1);
	if (counters) {
		counters->word[0]++;
		counters->word[1] += ctx->data_end - ctx->data;
	}
	return XDP_DROP;
}

/* The blocklist of P1: BPF_HASH, source -> packets. */
SEC(BENCH_SECTION)
int bench_hash_filter(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_of(ctx);

	if (!ip)
		return XDP_PASS;
	__u64 *packets = bpf_map_lookup_elem(&bench_hash, &ip->saddr);

	if (packets) {
		__sync_fetch_and_add(packets, 1);
		return XDP_DROP;
	}
	bpf_tail_call(ctx, &bench_next, 0);
	return XDP_PASS;
}

/* The features of P1: PERCPU_HASH, source -> figures. */
SEC(BENCH_SECTION)
int bench_hash_features(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct references_features fresh = {};

	if (parse_ethernet(&cursor).value != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	struct iphdr *ip = parse_ipv4(&cursor);

	if (!ip)
		return XDP_PASS;
	struct references_features *seen = bpf_map_lookup_elem(&bench_features, &ip->saddr);

	if (!seen) {
		bpf_map_update_elem(&bench_features, &ip->saddr, &fresh, BPF_NOEXIST);
		seen = bpf_map_lookup_elem(&bench_features, &ip->saddr);
		if (!seen)
			return XDP_PASS;
	}
	struct parse_transport transport = parse_ipv4_transport(ip, cursor.end);

	seen->packets++;
	seen->bytes += parse_frame_bytes(ctx, &cursor, parse_ipv4_length(ip));
	if (transport.protocol == IPPROTO_UDP)
		seen->udp++;
	else if (transport.syn)
		seen->tcp_syn++;
	else if (transport.protocol == IPPROTO_ICMP)
		seen->icmp++;
	return XDP_PASS;
}
