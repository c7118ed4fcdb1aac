// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Somebody else's XDP program, which uses libxdp: counts what it sees and lets it pass. */
#include <stddef.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} neighbour_seen SEC(".maps");

SEC("xdp.frags")
int neighbour(struct xdp_md *ctx)
{
	__u32 zero = 0;
	__u64 *seen = bpf_map_lookup_elem(&neighbour_seen, &zero);

	(void)ctx;
	if (seen)
		__sync_fetch_and_add(seen, 1);
	return XDP_PASS;
}
