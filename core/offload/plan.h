/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which sources deserve a place in the NIC's table: Algorithm 1 of S. Miano et al., "Introducing
 * SmartNICs in Server-Based Data Plane Processing: The DDoS Mitigation Use Case", IEEE Access 7
 * (2019), section IV-A1, as a pure function of rates and limits.
 *
 * The paper's listing uses v' both for a set difference and for the result; read here as: new
 * table = (v & gamma) | (v' - removed) | added, candidates and victims paired by index, stopping at
 * the first pair under the threshold (gains are monotone along the pairs).  Added to it: free
 * slots are filled without a threshold, a minimum residency, a budget of updates, and a bound on
 * swaps.
 *
 * Order is by rate; of two equal ones the offloaded one comes first, then the smaller handle, so
 * that a tie never costs an update.  A source that sends nothing is never added.
 */
#ifndef SLUICE_OFFLOAD_PLAN_H
#define SLUICE_OFFLOAD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_RESIDENCY_MAX 0x7fffffffu

/* One blocked source, offloaded or not.  Small: a million of them are moved about. */
struct plan_entry {
	uint64_t rate;		 /* Software and hardware merged; all in one unit. */
	uint32_t handle;	 /* The caller's name for it; not PLAN_NONE. */
	uint32_t residency : 31; /* Windows spent in the table; meaningless if not offloaded. */
	uint32_t offloaded : 1;
};
_Static_assert(sizeof(struct plan_entry) == 16, "four in a cache line");

struct plan_limits {
	uint32_t capacity;	/* K */
	uint32_t budget;	/* Updates (a removal is one, an addition is one) this time. */
	uint32_t max_swaps;	/* Sources that may lose their place to another this time. */
	uint32_t min_residency; /* In windows. */
	uint64_t volume;	/* Attack packets per second now. */
	uint64_t max_volume;	/* The most that the system can take; 0 = unknown, none lower. */
	double threshold_min;	/* At volume >= max_volume; at least 1. */
	double threshold_max;	/* Bound at low volume; at least threshold_min. */
};

#define PLAN_NONE UINT32_MAX

/*
 * One step.  `remove` and `add` are handles; a step that only fills a free slot has
 * `removes` false.  Steps are in order of gain: cut the list anywhere and what comes before the
 * cut is sound.
 */
struct plan_step {
	bool removes;
	uint32_t remove;
	uint32_t add;
};

/* The gain that a swap must reach at this volume: threshold_min * max_volume / volume, bounded. */
double plan_threshold(const struct plan_limits *limits);

/*
 * Plans one round.  Reorders `entries`.  Writes at most `steps_capacity` steps, and `*n_steps`.
 * `K` or the table may have shrunk: when more are offloaded than fit, the slowest are removed
 * first, however young, as steps with `add` equal to PLAN_NONE; nothing is added before all fit.
 * Linear in `n_entries`, plus sorting what moves.  0, or -EINVAL for limits that contradict
 * themselves, with nothing written.
 */
int plan_offload(struct plan_entry *entries, size_t n_entries, const struct plan_limits *limits,
		 struct plan_step *steps, size_t steps_capacity, size_t *n_steps)
	__attribute__((warn_unused_result));

#endif /* SLUICE_OFFLOAD_PLAN_H */
