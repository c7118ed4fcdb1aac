// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* A packet program that takes its time and says when it began and ended, to test the grace wait. */
#include <stddef.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

struct slow_state {
	__u64 begun, ended;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slow_state);
} slow_state SEC(".maps");

static long spin(__u32 i, void *ctx)
{
	(void)i;
	(void)ctx;
	return 0;
}

SEC("xdp")
int slow(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct slow_state *state = bpf_map_lookup_elem(&slow_state, &zero);

	(void)ctx;
	if (!state)
		return XDP_ABORTED;
	__sync_fetch_and_add(&state->begun, 1);
	bpf_loop(1 << 22, spin, NULL, 0);
	__sync_fetch_and_add(&state->ended, 1);
	return XDP_PASS;
}
