/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known clients as the filter looks them up: packets of theirs pass a rule that says so.  Whole
 * addresses, in cache-line buckets, and two generations of them: the daemon writes the one that
 * nothing reads and flips.  No packet ever writes here, so no flood can push anybody out.
 */
#ifndef SLUICE_BPF_KNOWN_SHARED_H
#define SLUICE_BPF_KNOWN_SHARED_H

#include <linux/types.h>

#define KNOWN_GENERATIONS 2
/*
 * A key lies in its home bucket or, if those before are full, in one of the next.  In half full tables
 * of 2^18 buckets that leaves nobody out; of four probes the IPv6 table left out 13 in two millions.
 */
#define KNOWN_PROBES 8
#define KNOWN4_WAYS 16
#define KNOWN6_WAYS 8
/* The higher rate of IPv6 buckets makes up for the fewer keys in one. */
#define KNOWN6_BUCKETS(bits) (2u << (bits))
#define KNOWN_MIN_BITS 6
#define KNOWN_MAX_BITS 18

/* Filled from the front; 0 ends. */
struct known4_bucket {
	__u32 addr[KNOWN4_WAYS]; /* Network byte order. */
};

/* SipHash of the whole address: nobody outside can make another address that has it. */
struct known6_bucket {
	__u64 hash[KNOWN6_WAYS];
};

_Static_assert(sizeof(struct known4_bucket) == 64, "a line");
_Static_assert(sizeof(struct known6_bucket) == 64, "a line");

/* `bits` is log2 of the IPv4 buckets of one generation; IPv6 has one bit more. */
static inline __attribute__((always_inline)) __u32 known_home(__u64 hash, __u32 bits)
{
	return hash >> (64 - bits);
}

/* The element of the array that is bucket `home + probe` of a generation. */
static inline __attribute__((always_inline)) __u32 known_index(__u32 generation, __u32 home,
							       __u32 probe, __u32 bits)
{
	return (generation & 1) << bits | ((home + probe) & ((1u << bits) - 1));
}

#endif /* SLUICE_BPF_KNOWN_SHARED_H */
