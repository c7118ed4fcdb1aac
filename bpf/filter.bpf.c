// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The filter: the first program a packet meets.  Its verdict rests on the source address alone, so
 * that nothing a blocked source sends can slip past by its transport protocol.
 *
 * Order: parse -> forged own address -> exact blocklist -> blocked prefixes -> tail call into the
 * live feature program, which delivers.  The writer keeps the blocklist disjoint from the
 * allow-list; an allowed prefix is looked up here only for a packet that a prefix would drop.
 */
#include "counters.h"
#include "parse.h"
#include "table.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/* Fixed when the tables are made, so that the JIT sees constants. */
const volatile __u32 block4_buckets = 1;
const volatile __u32 block6_buckets = 1;
const volatile __u64 v6_mask_high = ~0ull; /* The policy's unit, in network byte order. */
const volatile __u64 v6_mask_low = 0;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sluice_block4_bucket);
} sluice_block4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sluice_block6_bucket);
} sluice_block6 SEC(".maps");

/* Where the few keys are that found both their buckets full: key -> position. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SLUICE_STASH_BUCKETS *SLUICE_BLOCK4_WAYS);
	__type(key, __u32);
	__type(value, __u32);
} sluice_stash4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SLUICE_STASH_BUCKETS *SLUICE_BLOCK6_WAYS);
	__type(key, __u64);
	__type(value, __u32);
} sluice_stash6 SEC(".maps");

/* No program reads it: pinned beside the tables, it tells the next daemon what they hold. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sluice_block_record);
} sluice_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct sluice_own_key);
	__type(value, __u8);
} sluice_own SEC(".maps");

#define LPM_MAP(name, key_type)                       \
	struct {                                      \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);  \
		__uint(map_flags, BPF_F_NO_PREALLOC); \
		__uint(max_entries, 65536);           \
		__type(key, key_type);                \
		__type(value, __u64);                 \
	} name SEC(".maps")

LPM_MAP(sluice_prefix4, struct sluice_lpm4_key); /* Value: expiry, for the next daemon. */
LPM_MAP(sluice_prefix6, struct sluice_lpm6_key);
LPM_MAP(sluice_allow4, struct sluice_lpm4_key); /* Value: SLUICE_ALLOW_EXEMPT or 0. */
LPM_MAP(sluice_allow6, struct sluice_lpm6_key);

/* Slot 0 holds the feature program that counts now; user space rewrites it to swap. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} sluice_progs SEC(".maps");

/* A source as the filter sees it. */
struct source {
	__u64 high, low; /* IPv6; or IPv4 in the first four bytes of `high`. */
	bool v6;
};

/*
 * The daemon moves expires_ns ahead while it lives.  The clock is read on every eighth hit of a
 * slot only; once the time has passed, the flag in the header tells everybody.
 */
static __always_inline bool lapsed(struct sluice_header *header, __u32 hits, __u32 flags, __u64 way)
{
	if (unlikely(header->expires_ns && !(hits & 7) && !header->expired &&
		     bpf_ktime_get_coarse_ns() > header->expires_ns))
		header->expired = 1;
	return unlikely(header->expired) && !(flags & SLUICE_BLOCK_MANUAL(way));
}

static __always_inline bool block4_count(struct sluice_header *header,
					 struct sluice_block4_bucket *bucket, __u64 way)
{
	if (way >= SLUICE_BLOCK4_WAYS)
		return false;
	__u32 hits = __sync_fetch_and_add(&bucket->packets[way], 1);

	return !lapsed(header, hits, bucket->flags, way);
}

static __always_inline bool block6_count(struct sluice_header *header,
					 struct sluice_block6_bucket *bucket, __u64 way)
{
	if (way >= SLUICE_BLOCK6_WAYS)
		return false;
	__u32 hits = __sync_fetch_and_add(&bucket->packets[way], 1);

	return !lapsed(header, hits, bucket->flags, way);
}

static __always_inline bool stash4(struct sluice_header *header, __u32 key)
{
	__u32 *position = bpf_map_lookup_elem(&sluice_stash4, &key);

	if (!position)
		return false;
	__u32 index = *position / SLUICE_POSITION_WAYS, way = *position % SLUICE_POSITION_WAYS;
	struct sluice_block4_bucket *bucket = bpf_map_lookup_elem(&sluice_block4, &index);

	if (!bucket || bucket->key[way] != key)
		return false;
	return block4_count(header, bucket, way);
}

static __always_inline bool stash6(struct sluice_header *header, __u64 key)
{
	__u32 *position = bpf_map_lookup_elem(&sluice_stash6, &key);

	if (!position)
		return false;
	__u32 index = *position / SLUICE_POSITION_WAYS, way = *position % SLUICE_POSITION_WAYS;
	struct sluice_block6_bucket *bucket = bpf_map_lookup_elem(&sluice_block6, &index);

	if (!bucket || bucket->key[way] != key)
		return false;
	return block6_count(header, bucket, way);
}

static __always_inline bool blocked4(struct sluice_header *header, __u32 addr)
{
	__u32 key = hash_key_v4(addr);
	__u64 hash = hash_v4(header->hash_key, key);
	__u32 index = hash_bucket_first(hash, block4_buckets);
	struct sluice_block4_bucket *bucket = bpf_map_lookup_elem(&sluice_block4, &index);

	if (!bucket)
		return false;
	__u64 match = table_match_block4(bucket, key);

	if (match)
		return block4_count(header, bucket, match - 1);
	if (likely(!(bucket->flags & SLUICE_BLOCK_OVERFLOW)))
		return false;

	index = hash_bucket_second(hash, block4_buckets);
	bucket = bpf_map_lookup_elem(&sluice_block4, &index);
	if (!bucket)
		return false;
	match = table_match_block4(bucket, key);
	if (match)
		return block4_count(header, bucket, match - 1);
	return bucket->flags & SLUICE_BLOCK_OVERFLOW ? stash4(header, key) : false;
}

static __always_inline bool blocked6(struct sluice_header *header, const struct source *source)
{
	__u64 key =
		hash_v6(header->hash_key, source->high & v6_mask_high, source->low & v6_mask_low);
	__u32 index = hash_bucket_first(key, block6_buckets);
	struct sluice_block6_bucket *bucket = bpf_map_lookup_elem(&sluice_block6, &index);

	if (!bucket)
		return false;
	__u64 match = table_match_block6(bucket, key);

	if (match)
		return block6_count(header, bucket, match - 1);
	if (likely(!(bucket->flags & SLUICE_BLOCK_OVERFLOW)))
		return false;

	index = hash_bucket_second(key, block6_buckets);
	bucket = bpf_map_lookup_elem(&sluice_block6, &index);
	if (!bucket)
		return false;
	match = table_match_block6(bucket, key);
	if (match)
		return block6_count(header, bucket, match - 1);
	return bucket->flags & SLUICE_BLOCK_OVERFLOW ? stash6(header, key) : false;
}

static __always_inline bool own_address(const struct sluice_header *header,
					const struct source *source)
{
	__u32 bit = hash_own_bit(source->high, source->low);

	if (likely(!(header->own_bloom[bit >> 6] >> (bit & 63) & 1)))
		return false;
	struct sluice_own_key key = { { source->high, source->low } };

	return bpf_map_lookup_elem(&sluice_own, &key);
}

/* -1 not on the allow-list, else its flags. */
static __always_inline int allowed(const struct source *source)
{
	__u64 *flags;

	if (source->v6) {
		struct sluice_lpm6_key key = { .prefix_len = 128 };

		__builtin_memcpy(key.addr, &source->high, 8);
		__builtin_memcpy(key.addr + 8, &source->low, 8);
		flags = bpf_map_lookup_elem(&sluice_allow6, &key);
	} else {
		struct sluice_lpm4_key key = { .prefix_len = 32, .addr = source->high };

		flags = bpf_map_lookup_elem(&sluice_allow4, &key);
	}
	return flags ? (int)*flags : -1;
}

static __always_inline bool blocked_prefix(const struct source *source)
{
	if (source->v6) {
		struct sluice_lpm6_key key = { .prefix_len = 128 };

		__builtin_memcpy(key.addr, &source->high, 8);
		__builtin_memcpy(key.addr + 8, &source->low, 8);
		if (!bpf_map_lookup_elem(&sluice_prefix6, &key))
			return false;
	} else {
		struct sluice_lpm4_key key = { .prefix_len = 32, .addr = source->high };

		if (!bpf_map_lookup_elem(&sluice_prefix4, &key))
			return false;
	}
	return allowed(source) < 0;
}

/* Drops for `reason`, or, in observe mode, counts that it would have. */
static __always_inline bool drops(const struct sluice_header *header, __u32 cpu,
				  enum sluice_reason reason, __u64 bytes)
{
	if (unlikely(header->flags & SLUICE_HEADER_OBSERVE)) {
		count(cpu, SLUICE_REASON_WOULD_DROP, bytes);
		return false;
	}
	count(cpu, reason, bytes);
	return true;
}

/* What the headers say, before any verdict. */
struct packet {
	struct source source;
	__u64 bytes; /* The whole frame. */
	bool malformed;
};

/* False: the header is cut short, and there is no source to judge by. */
static __always_inline bool read_packet(struct xdp_md *ctx, const struct parse_cursor *cursor,
					struct parse_ethertype type, struct packet *packet)
{
	__u32 before = cursor->at - (void *)(long)ctx->data;

	if (type.value == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = parse_ipv4(cursor);

		if (!ip)
			return false;
		packet->source.high = ip->saddr;
		packet->bytes = parse_frame_bytes(ctx, cursor, parse_ipv4_length(ip));
		packet->malformed = parse_ipv4_malformed(ip, packet->bytes - before);
		return true;
	}
	struct ipv6hdr *ip = parse_ipv6(cursor);

	if (!ip)
		return false;
	__builtin_memcpy(&packet->source.high, &ip->saddr, 8);
	__builtin_memcpy(&packet->source.low, (void *)&ip->saddr + 8, 8);
	packet->source.v6 = true;
	packet->bytes = parse_frame_bytes(ctx, cursor, parse_ipv6_length(ip));
	packet->malformed = parse_ipv6_malformed(ip, packet->bytes - before);
	return true;
}

/* Why to drop it, or SLUICE_REASON_PASS.  The first reason only: observe mode counts it once. */
static __always_inline enum sluice_reason judge(struct sluice_header *header,
						const struct packet *packet)
{
	const struct source *source = &packet->source;

	if (unlikely(packet->malformed && !(header->flags & SLUICE_HEADER_PASS_MALFORMED)))
		return SLUICE_REASON_MALFORMED;
	if (own_address(header, source))
		return SLUICE_REASON_SPOOFED_OWN;
	if (source->v6 ? blocked6(header, source) : blocked4(header, source->high))
		return SLUICE_REASON_BLOCKED;
	if (unlikely(header->flags & SLUICE_HEADER_HAS_PREFIXES) && blocked_prefix(source))
		return SLUICE_REASON_BLOCKED_PREFIX;
	return SLUICE_REASON_PASS;
}

SEC("xdp.frags")
int sluice_filter(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct packet packet = {};
	__u32 zero = 0, cpu = bpf_get_smp_processor_id();
	struct sluice_header_page *page = bpf_map_lookup_elem(&sluice_header, &zero);

	if (unlikely(!page))
		return XDP_PASS;
	struct sluice_header *header = &page->header;
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (unlikely(type.value != bpf_htons(ETH_P_IP) && type.value != bpf_htons(ETH_P_IPV6))) {
		count(cpu, SLUICE_REASON_NOT_IP, bpf_xdp_get_buff_len(ctx));
		return XDP_PASS;
	}
	if (unlikely(!read_packet(ctx, &cursor, type, &packet))) {
		__u64 bytes = bpf_xdp_get_buff_len(ctx);

		if (!(header->flags & SLUICE_HEADER_PASS_MALFORMED) &&
		    drops(header, cpu, SLUICE_REASON_MALFORMED, bytes))
			return XDP_DROP;
		count(cpu, SLUICE_REASON_NOT_IP, bytes);
		return XDP_PASS;
	}
	if (unlikely(header->flags & SLUICE_HEADER_HAS_EXEMPT)) {
		int flags = allowed(&packet.source);

		if (flags > 0 && flags & SLUICE_ALLOW_EXEMPT) {
			count(cpu, SLUICE_REASON_EXEMPT, packet.bytes);
			return XDP_PASS;
		}
	}
	enum sluice_reason reason = judge(header, &packet);

	if (reason != SLUICE_REASON_PASS && drops(header, cpu, reason, packet.bytes))
		return XDP_DROP;

	bpf_tail_call(ctx, &sluice_progs, 0);
	count(cpu, SLUICE_REASON_NO_FEATURES, packet.bytes);
	return XDP_PASS;
}
