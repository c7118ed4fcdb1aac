// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * features_source.bpf.c as it is, but for a pause between the moment when a packet has learnt which
 * side it counts into and the moment when it counts: whoever reads that side meanwhile misses it.
 */
#include "feature_table.h"

/* Longer than the swap itself, which for a program array takes most of a millisecond. */
#define DELAY_NS 2000000
/* Of rounds that ask the clock, tens of nanoseconds each: enough for the delay, whatever the CPU. */
#define DELAY_MAX_ROUNDS (1 << 20)

static long delay_goes_on(__u32 round, __u64 *until)
{
	(void)round;
	return bpf_ktime_get_ns() >= *until;
}

static __always_inline struct feature_row delayed_row(const struct sluice_header *header, __u32 cpu)
{
	struct feature_row row = feature_row(header, cpu);
	__u64 until = bpf_ktime_get_ns() + DELAY_NS;

	bpf_loop(DELAY_MAX_ROUNDS, delay_goes_on, &until, 0);
	return row;
}

/* Takes a call, and leaves the struct of that name alone. */
#define feature_row(header, cpu) delayed_row(header, cpu)
#include "features_source.bpf.c"
