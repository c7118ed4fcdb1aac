/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cache-line bucket tables in BPF_F_MMAPABLE arrays: the packet path's side.  User space writes
 * the blocklist through the mapping, with no system call an entry
 * (core/dataplane/block_family.c).  Feature tables: feature_table.h.
 *
 * Blocklist: one writer, the daemon, against readers on all CPUs.
 *  - An entry is one aligned word of 4 (IPv4) or 8 (IPv6) bytes: tag, flags and hits.  Aligned loads
 *    and stores of these sizes do not tear on x86 or arm64, and a pair of IPv4 words loaded as 8
 *    bytes is two untorn words.  So a reader sees an entry whole or not at all; both are right at the
 *    moment of the change.
 *  - A hit is one atomic addition to the word's highest byte, whose overflow leaves the word at the
 *    top and never reaches the tag.  Who sees it go round (exactly one CPU does) adds one to the
 *    entry's carry.  Plain additions would lose 8-34 % of the hits under two CPUs, and could write
 *    back an entry that the writer took out meanwhile.
 *  - Because hits are counted in the very word that the writer changes, it changes a word that readers
 *    may match only by atomic operations (flags by or and and, removal by and); only a word that
 *    nobody can match, a free one after its quarantine, is written by a plain store.
 *  - Everything that an entry's visibility implies comes before it: the overflow flag of the buckets
 *    before its own and its place in the stash map are written first, and the word is then stored with
 *    release order.  x86 keeps stores in order; on arm64 the release store (stlr) does.  A reader
 *    that finds the word needs nothing else.  A reader that misses loads the overflow flag from the
 *    same bucket: on arm64 that load may be older than those of the other words, but never
 *    older than an addition that had finished when the packet came, since then all of its stores were
 *    visible to all CPUs.  It can only miss an entry that is being added at this very moment.  Flags
 *    are cleared after the last entry that needed them is gone.
 *  - The addition of a reader that matched may come after the entry was removed.  So a freed way is
 *    not reused until every CPU has left the program it was in (the grace wait of the next swap): the
 *    quarantine.  Without it the next source would be charged with a packet that it never sent, or,
 *    through the stash map, be found where another was.  The stash map knows no quarantine: the kernel
 *    gives a deleted element to the next key at once.  So a place from there counts only if the word in
 *    it is the source's own.
 */
#ifndef SLUICE_BPF_TABLE_H
#define SLUICE_BPF_TABLE_H

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "hash.h"
#include "shared.h"

/*
 * Branch-free compares: which way matches is as random as the sources are, and a mispredicted branch
 * costs more than all eight compares.  clang knows these idioms and would make jumps of them, and sixteen of
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

_Static_assert((SLUICE_BLOCK_SAME & (SLUICE_BLOCK_SAME + 1)) == 0,
	       "the lowest bits, without a hole");

/*
 * Looks for the entry `want` (tag, away, valid): nonzero if it is there, for table_way4().  Two words
 * at a time: where none of the bits that count differs they are all set after the xor, and one more
 * carries into the bit above them.  An entry is in a bucket once, so at most one bit is left: 13 + 3i
 * or 45 + 3i for the lower or the higher word of pair i.
 */
static __always_inline __u64 table_find4(const struct sluice_block4_bucket *bucket, __u32 want)
{
	__u64 both = 1ull << 32 | 1, same = both * SLUICE_BLOCK_SAME, found = 0;
	__u64 carry = both * (SLUICE_BLOCK_SAME + 1);

	/* Else clang makes the constants anew for each word. */
	TABLE_HIDE(both);
	TABLE_HIDE(same);
	TABLE_HIDE(carry);
	__u64 wants = both * (__u32)~want;

#pragma unroll
	for (int i = 0; i < SLUICE_BLOCK_WAYS / 2; i++)
		found = found >> 3 | ((((bucket->pair[i] ^ wants) & same) + both) & carry);
	return found;
}

/* Changes nothing; but the verifier of 6.1 forgets the bounds of what has been or-ed together. */
static __always_inline __u64 table_bound_way(__u64 way)
{
	TABLE_HIDE(way);
	return way & (SLUICE_BLOCK_WAYS - 1);
}

/*
 * Which way the one bit of `found` stands for: the multiplication brings that number, out of the eight
 * that the constant holds, to the top three bits.
 */
static __always_inline __u32 table_way4(__u64 found)
{
	return found * 0x530000017780ull >> 61;
}

/* The same for IPv6: the way plus one, or 0. */
static __always_inline __u32 table_find6(const struct sluice_block6_bucket *bucket, __u64 want)
{
	__u64 match = 0;

#pragma unroll
	for (int i = 0; i < SLUICE_BLOCK_WAYS; i++) {
		/* Shifted so that only the bits of SLUICE_BLOCK_SAME and the tag remain. */
		__u64 differs = (bucket->word[i] ^ want) << 10;

		match += (table_is_nonzero64(differs) ^ 1) * (i + 1);
	}
	return match;
}

static __always_inline __u32 table_way6(__u64 found)
{
	return table_bound_way(found - 1);
}

/* Whether the entry `want` is in that very way: for those that the stash map names. */
static __always_inline bool table_is_at4(const struct sluice_block4_bucket *bucket, __u32 way,
					 __u32 want)
{
	return !((bucket->word[way & (SLUICE_BLOCK_WAYS - 1)] ^ want) & SLUICE_BLOCK_SAME);
}

static __always_inline bool table_is_at6(const struct sluice_block6_bucket *bucket, __u32 way,
					 __u64 want)
{
	return !((bucket->word[way & (SLUICE_BLOCK_WAYS - 1)] ^ want) << 10);
}

#endif /* SLUICE_BPF_TABLE_H */
