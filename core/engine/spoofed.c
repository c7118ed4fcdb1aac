/* SPDX-License-Identifier: BSD-2-Clause */
/* See spoofed.h. */
#include "spoofed.h"

#include <string.h>

/* What is usual is learned slowly; more slowly still while it would be a jump. */
#define WEIGHT (1.0 / 64)
#define WEIGHT_OF_JUMP (1.0 / 1024)

void spoofed_init(struct spoofed *spoofed)
{
	memset(spoofed, 0, sizeof(*spoofed));
}

bool spoofed_distrusts(const struct spoofed *spoofed)
{
	return spoofed->on || spoofed->suspected;
}

static void learn(struct spoofed *spoofed, uint64_t distinct, bool jump)
{
	double weight = jump ? WEIGHT_OF_JUMP : WEIGHT;

	if (spoofed->peace_windows < UINT32_MAX)
		spoofed->peace_windows++;
	/* A plain mean at first. */
	if (!jump && 1.0 / spoofed->peace_windows > weight)
		weight = 1.0 / spoofed->peace_windows;
	spoofed->level += weight * ((double)distinct - spoofed->level);
}

static bool is_many(const struct spoofed *spoofed, uint64_t distinct, double factor)
{
	return distinct >= SPOOFED_MIN && (double)distinct > factor * spoofed->level;
}

static bool looks_forged(const struct spoofed_input *input)
{
	return input->fresh * 2 > input->tracked &&
	       (double)input->fresh_packets <= SPOOFED_PACKETS * (double)input->fresh;
}

static enum spoofed_change go_on(struct spoofed *spoofed, const struct spoofed_input *input)
{
	bool calm = !input->dropping && !is_many(spoofed, input->distinct, SPOOFED_FACTOR / 2.0);

	spoofed->calm_windows = calm ? spoofed->calm_windows + 1 : 0;
	if (spoofed->calm_windows < SPOOFED_CALM_WINDOWS)
		return SPOOFED_CHANGE_NONE;
	spoofed->on = false;
	spoofed->suspected = false;
	return SPOOFED_CHANGE_ENDED;
}

enum spoofed_change spoofed_step(struct spoofed *spoofed, const struct spoofed_input *input)
{
	bool warm = spoofed->peace_windows >= SPOOFED_WARM_WINDOWS;
	bool many = warm && is_many(spoofed, input->distinct, SPOOFED_FACTOR);
	bool suspected = many && looks_forged(input), started;
	/* A rule in force since then leaves nothing to look at: the suspicion stays what it is. */
	bool hidden = spoofed->suspected && input->dropping && !many;

	if (spoofed->on)
		return go_on(spoofed, input);
	if (input->peace && !suspected)
		learn(spoofed, input->distinct, many);
	started = suspected && spoofed->suspected;
	spoofed->suspected = suspected || hidden;
	if (!started)
		return SPOOFED_CHANGE_NONE;
	spoofed->on = true;
	spoofed->calm_windows = 0;
	return SPOOFED_CHANGE_STARTED;
}
