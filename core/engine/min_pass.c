/* SPDX-License-Identifier: BSD-2-Clause */
/* The level of peace and the alarm: see min_pass.h. */
#include "min_pass.h"

#include <string.h>

/* The level follows slowly: a minute of windows moves it by about half. */
#define WEIGHT (1.0 / 64)

void min_pass_init(struct min_pass *min_pass)
{
	memset(min_pass, 0, sizeof(*min_pass));
	min_pass->since_blocks = UINT32_MAX;
}

static void learn(struct min_pass *min_pass, uint64_t passed_pps)
{
	double weight = WEIGHT;

	if (min_pass->peace_windows < UINT32_MAX)
		min_pass->peace_windows++;
	/* A plain mean at first. */
	if (1.0 / min_pass->peace_windows > weight)
		weight = 1.0 / min_pass->peace_windows;
	min_pass->level_pps += weight * ((double)passed_pps - min_pass->level_pps);
}

bool min_pass_step(struct min_pass *min_pass, double share, bool peace, uint64_t passed_pps)
{
	bool low = (double)passed_pps < share * min_pass->level_pps;

	if (min_pass->since_blocks < UINT32_MAX)
		min_pass->since_blocks++;
	if (peace)
		learn(min_pass, passed_pps);
	if (!low) {
		min_pass->low_windows = 0;
		min_pass->fired = false;
		return false;
	}
	if (share <= 0 || min_pass->peace_windows < MIN_PASS_WARM_WINDOWS ||
	    min_pass->since_blocks > MIN_PASS_AFTER_WINDOWS)
		return false;
	if (++min_pass->low_windows < MIN_PASS_LOW_WINDOWS || min_pass->fired)
		return false;
	min_pass->fired = true;
	return true;
}

void min_pass_blocked(struct min_pass *min_pass)
{
	min_pass->since_blocks = 0;
}
