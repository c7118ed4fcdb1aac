/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time as a service that can be replaced: the kernel's clocks when live, a virtual one in tests
 * and replays.
 */
#ifndef SLUICE_BASE_CLOCK_H
#define SLUICE_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

struct clock_source {
	uint64_t (*monotonic_ns)(void *ctx); /* For lengths and rates. */
	uint64_t (*boottime_ns)(void *ctx);  /* For what must survive the daemon: block expiry. */
	uint64_t (*realtime_ns)(void *ctx);  /* For people: event times. */
	void *ctx;
};

/* The kernel's clocks. */
extern const struct clock_source clock_system;

static inline uint64_t clock_monotonic_ns(const struct clock_source *clock)
{
	return clock->monotonic_ns(clock->ctx);
}

static inline uint64_t clock_boottime_ns(const struct clock_source *clock)
{
	return clock->boottime_ns(clock->ctx);
}

static inline uint64_t clock_realtime_ns(const struct clock_source *clock)
{
	return clock->realtime_ns(clock->ctx);
}

/* When `ns` from now have passed, by CLOCK_MONOTONIC: for waits that take a deadline. */
struct timespec clock_deadline(uint64_t ns);

/* A condition whose timed waits go by such deadlines.  0, or a negative errno. */
int clock_cond_init(pthread_cond_t *cond) __attribute__((warn_unused_result));

/* CPU time of this process, all threads: for costs that are not to depend on who else runs. */
uint64_t clock_cpu_ns(void);

#endif /* SLUICE_BASE_CLOCK_H */
