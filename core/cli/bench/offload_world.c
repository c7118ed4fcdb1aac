/* SPDX-License-Identifier: BSD-2-Clause */
/* See offload_world.h. */
#include "offload_world.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

const char *world_name(enum world_distribution distribution)
{
	static const char *const names[WORLD_N_DISTRIBUTIONS] = {
		[WORLD_UNIFORM] = "uniform", [WORLD_GAUSSIAN] = "gaussian", [WORLD_ZIPF] = "zipf",
		[WORLD_DRIFT] = "drift",     [WORLD_PULSE] = "pulse",
	};

	return names[distribution];
}

/* splitmix64 */
uint64_t world_random(uint64_t *random)
{
	uint64_t z = (*random += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* In (0, 1). */
static double uniform(uint64_t *random)
{
	return ((double)(world_random(random) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller's. */
static double normal(uint64_t *random)
{
	double radius = sqrt(-2 * log(uniform(random)));

	return radius * cos(2 * M_PI * uniform(random));
}

uint64_t world_poisson(struct world *world, double mean)
{
	double left, term;
	uint64_t n = 0;

	if (!(mean > 0))
		return 0;
	if (mean > 50) {
		double value = floor(mean + sqrt(mean) * normal(&world->random) + 0.5);

		return value > 0 ? (uint64_t)value : 0;
	}
	term = exp(-mean);
	left = uniform(&world->random) - term;
	while (left > 0 && n < 1000) {
		n++;
		term *= mean / (double)n;
		left -= term;
	}
	return n;
}

uint64_t world_thin(uint64_t *random, uint64_t n, double chance)
{
	uint64_t some = 0;

	if (chance <= 0)
		return 0;
	if (chance >= 1)
		return n;
	for (uint64_t i = 0; i < n; i++)
		some += uniform(random) < chance;
	return some;
}

static int heavier(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

static void make_rank_rates(struct world *world)
{
	double sum = 0;

	for (uint32_t i = 0; i < world->n; i++) {
		double pps = 1;

		if (world->distribution == WORLD_GAUSSIAN)
			pps = fmax(0, 1 + world->shape.spread * normal(&world->random));
		else if (world->distribution != WORLD_UNIFORM)
			pps = pow(i + 1.0, -world->shape.exponent);
		world->rank_pps[i] = pps;
		sum += pps;
	}
	for (uint32_t i = 0; i < world->n; i++)
		world->rank_pps[i] *= WORLD_VOLUME / sum;
	qsort(world->rank_pps, world->n, sizeof(*world->rank_pps), heavier);
}

static void swap_ranks(struct world *world, uint32_t a, uint32_t b)
{
	uint32_t rank = world->ranks[a];

	world->ranks[a] = world->ranks[b];
	world->ranks[b] = rank;
}

int world_init(struct world *world, enum world_distribution distribution,
	       const struct world_shape *shape, uint32_t n, uint64_t seed)
{
	*world = (struct world){
		.distribution = distribution, .shape = *shape, .n = n, .random = seed
	};
	world->rank_pps = calloc(n, sizeof(*world->rank_pps));
	world->ranks = calloc(n, sizeof(*world->ranks));
	world->pps = calloc(n, sizeof(*world->pps));
	if (!world->rank_pps || !world->ranks || !world->pps) {
		world_fini(world);
		return -ENOMEM;
	}
	make_rank_rates(world);
	for (uint32_t i = 0; i < n; i++)
		world->ranks[i] = i;
	for (uint32_t i = n; i-- > 1;)
		swap_ranks(world, i, (uint32_t)(world_random(&world->random) % (i + 1)));
	return 0;
}

void world_fini(struct world *world)
{
	free(world->rank_pps);
	free(world->ranks);
	free(world->pps);
	*world = (struct world){ 0 };
}

/* Which half of the sources is silent, or neither. */
static bool is_silent(const struct world *world, uint32_t source)
{
	return world->distribution == WORLD_PULSE &&
	       source % 2 != (world->window - 1) / world->shape.pulse % 2;
}

void world_next(struct world *world)
{
	double sum = 0;

	world->window++;
	if (world->distribution == WORLD_DRIFT) {
		/* An exchange changes the rank of two. */
		for (uint32_t i = 0; i < world->n * world->shape.drift_ranks / 2; i++)
			swap_ranks(world, (uint32_t)(world_random(&world->random) % world->n),
				   (uint32_t)(world_random(&world->random) % world->n));
	}
	for (uint32_t i = 0; i < world->n; i++) {
		double pps = is_silent(world, i) ? 0 : world->rank_pps[world->ranks[i]];

		if (world->distribution == WORLD_DRIFT)
			pps *= 1 + world->shape.drift_rate * (2 * uniform(&world->random) - 1);
		world->pps[i] = pps;
		sum += pps;
	}
	for (uint32_t i = 0; i < world->n; i++)
		world->pps[i] *= WORLD_VOLUME / sum;
}
