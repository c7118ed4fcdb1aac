/* SPDX-License-Identifier: BSD-2-Clause */
/* Who sends a frame to whom: as much of its headers as a replay has to know. */
#ifndef SLUICE_TRIAL_ENDS_H
#define SLUICE_TRIAL_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct ends {
	uint8_t family;		  /* SLUICE_FAMILY_*; 0: none was read. */
	const uint8_t *ip;	  /* Its header. */
	uint8_t protocol;	  /* Of IPv6, what the first header says. */
	const uint8_t *transport; /* NULL: a later fragment, or cut off. */
	size_t transport_size;
};

/* From the first byte of Ethernet on.  False: no IP, or cut off too soon; no family is set. */
bool ends_read(const uint8_t *frame, size_t size, struct ends *ends);

/* Whole addresses, of what was read. */
struct sluice_key ends_source(const struct ends *ends);
struct sluice_key ends_destination(const struct ends *ends);

/*
 * The part of the packet by which the programs at tc know its sender again, beside the address: UDP's
 * ports, or NULL in `*ports` for other protocols.  False: they may read the packet otherwise than we do.
 */
bool ends_speech(const struct ends *ends, const uint8_t **ports);

/*
 * Only an established connection sends segments with neither SYN nor RST: what answers a SYN is a
 * SYN-ACK, and what answers anything else that is not part of one is a RST.
 */
bool ends_are_established(const struct ends *ends);

#endif /* SLUICE_TRIAL_ENDS_H */
