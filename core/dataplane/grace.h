/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting until every packet program that was running has ended, on all CPUs.
 *
 * XDP programs run with bottom halves off and cannot be preempted (without PREEMPT_RT), so a
 * thread that has run once on every CPU has seen each of them between two programs.  Measured
 * 0.1-0.4 ms.  Where that is not possible (PREEMPT_RT, no right to SCHED_FIFO, CPUs outside our
 * cpuset) a map-in-map update is made instead, which waits for an RCU grace period: 7-135 ms.
 */
#ifndef SLUICE_DATAPLANE_GRACE_H
#define SLUICE_DATAPLANE_GRACE_H

#include <sluice/plugin.h>

struct grace;

/* Call while the process still may set SCHED_FIFO; the waiting thread keeps it. */
int grace_new(struct grace **out, struct sluice_err *err) __attribute__((warn_unused_result));
void grace_free(struct grace *grace);

/*
 * Returns when all that ran at the time of the call has ended.  NULL: only the caller ever runs a
 * program, and there is nothing to wait for.
 */
int grace_wait(struct grace *grace, struct sluice_err *err) __attribute__((warn_unused_result));

/* "visit" or "rcu". */
const char *grace_mechanism(const struct grace *grace);

#endif /* SLUICE_DATAPLANE_GRACE_H */
