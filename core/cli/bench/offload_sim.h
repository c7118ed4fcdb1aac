/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of `sluice bench offload`: an attack, and who fills a card's table in it.  `sluice` is the
 * daemon's own offload manager, on the card's clock; the others are what it is measured by.
 */
#ifndef SLUICE_CLI_BENCH_OFFLOAD_SIM_H
#define SLUICE_CLI_BENCH_OFFLOAD_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

#include "offload_world.h"

enum sim_policy {
	SIM_SLUICE,
	SIM_NO_HYSTERESIS, /* The same without thresholds and without a bound on swaps. */
	SIM_NEVER_UPDATE,  /* Control: filled once with the first window's heaviest. */
	SIM_RANDOM,	   /* Control: filled once with any. */
};

struct sim_case {
	/* The attack, and when it is scored. */
	enum world_distribution distribution;
	struct world_shape shape;
	uint32_t sources, k;
	uint32_t warm_up, windows; /* Not scored, and scored. */
	uint64_t seed;
	/* Who meets it. */
	enum sim_policy policy;
	bool counters;
	double load;	    /* The attack as a share of the most that the system can take. */
	uint64_t update_ns; /* Of the card. */
};

/* Shares are of the packets that were sent, by true rates; means over the scored windows. */
struct sim_result {
	double share;
	double oracle_share; /* Of the K fastest of each window, known beforehand. */
	double updates_per_s;
	double naive_updates_per_s; /* The K fastest of the last window, as counted. */
	double probation;	    /* The most that were lifted at a time, as a share of K. */
};

/* Told after each window how many of how many are done; may be NULL. */
typedef void sim_progress(void *ctx, uint32_t done, uint32_t windows);

/* The name of the row: "drift", or "drift, never update". */
void sim_case_name(const struct sim_case *sim, char *name, size_t size);

/*
 * Runs `n` cases against one attack, that of the first, packet for packet the same; the others'
 * must be the same.  0, -EINVAL (K exceeds the sources), -ENOMEM, or what a manager said.
 */
int sim_run(const struct sim_case *cases, size_t n, sim_progress *progress, void *ctx,
	    struct sim_result *results, struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_OFFLOAD_SIM_H */
