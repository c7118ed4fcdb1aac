/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames from recipes: Ethernet, VLAN tags, IPv4 or IPv6, extension headers, a transport header. */
#ifndef SLUICE_TESTS_BPF_FRAME_H
#define SLUICE_TESTS_BPF_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX_SIZE 16384
#define FRAME_MAX_VLANS 4
#define FRAME_MAX_EXTENSIONS 8
#define FRAME_USUAL_PAYLOAD 30
#define FRAME_NO_PAYLOAD 0xffff

/* An extension header of the first or a later part of a packet, or of one that is whole (RFC 6946). */
enum {
	FRAME_FRAGMENT_FIRST = 44,
	FRAME_FRAGMENT_WHOLE = 144,
	FRAME_FRAGMENT_LATER = 244,
};

struct frame_recipe {
	uint16_t vlans[FRAME_MAX_VLANS]; /* Tag protocol identifiers, outermost first; 0 ends. */
	bool is_priority;		 /* Of VLAN 0, which a receiver takes off. */
	uint8_t family;			 /* 4, 6, or 0: only `ethertype` and payload */
	uint16_t ethertype;		 /* 0 = as the family has it */
	uint8_t protocol;		 /* Transport; its header is built for those known. */
	uint8_t tcp_flags;
	uint8_t option_words; /* IPv4 */
	uint16_t fragment;    /* IPv4: flags and offset, host order */
	uint8_t extensions
		[FRAME_MAX_EXTENSIONS]; /* IPv6: types, outermost first; 0 ends, 1 = hop-by-hop */
	uint16_t payload;		/* Bytes behind the transport header; 0 = the usual. */
	uint16_t padding;		/* Bytes behind the packet. */
	bool is_version_set, is_ihl_set;
	uint8_t version, ihl; /* Instead of the right ones. */
	int length_change;    /* To the length that the IP header states. */
	uint16_t cut;	      /* The frame ends after so many bytes; 0 = not cut. */
	bool cut_honest;      /* ... and the IP header says so. */
};

struct frame {
	uint8_t data[FRAME_MAX_SIZE];
	uint32_t size;
	uint32_t network; /* Where the IP header begins. */
};

/* `source` is 4 or 16 bytes in network order, by the recipe's family. */
void frame_build(struct frame *frame, const struct frame_recipe *recipe, const uint8_t *source);

#endif /* SLUICE_TESTS_BPF_FRAME_H */
