/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's clocks.
 */
#include "clock.h"

static uint64_t read_ns(clockid_t id)
{
	struct timespec now = { 0 };

	/* These clocks exist on every kernel that Sluice runs on. */
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t system_monotonic_ns(void *ctx)
{
	(void)ctx;
	return read_ns(CLOCK_MONOTONIC);
}

static uint64_t system_boottime_ns(void *ctx)
{
	(void)ctx;
	return read_ns(CLOCK_BOOTTIME);
}

static uint64_t system_realtime_ns(void *ctx)
{
	(void)ctx;
	return read_ns(CLOCK_REALTIME);
}

struct timespec clock_deadline(uint64_t ns)
{
	uint64_t at = read_ns(CLOCK_MONOTONIC) + ns;

	return (struct timespec){ .tv_sec = (time_t)(at / 1000000000u),
				  .tv_nsec = (long)(at % 1000000000u) };
}

int clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attributes;
	int rc = -pthread_condattr_init(&attributes);

	if (rc)
		return rc;
	rc = -pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (!rc)
		rc = -pthread_cond_init(cond, &attributes);
	pthread_condattr_destroy(&attributes);
	return rc;
}

uint64_t clock_cpu_ns(void)
{
	return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

const struct clock_source clock_system = {
	.monotonic_ns = system_monotonic_ns,
	.boottime_ns = system_boottime_ns,
	.realtime_ns = system_realtime_ns,
};
