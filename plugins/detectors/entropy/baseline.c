/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mean and mean absolute deviation of each signal, behind a line of windows that wait.
 */
#include "baseline.h"

#include <math.h>
#include <string.h>

#include "jump.h"

#define SLOWEST 32 /* Windows in the moving mean, once it has seen that many. */
#define LIMIT_DEVIATIONS 8.0

void baseline_learn(struct baseline *baseline, const struct baseline_point *point)
{
	if (baseline->lag.n == ENTROPY_LAG) {
		uint32_t oldest = sluice_lag_take(&baseline->lag, ENTROPY_LAG);

		for (int i = 0; i < BASELINE_N_SIGNALS; i++)
			if (!isnan(baseline->late[oldest].value[i]))
				sluice_usual_learn(&baseline->usual[i],
						   baseline->late[oldest].value[i], SLOWEST);
	}
	baseline->late[sluice_lag_add(&baseline->lag, ENTROPY_LAG)] = *point;
}

void baseline_freeze(struct baseline *baseline)
{
	sluice_lag_discard(&baseline->lag);
}

void baseline_restart(struct baseline *baseline)
{
	memset(baseline, 0, sizeof(*baseline));
}

uint32_t baseline_windows(const struct baseline *baseline)
{
	uint32_t n = baseline->usual[BASELINE_OFFERED_PPS].n;

	return n < SLOWEST ? n : SLOWEST;
}

double baseline_distance(const struct baseline *baseline, enum baseline_signal signal, double value,
			 double least)
{
	const struct sluice_usual *usual = &baseline->usual[signal];

	if (usual->n == 0 || isnan(value))
		return 0;
	return fabs(value - usual->mean) / fmax(usual->deviation, least);
}

double baseline_limit(const struct baseline *baseline, enum baseline_signal signal, double factor)
{
	const struct sluice_usual *usual = &baseline->usual[signal];

	return factor * usual->mean + LIMIT_DEVIATIONS * usual->deviation;
}

bool baseline_is_jump(const struct baseline *baseline, double offered_pps)
{
	double oldest = NAN;

	if (baseline->lag.n)
		oldest = baseline->late[sluice_lag_at(&baseline->lag, ENTROPY_LAG, 0)]
				 .value[BASELINE_OFFERED_PPS];
	return jump_is_one(&baseline->usual[BASELINE_OFFERED_PPS], oldest, offered_pps);
}
