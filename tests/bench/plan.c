/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long the offload plan takes for a million sources: the table full of others than the K
 * fastest, so that as much of it as may be (half, as the daemon allows at most) must be swapped.  CPU
 * time of the best and the median of the rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "offload/plan.h"
#include "support/random.h"

enum { N = 1000000, ROUNDS = 21 };

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure(const struct plan_entry *sources, struct plan_entry *entries,
		   struct plan_step *steps, uint32_t k)
{
	const struct plan_limits limits = {
		.capacity = k,
		.budget = UINT32_MAX,
		.max_swaps = k / 2,
		.volume = 1,
		.max_volume = 1,
		.threshold_min = 1,
		.threshold_max = 1,
	};
	double ms[ROUNDS];
	size_t n_steps = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double start;

		memcpy(entries, sources, N * sizeof(*entries));
		for (uint32_t j = 0; j < k; j++)
			entries[(uint64_t)j * N / k].offloaded = true;
		start = now_ms();
		if (plan_offload(entries, N, &limits, steps, k, &n_steps))
			return 1;
		ms[i] = now_ms() - start;
	}
	qsort(ms, ROUNDS, sizeof(ms[0]), by_value);
	printf("%8u %8zu %8.1f %8.1f\n", k, n_steps, ms[0], ms[ROUNDS / 2]);
	return 0;
}

int main(void)
{
	static const uint32_t sizes[] = { 512, 4096, 16384, 65536 };
	struct plan_entry *sources = calloc(N, sizeof(*sources));
	struct plan_entry *entries = calloc(N, sizeof(*entries));
	struct plan_step *steps = calloc(65536, sizeof(*steps));
	struct random random = { 1 };
	int failed = !sources || !entries || !steps;

	for (uint32_t i = 0; i < N && !failed; i++)
		sources[i] = (struct plan_entry){
			.rate = 1 + random_below(&random, 1000000000),
			.handle = i,
			.residency = 9,
		};
	printf("%d sources, CPU ms, best and median of %d\n%8s %8s %8s %8s\n", N, ROUNDS, "K",
	       "swaps", "best", "median");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !failed; i++)
		failed = measure(sources, entries, steps, sizes[i]);
	free(sources);
	free(entries);
	free(steps);
	return failed;
}
