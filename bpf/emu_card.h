/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the emulated NIC's drop programs (emu_card.bpf.c) and those who fill its table share: the
 * layout of the maps that are pinned in the card's folder.
 *
 * IPv4 rules live in `buckets`, which user space maps and the packet path reads by one look-up.
 * IPv6 rules live in `hash`, and so do the IPv4 rules whose bucket is full, and 0.0.0.0, whose key
 * would mean an empty way.  A rule is in one place only.
 *
 * One writer, the back end, which may be killed at any point.  Order of its writes:
 *  - add to a bucket: the way's hits are cleared, then the key is published by one aligned store;
 *  - delete from a bucket: the key is cleared by one aligned store;
 *  - add to the hash: the bucket's `spilled` goes up before, so that who sees the rule missing has
 *    not been told yet that it was added;
 *  - delete from the hash: `spilled` goes down after.
 * A writer that died in between leaves at worst a `spilled` that is too high, which costs look-ups
 * and no verdict; the next one counts anew.  A packet in flight when its rule is deleted may be
 * counted for the next rule of that way.
 */
#ifndef SLUICE_BPF_EMU_CARD_H
#define SLUICE_BPF_EMU_CARD_H

#include <linux/types.h>

#include "hash.h"

#define EMU_CARD_MAGIC 0x534c4e43u /* "SLNC" */
#define EMU_CARD_LAYOUT 2

/* A source.  IPv4 fills the first word; IPv6 is masked to the card's prefix length. */
struct emu_card_key {
	__be32 addr[4];
	__u32 family; /* 4 or 6 */
};

/* What one rule, or the whole card, dropped. */
struct emu_card_hits {
	__u64 packets;
	__u64 bytes;
};

/* Two cache lines, of which a miss costs the first. */
#define EMU_CARD_WAYS 6

struct emu_card_bucket {
	__be32 key[EMU_CARD_WAYS]; /* 0 = empty */
	__u32 spilled;		   /* Rules of this bucket that are in the hash. */
	__u32 reserved;
	struct emu_card_hits hits[EMU_CARD_WAYS];
};

/* What one CPU dropped; only that CPU writes it, so it needs no atomics. */
struct emu_card_cpu {
	struct emu_card_hits dropped;
	__u64 reserved[6];
};

/* What the card is; read-only, burnt into the programs when they are loaded. */
struct emu_card_info {
	__u32 magic;  /* EMU_CARD_MAGIC */
	__u32 layout; /* EMU_CARD_LAYOUT */
	__u32 capacity;
	__u32 n_buckets;     /* Half the capacity: 1 bucket in 200 spills when it is full. */
	__u32 v6_prefix_len; /* 1..128: the unit of IPv6 rules. */
	__u32 counters;	     /* 1: each rule counts its hits. */
	__u32 ifindex;	     /* Whose egress the tc program filters; 0 = none. */
	__be32 v6_mask[4];   /* Of v6_prefix_len bits. */
	__u32 reserved;
	__u64 hash_key[2]; /* Drawn when the card is made. */
};

/* The one bucket where an IPv4 source can be. */
static __always_inline __u32 emu_card_bucket_of(const __u64 hash_key[2], __u32 n_buckets,
						__be32 addr)
{
	return hash_bucket_first(hash_v4(hash_key, addr), n_buckets);
}

_Static_assert(sizeof(struct emu_card_key) == 20, "no padding that the hash would see");
_Static_assert(sizeof(struct emu_card_hits) == 16, "as pinned");
_Static_assert(sizeof(struct emu_card_bucket) == 128, "two cache lines");
_Static_assert(sizeof(struct emu_card_cpu) == 64, "one cache line");
_Static_assert(sizeof(struct emu_card_info) == 64, "as pinned");

#endif /* SLUICE_BPF_EMU_CARD_H */
