/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of any link type that we understand as Ethernet frames.
 */
#ifndef SLUICE_REPLAY_LINK_TYPE_H
#define SLUICE_REPLAY_LINK_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_ETHERNET_SIZE 14

/* What takes the place of a packet's link header. */
struct link_frame {
	bool runt;	  /* Too short for the link header that it should have. */
	bool own_header;  /* `header` goes in front of what remains. */
	uint32_t skipped; /* Bytes of the packet that `header` replaces. */
	uint8_t header[LINK_ETHERNET_SIZE];
};

/* True for the DLT_ numbers below. */
bool link_type_known(int dlt);
/* For messages. */
#define LINK_TYPES_KNOWN "Ethernet, raw IP, Linux cooked 1 and 2, null and loop"

/* `size` bytes of `data` are captured, `wire_size` were sent.  `dlt` is one that is known. */
void link_frame_of(int dlt, const uint8_t *data, uint32_t size, uint32_t wire_size,
		   struct link_frame *frame);

#endif /* SLUICE_REPLAY_LINK_TYPE_H */
