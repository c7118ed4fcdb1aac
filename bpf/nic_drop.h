/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of the programs that drop on a card (nic_drop.bpf.c), shared with the back end that fills
 * it.  A card holds plain hash maps only, of entries of at most 64 bytes, key and value each rounded
 * up to 8; these take 40.
 */
#ifndef SLUICE_BPF_NIC_DROP_H
#define SLUICE_BPF_NIC_DROP_H

#include <linux/types.h>

/* A source.  IPv4 fills the first word; IPv6 is masked to the program's prefix length. */
struct nic_drop_key {
	__be32 addr[4];
	__u32 family; /* 4 or 6 */
};

/* What one rule dropped; stays 0 where the card cannot count. */
struct nic_drop_hits {
	__u64 packets;
	__u64 bytes;
};

_Static_assert(sizeof(struct nic_drop_key) == 20, "no padding that the hash would see");
_Static_assert(sizeof(struct nic_drop_hits) == 16, "no padding");

#endif /* SLUICE_BPF_NIC_DROP_H */
