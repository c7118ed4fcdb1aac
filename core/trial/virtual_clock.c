/* SPDX-License-Identifier: BSD-2-Clause */
/* See virtual_clock.h. */
#include "virtual_clock.h"

static uint64_t since_boot_ns(void *ctx)
{
	const struct virtual_clock *clock = ctx;

	return virtual_clock_monotonic_ns(clock->now_ns);
}

static uint64_t realtime_ns(void *ctx)
{
	const struct virtual_clock *clock = ctx;

	return VIRTUAL_CLOCK_REALTIME_NS + clock->now_ns;
}

void virtual_clock_init(struct virtual_clock *clock)
{
	clock->now_ns = 0;
	clock->source = (struct clock_source){
		.monotonic_ns = since_boot_ns,
		.boottime_ns = since_boot_ns,
		.realtime_ns = realtime_ns,
		.ctx = clock,
	};
}
