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
 * 1 if `x` is 0, else 0, without a branch.  clang knows this idiom and would make a jump of it, and
 * sixteen of those are 2^16 states to the verifier; the empty asm hides the idiom from it.
 */
static __always_inline __u64 table_is_zero(__u64 x)
{
	__u64 borrow = x | -x;

	asm volatile("" : "+r"(borrow));
	return borrow >> 63 ^ 1;
}

/* `way` is only meaningful if `hit` is 1. */
struct table_match {
	__u64 hit; /* 0 or 1 */
	__u64 way;
};

static __always_inline struct table_match table_match_block4(const struct sluice_block4_bucket *b,
							      __u32 key)
{
	struct table_match match = { 0, 0 };

#pragma unroll
	for (int i = 0; i < SLUICE_BLOCK4_WAYS; i++) {
		__u64 equal = table_is_zero(b->key[i] ^ key);

		match.hit |= equal;
		match.way += equal * i;
	}
	return match;
}

static __always_inline struct table_match table_match_block6(const struct sluice_block6_bucket *b,
							      __u64 key)
{
	struct table_match match = { 0, 0 };

#pragma unroll
	for (int i = 0; i < SLUICE_BLOCK6_WAYS; i++) {
		__u64 equal = table_is_zero(b->key[i] ^ key);

		match.hit |= equal;
		match.way += equal * i;
	}
	return match;
}

#endif /* SLUICE_BPF_TABLE_H */
