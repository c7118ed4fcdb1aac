/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampled packets: what features_sample.bpf.c and user space (core/dataplane/sample_ring.c) share.
 *
 * A packet is taken by the throw of a die: each with the same chance, whatever its place in the
 * window, independent of all others.  User space sets that chance once a window so that about
 * `budget` packets come of it, and `budget` is the bound that holds whatever traffic does: the
 * window is the clock of this limit.  When traffic jumps, the budget of that one window is spent on
 * its beginning.
 */
#ifndef SLUICE_BPF_SAMPLE_RECORD_H
#define SLUICE_BPF_SAMPLE_RECORD_H

#include <linux/types.h>

#define SAMPLE_SNAP_SIZE 256

/* One cache line; all CPUs write `taken` and what is lost, for packets that were chosen only. */
struct sample_state {
	__u32 threshold; /* A packet is chosen when 32 random bits are at most this. */
	__u32 budget;	 /* Samples of a window, of all CPUs together. */
	__u32 taken;	 /* Chosen so far; beyond the budget nothing is taken. */
	__u32 reserved0;
	__u64 lost_full; /* Chosen, and the ring was full. */
	__u64 reserved1[5];
};

struct sample_record {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 frame_size;
	__u32 ifindex, rx_queue;
	__u32 snap_size; /* Bytes of `data` that are the frame's first. */
	__u8 data[SAMPLE_SNAP_SIZE];
};

_Static_assert(sizeof(struct sample_state) == 64, "one line");
_Static_assert(sizeof(struct sample_record) == 24 + SAMPLE_SNAP_SIZE, "no padding");

#endif /* SLUICE_BPF_SAMPLE_RECORD_H */
