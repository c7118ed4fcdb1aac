/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Other addresses and ports in a captured packet, with the checksums of IPv4, TCP, UDP, ICMP and
 * ICMPv6 put right.
 *
 * A packet that was captured whole gets checksums computed in full: those of a host that leaves
 * them to its network card are wrong in its own captures.  Where bytes are missing (a short snap
 * length, a fragment) the old checksum is adjusted by what changed.  A UDP checksum of zero over
 * IPv4 says that there is none and stays.
 */
#ifndef SLUICE_REPLAY_REWRITE_H
#define SLUICE_REPLAY_REWRITE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/key.h>

struct packet_view;

/* What changes; an address of no family, a port of 0 stay as they are. */
struct rewrite {
	struct sluice_key source, destination;
	uint16_t source_port, destination_port;
	/* Of the packet that an ICMP error quotes. */
	struct sluice_key quoted_source, quoted_destination;
};

/* Nothing to change leaves the checksums alone too.  Addresses of another family than the packet's are not applied. */
void rewrite_packet(uint8_t *frame, uint32_t size, const struct packet_view *view,
		    const struct rewrite *rewrite);

/*
 * Source and destination alone, always by adjusting: for the same packet again and again.  An
 * address of no family stays.
 */
void rewrite_addresses(uint8_t *frame, uint32_t size, const struct packet_view *view,
		       const struct sluice_key *source, const struct sluice_key *destination);

#endif /* SLUICE_REPLAY_REWRITE_H */
