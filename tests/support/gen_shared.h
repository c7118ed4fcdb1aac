/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sluice-gen tells its BPF program: how to turn a template frame into the next packet.
 */
#ifndef SLUICE_SUPPORT_GEN_SHARED_H
#define SLUICE_SUPPORT_GEN_SHARED_H

#include <linux/types.h>

enum gen_order {
	GEN_ORDER_UNIFORM,  /* Each source as likely as any other. */
	GEN_ORDER_WEIGHTED, /* By the alias table: any distribution, one look-up a packet. */
	GEN_ORDER_CYCLE,    /* One after the other: each source sends exactly its share. */
};

/*
 * Constant while the program runs, so that the verifier removes the branches that do not apply.
 * Sums are ones'-complement sums over 16-bit words as they lie in memory; they leave out what the
 * program fills in, which is the source and, if `random_port`, the source port.
 */
struct gen_config {
	__u32 n_sources;
	__u32 order;	   /* enum gen_order */
	__u32 source_base; /* Host order: the IPv4 address, or bits 32 to 63 of the IPv6 address. */
	__u32 ip_sum;	   /* IPv4 header. */
	__u32 l4_sum;	   /* Pseudo-header and L4. */
	__u16 l3_offset;
	__u16 l4_offset;
	__u16 l4_check_offset; /* From the start of the frame. */
	__u8 ipv6;
	__u8 random_port;
	__u8 l4_source; /* The L4 checksum covers the source address (not so in ICMP for IPv4). */
	__u8 reserved[3];
};

/* One cell of Vose's alias table: with a fraction below `keep` the cell itself, else `alias`. */
struct gen_cell {
	__u32 keep;
	__u32 alias;
};

#endif /* SLUICE_SUPPORT_GEN_SHARED_H */
