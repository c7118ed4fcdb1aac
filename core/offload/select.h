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
	if (a->rate != b->rate)
		return a->rate > b->rate;
	if (a->offloaded != b->offloaded)
		return a->offloaded;
	return a->handle < b->handle;
}

/*
 * Reorders so that the first `k` entries are the heaviest k, in any order.  Linear time on the
 * whole, and never worse than n log n, whatever rates an attacker chooses.
 */
void select_heaviest(struct plan_entry *entries, size_t n, size_t k);

/* Sorts, heaviest first, in place. */
void select_sort(struct plan_entry *entries, size_t n);

#endif /* SLUICE_OFFLOAD_SELECT_H */
