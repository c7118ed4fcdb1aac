/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Work in child processes, some at a time.  Each child writes its result into a pipe; results are
 * handed out in the order of the jobs, whichever ends first.  A child ends with its parent.
 */
#ifndef SLUICE_EVALUATE_JOBS_H
#define SLUICE_EVALUATE_JOBS_H

#include <stddef.h>

struct jobs_plan {
	size_t n;
	unsigned int at_once;
	/* In the child, on a CPU of its own if there is one; what it writes to `fd` is the result. */
	int (*work)(void *ctx, size_t job, int fd);
	/* In the parent; `code` is what work() returned.  Not 0: no more jobs are begun. */
	int (*done)(void *ctx, size_t job, int code, const char *result, size_t size);
	/* In the parent, about once a second; may be NULL. */
	void (*waiting)(void *ctx, size_t n_ended);
	void *ctx;
};

/* 0; what done() returned; or a negative errno.  No child is left behind. */
int jobs_run(const struct jobs_plan *plan) __attribute__((warn_unused_result));

/* For work(): all of it, or a negative errno. */
int jobs_write(int fd, const void *data, size_t size) __attribute__((warn_unused_result));

#endif /* SLUICE_EVALUATE_JOBS_H */
