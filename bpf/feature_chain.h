/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How feature programs follow one another: the filter tail-calls the first one of the side that
 * counts (features_source.bpf.c); each goes on to the next that is loaded, and the last one
 * delivers.
 *
 * Who comes next is known when a side is loaded, so `chain_next` is a constant to the verifier: a
 * program that is the last one contains no tail call at all, and what is not loaded costs nothing.
 * The slots belong to a side and never change while it counts; the swap flips the first program
 * alone.
 */
#ifndef SLUICE_BPF_FEATURE_CHAIN_H
#define SLUICE_BPF_FEATURE_CHAIN_H

#include "deliver.h"
#include "feature_slots.h"

const volatile __u32 chain_next = FEATURE_CHAIN_END; /* A slot of sluice_chain. */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, FEATURE_N_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} sluice_chain SEC(".maps");

/* The end of every feature program.  The first one has counted the packet as passed. */
static __always_inline int feature_done(struct xdp_md *ctx)
{
	/* A slot that is empty after all costs the rest of the features, never the packet. */
	if (chain_next < FEATURE_N_SLOTS)
		bpf_tail_call(ctx, &sluice_chain, chain_next);
	return deliver(ctx);
}

#endif /* SLUICE_BPF_FEATURE_CHAIN_H */
