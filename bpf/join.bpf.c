// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Sluice's component in libxdp's dispatcher: jumps into the filter.  Which filter that is stands in
 * a pinned array, so a new daemon exchanges it by one store and the dispatcher is left alone.  With
 * the place empty the packet goes on to the next component.
 */
#include <stddef.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} sluice_entry SEC(".maps");

SEC("xdp.frags")
int sluice_join(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &sluice_entry, 0);
	return XDP_PASS;
}
