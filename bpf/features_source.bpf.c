// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Features per source: packets, bytes, SYN, UDP and ICMP of each source that passed the filter, in
 * the side that counts now, while user space reads the other (P1 section IV-B).
 *
 * Dual program: loaded twice, each with its `side`; the filter's program array holds one of them.
 * Dual map: loaded once; the header page names the side.  The tables are the same.
 */
#include "counters.h"
#include "distinct_registers.h"
#include "feature_chain.h"
#include "feature_table.h"
#include "parse.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 v6_mask_high = ~0ull;
const volatile __u64 v6_mask_low = 0;

FEATURE_TABLE(source4);
FEATURE_TABLE(source6);
FEATURE_MAP(sluice_distinct, struct distinct_registers);

/* Dual map: what sluice_chain is to side 0, this is to side 1; one program serves both. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, FEATURE_N_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} sluice_chain1 SEC(".maps");

struct observation {
	__u64 bytes;
	struct parse_transport transport;
};

static __always_inline void value_add(struct sluice_source_value *value,
				      const struct observation *seen)
{
	if (!value)
		return;
	if (seen->transport.protocol == IPPROTO_UDP)
		value->udp++;
	else if (seen->transport.syn)
		value->tcp_syn++;
	else if (seen->transport.protocol == IPPROTO_ICMP ||
		 seen->transport.protocol == IPPROTO_ICMPV6)
		value->icmp++;
}

/*
 * Only a source that had no place in the table needs to be counted: who has one was counted when it
 * got it, so that known sources pay nothing for the estimate.
 */
static __always_inline void count_distinct(const struct feature_row *row, __u64 hash)
{
	__u32 number = row->number;
	struct distinct_registers *registers;

	if (!row->is_new)
		return;
	registers = bpf_map_lookup_elem(&sluice_distinct, &number);
	if (registers)
		distinct_add(registers, hash);
}

static __always_inline void source4_add(const struct sluice_header *header, struct feature_row *row,
					__u32 addr, const struct observation *seen)
{
	__u64 hash = hash_v4(header->hash_key, addr);
	__u32 key[1] = { addr };

	value_add(FEATURE_COUNT(source4, row, key, hash, seen->bytes), seen);
	count_distinct(row, hash);
}

static __always_inline void source6_add(const struct sluice_header *header, struct feature_row *row,
					__u64 high, __u64 low, const struct observation *seen)
{
	__u64 hash = hash_v6(header->hash_key, high, low);
	__u32 key[4] = { high, high >> 32, low, low >> 32 };

	value_add(FEATURE_COUNT(source6, row, key, hash, seen->bytes), seen);
	count_distinct(row, hash);
}

/* The filter found an IP header here a moment ago; the bounds are the verifier's, not ours. */
SEC("xdp")
int sluice_features_source(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct observation seen = {};
	__u32 cpu = bpf_get_smp_processor_id();
	/* Read once: all that is counted of this packet goes to one side. */
	struct feature_row row = feature_row(HEADER, cpu);
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (type.value == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = parse_ipv4(&cursor);

		if (ip) {
			seen.bytes = parse_frame_bytes(ctx, &cursor, parse_ipv4_length(ip));
			seen.transport = parse_ipv4_transport(ip, cursor.end);
			source4_add(HEADER, &row, ip->saddr, &seen);
		}
	} else {
		struct ipv6hdr *ip = parse_ipv6(&cursor);

		if (ip) {
			__u64 address[2];

			__builtin_memcpy(address, &ip->saddr, sizeof(address));
			seen.bytes = parse_frame_bytes(ctx, &cursor, parse_ipv6_length(ip));
			seen.transport = parse_ipv6_transport(ip, cursor.end);
			source6_add(HEADER, &row, address[0] & v6_mask_high,
				    address[1] & v6_mask_low, &seen);
		}
	}
	count(cpu, SLUICE_REASON_PASS, seen.bytes);
	if (side == FEATURE_SIDE_OF_HEADER && chain_next < FEATURE_N_SLOTS && row.side)
		bpf_tail_call(ctx, &sluice_chain1, chain_next);
	return feature_done(ctx);
}
