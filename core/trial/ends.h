/* SPDX-License-Identifier: BSD-2-Clause */
/* Who sends a frame to whom: as much of its headers as a replay has to know. */
#ifndef SLUICE_TRIAL_ENDS_H
#define SLUICE_TRIAL_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct ends {
	struct sluice_key source, destination; /* Whole addresses. */
	uint8_t protocol;
	const uint8_t *transport; /* NULL: a later fragment, or cut off. */
	size_t transport_size;
};

/* From the first byte of Ethernet on.  False: no IP, or cut off too soon; no family is set. */
bool ends_read(const uint8_t *frame, size_t size, struct ends *ends);

/*
 * Only an established connection sends segments with neither SYN nor RST: what answers a SYN is a
 * SYN-ACK, and what answers anything else that is not part of one is a RST.
 */
bool ends_are_established(const struct ends *ends);

#endif /* SLUICE_TRIAL_ENDS_H */
