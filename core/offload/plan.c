/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Algorithm 1 over one array: the heaviest K are gathered at its front, what must move is gathered
 * at the seam between both parts, and only that is sorted.
 */
#include "plan.h"

#include <errno.h>

#include "select.h"

/* Where the steps go, and how many updates may still be asked for. */
struct plan_output {
	struct plan_step *steps;
	size_t n, capacity;
	uint32_t budget;
};

double plan_threshold(const struct plan_limits *limits)
{
	double threshold;

	if (limits->volume == 0)
		return limits->threshold_max;
	threshold = limits->threshold_min * (double)limits->max_volume / (double)limits->volume;
	if (threshold < limits->threshold_min)
		return limits->threshold_min;
	return threshold > limits->threshold_max ? limits->threshold_max : threshold;
}

/* False once the budget or the room for steps is used up. */
static bool emit_step(struct plan_output *out, bool removes, uint32_t remove, uint32_t add)
{
	uint32_t cost = (removes ? 1 : 0) + (add != PLAN_NONE ? 1 : 0);

	if (out->n == out->capacity || out->budget < cost)
		return false;
	out->budget -= cost;
	out->steps[out->n++] = (struct plan_step){
		.removes = removes,
		.remove = removes ? remove : PLAN_NONE,
		.add = add,
	};
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void swap_entries(struct plan_entry *a, struct plan_entry *b)
{
	struct plan_entry tmp = *a;

	*a = *b;
	*b = tmp;
}

static size_t count_offloaded(const struct plan_entry *entries, size_t n)
{
	size_t n_offloaded = 0;

	for (size_t i = 0; i < n; i++)
		n_offloaded += entries[i].offloaded;
	return n_offloaded;
}

/* Moves the offloaded entries to the front. */
static void gather_offloaded(struct plan_entry *entries, size_t n)
{
	size_t n_offloaded = 0;

	for (size_t i = 0; i < n; i++) {
		if (entries[i].offloaded)
			swap_entries(&entries[i], &entries[n_offloaded++]);
	}
}

/*
 * Takes out what no longer fits, the slowest first; true when all of it could be planned.  The
 * removed end up at the front of `entries`, `*n_removed` of them.
 */
static bool plan_shrink(struct plan_entry *entries, size_t n, size_t n_offloaded, uint32_t capacity,
			size_t *n_removed, struct plan_output *out)
{
	*n_removed = 0;
	if (n_offloaded <= capacity)
		return true;
	gather_offloaded(entries, n);
	select_heaviest(entries, n_offloaded, capacity);
	select_sort(entries + capacity, n_offloaded - capacity);
	for (size_t i = n_offloaded; i-- > capacity;) {
		if (!emit_step(out, true, entries[i].handle, PLAN_NONE))
			return false;
	}
	/* The kept ones trade places with the removed, so that what remains is one range. */
	*n_removed = n_offloaded - capacity;
	for (size_t i = 0; i < capacity && i < *n_removed; i++)
		swap_entries(&entries[i], &entries[n_offloaded - 1 - i]);
	return true;
}

/* Candidates in order: those of the heaviest `k` that send and are not yet offloaded. */
static size_t gather_candidates(struct plan_entry *top, size_t k, size_t wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < k; i++) {
		if (!top[i].offloaded && top[i].rate > 0)
			swap_entries(&top[i], &top[n++]);
	}
	if (wanted < n) {
		select_heaviest(top, n, wanted);
		n = wanted;
	}
	select_sort(top, n);
	return n;
}

/*
 * Victims, the slowest `wanted` in order and to be read from the end: offloaded, outside the top,
 * old enough.
 */
static size_t gather_victims(struct plan_entry *rest, size_t n_rest, uint32_t min_residency,
			     size_t wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < n_rest; i++) {
		if (rest[i].offloaded && rest[i].residency >= min_residency)
			swap_entries(&rest[i], &rest[n++]);
	}
	wanted = least(wanted, n);
	select_heaviest(rest, n, n - wanted);
	select_sort(rest + n - wanted, wanted);
	return n;
}

/* `entries` holds what is offloaded and fits, and all that is not offloaded. */
static void plan_moves(struct plan_entry *entries, size_t n, size_t n_offloaded,
		       const struct plan_limits *limits, struct plan_output *out)
{
	double threshold = plan_threshold(limits);
	size_t k = n < limits->capacity ? n : limits->capacity;
	size_t n_free = limits->capacity - n_offloaded;
	size_t n_candidates, n_victims, n_swaps, next = 0;

	select_heaviest(entries, n, k);
	n_candidates =
		gather_candidates(entries, k, least(out->budget, n_free + limits->max_swaps));
	n_swaps = n_candidates > n_free ? n_candidates - n_free : 0;
	n_victims = gather_victims(entries + k, n - k, limits->min_residency, n_swaps);

	for (; next < n_candidates && next < n_free; next++) {
		if (!emit_step(out, false, PLAN_NONE, entries[next].handle))
			return;
	}
	for (; next < n_candidates && n_victims > 0; next++) {
		const struct plan_entry *victim = &entries[k + --n_victims];

		if ((double)entries[next].rate < threshold * (double)victim->rate)
			return;
		if (!emit_step(out, true, victim->handle, entries[next].handle))
			return;
	}
}

int plan_offload(struct plan_entry *entries, size_t n_entries, const struct plan_limits *limits,
		 struct plan_step *steps, size_t steps_capacity, size_t *n_steps)
{
	struct plan_output out = {
		.steps = steps,
		.capacity = steps_capacity,
		.budget = limits->budget,
	};
	size_t n_offloaded, n_removed;

	/* Written so that a NaN is refused as well. */
	if (!(limits->threshold_min >= 1.0) || !(limits->threshold_max >= limits->threshold_min))
		return -EINVAL;

	n_offloaded = count_offloaded(entries, n_entries);
	if (plan_shrink(entries, n_entries, n_offloaded, limits->capacity, &n_removed, &out))
		plan_moves(entries + n_removed, n_entries - n_removed, n_offloaded - n_removed,
			   limits, &out);
	*n_steps = out.n;
	return 0;
}
