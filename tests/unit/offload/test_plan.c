/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The offload plan against named cases of the paper's listing, against a brute-force oracle on
 * random cases, and at the sizes that it is built for.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "offload/plan.h"
#include "support/random.h"

enum { MAX_STEPS = 64 };

static const struct plan_limits base_limits = {
	.capacity = 4,
	.budget = 1000,
	.max_swaps = UINT32_MAX,
	.min_residency = 0,
	.volume = 1000,
	.max_volume = 1000,
	.threshold_min = 1.2,
	.threshold_max = 10,
};

struct plan_result {
	struct plan_step steps[MAX_STEPS];
	size_t n;
};

static struct plan_result plan(const struct plan_entry *entries, size_t n,
			       const struct plan_limits *limits)
{
	struct plan_result result = { .n = 99 };
	struct plan_entry copy[MAX_STEPS];

	cr_assert(n <= MAX_STEPS);
	if (n > 0)
		memcpy(copy, entries, n * sizeof(copy[0]));
	cr_assert_eq(plan_offload(copy, n, limits, result.steps, MAX_STEPS, &result.n), 0);
	return result;
}

static void expect(const struct plan_result *result, const struct plan_step *steps, size_t n)
{
	cr_assert_eq(result->n, n, "%zu steps instead of %zu", result->n, n);
	for (size_t i = 0; i < n; i++) {
		cr_expect_eq(result->steps[i].removes, steps[i].removes, "step %zu", i);
		cr_expect_eq(result->steps[i].remove, steps[i].remove, "step %zu removes %u", i,
			     result->steps[i].remove);
		cr_expect_eq(result->steps[i].add, steps[i].add, "step %zu adds %u", i,
			     result->steps[i].add);
	}
}

#define FILL(handle)                     \
	{                                \
		false, PLAN_NONE, handle \
	}
#define SWAP(old, new)         \
	{                      \
		true, old, new \
	}
#define DROP(old)                    \
	{                            \
		true, old, PLAN_NONE \
	}

struct named_case {
	const char *name;
	struct plan_entry entries[12];
	size_t n_entries;
	uint32_t capacity, budget, min_residency;
	uint64_t volume;
	struct plan_step steps[8];
	size_t n_steps;
};

/* threshold_min 1.2, threshold_max 10, max_volume 1000 in all of them. */
/* clang-format off */
static const struct named_case named_cases[] = {
	{ "listing line 1-2: an empty table takes the top K, heaviest first",
	  { { 10, 0, 0, 0 }, { 40, 1, 0, 0 }, { 30, 2, 0, 0 }, { 20, 3, 0, 0 } }, 4,
	  2, 100, 0, 1000, { FILL(1), FILL(2) }, 2 },
	{ "listing line 5: what is offloaded and in the top K stays without an update",
	  { { 40, 0, 9, 1 }, { 30, 1, 9, 1 }, { 20, 2, 0, 0 } }, 3,
	  2, 100, 0, 1000, { { 0 } }, 0 },
	{ "listing line 6-11: heaviest candidate against slowest victim, by index",
	  { { 100, 0, 9, 1 }, { 10, 1, 9, 1 }, { 20, 2, 9, 1 }, { 80, 3, 0, 0 },
	    { 90, 4, 0, 0 } }, 5,
	  3, 100, 0, 1000, { SWAP(1, 4), SWAP(2, 3) }, 2 },
	{ "listing line 9: the first pair under the threshold ends it",
	  { { 10, 0, 9, 1 }, { 50, 1, 9, 1 }, { 59, 2, 0, 0 }, { 60, 3, 0, 0 } }, 4,
	  2, 100, 0, 1000, { SWAP(0, 3) }, 1 },
	{ "listing line 9: a gain equal to the threshold is enough",
	  { { 50, 0, 9, 1 }, { 60, 1, 0, 0 } }, 2, 1, 100, 0, 1000, { SWAP(0, 1) }, 1 },
	{ "threshold: at a tenth of the maximum the same swap is not worth it",
	  { { 50, 0, 9, 1 }, { 499, 1, 0, 0 } }, 2, 1, 100, 0, 100, { { 0 } }, 0 },
	{ "threshold: its upper bound lets a tenfold source in, however quiet it is",
	  { { 50, 0, 9, 1 }, { 500, 1, 0, 0 } }, 2, 1, 100, 0, 1, { SWAP(0, 1) }, 1 },
	{ "free slots know no threshold",
	  { { 1000, 0, 9, 1 }, { 1, 1, 0, 0 } }, 2, 2, 100, 0, 1, { FILL(1) }, 1 },
	{ "free slots come first and take the heaviest; the rest must earn a swap",
	  { { 10, 0, 9, 1 }, { 100, 1, 0, 0 }, { 90, 2, 0, 0 }, { 11, 3, 0, 0 } }, 4,
	  2, 100, 0, 1000, { FILL(1), SWAP(0, 2) }, 2 },
	{ "a silent source is never added, not even to a free slot",
	  { { 0, 0, 0, 0 }, { 0, 1, 9, 1 } }, 2, 4, 100, 0, 1000, { { 0 } }, 0 },
	{ "a silent victim gives way to anybody",
	  { { 0, 0, 9, 1 }, { 1, 1, 0, 0 } }, 2, 1, 100, 0, 1, { SWAP(0, 1) }, 1 },
	{ "ties: the offloaded one stays",
	  { { 50, 7, 9, 1 }, { 50, 1, 0, 0 } }, 2, 1, 100, 0, 1000, { { 0 } }, 0 },
	{ "ties: the smaller handle goes first",
	  { { 50, 7, 0, 0 }, { 50, 3, 0, 0 }, { 50, 5, 0, 0 } }, 3, 2, 100, 0, 1000,
	  { FILL(3), FILL(5) }, 2 },
	{ "residency: the young stay, and the next slowest outside the top K goes",
	  { { 1, 0, 2, 1 }, { 5, 1, 3, 1 }, { 50, 2, 9, 1 }, { 100, 3, 0, 0 },
	    { 90, 4, 0, 0 } }, 5,
	  3, 100, 3, 1000, { SWAP(1, 3) }, 1 },
	{ "residency: who is in the top K does not make room for the young's sake",
	  { { 1, 0, 2, 1 }, { 5, 1, 3, 1 }, { 100, 2, 0, 0 } }, 3, 2, 100, 3, 1000, { { 0 } }, 0 },
	{ "budget: a swap is two updates",
	  { { 1, 0, 9, 1 }, { 2, 1, 9, 1 }, { 100, 2, 0, 0 }, { 90, 3, 0, 0 } }, 4, 2, 3, 0, 1000,
	  { SWAP(0, 2) }, 1 },
	{ "budget: filling is one update",
	  { { 100, 2, 0, 0 }, { 90, 3, 0, 0 }, { 80, 4, 0, 0 }, { 70, 5, 0, 0 } }, 4, 4, 3, 0, 1000,
	  { FILL(2), FILL(3), FILL(4) }, 3 },
	{ "budget: none, no step", { { 100, 2, 0, 0 } }, 1, 4, 0, 0, 1000, { { 0 } }, 0 },
	{ "shrink: the slowest leave, however young, and then swaps go on",
	  { { 30, 0, 0, 1 }, { 10, 1, 0, 1 }, { 20, 2, 9, 1 }, { 90, 3, 0, 0 },
	    { 40, 4, 9, 1 } }, 5,
	  2, 100, 0, 1000, { DROP(1), DROP(2), SWAP(0, 3) }, 3 },
	{ "shrink: nothing is added before all fit",
	  { { 10, 0, 9, 1 }, { 20, 1, 9, 1 }, { 30, 2, 9, 1 }, { 90, 3, 0, 0 } }, 4,
	  1, 1, 0, 1000, { DROP(0) }, 1 },
	{ "shrink to nothing",
	  { { 10, 0, 9, 1 }, { 20, 1, 0, 0 } }, 2, 0, 100, 0, 1000, { DROP(0) }, 1 },
	{ "nobody", { { 0 } }, 0, 4, 100, 0, 0, { { 0 } }, 0 },
};
/* clang-format on */

Test(plan, named_cases)
{
	for (size_t i = 0; i < sizeof(named_cases) / sizeof(named_cases[0]); i++) {
		const struct named_case *c = &named_cases[i];
		struct plan_limits limits = base_limits;
		struct plan_result result;

		limits.capacity = c->capacity;
		limits.budget = c->budget;
		limits.min_residency = c->min_residency;
		limits.volume = c->volume;
		printf("%s\n", c->name);
		result = plan(c->entries, c->n_entries, &limits);
		expect(&result, c->steps, c->n_steps);
	}
}

/* So many swaps and no more, while free slots are filled all the same. */
Test(plan, swaps_are_bounded_and_filling_is_not)
{
	static const struct plan_entry entries[] = {
		{ 1, 0, 9, 1 }, { 2, 1, 9, 1 }, { 100, 2, 0, 0 }, { 90, 3, 0, 0 }, { 80, 4, 0, 0 },
	};
	static const struct plan_step steps[] = { FILL(2), SWAP(0, 3) };
	struct plan_limits limits = base_limits;
	struct plan_result result;

	limits.capacity = 3;
	limits.max_swaps = 1;
	result = plan(entries, 5, &limits);
	expect(&result, steps, 2);
	limits.max_swaps = 0;
	result = plan(entries, 5, &limits);
	expect(&result, steps, 1);
}

Test(plan, threshold_is_inverse_to_volume_within_bounds)
{
	static const struct {
		uint64_t volume, max_volume;
		double threshold;
	} cases[] = {
		{ 1000, 1000, 1.2 }, { 2000, 1000, 1.2 },
		{ 500, 1000, 2.4 },  { 250, 1000, 4.8 },
		{ 100, 1000, 10 },   { 1, 1000, 10 },
		{ 0, 1000, 10 },     { 0, 0, 10 },
		{ 77, 0, 1.2 },	     { UINT64_MAX, UINT64_MAX, 1.2 },
	};
	struct plan_limits limits = base_limits;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		limits.volume = cases[i].volume;
		limits.max_volume = cases[i].max_volume;
		cr_expect_float_eq(plan_threshold(&limits), cases[i].threshold, 1e-9, "case %zu",
				   i);
	}
}

Test(plan, contradictory_limits_are_refused)
{
	static const double bad[][2] = { { 0.9, 10 }, { 2, 1.5 }, { NAN, 10 }, { 1.2, NAN } };
	struct plan_entry entry = { .rate = 1 };
	struct plan_limits limits = base_limits;
	struct plan_step step = { .add = 77 };
	size_t n = 88;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		limits.threshold_min = bad[i][0];
		limits.threshold_max = bad[i][1];
		cr_expect_eq(plan_offload(&entry, 1, &limits, &step, 1, &n), -EINVAL);
		cr_expect_eq(n, 88);
		cr_expect_eq(step.add, 77);
	}
}

Test(plan, room_for_steps_is_a_limit)
{
	struct plan_entry entries[] = { { 3, 0, 0, 0 }, { 2, 1, 0, 0 }, { 1, 2, 0, 0 } };
	struct plan_step steps[2];
	size_t n;

	cr_assert_eq(plan_offload(entries, 3, &base_limits, steps, 2, &n), 0);
	cr_assert_eq(n, 2);
	cr_expect_eq(steps[0].add, 0);
	cr_expect_eq(steps[1].add, 1);
	cr_assert_eq(plan_offload(entries, 3, &base_limits, NULL, 0, &n), 0);
	cr_expect_eq(n, 0);
}

/*
 * Two sources trade ranks each window around the edge of the table.  In a quiet network that must
 * not cost a single update; under full load it may.
 */
Test(plan, hysteresis_at_low_volume)
{
	struct plan_limits limits = base_limits;
	size_t quiet_updates = 0, busy_updates = 0;

	limits.capacity = 1;
	for (int busy = 0; busy <= 1; busy++) {
		bool first_in = true;

		limits.volume = busy ? 1000 : 100;
		for (int window = 0; window < 100; window++) {
			struct plan_entry entries[] = {
				{ window % 2 ? 400 : 100, 0, 9, first_in },
				{ window % 2 ? 100 : 400, 1, 9, !first_in },
			};
			struct plan_result result = plan(entries, 2, &limits);

			*(busy ? &busy_updates : &quiet_updates) += result.n;
			if (result.n > 0)
				first_in = !first_in;
		}
	}
	cr_expect_eq(quiet_updates, 0);
	cr_expect_eq(busy_updates, 100);
}

/*
 * The oracle: the definition of the plan carried out naively, with full sorts and scans, sharing no
 * code with the plan.
 */
static int oracle_order(const void *a, const void *b)
{
	const struct plan_entry *x = a, *y = b;

	if (x->rate != y->rate)
		return x->rate > y->rate ? -1 : 1;
	if (x->offloaded != y->offloaded)
		return x->offloaded ? -1 : 1;
	return x->handle < y->handle ? -1 : 1;
}

struct oracle {
	const struct plan_limits *limits;
	struct plan_result result;
	uint32_t budget, swaps;
};

static bool oracle_step(struct oracle *oracle, struct plan_step step, uint32_t cost)
{
	if (oracle->budget < cost)
		return false;
	oracle->budget -= cost;
	oracle->result.steps[oracle->result.n++] = step;
	return true;
}

static void oracle_plan(struct oracle *oracle, struct plan_entry *entries, size_t n)
{
	const struct plan_limits *limits = oracle->limits;
	size_t table = 0;

	qsort(entries, n, sizeof(entries[0]), oracle_order);
	for (size_t i = 0; i < n; i++)
		table += entries[i].offloaded;
	/* Slowest out until all fit; `residency` ~0 marks what has left. */
	for (size_t i = n; i-- > 0 && table > limits->capacity;) {
		if (!entries[i].offloaded)
			continue;
		if (!oracle_step(oracle, (struct plan_step)DROP(entries[i].handle), 1))
			return;
		entries[i].offloaded = false;
		entries[i].rate = 0;
		table--;
	}
	for (size_t i = 0, top = 0; i < n && top < limits->capacity; i++) {
		size_t victim = n, rank = 0;

		if (entries[i].rate == 0 && !entries[i].offloaded)
			continue;
		top++;
		if (entries[i].offloaded)
			continue;
		if (table < limits->capacity) {
			if (!oracle_step(oracle, (struct plan_step)FILL(entries[i].handle), 1))
				return;
			table++;
			continue;
		}
		/* The slowest that is old enough, still there, and outside the top K. */
		for (size_t j = 0; j < n; j++) {
			if (entries[j].rate > 0 || entries[j].offloaded)
				rank++;
			if (rank > limits->capacity && entries[j].offloaded &&
			    entries[j].residency >= limits->min_residency &&
			    entries[j].residency != PLAN_RESIDENCY_MAX)
				victim = j;
		}
		if (victim == n || oracle->swaps++ >= limits->max_swaps ||
		    (double)entries[i].rate < plan_threshold(limits) * (double)entries[victim].rate)
			return;
		if (!oracle_step(oracle,
				 (struct plan_step)SWAP(entries[victim].handle, entries[i].handle),
				 2))
			return;
		entries[victim].residency = PLAN_RESIDENCY_MAX;
	}
}

static void random_case(struct random *random, struct plan_entry *entries, size_t *n,
			struct plan_limits *limits)
{
	uint64_t max_rate = 1 + random_below(random, random_below(random, 2) ? 6 : 100000);

	*n = random_below(random, 41);
	for (size_t i = 0; i < *n; i++) {
		entries[i] = (struct plan_entry){
			.rate = random_below(random, max_rate),
			.handle = (uint32_t)(i * 7919 % 4099),
			.residency = (uint32_t)random_below(random, 6),
			.offloaded = random_below(random, 3) == 0,
		};
	}
	*limits = (struct plan_limits){
		.capacity = (uint32_t)random_below(random, 24),
		.budget = (uint32_t)random_below(random, random_below(random, 2) ? 5 : 100),
		.max_swaps = (uint32_t)random_below(random, random_below(random, 2) ? 4 : 100),
		.min_residency = (uint32_t)random_below(random, 4),
		.volume = random_below(random, 1000),
		.max_volume = random_below(random, 1000),
		.threshold_min = 1.0 + (double)random_below(random, 200) / 100,
	};
	limits->threshold_max = limits->threshold_min + (double)random_below(random, 500) / 100;
}

static const struct plan_entry *find(const struct plan_entry *entries, size_t n, uint32_t handle)
{
	for (size_t i = 0; i < n; i++) {
		if (entries[i].handle == handle)
			return &entries[i];
	}
	cr_assert_fail("handle %u was never given", handle);
	return NULL;
}

/* What must hold after each step, because the list may be cut there. */
static void check_sound(const struct plan_entry *entries, size_t n,
			const struct plan_limits *limits, const struct plan_result *result)
{
	size_t table = 0;
	uint32_t cost = 0;
	double gain = INFINITY;

	for (size_t i = 0; i < n; i++)
		table += entries[i].offloaded;
	for (size_t i = 0; i < result->n; i++) {
		const struct plan_step *step = &result->steps[i];

		if (step->removes) {
			cr_assert(find(entries, n, step->remove)->offloaded);
			table--;
			cost++;
		}
		if (step->add == PLAN_NONE) {
			cr_assert(step->removes);
			continue;
		}
		cr_assert(!find(entries, n, step->add)->offloaded);
		table++;
		cost++;
		cr_assert(table <= limits->capacity, "step %zu overfills the table", i);
		if (step->removes) {
			const struct plan_entry *old = find(entries, n, step->remove);
			double now = (double)find(entries, n, step->add)->rate / (double)old->rate;

			cr_assert(old->residency >= limits->min_residency);
			cr_assert(now > 1 && now <= gain, "gains must fall");
			gain = now;
		}
	}
	cr_assert(cost <= limits->budget);
}

Test(plan, agrees_with_the_oracle_on_random_cases)
{
	enum { CASES = 20000 };
	const uint64_t seed = 0x5eed0001;
	struct random random = { seed };
	size_t n_with_steps = 0;

	printf("seed %#llx, %d cases\n", (unsigned long long)seed, CASES);
	for (int i = 0; i < CASES; i++) {
		struct plan_entry entries[MAX_STEPS], copy[MAX_STEPS];
		struct plan_limits limits;
		struct oracle oracle = { .limits = &limits };
		struct plan_result result;
		size_t n;

		random_case(&random, entries, &n, &limits);
		memcpy(copy, entries, sizeof(copy));
		oracle.budget = limits.budget;
		oracle_plan(&oracle, copy, n);
		result = plan(entries, n, &limits);
		cr_assert_eq(result.n, oracle.result.n, "case %d: %zu steps, the oracle %zu", i,
			     result.n, oracle.result.n);
		for (size_t j = 0; j < result.n; j++)
			cr_assert(memcmp(&result.steps[j].remove, &oracle.result.steps[j].remove,
					 2 * sizeof(uint32_t)) == 0 &&
					  result.steps[j].removes == oracle.result.steps[j].removes,
				  "case %d step %zu", i, j);
		check_sound(entries, n, &limits, &result);
		n_with_steps += result.n > 0;
	}
	/* Else the cases would test little. */
	cr_expect(n_with_steps > CASES / 2, "only %zu cases had steps", n_with_steps);
}

static int by_rate(const void *a, const void *b)
{
	return oracle_order(a, b);
}

/* 10^6 sources, an empty table and then a table of random ones, against a full sort. */
static void check_large(uint32_t capacity, uint64_t n_rates, bool start_full)
{
	enum { N = 1000000 };
	const uint64_t seed = 0x5eed0002;
	struct random random = { seed };
	struct plan_entry *entries = calloc(N, sizeof(*entries));
	struct plan_entry *sorted = calloc(N, sizeof(*sorted));
	struct plan_step *steps = calloc(capacity, sizeof(*steps));
	struct plan_limits limits = base_limits;
	size_t n_steps, expected = 0;

	cr_assert(entries && sorted && steps);
	printf("seed %#llx, K %u, %llu different rates\n", (unsigned long long)seed, capacity,
	       (unsigned long long)n_rates);
	for (uint32_t i = 0; i < N; i++) {
		entries[i].rate = 1 + random_below(&random, n_rates);
		entries[i].handle = i;
		entries[i].residency = 9;
		entries[i].offloaded = start_full && i % (N / capacity) == 0 &&
				       i / (N / capacity) < capacity;
	}
	memcpy(sorted, entries, N * sizeof(*sorted));
	qsort(sorted, N, sizeof(*sorted), by_rate);
	limits.capacity = capacity;
	limits.budget = UINT32_MAX;
	limits.threshold_min = 1;
	cr_assert_eq(plan_offload(entries, N, &limits, steps, capacity, &n_steps), 0);
	for (size_t i = 0; i < capacity; i++) {
		if (sorted[i].offloaded)
			continue;
		cr_assert(expected < n_steps);
		cr_assert_eq(steps[expected].add, sorted[i].handle, "step %zu", expected);
		cr_assert_eq(steps[expected].removes, start_full);
		expected++;
	}
	cr_assert_eq(n_steps, expected);
	free(entries);
	free(sorted);
	free(steps);
}

Test(plan, a_million_sources)
{
	check_large(512, 1000000000, false);
	check_large(512, 1000000000, true);
	check_large(65536, 1000000000, false);
	check_large(65536, 1000000000, true);
	check_large(65536, 3, false); /* Nearly all are ties. */
	check_large(512, 1, false);
}

/* Orders that make a naive quickselect quadratic finish all the same, and right. */
Test(plan, hostile_orders)
{
	enum { N = 200000, K = 1000 };
	struct plan_entry *entries = calloc(N, sizeof(*entries));
	struct plan_step *steps = calloc(K, sizeof(*steps));
	struct plan_limits limits = base_limits;

	cr_assert(entries && steps);
	limits.capacity = K;
	limits.budget = UINT32_MAX;
	for (int shape = 0; shape < 4; shape++) {
		size_t n_steps;

		for (uint32_t i = 0; i < N; i++) {
			uint32_t organ_pipe = i < N / 2 ? i : N - i;
			uint32_t rates[] = { i, N - i, organ_pipe, i % 33 ? 1 : i };

			entries[i] = (struct plan_entry){ .rate = rates[shape] + 1, .handle = i };
		}
		cr_assert_eq(plan_offload(entries, N, &limits, steps, K, &n_steps), 0);
		cr_assert_eq(n_steps, K);
		if (shape == 0)
			cr_expect_eq(steps[0].add, N - 1);
		if (shape == 1)
			cr_expect_eq(steps[0].add, 0);
	}
	free(entries);
	free(steps);
}
