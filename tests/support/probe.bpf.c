// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The programs of sluice-probe: count packets by whether their source lies in a range, and drop
 * those within if asked.  As XDP it is the reference that Sluice is measured against, and does the
 * least that can tell an attacker from a client: one range compare and one per-CPU count.  As tc
 * ingress it counts what a filter in front of it let through.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "probe_shared.h"

const volatile struct probe_range probe_range;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROBE_N_COUNTS);
	__type(key, __u32);
	__type(value, __u64);
} probe_counts SEC(".maps");

static __always_inline __u32 classify(void *data, void *end)
{
	struct ethhdr *eth = data;
	void *l3 = eth + 1;
	__u64 source;

	if (l3 > end)
		return PROBE_COUNT_OTHER;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = l3;

		if ((void *)(ip + 1) > end)
			return PROBE_COUNT_OTHER;
		if (probe_range.ipv6)
			return PROBE_COUNT_OUTSIDE;
		source = bpf_ntohl(ip->saddr);
	} else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = l3;

		if ((void *)(ip + 1) > end)
			return PROBE_COUNT_OTHER;
		if (!probe_range.ipv6)
			return PROBE_COUNT_OUTSIDE;
		source = (__u64)bpf_ntohl(ip->saddr.in6_u.u6_addr32[0]) << 32 |
			 bpf_ntohl(ip->saddr.in6_u.u6_addr32[1]);
	} else {
		return PROBE_COUNT_OTHER;
	}
	return source - probe_range.first <= probe_range.last - probe_range.first
		       ? PROBE_COUNT_WITHIN
		       : PROBE_COUNT_OUTSIDE;
}

static __always_inline int count(void *data, void *end)
{
	__u32 which = classify(data, end);
	__u64 *counter = bpf_map_lookup_elem(&probe_counts, &which);

	if (counter)
		(*counter)++;
	return which == PROBE_COUNT_WITHIN && probe_range.drop;
}

SEC("xdp")
int sluice_probe_xdp(struct xdp_md *ctx)
{
	return count((void *)(long)ctx->data, (void *)(long)ctx->data_end) ? XDP_DROP : XDP_PASS;
}

SEC("tc")
int sluice_probe_tc(struct __sk_buff *ctx)
{
	return count((void *)(long)ctx->data, (void *)(long)ctx->data_end) ? TC_ACT_SHOT
									   : TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
