/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many distinct sources a window had, when they may be more than a table can hold: HyperLogLog
 * (Flajolet and others, 2007).  Shared by the feature programs, which only ever raise a register,
 * and user space, which merges the CPUs' registers and estimates (core/dataplane/distinct.c).
 *
 * The hash is keyed (hash.h), so nobody outside can choose addresses that inflate the estimate.
 * A register is one byte that its CPU alone writes; user space reads and clears the idle side.
 */
#ifndef SLUICE_BPF_DISTINCT_REGISTERS_H
#define SLUICE_BPF_DISTINCT_REGISTERS_H

#include <linux/types.h>

#include "hash.h"

#define DISTINCT_BITS 12
#define DISTINCT_REGISTERS (1u << DISTINCT_BITS) /* 4 KiB a CPU and side. */
/* Of the hash's other bits; a register is 0, or 1 to DISTINCT_RANK_MAX + 1. */
#define DISTINCT_RANK_MAX (64 - DISTINCT_BITS)

struct distinct_registers {
	__u8 rank[DISTINCT_REGISTERS];
};

/*
 * The table's hash is made for spreading over buckets by its upper half; here every bit counts
 * alone, so it is mixed once more (the finaliser of MurmurHash3, which is a bijection).
 */
static __always_inline __u64 distinct_mix(__u64 hash)
{
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdull;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53ull;
	return hash ^ hash >> 33;
}

static __always_inline __u32 distinct_register(__u64 mixed)
{
	return mixed & (DISTINCT_REGISTERS - 1);
}

/* 1 if any bit of `x` is set, else 0; without a branch. */
static __always_inline __u32 distinct_any(__u64 x)
{
	return (x | -x) >> 63;
}

/* One more than the number of zeros below the lowest one among the upper bits. */
static __always_inline __u8 distinct_rank(__u64 mixed)
{
	__u64 rest = mixed >> DISTINCT_BITS | 1ull << DISTINCT_RANK_MAX;
	__u64 lowest = rest & -rest;

	return 1 + distinct_any(lowest & 0xaaaaaaaaaaaaaaaaull) +
	       2 * distinct_any(lowest & 0xccccccccccccccccull) +
	       4 * distinct_any(lowest & 0xf0f0f0f0f0f0f0f0ull) +
	       8 * distinct_any(lowest & 0xff00ff00ff00ff00ull) +
	       16 * distinct_any(lowest & 0xffff0000ffff0000ull) + 32 * distinct_any(lowest >> 32);
}

/* Counts a source; again and again is the same as once. */
static __always_inline void distinct_add(struct distinct_registers *registers, __u64 hash)
{
	__u64 mixed = distinct_mix(hash);
	__u32 i = distinct_register(mixed);
	__u8 rank = distinct_rank(mixed);

	if (registers->rank[i] < rank)
		registers->rank[i] = rank;
}

_Static_assert(sizeof(struct distinct_registers) == 4096, "one page");

#endif /* SLUICE_BPF_DISTINCT_REGISTERS_H */
