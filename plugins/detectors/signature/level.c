/* SPDX-License-Identifier: BSD-2-Clause */
/* See level.h. */
#include "level.h"

#include <math.h>

#define MEMORY_SECONDS 30.0
#define FASTEST 0.2 /* Of one window, however long it is. */

double level_deviation(const struct level *level)
{
	return sqrt(level->variance);
}

void level_freeze(struct level *level)
{
	sluice_lag_discard(&level->lag);
}

static double mean_waiting(const struct level *level)
{
	double sum = 0;

	for (uint32_t i = 0; i < level->lag.n; i++)
		sum += level->waiting[sluice_lag_at(&level->lag, LEVEL_LAG_MAX, i)];
	return level->lag.n ? sum / level->lag.n : level->mean;
}

void level_offer(struct level *level, double rate, double floor, double seconds, uint32_t lag)
{
	/* A window's length is the operator's, so its weight is by time. */
	double weight = fmin(seconds / MEMORY_SECONDS, FASTEST);

	if (rate > 2 * mean_waiting(level) + floor)
		level_freeze(level);
	lag = lag && lag < LEVEL_LAG_MAX ? lag : LEVEL_LAG_MAX;
	/* More than one only after the lag was made shorter. */
	while (level->lag.n >= lag) {
		uint32_t oldest = sluice_lag_take(&level->lag, LEVEL_LAG_MAX);

		sluice_learn_variance(&level->mean, &level->variance, level->waiting[oldest],
				      weight);
	}
	level->waiting[sluice_lag_add(&level->lag, LEVEL_LAG_MAX)] = rate;
}
