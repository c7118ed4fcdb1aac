/* SPDX-License-Identifier: BSD-2-Clause */
/* What rules ask of a packet, read from a sample.  A stranger wrote those bytes. */
#ifndef SLUICE_DETECTORS_PACKET_H
#define SLUICE_DETECTORS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>
#include <sluice/rule.h>

/* As the filter's rules see it: a member that the packet does not have is negative. */
struct packet {
	struct sluice_key source; /* Whole addresses: /32 or /128. */
	struct sluice_key destination;
	uint8_t protocol, ttl;
	uint16_t length;		    /* Of the IP packet. */
	uint16_t ether_type;		    /* Behind VLAN tags. */
	uint16_t fragment_offset;	    /* In units of eight bytes. */
	enum sluice_rule_fragment fragment; /* none, first or later */
	int source_port, destination_port, tcp_flags;
	const uint8_t *payload; /* What of it is in the sample. */
	size_t payload_size;
};

/* False: no IP packet, or cut short before its addresses. */
bool packet_parse(const struct sluice_sample *sample, struct packet *packet);
/* Whether the filter would find that this rule fits.  Payload beyond the sample fits nothing. */
bool packet_matches(const struct packet *packet, const struct sluice_rule_match *match);

#endif /* SLUICE_DETECTORS_PACKET_H */
