/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the programs at tc and user space share: hosts that this server spoke to first, and a filter
 * of hosts that have spoken to it.
 *
 * Only this server's own first words write to the table of hosts; whoever floods it cannot.  Hosts
 * that sent first are kept in a filter that can only err towards "they did": when a flood fills it,
 * nobody new counts as spoken to first for a while, and nobody is pushed out.
 */
#ifndef SLUICE_BPF_EGRESS_SHARED_H
#define SLUICE_BPF_EGRESS_SHARED_H

#include <linux/types.h>

#include "hash.h"

/* A whole address; IPv4 in the first four bytes of `high`, `low` 0. */
struct egress_host_key {
	__u64 high, low; /* Network byte order. */
	__u32 family;	 /* 4 or 6 */
	__u32 reserved;
};

struct egress_host {
	__u64 first_ns, last_ns; /* CLOCK_MONOTONIC */
	__u32 ports;		 /* Of the flow that this server began last, if it was UDP. */
	__u32 reserved;
};

/* An entry's time is no more exact than this, so that its line is not written for every packet. */
#define EGRESS_TOUCH_NS 1000000000ull

/*
 * The filter: 64-bit words, of which a host, and each flow of it, sets two bits; two halves that take
 * turns.  What was heard is remembered for one to two turns, and whatever this server answers renews
 * it, so a conversation is never forgotten while it goes on.
 */
#define EGRESS_HEARD_WORDS_BITS 17 /* 1 MiB for each half. */
#define EGRESS_HEARD_WORDS (1u << EGRESS_HEARD_WORDS_BITS)
#define EGRESS_HEARD_TURN_NS (300ull * 1000000000ull)

static __always_inline __u64 egress_hash_host(const __u64 hash_key[2],
					      const struct egress_host_key *host)
{
	return hash_v6(hash_key, host->high, host->low ^ host->family);
}

/* A flow's ports as they lie in its packets, the far end's first. */
static __always_inline __u32 egress_ports(__u16 far, __u16 ours)
{
	return (__u32)far << 16 | ours;
}

static __always_inline __u64 egress_hash_flow(const __u64 hash_key[2], __u64 host_hash, __u32 ports)
{
	__u64 key[2] = { hash_key[0] ^ host_hash, hash_key[1] };

	return hash_v6(key, ports, 1);
}

static __always_inline __u64 egress_heard_mask(__u64 hash)
{
	return 1ull << (hash & 63) | 1ull << (hash >> 6 & 63);
}

static __always_inline __u32 egress_heard_index(__u32 half, __u64 hash)
{
	return (half & 1) << EGRESS_HEARD_WORDS_BITS | hash >> (64 - EGRESS_HEARD_WORDS_BITS);
}

enum egress_count {
	EGRESS_COUNT_TCP, /* Connections that this server opened. */
	EGRESS_COUNT_UDP, /* First words by UDP, ... */
	EGRESS_COUNT_ICMP,
	EGRESS_COUNT_REPLIES, /* UDP to a host that had sent first, or may have. */
	EGRESS_COUNT_REFUSED, /* First words to a host that found no room. */
	EGRESS_COUNT_RELAYED, /* First words that came in by a protected interface. */
	EGRESS_N_COUNTS,
	EGRESS_COUNTS_MAX = 8,
};

struct egress_cpu_counters {
	__u64 count[EGRESS_COUNTS_MAX];
};

/* Pinned with the rest; the daemon turns the filter over. */
struct egress_state {
	__u64 turned_ns; /* CLOCK_MONOTONIC of the last turn. */
	__u32 half;	 /* The one that is written. */
	__u32 reserved[13];
};

#define EGRESS_MAX_INTERFACES 64

_Static_assert(sizeof(struct egress_host_key) == 24, "no holes");
_Static_assert(sizeof(struct egress_host) == 24, "no holes");
_Static_assert(sizeof(struct egress_cpu_counters) == 64, "a line a CPU");
_Static_assert(sizeof(struct egress_state) == 64, "a line");

#endif /* SLUICE_BPF_EGRESS_SHARED_H */
