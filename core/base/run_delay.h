/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a thread was ready to run and had no CPU: what a machine that is too busy took from it, and
 * not its own doing.  As the kernel's scheduler counts it (Documentation/scheduler/sched-stats.rst).
 */
#ifndef SLUICE_BASE_RUN_DELAY_H
#define SLUICE_BASE_RUN_DELAY_H

#include <stdint.h>

/* Of the calling thread: a descriptor that any thread may read and close, or a negative errno. */
int run_delay_open(void);
/* So far.  0 if `fd` is none, or the kernel does not count. */
uint64_t run_delay_ns(int fd);

#endif /* SLUICE_BASE_RUN_DELAY_H */
