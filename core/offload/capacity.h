/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many rules the card takes: as configured or said by the card, lowered when it is full
 * earlier, and raised again in small steps later, because room may come back.
 */
#ifndef SLUICE_OFFLOAD_CAPACITY_H
#define SLUICE_OFFLOAD_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

struct capacity {
	uint32_t configured;
	uint32_t learned;     /* At most `configured`. */
	bool raised;	      /* Since the card was last full. */
	uint64_t probe_ns;    /* When to try for more. */
	uint64_t interval_ns; /* Between tries; doubles with each that fails. */
};

/* Either may be 0 for unknown; the smaller of both counts. */
void capacity_init(struct capacity *capacity, uint32_t wanted, uint32_t said);
/* The card is full with `used` rules. */
void capacity_full(struct capacity *capacity, uint32_t used, uint64_t now_ns);
/* Once a round, before planning. */
void capacity_probe(struct capacity *capacity, uint32_t used, uint64_t now_ns);

#endif /* SLUICE_OFFLOAD_CAPACITY_H */
