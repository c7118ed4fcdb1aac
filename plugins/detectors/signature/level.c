/* SPDX-License-Identifier: BSD-2-Clause */
/* See level.h. */
#include "level.h"

#include <math.h>
#include <string.h>

#define MEMORY_SECONDS 30.0
#define FASTEST 0.2 /* Of one window, however long it is. */

double level_deviation(const struct level *level)
{
	return sqrt(level->variance);
}

void level_freeze(struct level *level)
{
	level->n_waiting = 0;
}

static void learn(struct level *level, double rate, double seconds)
{
	double weight = fmin(seconds / MEMORY_SECONDS, FASTEST), step = rate - level->mean;

	level->mean += weight * step;
	level->variance = (1 - weight) * (level->variance + weight * step * step);
}

static double mean_waiting(const struct level *level)
{
	double sum = 0;

	for (uint32_t i = 0; i < level->n_waiting; i++)
		sum += level->waiting[i];
	return level->n_waiting ? sum / level->n_waiting : level->mean;
}

void level_offer(struct level *level, double rate, double floor, double seconds, uint32_t lag)
{
	if (rate > 2 * mean_waiting(level) + floor)
		level_freeze(level);
	lag = lag && lag < LEVEL_LAG_MAX ? lag : LEVEL_LAG_MAX;
	/* More than one only after the lag was made shorter. */
	while (level->n_waiting >= lag) {
		learn(level, level->waiting[0], seconds);
		level->n_waiting--;
		memmove(level->waiting, level->waiting + 1,
			level->n_waiting * sizeof(level->waiting[0]));
	}
	level->waiting[level->n_waiting++] = rate;
}
