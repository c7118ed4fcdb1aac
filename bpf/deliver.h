/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a packet goes that passed the filter and was measured: to Linux, or, if the configuration
 * names its destination port, to the AF_XDP socket of its interface's receive queue.
 *
 * Whatever is in doubt goes to Linux: a queue without a socket, a fragment, a header that is not in
 * the frame's first buffer.  ARP, neighbour discovery, ICMP and all other ports never come here or
 * are not named.
 *
 * Whether there is anything to deliver is a constant to the verifier: without it, the stage is not
 * in the program.
 */
#ifndef SLUICE_BPF_DELIVER_H
#define SLUICE_BPF_DELIVER_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "deliver_shared.h"
#include "parse.h"
#include "parse_ports.h"

const volatile bool deliver_on = false;
const volatile __u32 deliver_anywhere = 0; /* Rules that name no destination. */
/* The only interface's, so that nobody looks it up; DELIVER_MAX_SLOTS: there are several. */
const volatile __u32 deliver_only_slot = 0;

/* Pinned: whoever puts a socket here gets what is delivered of that queue. */
struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, DELIVER_MAX_SOCKETS);
	__type(key, __u32);
	__type(value, __u32);
} sluice_xsks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct deliver_slots);
} sluice_deliver_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} sluice_deliver_ports SEC(".maps");

#define DELIVER_LPM(name, key_type)                          \
	struct {                                             \
		__uint(type, BPF_MAP_TYPE_LPM_TRIE);         \
		__uint(map_flags, BPF_F_NO_PREALLOC);        \
		__uint(max_entries, 32 * DELIVER_MAX_RULES); \
		__type(key, key_type);                       \
		__type(value, __u32);                        \
	} name SEC(".maps")

DELIVER_LPM(sluice_deliver4, struct deliver_key4);
DELIVER_LPM(sluice_deliver6, struct deliver_key6);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct deliver_cpu_counts);
} sluice_delivered SEC(".maps");

/* A packet as far as this stage looks at it. */
struct deliver_view {
	__u8 protocol;
	bool fragment;
	__s32 port; /* Destination, host byte order; -1: there is none to be seen. */
};

static __always_inline void deliver_count(enum deliver_outcome outcome)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct deliver_cpu_counts *counts = bpf_map_lookup_elem(&sluice_delivered, &cpu);

	if (counts)
		counts->packets[outcome]++;
}

/* With a pointer that is within the frame's first buffer, or not. */
static __always_inline __s32 deliver_port_at(const void *header, const void *end)
{
	const __be16 *ports = header;

	return (const void *)(ports + 2) > end ? -1 : bpf_ntohs(ports[1]);
}

static __always_inline bool deliver_has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static __always_inline __u32 deliver_rules_of_port(const struct deliver_view *view)
{
	__u32 index = (view->protocol == IPPROTO_UDP ? DELIVER_N_PORTS : 0) + (__u16)view->port;
	__u64 *mask = bpf_map_lookup_elem(&sluice_deliver_ports, &index);

	return mask ? *mask : 0;
}

static __always_inline bool deliver_wants4(const struct deliver_view *view, __u32 destination)
{
	__u32 rules = deliver_rules_of_port(view);
	struct deliver_key4 key = { .prefix_len = 32, .addr = destination };
	__u32 *mask;

	if (!rules || rules & deliver_anywhere)
		return rules;
	mask = bpf_map_lookup_elem(&sluice_deliver4, &key);
	return mask && *mask & rules;
}

static __always_inline bool deliver_wants6(const struct deliver_view *view,
					   const struct in6_addr *destination)
{
	__u32 rules = deliver_rules_of_port(view);
	struct deliver_key6 key = { .prefix_len = 128 };
	__u32 *mask;

	if (!rules || rules & deliver_anywhere)
		return rules;
	__builtin_memcpy(key.addr, destination, sizeof(key.addr));
	mask = bpf_map_lookup_elem(&sluice_deliver6, &key);
	return mask && *mask & rules;
}

/* The packet's interface; DELIVER_MAX_SLOTS: it is none of ours. */
static __always_inline __u32 deliver_slot(const struct xdp_md *ctx)
{
	__u32 key = 0, slot = deliver_only_slot;
	const struct deliver_slots *slots;

	if (slot < DELIVER_MAX_SLOTS)
		return slot;
	slots = bpf_map_lookup_elem(&sluice_deliver_slots, &key);
	for (slot = 0; slots && slot < DELIVER_MAX_SLOTS; slot++)
		if (slots->ifindex[slot] == ctx->ingress_ifindex)
			return slot;
	return DELIVER_MAX_SLOTS;
}

/* Where in the map; what lies behind its end has no socket. */
static __always_inline __u32 deliver_index(const struct xdp_md *ctx)
{
	__u32 queue = ctx->rx_queue_index;

	return queue < DELIVER_MAX_QUEUES ? deliver_slot(ctx) * DELIVER_MAX_QUEUES + queue
					  : DELIVER_MAX_SOCKETS;
}

static __always_inline int deliver_conclude(struct xdp_md *ctx, const struct deliver_view *view,
					    bool wanted)
{
	int verdict;

	if (!wanted) {
		deliver_count(view->fragment ? DELIVER_FRAGMENT : DELIVER_OTHER);
		return XDP_PASS;
	}
	verdict = bpf_redirect_map(&sluice_xsks, deliver_index(ctx), XDP_PASS);
	deliver_count(verdict == XDP_REDIRECT ? DELIVER_SOCKET : DELIVER_NO_SOCKET);
	return verdict;
}

static __always_inline int deliver_ipv4(struct xdp_md *ctx, struct parse_cursor *cursor)
{
	struct iphdr *ip = parse_ipv4(cursor);
	struct deliver_view view = { .port = -1 };
	bool wanted = false;

	if (!ip)
		return XDP_PASS;
	view.protocol = ip->protocol;
	view.fragment = ip->frag_off & bpf_htons(0x3fff);
	if (!view.fragment && deliver_has_ports(view.protocol))
		view.port = deliver_port_at((void *)ip + ip->ihl * 4u, cursor->end);
	if (view.port >= 0)
		wanted = deliver_wants4(&view, ip->daddr);
	return deliver_conclude(ctx, &view, wanted);
}

static __always_inline int deliver_ipv6(struct xdp_md *ctx, struct parse_cursor *cursor)
{
	struct ipv6hdr *ip = parse_ipv6(cursor);
	struct deliver_view view = { .port = -1 };
	struct in6_addr destination;
	bool wanted = false;

	if (!ip)
		return XDP_PASS;
	view.protocol = ip->nexthdr;
	__builtin_memcpy(&destination, &ip->daddr, sizeof(destination));
	if (deliver_has_ports(view.protocol)) {
		view.port = deliver_port_at(ip + 1, cursor->end);
	} else {
		struct parse_transport transport = parse_ipv6_transport(ip, cursor->end);
		__u32 offset = transport.header ? transport.header - (void *)(long)ctx->data : 0;
		struct parse_ports ports = parse_ports(ctx, transport.protocol, offset);

		view.protocol = transport.protocol;
		view.fragment = transport.fragment;
		if (!view.fragment && deliver_has_ports(view.protocol) && ports.ports >= 0)
			view.port = ports.ports & 0xffff;
	}
	if (view.port >= 0)
		wanted = deliver_wants6(&view, &destination);
	return deliver_conclude(ctx, &view, wanted);
}

/* Global, so that the verifier judges it once by its types and not behind each of its callers' ways. */
__noinline int deliver_packet(struct xdp_md *ctx)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (type.value == bpf_htons(ETH_P_IP))
		return deliver_ipv4(ctx, &cursor);
	if (type.value == bpf_htons(ETH_P_IPV6))
		return deliver_ipv6(ctx, &cursor);
	return XDP_PASS;
}

static __always_inline int deliver(struct xdp_md *ctx)
{
	return deliver_on ? deliver_packet(ctx) : XDP_PASS;
}

#endif /* SLUICE_BPF_DELIVER_H */
