// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The packet path of sluice-gen.  The kernel runs it on recycled copies of a template frame
 * (BPF_PROG_TEST_RUN with live frames); it writes a source and checksums and redirects the frame
 * to the one device of the map.  It runs on one CPU at a time, so plain counters are exact.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "gen_shared.h"

#define IPV4_SOURCE 12
#define IPV4_CHECK 10
#define IPV6_SOURCE_WORD 12 /* The second 32-bit word of the source: which /64. */

const volatile struct gen_config gen_config;

/* What the program keeps; read by user space through the mapped section. */
__u64 gen_state = 1;
__u64 gen_sent;
__u32 gen_next;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gen_cell);
} gen_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
} gen_device SEC(".maps");

static __always_inline __u16 fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The number of the next source, from 32 random bits. */
static __always_inline __u32 next_source(__u32 random)
{
	__u64 scaled = (__u64)random * gen_config.n_sources;
	__u32 index = scaled >> 32;
	const struct gen_cell *cell;

	switch (gen_config.order) {
	case GEN_ORDER_CYCLE:
		index = gen_next;
		gen_next = index + 1 < gen_config.n_sources ? index + 1 : 0;
		return index;
	case GEN_ORDER_WEIGHTED:
		cell = bpf_map_lookup_elem(&gen_cells, &index);
		/* The low half of the product is the fraction within the cell. */
		return cell && (__u32)scaled >= cell->keep ? cell->alias : index;
	default:
		return index;
	}
}

SEC("xdp")
int sluice_gen(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	void *l3 = data + gen_config.l3_offset, *l4 = data + gen_config.l4_offset;
	__u16 *check = data + gen_config.l4_check_offset;
	__u64 state = gen_state * 6364136223846793005ull + 1442695040888963407ull;
	__u32 l4_sum = gen_config.l4_sum, words;
	__be32 source;

	if (l3 + 20 > end || l4 + 2 > end || (void *)(check + 1) > end)
		return XDP_ABORTED;
	gen_state = state;
	gen_sent++;
	source = bpf_htonl(gen_config.source_base + next_source(state >> 32));
	words = (source & 0xffff) + (source >> 16);
	if (gen_config.ipv6) {
		*(__be32 *)(l3 + IPV6_SOURCE_WORD) = source;
	} else {
		*(__be32 *)(l3 + IPV4_SOURCE) = source;
		*(__u16 *)(l3 + IPV4_CHECK) = fold(gen_config.ip_sum + words);
	}
	if (gen_config.l4_source)
		l4_sum += words;
	if (gen_config.random_port) {
		__u16 port = bpf_htons(1024 | (__u16)(state >> 16));

		*(__u16 *)l4 = port;
		l4_sum += port;
	}
	l4_sum = fold(l4_sum);
	/* A UDP checksum of zero would mean `none`; all ones is the same number. */
	*check = l4_sum ? l4_sum : 0xffff;
	return bpf_redirect_map(&gen_device, 0, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
