/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shows one window to every detector, takes the time, and disables a detector that fails, overruns
 * its budget or does not come back again and again; the others go on.  What the host lacks to ask it
 * (memory, a thread) is told and held against nobody.
 */
#ifndef SLUICE_ENGINE_DETECT_H
#define SLUICE_ENGINE_DETECT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine.h"

struct name_table;
struct proposals;
struct rule_wishes;
struct window_copy;

/* Failures or overruns in a row that disable a detector. */
#define DETECT_STRIKES 5
/* A detector may take this part of a window, unless its own budget says otherwise. */
#define DETECT_BUDGET_SHARE 4
/* An answer that takes up to so many budgets is a strike, but counts; a later one is void. */
#define DETECT_PATIENCE 2

struct detect_slot {
	struct engine_detector detector;
	char name[24];
	uint16_t name_id;
	uint32_t strikes;
	uint32_t unasked; /* Windows in a row that it was not shown, through no fault of its own. */
	uint64_t attack_sequence; /* The last window that it called an attack; 0 = none. */
	struct engine_detector_status status;
};

struct detect {
	struct detect_slot *slots;
	struct engine_detector_status *statuses; /* What engine_status() hands out. */
	size_t n;
	const struct detect_slot *calling; /* Inside observe() of this one, on this thread. */
	struct window_copy *copy;	   /* Of the last window, for detectors on other threads. */
};

/* Copies the list.  Of a detector in `before` with the same name, the counters go on. */
int detect_init(struct detect *detect, const struct engine_detector *detectors, size_t n,
		const struct detect *before, struct name_table *names)
	__attribute__((warn_unused_result));
void detect_fini(struct detect *detect);

struct detect_round {
	const struct clock_source *clock;
	const struct event_sink *events;
	struct proposals *proposals;
	struct rule_wishes *rule_wishes;
	struct name_table *names;
	uint64_t budget_ns;	/* Of a detector that has none of its own. */
	uint32_t max_proposals; /* Of one detector in one window. */
	uint8_t v6_prefix_len;
};

/*
 * Every detector sees `window`.  Returns the one whose verdict is attack with the highest score, or
 * NULL if none says so.
 */
const struct detect_slot *detect_run(struct detect *detect, const struct detect_round *round,
				     const struct sluice_window *window);

const struct engine_detector_status *detect_statuses(struct detect *detect);

#endif /* SLUICE_ENGINE_DETECT_H */
