/* SPDX-License-Identifier: BSD-2-Clause */
/* Jobs in child processes: order, results of any size, failures, and one that is killed. */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "evaluate/jobs.h"

#define N_JOBS 20u

struct told {
	size_t n, sizes[N_JOBS];
	int codes[N_JOBS];
	bool right;
	int stop_at; /* What done() refuses; -1: nothing. */
};

/* More than a pipe holds, for some. */
static size_t size_of(size_t job)
{
	return job % 3 == 0 ? 200000 + job : job;
}

static int work(void *ctx, size_t job, int fd)
{
	char *text = malloc(size_of(job) + 1);
	int ret;

	(void)ctx;
	if (job == 7)
		return -EBADF;
	if (job == 8)
		raise(SIGKILL);
	memset(text, 'a' + (int)job, size_of(job));
	ret = jobs_write(fd, text, size_of(job));
	free(text);
	return ret;
}

static int done(void *ctx, size_t job, int code, const char *result, size_t size)
{
	struct told *told = ctx;

	told->right &= job == told->n;
	told->codes[job] = code;
	told->sizes[job] = size;
	for (size_t i = 0; i < size; i++)
		told->right &= result[i] == 'a' + (int)job;
	told->n++;
	return (int)job == told->stop_at ? -ECANCELED : 0;
}

static int run(unsigned int at_once, struct told *told)
{
	const struct jobs_plan plan = {
		.n = N_JOBS, .at_once = at_once, .work = work, .done = done, .ctx = told
	};

	return jobs_run(&plan);
}

Test(jobs, are_told_in_order_whatever_comes_of_them)
{
	for (unsigned int at_once = 1; at_once <= 5; at_once += 2) {
		struct told told = { .right = true, .stop_at = -1 };

		cr_assert_eq(run(at_once, &told), 0);
		cr_assert_eq(told.n, N_JOBS);
		cr_assert(told.right);
		for (size_t i = 0; i < N_JOBS; i++) {
			bool fails = i == 7 || i == 8;

			cr_assert_eq(told.sizes[i], fails ? 0 : size_of(i));
			cr_assert_eq(told.codes[i], i == 7 ? -EBADF : i == 8 ? -EIO : 0);
		}
	}
}

Test(jobs, end_when_one_is_refused_and_leave_no_child)
{
	struct told told = { .right = true, .stop_at = 3 };

	cr_assert_eq(run(4, &told), -ECANCELED);
	cr_assert_eq(told.n, 4);
	cr_assert_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_assert_eq(errno, ECHILD);
}
