/* SPDX-License-Identifier: BSD-2-Clause */
/* The sums of sent frames, left to whoever comes behind us: the kernel or the card. */
#ifndef SLUICE_XSK_SUMS_H
#define SLUICE_XSK_SUMS_H

#include <stdbool.h>
#include <stdint.h>

#include "tx_metadata.h"

/*
 * Puts the sum of the pseudo header in the place of the packet's, whatever was there, cuts off what pads the
 * frame, which would go into the sum, and says in `metadata` what is left to do.  False: it is none of
 * the packets that <sluice/stack.h> names with `fills_sums`; nothing is changed.
 */
bool sums_leave(uint8_t *frame, uint32_t *length, struct tx_metadata *metadata)
	__attribute__((warn_unused_result));

#endif /* SLUICE_XSK_SUMS_H */
