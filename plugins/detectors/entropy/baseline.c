/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exponentially weighted mean and mean absolute deviation, behind a delay line.
 */
#include "baseline.h"

#include <math.h>
#include <string.h>

#define SLOWEST 32 /* Windows in the moving mean, once it has seen that many. */
#define LIMIT_DEVIATIONS 8.0
#define JUMP_FACTOR 1.5
#define JUMP_DEVIATIONS 4.0
#define JUMP_PPS 500.0 /* Less is no jump on any server. */

static void update(struct baseline *baseline, int signal, double value)
{
	double weight, difference;

	if (isnan(value))
		return;
	if (baseline->learned[signal] < SLOWEST)
		baseline->learned[signal]++;
	weight = 1.0 / baseline->learned[signal];
	difference = value - baseline->mean[signal];
	baseline->mean[signal] += weight * difference;
	/* The first value has nothing to differ from. */
	if (baseline->learned[signal] > 1)
		baseline->deviation[signal] +=
			weight * (fabs(difference) - baseline->deviation[signal]);
}

void baseline_learn(struct baseline *baseline, const struct baseline_point *point)
{
	struct baseline_point *slot = &baseline->late[baseline->next_late];

	if (baseline->n_late == ENTROPY_LAG) {
		for (int i = 0; i < BASELINE_N_SIGNALS; i++)
			update(baseline, i, slot->value[i]);
	} else {
		baseline->n_late++;
	}
	*slot = *point;
	baseline->next_late = (baseline->next_late + 1) % ENTROPY_LAG;
}

void baseline_freeze(struct baseline *baseline)
{
	baseline->n_late = 0;
	baseline->next_late = 0;
}

void baseline_restart(struct baseline *baseline)
{
	memset(baseline, 0, sizeof(*baseline));
}

uint32_t baseline_windows(const struct baseline *baseline)
{
	return baseline->learned[BASELINE_OFFERED_PPS];
}

double baseline_distance(const struct baseline *baseline, enum baseline_signal signal, double value,
			 double least)
{
	if (baseline->learned[signal] == 0 || isnan(value))
		return 0;
	return fabs(value - baseline->mean[signal]) / fmax(baseline->deviation[signal], least);
}

double baseline_limit(const struct baseline *baseline, enum baseline_signal signal, double factor)
{
	return factor * baseline->mean[signal] + LIMIT_DEVIATIONS * baseline->deviation[signal];
}

bool baseline_is_jump(const struct baseline *baseline, double offered_pps)
{
	double mean = baseline->mean[BASELINE_OFFERED_PPS];
	double deviation = baseline->deviation[BASELINE_OFFERED_PPS];

	if (baseline_windows(baseline) == 0) {
		if (baseline->n_late == 0)
			return false;
		/* Nothing is learned yet: the oldest window in the delay line has to do. */
		mean = baseline->late[baseline->n_late == ENTROPY_LAG ? baseline->next_late : 0]
			       .value[BASELINE_OFFERED_PPS];
	}
	return offered_pps > JUMP_FACTOR * mean + JUMP_DEVIATIONS * deviation + JUMP_PPS;
}
