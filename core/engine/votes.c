/* SPDX-License-Identifier: BSD-2-Clause */
/* See votes.h. */
#include "votes.h"

#include <stddef.h>

#include "config/settings.h"
#include "detect.h"

static bool supports(const struct detect_slot *slot, size_t place, uint64_t sequence,
		     uint64_t voters)
{
	if (place < 64 && voters >> place & 1)
		return true;
	return slot->attack_sequence && sequence - slot->attack_sequence < VOTES_WINDOWS;
}

bool votes_carry(const struct detect *detect, const struct settings_policy *policy,
		 uint64_t sequence, uint64_t voters)
{
	double weight = 0;

	if (policy->combine == SETTINGS_COMBINE_ANY)
		return true;
	for (size_t i = 0; i < detect->n; i++) {
		const struct detect_slot *slot = &detect->slots[i];

		if (!slot->detector.enforce || slot->status.disabled)
			continue;
		if (supports(slot, i, sequence, voters))
			weight += slot->detector.weight;
		else if (policy->combine == SETTINGS_COMBINE_ALL)
			return false;
	}
	return policy->combine == SETTINGS_COMBINE_ALL || weight >= policy->votes;
}
