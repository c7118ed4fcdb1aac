// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Features per destination: packets and bytes of what passed the filter, with histograms of
 * protocol, TCP flags, length and ports.
 */
#include "feature_packet.h"
#include "parse_ports.h"

char _license[] SEC("license") = "Dual BSD/GPL";

FEATURE_TABLE(destination4);
FEATURE_TABLE(destination6);

/*
 * Which bin counts a port: one of its own for those that matter most, for all others a keyed hash.
 * One load and no branch; user space fills it (core/dataplane/port_bins.c).
 */
const volatile __u8 port_bins[65536] = {};

enum protocol_class { TCP, UDP, ICMP, GRE, ESP, SCTP, TUNNEL, OTHER };

static __always_inline __u32 class_of(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return TCP;
	case IPPROTO_UDP:
		return UDP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return ICMP;
	case IPPROTO_GRE:
		return GRE;
	case IPPROTO_ESP:
		return ESP;
	case IPPROTO_SCTP:
		return SCTP;
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		return TUNNEL;
	default:
		return OTHER;
	}
}

/*
 * The next two are functions of their own, so that the verifier looks at each once and not again
 * for every way to get there.
 */
__noinline int destination_clear(struct sluice_destination_value *value)
{
	if (!value)
		return 0;
	/* Volatile, lest clang makes of it a memset that is too long for it. */
	for (__u32 i = 0; i < sizeof(*value) / 4; i++)
		((volatile __u32 *)value)[i] = 0;
	return 0;
}

/* `ports` and `flags`: -1 where the packet shows none. */
__noinline int destination_count(struct sluice_destination_value *value, __u32 length,
				 __u32 protocol, __s64 ports, __s32 flags)
{
	if (!value)
		return 0;
	length /= FEATURE_LENGTH_STEP;
	if (length >= FEATURE_N_LENGTHS)
		length = FEATURE_N_LENGTHS - 1;
	value->length[length]++;
	value->protocol[class_of(protocol) & (FEATURE_N_PROTOCOLS - 1)]++;
	if (ports < 0)
		return 0;
	value->source_port[port_bins[ports >> 16 & 0xffff] & (FEATURE_N_PORT_BINS - 1)]++;
	value->destination_port[port_bins[ports & 0xffff] & (FEATURE_N_PORT_BINS - 1)]++;
	if (flags >= 0)
		value->tcp_flags[flags & (FEATURE_N_TCP_FLAGS - 1)]++;
	return 0;
}

static __always_inline void value_add(struct sluice_destination_value *value,
				      const struct feature_row *row,
				      const struct feature_packet *packet,
				      const struct parse_ports *ports)
{
	if (!value)
		return;
	if (row->is_new)
		destination_clear(value);
	value->fragments += packet->transport.fragment != PARSE_WHOLE;
	destination_count(value, packet->bytes, packet->transport.protocol, ports->ports,
			  ports->flags);
}

static __always_inline void add(struct feature_row *row, const struct feature_packet *packet,
				const struct parse_ports *ports)
{
	if (!packet->v6) {
		__u32 key[1] = { packet->destination[0] };

		value_add(FEATURE_COUNT(destination4, row, key, hash_v4(HEADER->hash_key, key[0]),
					packet->bytes),
			  row, packet, ports);
		return;
	}
	const __u64 *to = packet->destination;
	__u32 key[4] = { to[0], to[0] >> 32, to[1], to[1] >> 32 };

	value_add(FEATURE_COUNT(destination6, row, key, hash_v6(HEADER->hash_key, to[0], to[1]),
				packet->bytes),
		  row, packet, ports);
}

SEC("xdp")
int sluice_features_destination(struct xdp_md *ctx)
{
	struct feature_row row = feature_row_of_side();
	struct feature_packet packet = {};

	feature_packet_read(ctx, &packet);
	if (packet.bytes) {
		struct parse_ports ports =
			parse_ports(ctx, packet.transport.protocol, packet.transport_offset);

		add(&row, &packet, &ports);
	}
	return feature_done(ctx);
}
