/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The application's thread: what a request has to compute is computed there, so that the stack goes on
 * to acknowledge and to answer others meanwhile, as mTCP has its stack and its application apart
 * (E. Jeong et al., NSDI 2014, section 3.2).  Jobs are done in the order in which they came.
 *
 * All functions are for the stack's thread; the other one lives behind them, and starts with the first
 * job.
 */
#ifndef SLUICE_LWIP_COMPUTE_H
#define SLUICE_LWIP_COMPUTE_H

#include <stddef.h>

#include "content.h"

struct compute;

/* The primes below `limit`, as content_primes() finds them. */
struct compute_job {
	void *owner; /* Who waits for it; NULL: nobody any more. */
	unsigned int limit;
	size_t size;
	char text[CONTENT_PRIME_SIZE];
	struct compute_job *next; /* compute.c's. */
};

/* At most `max_jobs` are taken at a time, with those whose owners have gone. */
int compute_new(unsigned int max_jobs, struct compute **out) __attribute__((warn_unused_result));
/* Waits for the job that is being done.  NULL is a no-op. */
void compute_free(struct compute *compute);

/* Readable while a job is done that compute_next() has not given. */
int compute_fd(const struct compute *compute);

/* NULL: there are too many, or there is no memory or thread for it. */
struct compute_job *compute_submit(struct compute *compute, unsigned int limit, void *owner);
/* The owner goes: compute_next() will not give it. */
void compute_abandon(struct compute_job *job);

/* One that is done, to be given back by compute_release(); NULL: none. */
struct compute_job *compute_next(struct compute *compute);
void compute_release(struct compute *compute, struct compute_job *job);

#endif /* SLUICE_LWIP_COMPUTE_H */
