/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the BPF programs and user space both see: the layout of pinned memory.  Fixed-width types,
 * explicit padding, sizes asserted on both sides.  Any change here is a new SLUICE_LAYOUT, so that
 * a daemon never reads another layout's memory as its own.
 *
 * Addresses are in network byte order everywhere; all other numbers in host byte order.
 */
#ifndef SLUICE_BPF_SHARED_H
#define SLUICE_BPF_SHARED_H

#include <linux/types.h>

#define SLUICE_LAYOUT 4
#define SLUICE_HEADER_MAGIC 0x534c4831u /* "SLH1" */
#define SLUICE_CACHE_LINE 64
#define SLUICE_HEADER_SIZE 4096

/*
 * Why the filter let a packet go or dropped it.  The order is pinned memory: append only.
 * core/dataplane/dataplane.h has the same list with names; live.c asserts that they agree.
 */
enum sluice_reason {
	SLUICE_REASON_PASS,
	SLUICE_REASON_NO_FEATURES,
	SLUICE_REASON_EXEMPT,
	SLUICE_REASON_NOT_IP,
	SLUICE_REASON_BLOCKED,
	SLUICE_REASON_BLOCKED_PREFIX,
	SLUICE_REASON_MALFORMED,
	SLUICE_REASON_SPOOFED_OWN,
	SLUICE_REASON_WOULD_DROP,
	SLUICE_REASON_RULE,
	SLUICE_REASON_RATE_LIMITED,
	SLUICE_REASON_KNOWN,
	SLUICE_N_REASONS,
	SLUICE_REASONS_MAX = 16, /* Room in a CPU's counter block. */
};

struct sluice_count {
	__u64 packets;
	__u64 bytes;
};

/* One CPU's counters; only that CPU writes them, so they need no atomics. */
struct sluice_cpu_counters {
	struct sluice_count reason[SLUICE_REASONS_MAX];
};

enum sluice_header_flag {
	SLUICE_HEADER_OBSERVE = 1u << 0, /* Count what would be dropped, let it through. */
	SLUICE_HEADER_PASS_MALFORMED = 1u << 1,
	SLUICE_HEADER_HAS_EXEMPT = 1u << 2,   /* Some allowed prefix skips everything. */
	SLUICE_HEADER_HAS_PREFIXES = 1u << 3, /* Some prefix is blocked. */
	SLUICE_HEADER_HAS_RULES = 1u << 4,
	SLUICE_HEADER_HAS_BLOCKED4 = 1u << 5, /* The blocklist holds IPv4 sources. */
	SLUICE_HEADER_HAS_BLOCKED6 = 1u << 6,
};

/*
 * The header page: all that reaches the BPF programs at run time.  The first two cache lines are
 * what the packet path reads; the daemon writes them rarely.
 */
struct sluice_header {
	__u32 magic;
	__u32 layout;
	/* Drawn once per pinned life, so that nobody outside can aim at one bucket. */
	__u64 hash_key[2];
	__u32 flags;   /* enum sluice_header_flag */
	__u32 expired; /* Set by the filter once `expires_ns` has passed: automatic blocks lapse. */
	__u64 expires_ns; /* CLOCK_MONOTONIC (coarse); moved ahead while the daemon lives; 0 = never. */
	__u32 epoch[2]; /* Of feature side A and B: a bucket with another epoch is empty. */
	__u32 side;	/* The side that counts now. */
	__u32 rules;	/* Which generation of signature rules is in force; see rules_shared.h. */
	__u32 known;	/* Bit 0: which generation of known clients; see known_shared.h. */
	__u32 reserved0;

	__u64 own_bloom[4]; /* Bits of table_own_bit() of our own addresses. */
	__u64 clock_ns;	    /* The time, for limits, where a replay sets it; 0 = the kernel's. */
	__u64 random;	    /* In a replay the state of what stands for chance; never 0 there. */
	__u64 reserved1[2];

	/* What follows is user space's. */
	__u32 known_bits; /* log2 of the buckets of known clients. */
	__u32 v6_prefix_len;
	__u32 max_blocked;
	__u32 block4_buckets, block6_buckets; /* Powers of two; without the stash's. */
	__u32 reserved3[2];
	__u32 n_cpus;
	__u64 heartbeat_ns;    /* CLOCK_MONOTONIC */
	__u64 generation;      /* Daemons that have held this memory. */
	__u8 detector[32][16]; /* Names that block records refer to by number; NUL-terminated. */
	__u8 reason[64][24];
};

/* As it is mapped. */
struct sluice_header_page {
	struct sluice_header header;
	__u8 rest[SLUICE_HEADER_SIZE - sizeof(struct sluice_header)];
};

/*
 * Blocklist buckets: eight words, in half a cache line (IPv4) or one (IPv6).  A word is all there is
 * of an entry: which source, and how often it was hit, so that a verdict on a blocked source costs
 * one line and one atomic addition.  See table.h for the rules of reading and writing.
 *
 * The hash of a source names its home bucket by its highest bits; the bits below are the tag, and
 * bucket and tag together are the whole hash.  Of IPv4 the hash is a permutation, so a tag in its
 * bucket means one address and no other; of IPv6 it is SipHash.  An IPv6 word is an IPv4 word with 32
 * more bits of tag below, so the flags are named once, for both:
 *
 *   hits, mod 256   | overflow | manual | valid | away | tag
 *   31 .. 24        | 23       | 22     | 21    | 20   | 19 .. 0
 */
#define SLUICE_BLOCK_WAYS 8
#define SLUICE_BLOCK_MIN_BITS 12 /* log2 of the buckets: what the tag has not, the bucket has. */
#define SLUICE_BLOCK_MAX_BITS 26
#define SLUICE_BLOCK_TAG ((1u << 20) - 1)
#define SLUICE_BLOCK_AWAY (1u << 20)	 /* In its second bucket. */
#define SLUICE_BLOCK_VALID (1u << 21)	 /* The way is taken. */
#define SLUICE_BLOCK_MANUAL (1u << 22)	 /* Never lapses with the daemon. */
#define SLUICE_BLOCK_OVERFLOW (1u << 23) /* Way 0 only: some key lives further along. */
#define SLUICE_BLOCK_HIT (1u << 24)
#define SLUICE_BLOCK_HITS_PER_CARRY 256u
/* What two words must have in common to be the same source. */
#define SLUICE_BLOCK_SAME (SLUICE_BLOCK_VALID | SLUICE_BLOCK_AWAY | SLUICE_BLOCK_TAG)
/* A position is bucket * 8 + way, for both families. */
#define SLUICE_POSITION_WAYS 8u

struct sluice_block4_bucket {
	union {
		__u32 word[SLUICE_BLOCK_WAYS];
		__u64 pair[SLUICE_BLOCK_WAYS / 2]; /* For reading two at a time. */
	};
};

struct sluice_block6_bucket {
	__u64 word[SLUICE_BLOCK_WAYS];
};

/* By position: how often the way's hits went round. */
struct sluice_block_carries {
	__u32 carry[SLUICE_BLOCK_WAYS];
};

/* Buckets behind the table proper, for keys whose two buckets are full; found by the stash map. */
#define SLUICE_STASH_BUCKETS(n_buckets) (160u + ((n_buckets) >> 10))

/* What is known of one blocked source, for the next daemon; user space only. */
enum sluice_record_state {
	SLUICE_RECORD_FREE = 0,
	SLUICE_RECORD_USED = 1,
	SLUICE_RECORD_LEAVING = 2, /* Being unblocked: a new daemon finishes that. */
};

struct sluice_block_record {
	__u8 state; /* enum sluice_record_state */
	__u8 family;
	__u8 detector;	/* Index into sluice_header.detector */
	__u8 reason;	/* Index into sluice_header.reason */
	__u32 position; /* bucket * SLUICE_POSITION_WAYS + way */
	__u16 flags;
	__u16 repeats; /* At most 65,535. */
	__u32 pps;     /* At most 2^32 - 1. */
	__u8 addr[16];
	__u64 first_seen_ns;
	__u64 expires_ns;
};

struct sluice_lpm4_key {
	__u32 prefix_len;
	__u32 addr;
};

struct sluice_lpm6_key {
	__u32 prefix_len;
	__u8 addr[16];
};

struct sluice_own_key {
	__u64 addr[2]; /* IPv4 in the first four bytes, the rest zero. */
};

#define SLUICE_ALLOW_EXEMPT 1u

_Static_assert(sizeof(struct sluice_cpu_counters) == 256, "whole cache lines per CPU");
_Static_assert(sizeof(struct sluice_header_page) == SLUICE_HEADER_SIZE, "the header is one page");
_Static_assert(sizeof(struct sluice_block4_bucket) == SLUICE_CACHE_LINE / 2, "half a line");
_Static_assert(sizeof(struct sluice_block6_bucket) == SLUICE_CACHE_LINE, "one line");
_Static_assert(SLUICE_POSITION_WAYS == SLUICE_BLOCK_WAYS, "carries are by position");
_Static_assert(sizeof(struct sluice_block_record) == 48, "packed by hand");

#endif /* SLUICE_BPF_SHARED_H */
