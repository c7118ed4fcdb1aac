/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <poll.h>
#include <string.h>

#include "compute.h"
#include "content.h"

enum { MAX_JOBS = 4, PATIENCE_MS = 60000 };

static struct compute *compute;

static void begin(void)
{
	cr_assert_eq(compute_new(MAX_JOBS, &compute), 0);
}

static void end(void)
{
	compute_free(compute);
}

TestSuite(compute, .init = begin, .fini = end);

static bool is_ready(int timeout_ms)
{
	struct pollfd ready = { .fd = compute_fd(compute), .events = POLLIN };

	return poll(&ready, 1, timeout_ms) == 1;
}

/* The next one that is done, which may take until it is. */
static struct compute_job *await(void)
{
	struct compute_job *job = compute_next(compute);

	if (job)
		return job;
	cr_assert(is_ready(PATIENCE_MS), "nothing is done");
	return compute_next(compute);
}

Test(compute, jobs_come_back_in_order_with_their_primes)
{
	int owners[3];
	char text[CONTENT_PRIME_SIZE];

	cr_assert_null(compute_next(compute));
	cr_assert_not(is_ready(0));
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_not_null(compute_submit(compute, 100 * (i + 1), &owners[i]));
	for (unsigned int i = 0; i < 3; i++) {
		struct compute_job *job = await();

		cr_assert_not_null(job);
		cr_assert_eq(job->owner, &owners[i]);
		cr_assert_eq(job->size, content_primes(100 * (i + 1), text));
		cr_assert_arr_eq(job->text, text, job->size);
		compute_release(compute, job);
	}
	cr_assert_null(compute_next(compute));
	cr_assert_not(is_ready(0), "who waits for what has been taken never sleeps");
}

Test(compute, nobody_gets_what_was_abandoned)
{
	int stays, goes;

	compute_abandon(compute_submit(compute, CONTENT_PRIME_LIMIT, &goes));
	cr_assert_not_null(compute_submit(compute, 3, &stays));
	for (;;) {
		struct compute_job *job = await();

		if (!job) /* The abandoned one came alone. */
			continue;
		cr_assert_eq(job->owner, &stays);
		cr_assert_eq(job->size, 2);
		compute_release(compute, job);
		break;
	}
}

Test(compute, too_many_are_refused_until_one_is_given_back)
{
	int owner;
	struct compute_job *job;

	for (unsigned int i = 0; i < MAX_JOBS; i++)
		cr_assert_not_null(compute_submit(compute, 2, &owner));
	cr_assert_null(compute_submit(compute, 2, &owner));
	job = await();
	cr_assert_null(compute_submit(compute, 2, &owner), "it is done, but not given back");
	compute_release(compute, job);
	cr_assert_not_null(compute_submit(compute, 2, &owner));
}

Test(compute, ends_with_jobs_in_every_state)
{
	int owner;

	cr_assert_not_null(compute_submit(compute, 2, &owner));
	cr_assert(is_ready(PATIENCE_MS));
	for (unsigned int i = 1; i < MAX_JOBS; i++)
		cr_assert_not_null(compute_submit(compute, CONTENT_PRIME_LIMIT, &owner));
	compute_release(compute, compute_next(compute));
}
