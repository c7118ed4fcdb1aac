/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet as the features per flow and per destination see it: both addresses, its length and its
 * transport header.  The filter found an IP header here a moment ago; the bounds are the
 * verifier's, not ours.
 *
 * Programs of the chain are loaded for one side each and have tables of their own, so a row of
 * theirs is a CPU.
 */
#ifndef SLUICE_BPF_FEATURE_PACKET_H
#define SLUICE_BPF_FEATURE_PACKET_H

#include "counters.h"
#include "feature_chain.h"
#include "feature_table.h"
#include "parse.h"

struct feature_packet {
	__u32 bytes; /* 0: there is nothing to count. */
	bool v6;
	__u64 source[2], destination[2]; /* IPv4 in the first four bytes. */
	struct parse_transport transport;
	__u32 transport_offset; /* In the frame; 0: no transport header follows. */
};

static __always_inline __u32 feature_offset(const struct xdp_md *ctx, const void *header)
{
	return header ? header - (void *)(long)ctx->data : 0;
}

static __always_inline void feature_packet_read(struct xdp_md *ctx, struct feature_packet *packet)
{
	struct parse_cursor cursor = { (void *)(long)ctx->data, (void *)(long)ctx->data_end };
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (type.value == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = parse_ipv4(&cursor);

		if (!ip)
			return;
		packet->source[0] = ip->saddr;
		packet->destination[0] = ip->daddr;
		packet->bytes = parse_frame_bytes(ctx, &cursor, parse_ipv4_length(ip));
		packet->transport = parse_ipv4_transport(ip, cursor.end);
		packet->transport_offset = feature_offset(ctx, packet->transport.header);
		return;
	}
	struct ipv6hdr *ip = parse_ipv6(&cursor);

	if (!ip)
		return;
	packet->v6 = true;
	__builtin_memcpy(packet->source, &ip->saddr, sizeof(packet->source));
	__builtin_memcpy(packet->destination, &ip->daddr, sizeof(packet->destination));
	packet->bytes = parse_frame_bytes(ctx, &cursor, parse_ipv6_length(ip));
	packet->transport = parse_ipv6_transport(ip, cursor.end);
	packet->transport_offset = feature_offset(ctx, packet->transport.header);
}

static __always_inline struct feature_row feature_row_of_side(void)
{
	return (struct feature_row){
		.number = bpf_get_smp_processor_id(),
		.epoch = HEADER->epoch[side & 1],
		.side = side & 1,
	};
}

static __always_inline bool feature_is_icmp(__u8 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

#endif /* SLUICE_BPF_FEATURE_PACKET_H */
