/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Feature tables, the packet path's side: counts packets and bytes per key, and lets the caller
 * count what else it wants.  One code for every key and value.
 *
 * To make a table `foo`:
 *  1. In feature_layout.h: a value struct and FEATURE_BUCKET(sluice_foo_bucket, ways, words, value),
 *     with an assertion that the bucket fills whole lines.
 *  2. In the program: FEATURE_TABLE(foo); makes the maps sluice_foo, sluice_foo_dirty and
 *     sluice_foo_other, and the constant foo_buckets.
 *  3. Once a packet: struct feature_row row = feature_row(header, cpu);
 *     then, for each table:
 *         struct foo_value *value = FEATURE_COUNT(foo, &row, key, hash, bytes);
 *         if (value)
 *             value->whatever++;
 *     `key` is an array of the bucket's n_words __u32; `hash` is keyed, 64 bits.
 *  4. In user space: size the maps by feature_sizes(), open a struct feature_reader on them, and
 *     read it by a feature_merge() of its own (core/dataplane/feature_reader.h).
 *
 * Each CPU writes its own rows only, and user space reads the side that no CPU writes, after
 * the grace wait: no atomics needed.  A bucket that carries another epoch is empty and is reset on
 * first touch, so nothing has to be cleared in bulk; a dirty bit per bucket bounds the reader's
 * scan.  A key that finds its bucket full takes the place of the one with the fewest packets,
 * whose counts go to the row's remainder: nothing of the totals is lost.
 */
#ifndef SLUICE_BPF_FEATURE_TABLE_H
#define SLUICE_BPF_FEATURE_TABLE_H

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "feature_layout.h"
#include "hash.h"
#include "shared.h"
#include "table.h"

const volatile __u32 side = 0; /* Or FEATURE_SIDE_OF_HEADER. */
const volatile __u32 n_cpus = 1;

#define FEATURE_MAP(name, type_)                   \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, 1);            \
		__type(key, __u32);                \
		__type(value, type_);              \
	} name SEC(".maps")

#define FEATURE_TABLE(name)                                                                \
	const volatile __u32 name##_buckets = FEATURE_BUCKETS_PER_WORD; /* In each row. */ \
	FEATURE_MAP(sluice_##name, struct sluice_##name##_bucket);                         \
	FEATURE_MAP(sluice_##name##_dirty, __u64);                                         \
	FEATURE_MAP(sluice_##name##_other, struct feature_other)

#define FEATURE_COUNT(name, row, key, hash, bytes)                                               \
	((__typeof__(&((struct sluice_##name##_bucket *)0)->entry[0].value))feature_table_count( \
		(struct feature_layout)FEATURE_LAYOUT(sluice_##name##_bucket),                   \
		(struct feature_maps){ &sluice_##name, &sluice_##name##_dirty,                   \
				       &sluice_##name##_other },                                 \
		row, name##_buckets, key, hash, bytes))

struct feature_maps {
	void *buckets, *dirty, *other;
};

/* The replica that this CPU writes now, in every table. */
struct feature_row {
	__u32 number;
	__u32 epoch;
	__u32 side;  /* 0 or 1 */
	bool is_new; /* The key that was counted last had no place before. */
};

static __always_inline struct feature_row feature_row(const struct sluice_header *header, __u32 cpu)
{
	__u32 now = side;

	/* One load for all tables.  The epoch's address depends on it, which orders the two. */
	if (now == FEATURE_SIDE_OF_HEADER)
		now = *(const volatile __u32 *)&header->side;
	now &= 1;
	return (struct feature_row){
		.number = now * n_cpus + cpu,
		.epoch = header->epoch[now],
		.side = now,
	};
}

static __always_inline void feature_mark_dirty(void *dirty, __u32 bucket)
{
	__u32 number = bucket / FEATURE_BUCKETS_PER_WORD;
	__u64 *word = bpf_map_lookup_elem(dirty, &number);

	/* Words are per row: no other writer. */
	if (word)
		*word |= 1ull << (bucket % FEATURE_BUCKETS_PER_WORD);
}

static __always_inline void feature_evicted(void *other, const struct feature_row *row,
					    __u32 packets, __u64 bytes)
{
	__u32 number = row->number;
	struct feature_other *total = bpf_map_lookup_elem(other, &number);

	if (!total)
		return;
	if (total->epoch != row->epoch) {
		total->packets = total->bytes = 0;
		total->epoch = row->epoch;
	}
	total->packets += packets;
	total->bytes += bytes;
}

static __always_inline __u32 *feature_entry(const struct feature_layout layout, void *bucket,
					    __u32 way)
{
	return bucket + layout.entry_offset + way * layout.entry_size;
}

/*
 * The way that holds `key` plus one, or 0.  Searching for the zero key, every way that holds none
 * matches too; these are the last ones, and what they add is known.
 */
static __always_inline __u32 feature_match(const struct feature_layout layout, const void *bucket,
					   const __u32 *key)
{
	const __u32 *keys = bucket + layout.key_offset;
	__u32 used = ((const __u8 *)bucket)[FEATURE_USED_OFFSET], any = 0, match = 0;

#pragma unroll
	for (__u32 i = 0; i < layout.n_ways; i++) {
		__u32 difference = 0;

#pragma unroll
		for (__u32 word = 0; word < layout.n_words; word++)
			difference |= keys[i * layout.n_words + word] ^ key[word];
		match += (__u32)table_is_zero32(difference) * (i + 1);
	}
#pragma unroll
	for (__u32 word = 0; word < layout.n_words; word++)
		any |= key[word];
	if (!any)
		match -= (layout.n_ways * (layout.n_ways + 1) - used * (used + 1)) / 2;
	return match;
}

/* Of all ways, the one with the fewest packets. */
static __always_inline __u32 feature_smallest(const struct feature_layout layout, void *bucket)
{
	__u64 fewest = (__u64)*feature_entry(layout, bucket, 0) << 8;

#pragma unroll
	for (__u32 i = 1; i < layout.n_ways; i++) {
		__u64 packets = (__u64)*feature_entry(layout, bucket, i) << 8 | i;
		__u64 less = packets - fewest;

		TABLE_HIDE(less);
		fewest ^= (fewest ^ packets) & -(less >> 63);
	}
	return fewest & 0xff;
}

/*
 * A value longer than this is the caller's to clear, when row->is_new: the stores in line would be
 * walked by the verifier once for every state that comes here, and a memset may not be that long.
 */
#define FEATURE_CLEAR_MAX 256

/* A way for a new key: the next that holds none, else that of the smallest.  n_ways: damaged. */
static __always_inline __u32 feature_take(const struct feature_layout layout,
					  const struct feature_row *row, void *other, void *bucket,
					  const __u32 *key)
{
	__u8 *head = bucket;
	__u32 way = head[FEATURE_USED_OFFSET];
	bool evict = way >= layout.n_ways;

	if (evict)
		way = feature_smallest(layout, bucket);
	if (way >= layout.n_ways)
		return way;

	__u32 *entry = feature_entry(layout, bucket, way);
	__u32 *keys = bucket + layout.key_offset + way * layout.n_words * 4;

	if (evict)
		feature_evicted(other, row, entry[0],
				(__u64)head[FEATURE_BYTES_HIGH_OFFSET + way] << 32 | entry[1]);
	else
		head[FEATURE_USED_OFFSET] = way + 1;
#pragma unroll
	for (__u32 word = 0; word < layout.n_words; word++)
		keys[word] = key[word];
	if (layout.entry_size <= FEATURE_CLEAR_MAX)
		__builtin_memset(entry, 0, layout.entry_size);
	else
		entry[0] = entry[1] = 0;
	head[FEATURE_BYTES_HIGH_OFFSET + way] = 0;
	return way;
}

/* Counts one packet for `key`; its value for the caller to go on, or NULL if that is impossible. */
static __always_inline void *feature_table_count(const struct feature_layout layout,
						 const struct feature_maps maps,
						 struct feature_row *row, __u32 n_buckets,
						 const __u32 *key, __u64 hash, __u32 bytes)
{
	__u32 index = row->number * n_buckets + hash_bucket_first(hash, n_buckets);
	void *bucket = bpf_map_lookup_elem(maps.buckets, &index);

	if (!bucket)
		return (void *)0;
	if (*(__u32 *)bucket != row->epoch) {
		__builtin_memset(bucket, 0, layout.entry_offset);
		*(__u32 *)bucket = row->epoch;
		feature_mark_dirty(maps.dirty, index);
	}

	__u32 way = feature_match(layout, bucket, key) - 1;

	row->is_new = way >= layout.n_ways;
	if (row->is_new)
		way = feature_take(layout, row, maps.other, bucket, key);
	/* For 6.1, which forgets a bound when clang compares a copy; seen with large values only. */
	if (layout.entry_size > FEATURE_CLEAR_MAX)
		TABLE_HIDE(way);
	if (way >= layout.n_ways)
		return (void *)0;

	__u32 *entry = feature_entry(layout, bucket, way);
	__u64 sum = (__u64)entry[1] + bytes;

	entry[0]++;
	entry[1] = sum;
	if (sum >> 32)
		((__u8 *)bucket)[FEATURE_BYTES_HIGH_OFFSET + way]++;
	return (void *)entry + layout.value_offset;
}

#endif /* SLUICE_BPF_FEATURE_TABLE_H */
