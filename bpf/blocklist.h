/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the exact blocklist holds a source: the maps and the look-up, of the filter and of the
 * program that puts it under stress.  The rules are in table.h.
 */
#ifndef SLUICE_BPF_BLOCKLIST_H
#define SLUICE_BPF_BLOCKLIST_H

#include "counters.h"
#include "parse.h"
#include "table.h"

/* A test may take its time between finding an entry and counting the hit. */
#ifndef BLOCKLIST_BEFORE_HIT
#define BLOCKLIST_BEFORE_HIT() (void)0
#endif

/* Fixed when the tables are made, so that the JIT sees constants. */
const volatile __u32 block4_bits = SLUICE_BLOCK_MIN_BITS; /* log2 of the buckets. */
const volatile __u32 block6_bits = SLUICE_BLOCK_MIN_BITS;
const volatile __u64 v6_mask_high = ~0ull; /* The policy's unit, in network byte order. */
const volatile __u64 v6_mask_low = 0;

#define BLOCK_MAP(name, type_)                     \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1);            \
		__type(key, __u32);                \
		__type(value, type_);              \
	} name SEC(".maps")

BLOCK_MAP(sluice_block4, struct sluice_block4_bucket);
BLOCK_MAP(sluice_block6, struct sluice_block6_bucket);
BLOCK_MAP(sluice_carry4, struct sluice_block_carries);
BLOCK_MAP(sluice_carry6, struct sluice_block_carries);

/* Where the few keys are that found both their buckets full: hash -> position. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} sluice_stash4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, __u32);
} sluice_stash6 SEC(".maps");

/* Automatic blocks no longer count once the daemon has been dead for so long. */
static __always_inline bool in_force(bool lapsed, __u32 flags)
{
	return likely(!lapsed) || flags & SLUICE_BLOCK_MANUAL;
}

/* The way's hits went round: one in 256. */
static __always_inline void carry(void *carries, __u32 bucket, __u32 way)
{
	struct sluice_block_carries *all = bpf_map_lookup_elem(carries, &bucket);

	if (all)
		__sync_fetch_and_add(&all->carry[way & (SLUICE_BLOCK_WAYS - 1)], 1);
}

static __always_inline bool block4_hit(struct sluice_block4_bucket *bucket, __u32 index, __u32 way)
{
	__u32 *word = &bucket->word[way & (SLUICE_BLOCK_WAYS - 1)];

	/* Before the addition, which loads would wait for. */
	bool lapsed = HEADER->expired;

	BLOCKLIST_BEFORE_HIT();
	__u32 old = __sync_fetch_and_add(word, SLUICE_BLOCK_HIT);

	if (unlikely(old / SLUICE_BLOCK_HIT == SLUICE_BLOCK_HITS_PER_CARRY - 1))
		carry(&sluice_carry4, index, way);
	return in_force(lapsed, old);
}

static __always_inline bool block6_hit(struct sluice_block6_bucket *bucket, __u32 index, __u32 way)
{
	__u64 *word = &bucket->word[way & (SLUICE_BLOCK_WAYS - 1)];

	/* Before the addition, which loads would wait for. */
	bool lapsed = HEADER->expired;

	BLOCKLIST_BEFORE_HIT();
	__u32 old = __sync_fetch_and_add(word, (__u64)SLUICE_BLOCK_HIT << 32) >> 32;

	if (unlikely(old / SLUICE_BLOCK_HIT == SLUICE_BLOCK_HITS_PER_CARRY - 1))
		carry(&sluice_carry6, index, way);
	return in_force(lapsed, old);
}

/*
 * A hash map gives the memory of a deleted element to the next one at once, so what was looked up may
 * turn into the place of another source.  The word there tells.
 */
static __always_inline bool stash4(__u32 hash, __u32 want)
{
	__u32 *found = bpf_map_lookup_elem(&sluice_stash4, &hash);

	if (!found)
		return false;
	__u32 position = *(volatile __u32 *)found;
	__u32 way = position % SLUICE_POSITION_WAYS, index = position / SLUICE_POSITION_WAYS;
	struct sluice_block4_bucket *bucket = bpf_map_lookup_elem(&sluice_block4, &index);

	return bucket && table_is_at4(bucket, way, want) && block4_hit(bucket, index, way);
}

static __always_inline bool stash6(__u64 hash, __u64 want)
{
	__u32 *found = bpf_map_lookup_elem(&sluice_stash6, &hash);

	if (!found)
		return false;
	__u32 position = *(volatile __u32 *)found;
	__u32 way = position % SLUICE_POSITION_WAYS, index = position / SLUICE_POSITION_WAYS;
	struct sluice_block6_bucket *bucket = bpf_map_lookup_elem(&sluice_block6, &index);

	return bucket && table_is_at6(bucket, way, want) && block6_hit(bucket, index, way);
}

static __always_inline bool blocked4(__u32 addr)
{
	const __u32 bits = block4_bits;
	__u32 hash = hash_permute_v4(HEADER->hash_key, addr), index = hash >> (32 - bits);
	__u32 tag = hash & (~0u >> bits), want = tag | SLUICE_BLOCK_VALID;
	struct sluice_block4_bucket *bucket = bpf_map_lookup_elem(&sluice_block4, &index);

	if (!bucket)
		return false;
	__u64 found = table_find4(bucket, want);

	if (found)
		return block4_hit(bucket, index, table_way4(found));
	if (likely(!(bucket->word[0] & SLUICE_BLOCK_OVERFLOW)))
		return false;

	index = hash_other_bucket(index, tag, bits);
	bucket = bpf_map_lookup_elem(&sluice_block4, &index);
	if (!bucket)
		return false;
	found = table_find4(bucket, want | SLUICE_BLOCK_AWAY);
	if (found)
		return block4_hit(bucket, index, table_way4(found));
	return bucket->word[0] & SLUICE_BLOCK_OVERFLOW ? stash4(hash, want | SLUICE_BLOCK_AWAY)
						       : false;
}

static __always_inline bool blocked6(__u64 high, __u64 low)
{
	__u64 hash = hash_v6(HEADER->hash_key, high & v6_mask_high, low & v6_mask_low);
	const __u32 bits = block6_bits;
	__u64 tag = hash & (~0ull >> bits);
	__u64 want = tag | (__u64)SLUICE_BLOCK_VALID << 32;
	__u32 index = hash >> (64 - bits);
	struct sluice_block6_bucket *bucket = bpf_map_lookup_elem(&sluice_block6, &index);

	if (!bucket)
		return false;
	__u64 found = table_find6(bucket, want);

	if (found)
		return block6_hit(bucket, index, table_way6(found));
	if (likely(!(bucket->word[0] >> 32 & SLUICE_BLOCK_OVERFLOW)))
		return false;

	index = hash_other_bucket(index, tag >> 32, bits);
	bucket = bpf_map_lookup_elem(&sluice_block6, &index);
	if (!bucket)
		return false;
	found = table_find6(bucket, want | (__u64)SLUICE_BLOCK_AWAY << 32);
	if (found)
		return block6_hit(bucket, index, table_way6(found));
	return bucket->word[0] >> 32 & SLUICE_BLOCK_OVERFLOW
		       ? stash6(hash, want | (__u64)SLUICE_BLOCK_AWAY << 32)
		       : false;
}

#endif /* SLUICE_BPF_BLOCKLIST_H */
