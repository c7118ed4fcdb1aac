/* SPDX-License-Identifier: BSD-2-Clause */
/* See jump.h. */
#include "jump.h"

#include <math.h>

#define FACTOR 1.5
#define DEVIATIONS 4.0
#define LEAST_PPS 500.0 /* Less is no jump on any server. */

bool jump_is_one(const struct sluice_usual *usual, double oldest, double pps)
{
	double mean = usual->mean;

	/* Nothing is learned yet: the oldest window that waits has to do. */
	if (usual->n == 0) {
		if (isnan(oldest))
			return false;
		mean = oldest;
	}
	return pps > FACTOR * mean + DEVIATIONS * usual->deviation + LEAST_PPS;
}
