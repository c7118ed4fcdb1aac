/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits on what one destination receives and on what one source sends to one destination, and who
 * made a destination exceed its own: the pure part.
 */
#ifndef SLUICE_THRESHOLD_DESTINATION_H
#define SLUICE_THRESHOLD_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "levels.h"

struct destination_params {
	uint64_t fixed[THRESHOLD_N_METRICS]; /* Per destination and second; 0 = off. */
	uint64_t pair[THRESHOLD_N_METRICS];  /* Per source and destination; 0 = off. */
	bool learn;
	double deviation; /* Above the mean of what is learned... */
	double growth;	  /* ... and so many times that mean. */
	/* What is learned is never a lower limit than this, scaled to each metric. */
	uint64_t floor_pps;
	uint64_t source_floor_pps; /* Slower sources are never named as contributors. */
};

/* One source to be blocked for what it sends to `destination`. */
struct destination_hit {
	struct sluice_key source, destination;
	enum threshold_metric metric;
	bool is_pair; /* Over a limit of its own; else it is part of the destination's excess. */
	double rate;  /* The source's. */
	double total, limit; /* The destination's, or the pair's. */
};
/* Nonzero: no more are wanted. */
typedef int (*destination_hit_fn)(void *ctx, const struct destination_hit *hit);

struct destination_result {
	uint64_t over; /* Destinations over a limit. */
	uint64_t pairs_over;
	uint64_t without_heavy; /* Destinations over a limit that no few sources explain. */
	double worst_ratio;
	struct sluice_key worst;
	enum threshold_metric worst_metric;
};

/* 0, -EINVAL if the window cannot be read, or -ENOMEM.  Learns from it, too. */
int destination_observe(const struct destination_params *params, struct levels *levels,
			const struct sluice_window *window, uint64_t now_ns, destination_hit_fn hit,
			void *ctx, struct destination_result *result)
	__attribute__((warn_unused_result));

/* "packets", "bits" and so on. */
const char *threshold_metric_name(enum threshold_metric metric);

#endif /* SLUICE_THRESHOLD_DESTINATION_H */
