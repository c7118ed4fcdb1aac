/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache-line bucket tables in BPF_F_MMAPABLE arrays: the packet path's side.  User space writes
 * the blocklist and reads the feature tables through the mapping, with no system call an entry
 * (core/dataplane/blocklist_table.c and source_table.c).
 *
 * Blocklist, one writer (the daemon) against readers on all CPUs:
 *  - A key is published, and removed, by one aligned store of 4 (IPv4) or 8 (IPv6) bytes, which x86
 *    and arm64 both perform without tearing.  A reader sees the key or does not; both are right at
 *    the moment of the change.
 *  - Everything that a key's visibility implies is stored before it, with release order: the
 *    overflow flag of its first bucket, its `manual` flag, its entry in the stash map.  A reader that
 *    finds the key needs only its own line; a reader that misses it in the first bucket loads the
 *    flags of that same line after the keys.  It may then miss a key that is being added at this
 *    very moment, never one whose addition has finished: flags are only ever cleared after
 *    the last key that needed them is gone.
 *  - The reader's counter increment may come after the key was removed.  So a freed way is not
 *    reused until every CPU has left the program it was in (the grace wait of the next swap); else
 *    the next source would inherit a packet, or, for the stash, a verdict.
 *  - Hit counters are atomic: all CPUs share them, and a plain increment loses 8-34 % of the hits
 *    under two CPUs.
 *
 * Feature tables: each CPU writes its own replica only, and user space reads the side that no CPU
 * writes, after the grace wait.  No atomics needed.
 */
#ifndef SLUICE_BPF_TABLE_H
#define SLUICE_BPF_TABLE_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "hash.h"
#include "shared.h"

/*
 * Branch-free compares.  clang knows these idioms and would make jumps of them, and sixteen of
 * those are 2^16 states to the verifier; the empty asm hides the idiom from it.
 */
#define TABLE_HIDE(x) asm volatile("" : "+r"(x))

/* 1 if `x`, a difference of two 32-bit keys, is 0, else 0. */
static __always_inline __u64 table_is_zero32(__u32 x)
{
	__u64 borrow = (__u64)x - 1;

	TABLE_HIDE(borrow);
	return borrow >> 63;
}

/* 1 if `x` is not 0, else 0. */
static __always_inline __u64 table_is_nonzero64(__u64 x)
{
	__u64 borrow = x | -x;

	TABLE_HIDE(borrow);
	return borrow >> 63;
}

/* The way that holds `key` plus one, or 0.  A key is in a bucket once, so a sum will do. */
static __always_inline __u64 table_match_block4(const struct sluice_block4_bucket *bucket,
						__u32 key)
{
	__u64 match = 0;

#pragma unroll
	for (int i = 0; i < SLUICE_BLOCK4_WAYS; i++)
		match += table_is_zero32(bucket->key[i] ^ key) * (i + 1);
	return match;
}

static __always_inline __u64 table_match_block6(const struct sluice_block6_bucket *bucket,
						__u64 key)
{
	__u64 match = 0;

#pragma unroll
	for (int i = 0; i < SLUICE_BLOCK6_WAYS; i++)
		match += (table_is_nonzero64(bucket->key[i] ^ key) ^ 1) * (i + 1);
	return match;
}

#endif /* SLUICE_BPF_TABLE_H */
