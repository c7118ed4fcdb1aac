/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated NIC's table: drops frames by their source, one hop before the server.  One look-up,
 * three places to run: as XDP program, as egress program of a device map (frames that a generator
 * redirects), and as tc program (frames that a stack sends).  Not part of the protected server's
 * data plane; the card of an experiment without hardware.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "nic_drop.h"
#include "parse.h"

/* Ethernet, two VLAN tags and an IPv6 header: all that is ever looked at. */
#define NIC_HEADERS 62u

const volatile struct nic_card nic_card = {
	.magic = NIC_CARD_MAGIC,
	.layout = NIC_CARD_LAYOUT,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__type(key, struct nic_key);
	__type(value, struct nic_hits);
	__uint(max_entries, 1); /* The card's capacity, set before loading. */
} sluice_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct nic_hits);
	__uint(max_entries, 1);
} sluice_totals SEC(".maps");

/* False if the frame has no IP source, which no rule can match. */
static __always_inline bool read_source(void *data, void *data_end, struct nic_key *key)
{
	struct parse_cursor cursor = { .at = data, .end = data_end };
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (type.value == bpf_htons(ETH_P_IP)) {
		const struct iphdr *ip = parse_ipv4(&cursor);

		if (!ip)
			return false;
		key->addr[0] = ip->saddr;
		key->family = 4;
		return true;
	}
	if (type.value == bpf_htons(ETH_P_IPV6)) {
		const struct ipv6hdr *ip = parse_ipv6(&cursor);

		if (!ip)
			return false;
#pragma unroll
		for (int i = 0; i < 4; i++)
			key->addr[i] = ip->saddr.in6_u.u6_addr32[i] & nic_card.v6_mask[i];
		key->family = 6;
		return true;
	}
	return false;
}

/* Counts and says drop if a rule matches. */
static __always_inline bool matches_rule(void *data, void *data_end, __u32 packets, __u32 bytes)
{
	struct nic_key key = { .family = 0 };
	struct nic_hits *hits, *total;
	__u32 zero = 0;

	if (!read_source(data, data_end, &key))
		return false;
	hits = bpf_map_lookup_elem(&sluice_rules, &key);
	if (!hits)
		return false;
	/* Several CPUs may drop for one rule: a plain addition would lose some. */
	if (nic_card.counters) {
		__sync_fetch_and_add(&hits->packets, packets);
		__sync_fetch_and_add(&hits->bytes, bytes);
	}
	total = bpf_map_lookup_elem(&sluice_totals, &zero);
	if (total) {
		total->packets += packets;
		total->bytes += bytes;
	}
	return true;
}

static __always_inline int drop_xdp(const struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;
	__u32 bytes = ctx->data_end - ctx->data;

	return matches_rule(data, data_end, 1, bytes) ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
int sluice_nic_xdp(struct xdp_md *ctx)
{
	return drop_xdp(ctx);
}

SEC("xdp/devmap")
int sluice_nic_egress(struct xdp_md *ctx)
{
	return drop_xdp(ctx);
}

SEC("tc")
int sluice_nic_tc(struct __sk_buff *skb)
{
	/* On the wire a large send is as many frames as it has segments. */
	__u32 packets = skb->gso_segs ? skb->gso_segs : 1;
	void *data, *data_end;

	if (skb->data + NIC_HEADERS > skb->data_end)
		bpf_skb_pull_data(skb, skb->len < NIC_HEADERS ? skb->len : NIC_HEADERS);
	data = (void *)(long)skb->data;
	data_end = (void *)(long)skb->data_end;
	/* A miss leaves the verdict to whatever other filters there are. */
	return matches_rule(data, data_end, packets, skb->len) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
