/* SPDX-License-Identifier: BSD-2-Clause */
/* The attack tracker: see attack.h. */
#include "attack.h"

#include <string.h>

void attack_init(struct attack *attack)
{
	memset(attack, 0, sizeof(*attack));
}

static void begin(struct attack *attack, const struct attack_input *input)
{
	attack->on = true;
	attack->calm_windows = 0;
	attack->peak_blocked_pps = input->blocked_pps;
	attack->peak_offered_pps = input->offered_pps;
	attack->started_ns = input->now_ns;
	attack->started_realtime_ns = input->realtime_ns;
	attack->windows = 1;
	attack->count++;
}

enum attack_change attack_step(struct attack *attack, const struct attack_input *input)
{
	bool flooding;

	if (!attack->on) {
		if (!input->verdict && !input->inherited)
			return ATTACK_CHANGE_NONE;
		begin(attack, input);
		return ATTACK_CHANGE_STARTED;
	}
	attack->windows++;
	if (input->blocked_pps > attack->peak_blocked_pps)
		attack->peak_blocked_pps = input->blocked_pps;
	if (input->offered_pps > attack->peak_offered_pps)
		attack->peak_offered_pps = input->offered_pps;
	flooding = input->blocked_pps &&
		   input->blocked_pps >= attack->peak_blocked_pps / ATTACK_CALM_SHARE;
	if (input->verdict || flooding) {
		attack->calm_windows = 0;
		return ATTACK_CHANGE_NONE;
	}
	if (++attack->calm_windows < ATTACK_CALM_WINDOWS)
		return ATTACK_CHANGE_NONE;
	attack->on = false;
	return ATTACK_CHANGE_ENDED;
}
