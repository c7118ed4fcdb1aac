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
	uint16_t longest;     /* The same; 0: all are of that length. */
	bool is_spare;	      /* Little is lost without it. */
};

/* Above what a rule may hit (`max_benign`), and below, so that no few spare shapes are an obstacle. */
#define SHARE 0.01
#define SPARE_SHARE 0.001

static const struct shape shapes[] = {
	/* SYN with MSS alone up to all usual options. */
	{ IPPROTO_TCP, 2, ANY, ANY, 44, 0, false },
	{ IPPROTO_TCP, 2, ANY, ANY, 48, 0, false },
	{ IPPROTO_TCP, 2, ANY, ANY, 52, 0, false },
	{ IPPROTO_TCP, 2, ANY, ANY, 60, 0, false },
	{ IPPROTO_TCP, 2, ANY, ANY, 64, 0, false },
	/* SYN-ACK. */
	{ IPPROTO_TCP, 18, ANY, ANY, 44, 0, false },
	{ IPPROTO_TCP, 18, ANY, ANY, 52, 0, false },
	{ IPPROTO_TCP, 18, ANY, ANY, 60, 0, false },
	/* ACK, without and with time stamps, with SACK blocks. */
	{ IPPROTO_TCP, 16, ANY, ANY, 40, 0, false },
	{ IPPROTO_TCP, 16, ANY, ANY, 52, 0, false },
	{ IPPROTO_TCP, 16, ANY, ANY, 64, 0, false },
	/* Data. */
	{ IPPROTO_TCP, 16, ANY, ANY, 1500, 0, false },
	{ IPPROTO_TCP, 16, ANY, ANY, 1492, 0, false },
	{ IPPROTO_TCP, 16, ANY, ANY, 1440, 0, false },
	{ IPPROTO_TCP, 24, ANY, ANY, 83, 0, false },
	{ IPPROTO_TCP, 24, ANY, ANY, 120, 0, false },
	{ IPPROTO_TCP, 24, ANY, ANY, 178, 0, false },
	{ IPPROTO_TCP, 24, ANY, ANY, 340, 0, false },
	{ IPPROTO_TCP, 24, ANY, ANY, 569, 0, false },
	{ IPPROTO_TCP, 24, ANY, ANY, 900, 0, false },
	/* The end of a connection; of one that is open the sender is known. */
	{ IPPROTO_TCP, 17, ANY, ANY, 40, 0, false },
	{ IPPROTO_TCP, 17, ANY, ANY, 52, 0, false },
	{ IPPROTO_TCP, 4, ANY, ANY, 40, 0, true },
	{ IPPROTO_TCP, 20, ANY, ANY, 40, 0, true },
	/* QUIC: long headers, padded, and short ones. */
	{ IPPROTO_UDP, -1, ANY, 443, 1228, 0, false },
	{ IPPROTO_UDP, -1, ANY, 443, 1278, 0, false },
	{ IPPROTO_UDP, -1, ANY, 443, 1378, 0, false },
	{ IPPROTO_UDP, -1, ANY, 443, 49, 130, false },
	/* Names and time; whom this host asks is known, but a router cannot know that. */
	{ IPPROTO_UDP, -1, ANY, 53, 45, 110, false },
	{ IPPROTO_UDP, -1, 53, ANY, 60, 300, true },
	{ IPPROTO_UDP, -1, 123, ANY, 76, 0, true },
	{ IPPROTO_UDP, -1, ANY, 123, 76, 0, false },
	{ IPPROTO_UDP, -1, 123, 123, 76, 0, false }, /* Clients that use the service's port. */
	/*
	 * Other services of the host, as games and voice (200 is 20 ms of it, RFC 3551): so close together
	 * that no range of short lengths comes between, while a tool's one length may.
	 */
	{ IPPROTO_UDP, -1, ANY, ANY, 46, 0, true },
	{ IPPROTO_UDP, -1, ANY, ANY, 60, 0, false },
	{ IPPROTO_UDP, -1, ANY, ANY, 100, 0, false },
	{ IPPROTO_UDP, -1, ANY, ANY, 150, 0, false },
	{ IPPROTO_UDP, -1, ANY, ANY, 200, 0, false },
	{ IPPROTO_UDP, -1, ANY, ANY, 1028, 0, true },
	/* Echo requests of ping on two systems, and a report of an unreachable port. */
	{ IPPROTO_ICMP, -1, -1, -1, 84, 0, true },
	{ IPPROTO_ICMP, -1, -1, -1, 60, 0, true },
	{ IPPROTO_ICMP, -1, -1, -1, 56, 0, true },
};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))
_Static_assert(2 * N_SHAPES <= ORDINARY_MAX, "one of each family");

static void fill(struct mine_ordinary *out, const struct shape *shape, uint8_t family)
{
	bool v6 = family == SLUICE_FAMILY_IPV6;
	struct packet *packet = &out->packet.packet;

	memset(out, 0, sizeof(*out));
	packet->source.family = packet->destination.family = family;
	packet->protocol = v6 && shape->protocol == IPPROTO_ICMP ? IPPROTO_ICMPV6 : shape->protocol;
	packet->tcp_flags = shape->tcp_flags;
	packet->source_port = shape->source_port;
	packet->destination_port = shape->destination_port;
	packet->length = (uint16_t)(shape->ipv4_length + (v6 ? 20 : 0));
	out->longest = shape->longest ? (uint16_t)(shape->longest + (v6 ? 20 : 0)) : packet->length;
	out->share = shape->is_spare ? SPARE_SHARE : SHARE;
}

size_t ordinary_fill(struct mine_ordinary out[ORDINARY_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < N_SHAPES; i++) {
		fill(&out[n++], &shapes[i], SLUICE_FAMILY_IPV4);
		fill(&out[n++], &shapes[i], SLUICE_FAMILY_IPV6);
	}
	return n;
}
