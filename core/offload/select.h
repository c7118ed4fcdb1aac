/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Partial order for the plan: the heaviest k of many entries, without sorting the rest.
 */
#ifndef SLUICE_OFFLOAD_SELECT_H
#define SLUICE_OFFLOAD_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "plan.h"

/* The one order of entries: heavier first, then offloaded, then the smaller handle. */
static inline bool select_before(const struct plan_entry *a, const struct plan_entry *b)
{
	uint64_t tie_a = (uint64_t)a->offloaded << 32 | (uint32_t)~a->handle;
	uint64_t tie_b = (uint64_t)b->offloaded << 32 | (uint32_t)~b->handle;

	/* Without branches: rates are random, and a wrong guess costs more than both compares. */
	return (a->rate > b->rate) | ((a->rate == b->rate) & (tie_a > tie_b));
}

/*
 * Reorders so that the first `k` entries are the heaviest k, in any order.  Linear time on the
 * whole, and never worse than n log n, whatever rates an attacker chooses.
 */
void select_heaviest(struct plan_entry *entries, size_t n, size_t k);

/* Sorts, heaviest first, in place. */
void select_sort(struct plan_entry *entries, size_t n);

#endif /* SLUICE_OFFLOAD_SELECT_H */
