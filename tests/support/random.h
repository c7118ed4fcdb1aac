/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers (splitmix64) from a seed that the tests print or name, so that every
 * failure can be run again.
 */
#ifndef SLUICE_TESTS_SUPPORT_RANDOM_H
#define SLUICE_TESTS_SUPPORT_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = (random->state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Uniform enough in [0, limit); 0 for limit 0. */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
	return limit > 0 ? random_next(random) % limit : 0;
}

#endif /* SLUICE_TESTS_SUPPORT_RANDOM_H */
