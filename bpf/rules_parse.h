/* SPDX-License-Identifier: BSD-2-Clause */
/* What rules want to know of a packet, out of its headers. */
#ifndef SLUICE_BPF_RULES_PARSE_H
#define SLUICE_BPF_RULES_PARSE_H

#include "parse.h"
#include "rules_match.h"

/* Where in the frame; clang would subtract halves of pointers, which the verifier does not allow. */
static __always_inline __u32 rules_offset(struct xdp_md *ctx, const void *at)
{
	__u64 offset = at - (void *)(long)ctx->data;

	asm volatile("" : "+r"(offset));
	return offset;
}

/*
 * The transport header at `at`.  Of TCP, UDP, UDP-Lite, SCTP and DCCP the payload begins behind
 * their headers, of ICMP behind its first eight bytes, of all others where `at` is.
 */
static __always_inline void rules_parse_transport(struct xdp_md *ctx, struct rules_packet *packet,
						  const __u8 *at, const void *end)
{
	__u32 header = 0;

	packet->payload = rules_offset(ctx, at);
	switch (packet->protocol) {
	case IPPROTO_TCP:
		if ((const void *)(at + 20) > end)
			goto cut;
		packet->tcp_flags = at[13];
		header = (at[12] >> 4) * 4u;
		break;
	case IPPROTO_DCCP:
		if ((const void *)(at + 12) > end)
			goto cut;
		header = at[4] * 4u;
		break;
	case IPPROTO_SCTP:
		if ((const void *)(at + 12) > end)
			goto cut;
		header = 12;
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		if ((const void *)(at + 8) > end)
			goto cut;
		header = 8;
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		packet->payload += 8;
		return;
	default:
		return;
	}
	packet->source_port = at[0] << 8 | at[1];
	packet->destination_port = at[2] << 8 | at[3];
	packet->payload += header;
	return;
cut:
	/* Ports and payload of a header that is cut short are not there. */
	packet->payload = packet->end;
}

static __always_inline bool rules_parse_ipv4(struct xdp_md *ctx, const struct parse_cursor *cursor,
					     struct rules_packet *packet)
{
	struct iphdr *ip = parse_ipv4(cursor);

	if (!ip)
		return false;
	__u16 fragment = bpf_ntohs(ip->frag_off);

	packet->destination_high = (__u64)bpf_ntohl(ip->daddr) << 32;
	packet->length = parse_ipv4_length(ip);
	packet->end = rules_offset(ctx, cursor->at) + packet->length;
	packet->payload = packet->end;
	packet->protocol = ip->protocol;
	packet->ttl = ip->ttl;
	if (fragment & 0x1fff) {
		packet->kind = RULES_FRAGMENT_LATER;
		return true;
	}
	packet->kind = fragment & 0x2000 ? RULES_FRAGMENT_FIRST : RULES_FRAGMENT_NONE;
	rules_parse_transport(ctx, packet, (void *)ip + ip->ihl * 4u, cursor->end);
	return true;
}

/* The extension headers; where the transport header is, or NULL if there is none to see. */
static __always_inline const __u8 *rules_skip_extensions(struct rules_packet *packet,
							 const __u8 *at, const void *end)
{
	for (int i = 0; i < PARSE_MAX_EXTENSIONS; i++) {
		__u8 protocol = packet->protocol;

		if (protocol != IPPROTO_HOPOPTS && protocol != IPPROTO_ROUTING &&
		    protocol != IPPROTO_DSTOPTS && protocol != 135 &&
		    protocol != IPPROTO_FRAGMENT && protocol != IPPROTO_AH)
			return at;
		if ((const void *)(at + 8) > end)
			return (void *)0;
		packet->protocol = at[0];
		if (protocol == IPPROTO_FRAGMENT) {
			__u32 fragment = at[2] << 8 | at[3];

			if (fragment & 0xfff8) {
				packet->kind = RULES_KIND_IPV6 | RULES_FRAGMENT_LATER;
				return (void *)0;
			}
			/* One that is the whole packet is none. */
			if (fragment & 1)
				packet->kind = RULES_KIND_IPV6 | RULES_FRAGMENT_FIRST;
			at += 8;
		} else if (protocol == IPPROTO_AH) {
			at += (at[1] + 2) * 4;
		} else {
			at += (at[1] + 1) * 8;
		}
	}
	return (void *)0;
}

static __always_inline bool rules_parse_ipv6(struct xdp_md *ctx, const struct parse_cursor *cursor,
					     struct rules_packet *packet)
{
	struct ipv6hdr *ip = parse_ipv6(cursor);
	__u64 half;

	if (!ip)
		return false;
	__builtin_memcpy(&half, &ip->daddr, 8);
	packet->destination_high = bpf_be64_to_cpu(half);
	__builtin_memcpy(&half, (void *)&ip->daddr + 8, 8);
	packet->destination_low = bpf_be64_to_cpu(half);
	packet->length = parse_ipv6_length(ip);
	packet->end = rules_offset(ctx, cursor->at) + packet->length;
	packet->payload = packet->end;
	/* A length that does not fit the field's 16 bits is as long as can be. */
	if (packet->length > 65535)
		packet->length = 65535;
	packet->protocol = ip->nexthdr;
	packet->ttl = ip->hop_limit;
	packet->kind = RULES_KIND_IPV6;
	const __u8 *at = rules_skip_extensions(packet, (void *)(ip + 1), cursor->end);

	if (at)
		rules_parse_transport(ctx, packet, at, cursor->end);
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
