/* SPDX-License-Identifier: BSD-2-Clause */
/* Time as a replay tells it: it stands until it is set, and is the same in every run. */
#ifndef SLUICE_TRIAL_VIRTUAL_CLOCK_H
#define SLUICE_TRIAL_VIRTUAL_CLOCK_H

#include <stdint.h>

#include "base/clock.h"

/* Where a replay's second 0 is: 0 would mean "no time" to the filter, and "never" to the engine. */
#define VIRTUAL_CLOCK_BOOT_NS (1000ull * 1000000000ull)
#define VIRTUAL_CLOCK_REALTIME_NS (1577836800ull * 1000000000ull) /* 2020-01-01 */

struct virtual_clock {
	struct clock_source source;
	uint64_t now_ns; /* Since the replay's second 0. */
};

void virtual_clock_init(struct virtual_clock *clock);

static inline uint64_t virtual_clock_monotonic_ns(uint64_t replay_ns)
{
	return VIRTUAL_CLOCK_BOOT_NS + replay_ns;
}

#endif /* SLUICE_TRIAL_VIRTUAL_CLOCK_H */
