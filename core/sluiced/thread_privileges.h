/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities are a thread's own.  Threads that were started before the daemon drops its own, as
 * the data plane's is, are made to take over the sets of the calling thread.
 */
#ifndef SLUICE_SLUICED_THREAD_PRIVILEGES_H
#define SLUICE_SLUICED_THREAD_PRIVILEGES_H

/*
 * Asks every other thread, by a signal, to give up what the caller does not have, and waits until
 * all have done so.  No thread may be started meanwhile.  0, or a negative errno.
 */
int thread_privileges_follow(void) __attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_THREAD_PRIVILEGES_H */
