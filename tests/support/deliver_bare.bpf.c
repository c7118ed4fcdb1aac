// SPDX-License-Identifier: BSD-2-Clause
/*
 * The least that can stand before a stack on AF_XDP, as a reference: TCP and UDP to port 80 of IPv4 go to
 * the socket of the queue (sluice_bare_all), or TCP alone while UDP is dropped (sluice_bare_tcp); all
 * else goes to Linux.  For a stack that gets copies by AF_PACKET, sluice_bare_copied takes the same
 * from Linux, behind the copying.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define BARE_PORT 80

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} bare_xsks SEC(".maps");

/* The protocol of what is for the port; 0: all else. */
static __always_inline int served_protocol(void *data, void *end)
{
	struct ethhdr *ethernet = data;
	struct iphdr *ip = (void *)(ethernet + 1);
	__be16 *ports;

	if ((void *)(ip + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP) || ip->ihl != 5)
		return 0;
	ports = (void *)(ip + 1);
	if ((void *)(ports + 2) > end || ports[1] != bpf_htons(BARE_PORT))
		return 0;
	return ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_TCP ? ip->protocol : 0;
}

static __always_inline int deliver(struct xdp_md *ctx, int drops_udp)
{
	int protocol = served_protocol((void *)(long)ctx->data, (void *)(long)ctx->data_end);

	if (!protocol)
		return XDP_PASS;
	if (protocol == IPPROTO_UDP && drops_udp)
		return XDP_DROP;
	return bpf_redirect_map(&bare_xsks, ctx->rx_queue_index, XDP_PASS);
}

SEC("xdp")
int sluice_bare_all(struct xdp_md *ctx)
{
	return deliver(ctx, 0);
}

SEC("xdp")
int sluice_bare_tcp(struct xdp_md *ctx)
{
	return deliver(ctx, 1);
}

SEC("tc")
int sluice_bare_copied(struct __sk_buff *skb)
{
	return served_protocol((void *)(long)skb->data, (void *)(long)skb->data_end) ? TC_ACT_SHOT
										     : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
