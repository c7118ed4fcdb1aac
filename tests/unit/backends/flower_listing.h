/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A rule as the kernel lists it: the attributes of the request that made it, flags, counters and
 * times.
 */
#ifndef SLUICE_TESTS_FLOWER_LISTING_H
#define SLUICE_TESTS_FLOWER_LISTING_H

#include "request.h"

#define FLOWER_LISTING_NO_TIMES UINT64_MAX

struct flower_listing {
	struct sluice_key key; /* IPv4. */
	uint32_t handle, seq, flags;
	uint32_t packets, hw_packets; /* 100 bytes each. */
	uint64_t hw_packets64;	      /* All bits of it, if they are told; else 0. */
	uint64_t idle_ticks;	      /* A hundredth of a second each, or none. */
	bool own_hook;		      /* Who made it had made the hook. */
};

/* The caller frees it. */
struct nl_msg *flower_listing(const struct flower_place *place, const struct flower_listing *rule);

#endif /* SLUICE_TESTS_FLOWER_LISTING_H */
