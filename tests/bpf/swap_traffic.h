/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Swaps under traffic, for the tests of the swap: one thread sends what it can on the last CPU, the
 * caller swaps, reads, and gets to know what became of the packets.
 */
#ifndef SLUICE_TESTS_BPF_SWAP_TRAFFIC_H
#define SLUICE_TESTS_BPF_SWAP_TRAFFIC_H

#include <stdint.h>

#include "plane.h"

struct swap_options {
	enum dataplane_swap_design design;
	int n_swaps;
	uint32_t burst; /* Packets that the sender sends at a time. */
};

struct swap_conservation {
	uint64_t sent;
	uint64_t counted; /* In all windows. */
	uint64_t passed;  /* By the filter's counters, which no swap touches. */
};

/* Every window is read as soon as the swap allows it. */
struct swap_conservation swap_conserve(const struct swap_options *options);

struct swap_stillness {
	uint64_t looks;
	uint64_t differences; /* Looks at which the idle side was not what it had been. */
	uint64_t changes;     /* Looks at which the other one was not. */
};

/* After each swap, looks at all of the IPv4 sources' table until the sender has counted twice. */
struct swap_stillness swap_stand_still(const struct swap_options *options);

#endif /* SLUICE_TESTS_BPF_SWAP_TRAFFIC_H */
