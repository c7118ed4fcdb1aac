// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Features per source: packets, bytes, SYN, UDP and ICMP of each source that passed the filter.
 *
 * Loaded twice, as side A and B with tables of their own; one side counts while user space reads
 * the other (P1 section IV-B, dual program).  Tables are replicated per CPU.  A bucket that carries
 * another epoch is empty and is reset on first touch, so nothing has to be cleared in bulk; a dirty
 * bit per bucket bounds the reader's scan.
 */
#include "counters.h"
#include "distinct_registers.h"
#include "feature_chain.h"
#include "parse.h"
#include "table.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 side = 0;
const volatile __u32 source4_buckets = 64; /* Per CPU, multiples of 64. */
const volatile __u32 source6_buckets = 64;
const volatile __u64 v6_mask_high = ~0ull;
const volatile __u64 v6_mask_low = 0;

#define SIDE_MAP(name, type_)                      \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1);            \
		__type(key, __u32);                \
		__type(value, type_);              \
	} name SEC(".maps")

SIDE_MAP(sluice_source4, struct sluice_source4_bucket);
SIDE_MAP(sluice_source6, struct sluice_source6_bucket);
SIDE_MAP(sluice_dirty4, __u64);
SIDE_MAP(sluice_dirty6, __u64);
SIDE_MAP(sluice_distinct, struct distinct_registers);

struct observation {
	__u64 bytes;
	struct parse_transport transport;
};

static __always_inline void mark_dirty(void *dirty, __u32 bucket)
{
	__u32 word_index = bucket >> 6;
	__u64 *word = bpf_map_lookup_elem(dirty, &word_index);

	/* Words are per CPU (buckets come in multiples of 64): no other writer. */
	if (word)
		*word |= 1ull << (bucket & 63);
}

/*
 * Only a source that has no place in the table needs to be counted: who has one was counted when
 * it got it, so that known sources pay nothing for the estimate.
 */
static __always_inline void count_distinct(__u32 cpu, __u64 hash)
{
	struct distinct_registers *registers = bpf_map_lookup_elem(&sluice_distinct, &cpu);

	if (registers)
		distinct_add(registers, hash);
}

static __always_inline __u32 way_smallest(const __u32 packets[SLUICE_SOURCE_WAYS])
{
	__u32 smallest = 0, fewest = packets[0];

#pragma unroll
	for (__u32 i = 1; i < SLUICE_SOURCE_WAYS; i++) {
		if (packets[i] < fewest) {
			fewest = packets[i];
			smallest = i;
		}
	}
	return smallest;
}

static __always_inline void details_add(struct sluice_source_details *details,
					const struct observation *seen)
{
	details->bytes += seen->bytes;
	if (seen->transport.protocol == IPPROTO_UDP)
		details->udp++;
	else if (seen->transport.syn)
		details->tcp_syn++;
	else if (seen->transport.protocol == IPPROTO_ICMP ||
		 seen->transport.protocol == IPPROTO_ICMPV6)
		details->icmp++;
}

/* Empties the way with the fewest packets, which is one that holds none if there is any. */
static __always_inline __u32 way_take(__u32 packets[SLUICE_SOURCE_WAYS],
				      struct sluice_source_details details[SLUICE_SOURCE_WAYS],
				      __u32 *evicted_packets, __u64 *evicted_bytes)
{
	__u32 way = way_smallest(packets);

	if (way >= SLUICE_SOURCE_WAYS)
		return way;
	if (packets[way]) {
		*evicted_packets += packets[way];
		*evicted_bytes += details[way].bytes;
	}
	packets[way] = 0;
	return way;
}

static __always_inline void way_add(__u32 packets[SLUICE_SOURCE_WAYS],
				    struct sluice_source_details details[SLUICE_SOURCE_WAYS],
				    __u32 way, const struct observation *seen)
{
	if (way >= SLUICE_SOURCE_WAYS)
		return;
	if (!packets[way])
		__builtin_memset(&details[way], 0, sizeof(details[way]));
	packets[way]++;
	details_add(&details[way], seen);
}

static __always_inline void source4_add(const struct sluice_header *header, __u32 cpu, __u32 key,
					const struct observation *seen)
{
	__u32 epoch = header->epoch[side & 1];
	__u64 hash = hash_v4(header->hash_key, key);
	__u32 index = cpu * source4_buckets + hash_bucket_first(hash, source4_buckets);
	struct sluice_source4_bucket *bucket = bpf_map_lookup_elem(&sluice_source4, &index);

	if (!bucket)
		return;
	if (bucket->epoch != epoch) {
		__builtin_memset(bucket, 0, offsetof(struct sluice_source4_bucket, details));
		bucket->evicted_bytes = 0;
		bucket->epoch = epoch;
		mark_dirty(&sluice_dirty4, index);
	}

	__u64 hit = 0, way = 0;

#pragma unroll
	for (int i = 0; i < SLUICE_SOURCE_WAYS; i++) {
		__u64 equal = table_is_zero32(bucket->key[i] ^ key);

		hit |= equal;
		way ^= (way ^ i) & -equal;
	}
	/* Key 0 also matches empty ways: the last match is then always the same way. */
	if (!hit) {
		count_distinct(cpu, hash);
		way = way_take(bucket->packets, bucket->details, &bucket->evicted_packets,
			       &bucket->evicted_bytes);
		if (way >= SLUICE_SOURCE_WAYS)
			return;
		bucket->key[way] = key;
	}
	way_add(bucket->packets, bucket->details, way, seen);
}

static __always_inline void source6_add(const struct sluice_header *header, __u32 cpu, __u64 high,
					__u64 low, const struct observation *seen)
{
	__u32 epoch = header->epoch[side & 1];
	__u64 hash = hash_v6(header->hash_key, high, low);
	__u32 index = cpu * source6_buckets + hash_bucket_first(hash, source6_buckets);
	struct sluice_source6_bucket *bucket = bpf_map_lookup_elem(&sluice_source6, &index);

	if (!bucket)
		return;
	if (bucket->epoch != epoch) {
		__builtin_memset(bucket, 0, offsetof(struct sluice_source6_bucket, details));
		bucket->evicted_bytes = 0;
		bucket->epoch = epoch;
		mark_dirty(&sluice_dirty6, index);
	}

	__u64 hit = 0, way = 0;

#pragma unroll
	for (int i = 0; i < SLUICE_SOURCE_WAYS; i++) {
		__u64 equal =
			table_is_nonzero64((bucket->key[i][0] ^ high) | (bucket->key[i][1] ^ low)) ^
			1;

		hit |= equal;
		way ^= (way ^ i) & -equal;
	}
	if (!hit) {
		count_distinct(cpu, hash);
		way = way_take(bucket->packets, bucket->details, &bucket->evicted_packets,
			       &bucket->evicted_bytes);
		if (way >= SLUICE_SOURCE_WAYS)
			return;
		bucket->key[way][0] = high;
		bucket->key[way][1] = low;
	}
	way_add(bucket->packets, bucket->details, way, seen);
}

/* The filter found an IP header here a moment ago; the bounds are the verifier's, not ours. */
SEC("xdp.frags")
int sluice_features_source(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct observation seen = {};
	__u32 cpu = bpf_get_smp_processor_id();
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (type.value == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = parse_ipv4(&cursor);

		if (ip) {
			seen.bytes = parse_frame_bytes(ctx, &cursor, parse_ipv4_length(ip));
			seen.transport = parse_ipv4_transport(ip, cursor.end);
			source4_add(HEADER, cpu, ip->saddr, &seen);
		}
	} else {
		struct ipv6hdr *ip = parse_ipv6(&cursor);

		if (ip) {
			__u64 address[2];

			__builtin_memcpy(address, &ip->saddr, sizeof(address));
			seen.bytes = parse_frame_bytes(ctx, &cursor, parse_ipv6_length(ip));
			seen.transport = parse_ipv6_transport(ip, cursor.end);
			source6_add(HEADER, cpu, address[0] & v6_mask_high,
				    address[1] & v6_mask_low, &seen);
		}
	}
	count(cpu, SLUICE_REASON_PASS, seen.bytes);
	return feature_done(ctx);
}
