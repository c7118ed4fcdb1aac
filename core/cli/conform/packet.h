/* SPDX-License-Identifier: BSD-2-Clause */
/* Ethernet frames between a stack under test and its peer: made, read, and found fault with. */
#ifndef SLUICE_CLI_CONFORM_PACKET_H
#define SLUICE_CLI_CONFORM_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

enum {
	PACKET_ETHERNET = 14, /* Bytes of the header. */
	PACKET_ARP = 0x0806,
	PACKET_IPV4 = 0x0800,
	PACKET_IPV6 = 0x86dd,
	PACKET_ICMP = 1,
	PACKET_TCP = 6,
	PACKET_UDP = 17,
	PACKET_ICMPV6 = 58,
	PACKET_ARP_REQUEST = 1,
	PACKET_ARP_REPLY = 2,
	PACKET_ECHO_REQUEST = 8, /* 128 and 129 in IPv6 */
	PACKET_ECHO_REPLY = 0,
	PACKET_SOLICIT = 135,
	PACKET_ADVERTISE = 136,
	PACKET_FIN = 1,
	PACKET_SYN = 2,
	PACKET_RST = 4,
	PACKET_ACK = 16,
};

/* A host. */
struct packet_end {
	uint8_t mac[6];
	bool has[2]; /* IPv4, IPv6 */
	uint8_t ip[2][16];
};

/* A direction between two hosts. */
struct packet_path {
	const struct packet_end *from, *to;
	bool v6;
};

struct packet_tcp {
	uint16_t from_port, to_port;
	uint32_t seq, ack;
	uint8_t flags;
};

/* What a frame says; the pointers are into it. */
struct packet_view {
	uint16_t type; /* Of Ethernet. */
	bool v6;
	const uint8_t *from, *to; /* IP addresses */
	uint8_t protocol;	  /* 0: neither IPv4 nor IPv6. */
	const uint8_t *payload;	  /* Of IP. */
	size_t payload_size;
};

/* All make a whole frame. */
void packet_arp(struct wire_frame *frame, uint16_t operation, const struct packet_path *path);
void packet_ip(struct wire_frame *frame, const struct packet_path *path, uint8_t protocol,
	       const void *payload, size_t size);
void packet_echo(struct wire_frame *frame, const struct packet_path *path, uint16_t sequence,
		 size_t size);
void packet_neighbour(struct wire_frame *frame, const struct packet_path *path, uint8_t type);
void packet_tcp(struct wire_frame *frame, const struct packet_path *path,
		const struct packet_tcp *tcp, const void *data, size_t size);
void packet_udp(struct wire_frame *frame, const struct packet_path *path, uint16_t port,
		size_t size);

/* NULL, or why no host may send such a frame.  Fills in `view` of one that it may. */
const char *packet_fault(const struct wire_frame *frame, struct packet_view *view);
/* False: it is no TCP segment. */
bool packet_read_tcp(const struct packet_view *view, struct packet_tcp *tcp);

/* As a host that fills in sums does: those of whole TCP and UDP packets, whatever is in their place. */
void packet_fill_sums(struct wire_frame *frame);

/* Sets the sums of IPv4 and what it carries right again, as far as there is any of it. */
void packet_mend(struct wire_frame *frame);

#endif /* SLUICE_CLI_CONFORM_PACKET_H */
