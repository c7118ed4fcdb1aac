/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attack of `sluice bench offload`: how fast each source is in each window, and how many
 * packets chance makes of that.  Everything follows from the seed.
 */
#ifndef SLUICE_CLI_BENCH_OFFLOAD_WORLD_H
#define SLUICE_CLI_BENCH_OFFLOAD_WORLD_H

#include <stddef.h>
#include <stdint.h>

enum world_distribution {
	WORLD_UNIFORM,	/* All the same. */
	WORLD_GAUSSIAN, /* Standard deviation a quarter of the mean. */
	WORLD_ZIPF,	/* The source of rank r sends r^-1.1. */
	WORLD_DRIFT, /* Zipf; each window 1 % change ranks, and each rate is off by up to 10 %. */
	WORLD_PULSE, /* Zipf; each half of the sources for 2 s, in turn. */
	WORLD_N_DISTRIBUTIONS,
};

/* Packets per second of them all. */
#define WORLD_VOLUME 1e6

struct world {
	enum world_distribution distribution;
	uint32_t n;
	double *rank_pps; /* By rank, heaviest first, of WORLD_VOLUME together. */
	uint32_t *ranks;  /* By source. */
	double *pps;	  /* By source: true rates of this window. */
	uint64_t window;  /* From 1. */
	uint64_t random;
};

/* "gaussian" etc. */
const char *world_name(enum world_distribution distribution);

/* 0 or -ENOMEM. */
int world_init(struct world *world, enum world_distribution distribution, uint32_t n, uint64_t seed)
	__attribute__((warn_unused_result));
void world_fini(struct world *world);

/* Goes on to the next window: changes `pps`. */
void world_next(struct world *world);

/* A number of packets whose mean is `mean`. */
uint64_t world_poisson(struct world *world, double mean);
uint64_t world_random(struct world *world);

#endif /* SLUICE_CLI_BENCH_OFFLOAD_WORLD_H */
