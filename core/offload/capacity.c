/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The search for the card's real size: down at once on refusal, up by a sixteenth at a time.
 */
#include "capacity.h"

#define CAPACITY_PROBE_MIN_NS 30000000000u
#define CAPACITY_PROBE_MAX_NS 600000000000u
/* For a card of unknown size: what no card of today reaches, and memory can hold. */
#define CAPACITY_UNKNOWN (1u << 22)

void capacity_init(struct capacity *capacity, uint32_t wanted, uint32_t said)
{
	uint32_t size = wanted && said ? (wanted < said ? wanted : said) : wanted + said;

	if (size == 0)
		size = CAPACITY_UNKNOWN;
	*capacity = (struct capacity){
		.configured = size,
		.learned = size,
		.interval_ns = CAPACITY_PROBE_MIN_NS,
	};
}

void capacity_full(struct capacity *capacity, uint32_t used, uint64_t now_ns)
{
	if (used >= capacity->configured)
		return;
	if (capacity->raised)
		capacity->interval_ns *= 2;
	if (capacity->interval_ns > CAPACITY_PROBE_MAX_NS)
		capacity->interval_ns = CAPACITY_PROBE_MAX_NS;
	capacity->raised = false;
	capacity->learned = used;
	capacity->probe_ns = now_ns + capacity->interval_ns;
}

void capacity_probe(struct capacity *capacity, uint32_t used, uint64_t now_ns)
{
	uint32_t step = capacity->learned / 16 + 1;

	/* With room left there is nothing to be learned. */
	if (capacity->learned == capacity->configured || used < capacity->learned ||
	    now_ns < capacity->probe_ns)
		return;
	if (capacity->raised)
		capacity->interval_ns = CAPACITY_PROBE_MIN_NS;
	capacity->raised = true;
	if (step > capacity->configured - capacity->learned)
		step = capacity->configured - capacity->learned;
	capacity->learned += step;
}
