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
	WORLD_GAUSSIAN, /* Standard deviation `spread` of the mean. */
	WORLD_ZIPF,	/* The source of rank r sends r^-exponent. */
	WORLD_DRIFT,	/* Zipf; in each window some change ranks, and all rates are a bit off. */
	WORLD_PULSE,	/* Zipf; each half of the sources for some windows, in turn. */
	WORLD_N_DISTRIBUTIONS,
};

struct world_shape {
	double spread;
	double exponent;
	double drift_ranks; /* The share of the sources that change ranks in a window. */
	double drift_rate;  /* A rate is off by up to this share of it. */
	uint32_t pulse;	    /* Windows. */
};

/* Packets per second of them all. */
#define WORLD_VOLUME 1e6

struct world {
	enum world_distribution distribution;
	struct world_shape shape;
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
int world_init(struct world *world, enum world_distribution distribution,
	       const struct world_shape *shape, uint32_t n, uint64_t seed)
	__attribute__((warn_unused_result));
void world_fini(struct world *world);

/* Goes on to the next window: changes `pps`. */
void world_next(struct world *world);

/* A number of packets whose mean is `mean`. */
uint64_t world_poisson(struct world *world, double mean);
/* How many of `n` packets meet what each of them meets with this chance. */
uint64_t world_thin(uint64_t *random, uint64_t n, double chance);
/* The next number of a sequence. */
uint64_t world_random(uint64_t *random);

#endif /* SLUICE_CLI_BENCH_OFFLOAD_WORLD_H */
