/* SPDX-License-Identifier: BSD-2-Clause */
/* The level of peace and the alarm: see min_pass.h. */
#include "min_pass.h"

#include <string.h>

#include <sluice/learn.h>

/* The level follows slowly: a minute of windows moves it by about half. */
#define SLOWEST 64

void min_pass_init(struct min_pass *min_pass)
{
	memset(min_pass, 0, sizeof(*min_pass));
	min_pass->since_blocks = UINT32_MAX;
}

static void learn(struct min_pass *min_pass, uint64_t passed_pps, bool low)
{
	double weight;

	if (min_pass->peace_windows < UINT32_MAX)
		min_pass->peace_windows++;
	weight = sluice_learn_weight(min_pass->peace_windows, SLOWEST);
	/* Without a lag: the level only serves to tell that too little passes, and a jump raises it. */
	sluice_learn_mean(&min_pass->level_pps, (double)passed_pps, weight);
	sluice_learn_mean(&min_pass->low_share, low, weight);
}

static uint32_t wanted_windows(uint64_t length_ns)
{
	uint64_t n = length_ns ? (MIN_PASS_LOW_NS + length_ns - 1) / length_ns : 0;

	return n > MIN_PASS_LOW_WINDOWS ? (uint32_t)n : MIN_PASS_LOW_WINDOWS;
}

uint32_t min_pass_reach(const struct min_pass *min_pass)
{
	return min_pass->wanted_windows + 1;
}

bool min_pass_step(struct min_pass *min_pass, const struct min_pass_window *window)
{
	bool low = (double)window->passed_pps < window->share * min_pass->level_pps;

	min_pass->wanted_windows = wanted_windows(window->length_ns);
	if (min_pass->since_blocks < UINT32_MAX)
		min_pass->since_blocks++;
	if (window->peace)
		learn(min_pass, window->passed_pps, low);
	if (!low) {
		min_pass->low_windows = 0;
		min_pass->fired = false;
		return false;
	}
	if (window->share <= 0 || min_pass->peace_windows < MIN_PASS_WARM_WINDOWS ||
	    min_pass->low_share > MIN_PASS_ORDINARY ||
	    min_pass->since_blocks > min_pass_reach(min_pass))
		return false;
	if (++min_pass->low_windows < min_pass->wanted_windows || min_pass->fired)
		return false;
	min_pass->fired = true;
	return true;
}

void min_pass_blocked(struct min_pass *min_pass)
{
	min_pass->since_blocks = 0;
}
