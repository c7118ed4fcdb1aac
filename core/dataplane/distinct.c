/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The estimator is the improved raw one of O. Ertl, "New cardinality estimation algorithms for
 * HyperLogLog sketches" (2017), Algorithm 6: unbiased over the whole range, from no source to far
 * more than there are, so there is no switching between formulas and no table of corrections.
 */
#include "distinct.h"

#include <math.h>
#include <string.h>

#include "distinct_registers.h"

/* 1 / (2 ln 2) */
#define ALPHA 0.72134752044448170

/* Stores always, so that it becomes instructions for many registers at once. */
static void raise_to(uint8_t *restrict rank, const uint8_t *restrict other)
{
	for (size_t i = 0; i < DISTINCT_REGISTERS; i++)
		rank[i] = rank[i] > other[i] ? rank[i] : other[i];
}

void distinct_merge(struct distinct_registers *merged, const struct distinct_registers *cpus,
		    size_t n)
{
	memset(merged, 0, sizeof(*merged));
	for (size_t cpu = 0; cpu < n; cpu++)
		raise_to(merged->rank, cpus[cpu].rank);
}

/* How many registers have each value.  In peace nearly all are 0, and told so eight at a time. */
static void count_ranks(const struct distinct_registers *registers, uint32_t *with_rank)
{
	uint64_t eight;

	memset(with_rank, 0, (DISTINCT_RANK_MAX + 2) * sizeof(*with_rank));
	for (size_t i = 0; i < DISTINCT_REGISTERS; i += sizeof(eight)) {
		memcpy(&eight, &registers->rank[i], sizeof(eight));
		if (!eight) {
			with_rank[0] += sizeof(eight);
			continue;
		}
		for (size_t at = i; at < i + sizeof(eight); at++) {
			uint8_t rank = registers->rank[at];

			/* A rank beyond the last can only be damage. */
			with_rank[rank <= DISTINCT_RANK_MAX ? rank : DISTINCT_RANK_MAX + 1]++;
		}
	}
}

/* What the share `x` < 1 of registers that are still 0 says. */
static double of_untouched(double x)
{
	double sum = x, before, weight = 1;

	do {
		x *= x;
		before = sum;
		sum += x * weight;
		weight += weight;
	} while (sum > before);
	return sum;
}

/* What the share `1 - x` of registers that cannot rise any more says. */
static double of_full(double x)
{
	double rest = 1 - x, before, weight = 1;

	if (x <= 0 || x >= 1)
		return 0;
	do {
		x = sqrt(x);
		before = rest;
		weight /= 2;
		rest -= (1 - x) * (1 - x) * weight;
	} while (rest < before);
	return rest / 3;
}

uint64_t distinct_estimate(const struct distinct_registers *registers)
{
	const double m = DISTINCT_REGISTERS;
	uint32_t with_rank[DISTINCT_RANK_MAX + 2];
	double sum;

	count_ranks(registers, with_rank);
	if (with_rank[0] == DISTINCT_REGISTERS)
		return 0;
	sum = m * of_full(1 - with_rank[DISTINCT_RANK_MAX + 1] / m);
	for (int rank = DISTINCT_RANK_MAX; rank > 0; rank--)
		sum = (sum + with_rank[rank]) / 2;
	sum += m * of_untouched(with_rank[0] / m);
	/* All registers full, which takes 2^64 sources or damage: as many as can be told. */
	if (sum < ALPHA * m * m / (double)UINT64_MAX * 2)
		return UINT64_MAX;
	return (uint64_t)(ALPHA * m * m / sum + 0.5);
}
