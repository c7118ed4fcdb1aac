/* SPDX-License-Identifier: BSD-2-Clause */
/* The least that a replay can cost: the same packets through the same programs, and nothing else. */
#ifndef SLUICE_TRIAL_BARE_H
#define SLUICE_TRIAL_BARE_H

#include <stdint.h>

struct dataplane;
struct mix;

/*
 * Rewinds `mix` and runs its packets toward the protected host through the filter and those from it
 * through the program at tc, one system call each; only the calls are timed.  0 or a negative errno.
 */
int bare_run(struct mix *mix, struct dataplane *dp, uint64_t *packets, uint64_t *elapsed_ns)
	__attribute__((warn_unused_result));

#endif /* SLUICE_TRIAL_BARE_H */
