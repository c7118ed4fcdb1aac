/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the emulated NIC's drop programs (nic_drop.bpf.c) and those who fill its table share: the
 * layout of the maps that are pinned in the card's folder.
 */
#ifndef SLUICE_BPF_NIC_DROP_H
#define SLUICE_BPF_NIC_DROP_H

#include <linux/types.h>

#define NIC_CARD_MAGIC 0x534c4e43u /* "SLNC" */
#define NIC_CARD_LAYOUT 1

/* A source.  IPv4 fills the first word; IPv6 is masked to the card's prefix length. */
struct nic_key {
	__be32 addr[4];
	__u32 family; /* 4 or 6 */
};

/* What one rule, or the whole card, dropped. */
struct nic_hits {
	__u64 packets;
	__u64 bytes;
};

/* What the card is; read-only, burnt into the programs when they are loaded. */
struct nic_card {
	__u32 magic;  /* NIC_CARD_MAGIC */
	__u32 layout; /* NIC_CARD_LAYOUT */
	__u32 capacity;
	__u32 v6_prefix_len; /* 1..128: the unit of IPv6 rules. */
	__u32 counters;	     /* 1: each rule counts its hits. */
	__u32 ifindex;	     /* Whose egress the tc program filters; 0 = none. */
	__be32 v6_mask[4];   /* Of v6_prefix_len bits. */
};

_Static_assert(sizeof(struct nic_key) == 20, "no padding that the hash would see");
_Static_assert(sizeof(struct nic_hits) == 16, "as pinned");
_Static_assert(sizeof(struct nic_card) == 40, "as pinned");

#endif /* SLUICE_BPF_NIC_DROP_H */
