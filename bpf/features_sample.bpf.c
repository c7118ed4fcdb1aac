// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Sampled packets: the first bytes of some of the packets that passed the filter, for detectors
 * that look into them and for evidence.  See sample_record.h for who is chosen.
 *
 * Each side has a ring and a state of its own, as the tables have: user space reads a window's
 * samples when no CPU can write there any more, and there are no others among them.
 */
#include "counters.h"
#include "feature_chain.h"
#include "parse.h"
#include "sample_record.h"

char _license[] SEC("license") = "Dual BSD/GPL";

/*
 * In a replay time and chance come from the header page, so that the same packets give the same
 * samples.  A constant to the verifier: live, none of that is in the program.
 */
const volatile bool replays;

static __always_inline __u64 now_ns(void)
{
	return replays ? HEADER->clock_ns : bpf_ktime_get_ns();
}

static __always_inline __u32 chance(void)
{
	if (!replays)
		return bpf_get_prandom_u32();
	/* Xorshift; one CPU replays, so nobody else moves the state. */
	__u64 state = HEADER->random;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	HEADER->random = state;
	return state >> 32;
}

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536); /* User space sets it by the budget. */
} sluice_samples SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sample_state);
} sluice_sampling SEC(".maps");

/* Copies the frame's first bytes, wherever they lie; false if they cannot be read. */
static __always_inline bool fill(struct xdp_md *ctx, struct sample_record *record)
{
	__u32 size = bpf_xdp_get_buff_len(ctx);
	__u32 snap = size < SAMPLE_SNAP_SIZE ? size : SAMPLE_SNAP_SIZE;

	/* Else clang folds this into the line above, and the verifier no longer sees the bound. */
	asm volatile("" : "+r"(snap));
	if (snap == 0 || snap > SAMPLE_SNAP_SIZE)
		return false;
	/* Changes nothing; the verifier of 6.1 does not see that the size is not 0. */
	snap = ((snap - 1) & (SAMPLE_SNAP_SIZE - 1)) + 1;
	asm volatile("" : "+r"(snap));
	record->time_ns = now_ns();
	record->frame_size = size;
	record->ifindex = ctx->ingress_ifindex;
	record->rx_queue = ctx->rx_queue_index;
	record->snap_size = snap;
	return bpf_xdp_load_bytes(ctx, 0, record->data, snap) == 0;
}

static __always_inline void take(struct xdp_md *ctx, struct sample_state *state)
{
	struct sample_record *record;

	/* Most of a flood finds the budget spent, and must not fight for the line to learn so. */
	if (state->taken >= state->budget ||
	    __sync_fetch_and_add(&state->taken, 1) >= state->budget)
		return;
	record = bpf_ringbuf_reserve(&sluice_samples, sizeof(*record), 0);
	if (!record) {
		__sync_fetch_and_add(&state->lost_full, 1);
		return;
	}
	if (fill(ctx, record))
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	else
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
}

SEC("xdp")
int sluice_features_sample(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct sample_state *state = bpf_map_lookup_elem(&sluice_sampling, &zero);

	if (state && chance() <= state->threshold)
		take(ctx, state);
	return feature_done(ctx);
}
