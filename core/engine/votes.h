/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether enough detectors stand behind a proposal (`policy.combine`).  A detector does if it asked
 * for the same source or rule itself, or if it called one of the last windows an attack; those that
 * only observe, or are disabled, have no vote.
 */
#ifndef SLUICE_ENGINE_VOTES_H
#define SLUICE_ENGINE_VOTES_H

#include <stdbool.h>
#include <stdint.h>

struct detect;
struct settings_policy;

/* How long a verdict counts, in windows: detectors do not all see an attack in the same one. */
#define VOTES_WINDOWS 3

/* `voters` has the bits of the detectors that asked, by their place. */
bool votes_carry(const struct detect *detect, const struct settings_policy *policy,
		 uint64_t sequence, uint64_t voters);

#endif /* SLUICE_ENGINE_VOTES_H */
