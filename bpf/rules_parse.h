/* SPDX-License-Identifier: BSD-2-Clause */
/* What rules want to know of a packet, out of its headers. */
#ifndef SLUICE_BPF_RULES_PARSE_H
#define SLUICE_BPF_RULES_PARSE_H

#include "parse.h"
#include "rules_match.h"

_Static_assert((int)PARSE_WHOLE == (int)RULES_FRAGMENT_NONE, "a packet's kind");
_Static_assert((int)PARSE_FIRST_FRAGMENT == (int)RULES_FRAGMENT_FIRST, "a packet's kind");
_Static_assert((int)PARSE_LATER_FRAGMENT == (int)RULES_FRAGMENT_LATER, "a packet's kind");

/* Where in the frame; clang would subtract halves of pointers, which the verifier does not allow. */
static __always_inline __u32 rules_offset(struct xdp_md *ctx, const void *at)
{
	__u64 offset = at - (void *)(long)ctx->data;

	asm volatile("" : "+r"(offset));
	return offset;
}

/* Whether the frame's first buffer and the packet both hold `size` bytes from the payload's offset. */
static __always_inline bool rules_holds(const struct rules_packet *packet, const __u8 *at,
					__u32 size, const void *end)
{
	return (const void *)(at + size) <= end && packet->payload + size <= packet->end;
}

static __always_inline bool rules_has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

/* The size of a header with ports; 0 if it is cut short, or claims to be. */
static __always_inline __u32 rules_header_size(const struct rules_packet *packet, const __u8 *at,
					       const void *end)
{
	__u32 size, least;

	switch (packet->protocol) {
	case IPPROTO_TCP:
		least = 20;
		if (!rules_holds(packet, at, 20, end))
			return 0;
		size = (at[12] >> 4) * 4u;
		break;
	case IPPROTO_DCCP:
		least = 12;
		if (!rules_holds(packet, at, 12, end))
			return 0;
		size = at[4] * 4u;
		break;
	case IPPROTO_SCTP:
		return rules_holds(packet, at, 12, end) ? 12 : 0;
	default:
		return rules_holds(packet, at, 8, end) ? 8 : 0;
	}
	return size < least ? 0 : size;
}

/*
 * The transport header at `at`.  Of TCP, UDP, UDP-Lite, SCTP and DCCP the payload begins behind
 * their headers, of ICMP behind its first eight bytes, of all others where `at` is.
 *
 * Of a header that is cut short the ports and the flags count if they are there: every first fragment
 * has the ports, and would else be a way around rules that ask for them.
 */
static __always_inline void rules_parse_ports(struct xdp_md *ctx, struct rules_packet *packet,
					      const __u8 *at, const void *end)
{
	__u8 protocol = packet->protocol;

	packet->payload = rules_offset(ctx, at);
	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		packet->payload += 8;
		return;
	}
	if (!rules_has_ports(protocol))
		return;
	if (rules_holds(packet, at, 4, end)) {
		packet->source_port = at[0] << 8 | at[1];
		packet->destination_port = at[2] << 8 | at[3];
	}
	if (protocol == IPPROTO_TCP && rules_holds(packet, at, 14, end))
		packet->tcp_flags = at[13];

	__u32 header = rules_header_size(packet, at, end);

	packet->payload = header ? packet->payload + header : packet->end;
}

static __always_inline void rules_parse_transport(struct xdp_md *ctx, struct rules_packet *packet,
						  const struct parse_transport *transport,
						  const void *end)
{
	packet->protocol = transport->protocol;
	packet->kind |= transport->fragment;
	packet->payload = packet->end;
	if (transport->header)
		rules_parse_ports(ctx, packet, transport->header, end);
}

static __always_inline bool rules_parse_ipv4(struct xdp_md *ctx, const struct parse_cursor *cursor,
					     struct rules_packet *packet)
{
	struct iphdr *ip = parse_ipv4(cursor);

	if (!ip)
		return false;
	packet->source[0] = ip->saddr;
	packet->destination_high = (__u64)bpf_ntohl(ip->daddr) << 32;
	packet->length = parse_ipv4_length(ip);
	packet->end = rules_offset(ctx, cursor->at) + packet->length;
	packet->ttl = ip->ttl;

	struct parse_transport transport = parse_ipv4_transport(ip, cursor->end);

	rules_parse_transport(ctx, packet, &transport, cursor->end);
	return true;
}

/*
 * With hop-by-hop options a payload length of 0 promises a jumbo payload's.  Linux does not insist on
 * that option and takes all that is there for the packet, so rules look there, too.
 */
static __always_inline __u32 rules_length_ipv6(struct xdp_md *ctx, const struct ipv6hdr *ip,
					       __u32 before)
{
	if (ip->payload_len || ip->nexthdr != IPPROTO_HOPOPTS)
		return parse_ipv6_length(ip);
	return bpf_xdp_get_buff_len(ctx) - before;
}

static __always_inline bool rules_parse_ipv6(struct xdp_md *ctx, const struct parse_cursor *cursor,
					     struct rules_packet *packet)
{
	struct ipv6hdr *ip = parse_ipv6(cursor);
	__u32 before = rules_offset(ctx, cursor->at);
	__u64 half;

	if (!ip)
		return false;
	__builtin_memcpy(packet->source, &ip->saddr, sizeof(packet->source));
	__builtin_memcpy(&half, &ip->daddr, 8);
	packet->destination_high = bpf_be64_to_cpu(half);
	__builtin_memcpy(&half, (void *)&ip->daddr + 8, 8);
	packet->destination_low = bpf_be64_to_cpu(half);
	packet->length = rules_length_ipv6(ctx, ip, before);
	packet->end = before + packet->length;
	/* A length that does not fit the field's 16 bits is as long as can be. */
	if (packet->length > 65535)
		packet->length = 65535;
	packet->ttl = ip->hop_limit;
	packet->kind = RULES_KIND_IPV6;

	struct parse_transport transport = parse_ipv6_transport(ip, cursor->end);

	rules_parse_transport(ctx, packet, &transport, cursor->end);
	return true;
}

/* False: not a packet that rules speak of. */
static __always_inline bool rules_parse(struct xdp_md *ctx, struct rules_packet *packet)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct parse_ethertype type = parse_ethernet(&cursor);

	*packet = (struct rules_packet){
		.source_port = RULES_ABSENT,
		.destination_port = RULES_ABSENT,
		.tcp_flags = RULES_ABSENT,
	};
	return type.value == bpf_htons(ETH_P_IP) ? rules_parse_ipv4(ctx, &cursor, packet)
						 : rules_parse_ipv6(ctx, &cursor, packet);
}

#endif /* SLUICE_BPF_RULES_PARSE_H */
