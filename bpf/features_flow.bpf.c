// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Features per flow: packets, bytes, SYN, UDP and ICMP that a source sent to a destination, of what
 * passed the filter.  The source is in the policy's IPv6 unit, the destination a whole address.
 */
#include "feature_packet.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile __u64 v6_mask_high = ~0ull;
const volatile __u64 v6_mask_low = 0;

FEATURE_TABLE(flow4);
FEATURE_TABLE(flow6);

static __always_inline void value_add(struct sluice_flow_value *value,
				      const struct parse_transport *transport)
{
	if (!value)
		return;
	if (transport->protocol == IPPROTO_UDP)
		value->udp++;
	else if (transport->syn)
		value->tcp_syn++;
	else if (feature_is_icmp(transport->protocol))
		value->icmp++;
}

static __always_inline void flow4_add(struct feature_row *row, const struct feature_packet *packet)
{
	__u32 source = packet->source[0], destination = packet->destination[0];
	__u32 key[2] = { source, destination };
	/* Both halves are a stranger's choice, so this is the hash that is hard to aim with. */
	__u64 hash = hash_v6(HEADER->hash_key, (__u64)source << 32 | destination, 4);

	value_add(FEATURE_COUNT(flow4, row, key, hash, packet->bytes), &packet->transport);
}

static __always_inline void flow6_add(struct feature_row *row, const struct feature_packet *packet)
{
	__u64 high = packet->source[0] & v6_mask_high, low = packet->source[1] & v6_mask_low;
	const __u64 *to = packet->destination;
	__u32 key[8] = { high, high >> 32, low, low >> 32, to[0], to[0] >> 32, to[1], to[1] >> 32 };
	__u64 hash = hash_v6(HEADER->hash_key, high, low);

	hash = hash_v6(HEADER->hash_key, to[0] ^ hash, to[1]);
	value_add(FEATURE_COUNT(flow6, row, key, hash, packet->bytes), &packet->transport);
}

SEC("xdp")
int sluice_features_flow(struct xdp_md *ctx)
{
	struct feature_row row = feature_row_of_side();
	struct feature_packet packet = {};

	feature_packet_read(ctx, &packet);
	if (packet.bytes && !packet.v6)
		flow4_add(&row, &packet);
	else if (packet.bytes)
		flow6_add(&row, &packet);
	return feature_done(ctx);
}
