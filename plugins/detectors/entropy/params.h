/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the operator can set, in the units of the formulas; README.md explains each.
 */
#ifndef SLUICE_ENTROPY_PARAMS_H
#define SLUICE_ENTROPY_PARAMS_H

#include <stdint.h>

#include "aggregate.h"

struct entropy_params {
	double source_floor_pps;  /* Slower sources are never named. */
	double flood_pps;	  /* A flood from strangers, whatever is normal here. */
	double learned_flood_pps; /* The least that can be a flood once peace is known. */
	double high_entropy;	  /* Normalised; even traffic of many sources. */
	double low_entropy;	  /* Normalised; few sources make up most of it. */
	double new_share;	  /* Share of strangers' packets, for learned_flood_pps. */
	double deviation;	  /* Of the entropy from its learned mean, in mean deviations. */
	double growth;		  /* A source known from peace is a stranger again from here on. */
	uint32_t min_sources;	  /* Fewer are few, however even. */
	uint32_t learn_windows;	  /* Until the learned level counts. */
	uint32_t calm_windows;	  /* Until an attack is over. */
	uint32_t max_learned;	  /* Sources remembered from peace. */
	uint64_t seed;		  /* Of the hash; unknown to attackers. */
	struct aggregate_params aggregate;
};

/* Learning waits this many windows, so that the first, partial attack window is not learned. */
#define ENTROPY_LAG 3

#endif /* SLUICE_ENTROPY_PARAMS_H */
