/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds the template frame of sluice-gen and the checksum sums that its BPF program completes.
 * Pure: no system call.
 */
#ifndef SLUICE_SUPPORT_GEN_PACKET_H
#define SLUICE_SUPPORT_GEN_PACKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gen_shared.h"

#define GEN_FRAME_MIN 60
#define GEN_FRAME_MAX 1518 /* Without the check sequence: 1,500 bytes and one VLAN tag. */

enum gen_protocol {
	GEN_PROTOCOL_UDP,
	GEN_PROTOCOL_TCP_SYN,
	GEN_PROTOCOL_ICMP,
};

/* An address of either family, in network order. */
struct gen_address {
	int family; /* AF_INET or AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

struct gen_packet {
	enum gen_protocol protocol;
	struct gen_address source; /* The first one. */
	uint32_t n_sources;
	struct gen_address to;
	uint8_t from_mac[6], to_mac[6];
	uint16_t from_port; /* 0 = random */
	uint16_t to_port;
	uint16_t vlan; /* 0 = none */
	size_t length; /* Of the frame, from the Ethernet header on; 0 = as short as possible. */
};

/*
 * Fills `frame` (GEN_FRAME_MAX bytes), `*length`, and all of `config` but `order`.  0, or -EINVAL
 * with a static text in `*why`.
 */
int gen_packet_build(const struct gen_packet *packet, uint8_t *frame, size_t *length,
		     struct gen_config *config, const char **why)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SUPPORT_GEN_PACKET_H */
