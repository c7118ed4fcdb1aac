/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sluice-probe and its BPF programs share.
 */
#ifndef SLUICE_SUPPORT_PROBE_SHARED_H
#define SLUICE_SUPPORT_PROBE_SHARED_H

#include <linux/types.h>

/* A range of sources: of IPv4 the address, of IPv6 the first 64 bits; host order, ends included. */
struct probe_range {
	__u64 first, last;
	__u32 ipv6;
	__u32 drop; /* Drop what lies within, rather than let it through. */
};

enum probe_count {
	PROBE_COUNT_WITHIN,  /* IP packets whose source lies within the range. */
	PROBE_COUNT_OUTSIDE, /* Other IP packets. */
	PROBE_COUNT_OTHER,   /* Not IP. */
	PROBE_N_COUNTS,
};

#endif /* SLUICE_SUPPORT_PROBE_SHARED_H */
