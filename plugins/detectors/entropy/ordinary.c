/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Not a measurement: the shapes that stacks and common services make by themselves, so that a rule
 * mined after a short or one-sided peace does not hit them.  Ports of the host's own services are
 * unknown here, so these packets fit whatever port a rule asks for unless one is given.
 */
#include "ordinary.h"

#include <netinet/in.h>
#include <string.h>

#define ANY MINE_ANY_PORT

struct shape {
	uint8_t protocol;
	int tcp_flags, source_port, destination_port;
	uint16_t ipv4_length; /* IPv6 has 20 more. */
};

static const struct shape shapes[] = {
	/* SYN with MSS alone up to all usual options. */
	{ IPPROTO_TCP, 2, ANY, ANY, 44 },
	{ IPPROTO_TCP, 2, ANY, ANY, 48 },
	{ IPPROTO_TCP, 2, ANY, ANY, 52 },
	{ IPPROTO_TCP, 2, ANY, ANY, 60 },
	{ IPPROTO_TCP, 2, ANY, ANY, 60 },
	{ IPPROTO_TCP, 2, ANY, ANY, 64 },
	/* SYN-ACK. */
	{ IPPROTO_TCP, 18, ANY, ANY, 44 },
	{ IPPROTO_TCP, 18, ANY, ANY, 52 },
	{ IPPROTO_TCP, 18, ANY, ANY, 60 },
	/* ACK, without and with time stamps, with SACK blocks. */
	{ IPPROTO_TCP, 16, ANY, ANY, 40 },
	{ IPPROTO_TCP, 16, ANY, ANY, 40 },
	{ IPPROTO_TCP, 16, ANY, ANY, 52 },
	{ IPPROTO_TCP, 16, ANY, ANY, 52 },
	{ IPPROTO_TCP, 16, ANY, ANY, 64 },
	/* Data. */
	{ IPPROTO_TCP, 16, ANY, ANY, 1500 },
	{ IPPROTO_TCP, 16, ANY, ANY, 1500 },
	{ IPPROTO_TCP, 16, ANY, ANY, 1492 },
	{ IPPROTO_TCP, 16, ANY, ANY, 1440 },
	{ IPPROTO_TCP, 24, ANY, ANY, 83 },
	{ IPPROTO_TCP, 24, ANY, ANY, 120 },
	{ IPPROTO_TCP, 24, ANY, ANY, 178 },
	{ IPPROTO_TCP, 24, ANY, ANY, 340 },
	{ IPPROTO_TCP, 24, ANY, ANY, 569 },
	{ IPPROTO_TCP, 24, ANY, ANY, 900 },
	/* The end of a connection. */
	{ IPPROTO_TCP, 17, ANY, ANY, 40 },
	{ IPPROTO_TCP, 17, ANY, ANY, 52 },
	{ IPPROTO_TCP, 4, ANY, ANY, 40 },
	{ IPPROTO_TCP, 4, ANY, ANY, 40 },
	{ IPPROTO_TCP, 20, ANY, ANY, 40 },
	{ IPPROTO_TCP, 20, ANY, ANY, 40 },
	/* QUIC, and other UDP services of the host. */
	{ IPPROTO_UDP, -1, ANY, 443, 1228 },
	{ IPPROTO_UDP, -1, ANY, 443, 1278 },
	{ IPPROTO_UDP, -1, ANY, 443, 1378 },
	{ IPPROTO_UDP, -1, ANY, 443, 61 },
	{ IPPROTO_UDP, -1, ANY, 443, 70 },
	{ IPPROTO_UDP, -1, ANY, 443, 120 },
	{ IPPROTO_UDP, -1, ANY, 53, 60 },
	{ IPPROTO_UDP, -1, ANY, 53, 68 },
	{ IPPROTO_UDP, -1, ANY, 53, 75 },
	{ IPPROTO_UDP, -1, 53, ANY, 90 },
	{ IPPROTO_UDP, -1, 53, ANY, 150 },
	{ IPPROTO_UDP, -1, 53, ANY, 260 },
	{ IPPROTO_UDP, -1, 123, ANY, 76 },
	{ IPPROTO_UDP, -1, ANY, 123, 76 },
	{ IPPROTO_UDP, -1, ANY, ANY, 46 },
	{ IPPROTO_UDP, -1, ANY, ANY, 200 },
	{ IPPROTO_UDP, -1, ANY, ANY, 1028 },
	/* Echo requests of ping on two systems, and a report of an unreachable port. */
	{ IPPROTO_ICMP, -1, -1, -1, 84 },
	{ IPPROTO_ICMP, -1, -1, -1, 60 },
	{ IPPROTO_ICMP, -1, -1, -1, 56 },
};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))
_Static_assert(2 * N_SHAPES <= ORDINARY_MAX, "one of each family");

static void fill(struct mine_packet *out, const struct shape *shape, uint8_t family)
{
	bool v6 = family == SLUICE_FAMILY_IPV6;

	memset(out, 0, sizeof(*out));
	out->packet.source.family = out->packet.destination.family = family;
	out->packet.protocol = v6 && shape->protocol == IPPROTO_ICMP ? IPPROTO_ICMPV6
								     : shape->protocol;
	out->packet.tcp_flags = shape->tcp_flags;
	out->packet.source_port = shape->source_port;
	out->packet.destination_port = shape->destination_port;
	out->packet.length = (uint16_t)(shape->ipv4_length + (v6 ? 20 : 0));
}

size_t ordinary_fill(struct mine_packet out[ORDINARY_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < N_SHAPES; i++) {
		fill(&out[n++], &shapes[i], SLUICE_FAMILY_IPV4);
		fill(&out[n++], &shapes[i], SLUICE_FAMILY_IPV6);
	}
	return n;
}
