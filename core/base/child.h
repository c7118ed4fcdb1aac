/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Child processes in which code of others is tried: whatever it does there, this process lives.
 */
#ifndef SLUICE_BASE_CHILD_H
#define SLUICE_BASE_CHILD_H

#include <sys/types.h>

/* In the child, first of all: it leaves no core behind and does not outlive its parent. */
void child_settle(void);
/* In the child: signals of a crash end it, whatever this process does with them. */
void child_crash_plainly(void);

/*
 * In the parent: waits for the child, which is killed if it takes longer than `limit_ms` or cannot
 * be watched.  0, -ETIMEDOUT or another negative errno; `*status` gets how it ended, as waitpid(2)
 * says it.
 */
int child_await(pid_t pid, int limit_ms, int *status) __attribute__((warn_unused_result));

#endif /* SLUICE_BASE_CHILD_H */
