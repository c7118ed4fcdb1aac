// SPDX-License-Identifier: BSD-2-Clause
/* Time without a CPU: counted while another thread has the only one. */
#include <criterion/criterion.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/run_delay.h"

/* A hang, not a measure of speed. */
#define LONGEST_NS 60000000000ull

static bool done;

static void *hog(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
		;
	return NULL;
}

/* Threads that are started later inherit it. */
static void stay_on_one_cpu(void)
{
	cpu_set_t allowed, one;
	int cpu = 0;

	CPU_ZERO(&one);
	cr_assert_eq(sched_getaffinity(0, sizeof(allowed), &allowed), 0);
	while (!CPU_ISSET(cpu, &allowed))
		cpu++;
	CPU_SET(cpu, &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
}

Test(run_delay, counts_what_another_thread_took)
{
	int fd = run_delay_open();
	uint64_t before, start_ns = clock_monotonic_ns(&clock_system);
	pthread_t thread;

	cr_assert_geq(fd, 0);
	stay_on_one_cpu();
	before = run_delay_ns(fd);
	cr_assert_eq(pthread_create(&thread, NULL, hog, NULL), 0);
	while (run_delay_ns(fd) < before + 1000000 &&
	       clock_monotonic_ns(&clock_system) < start_ns + LONGEST_NS)
		;
	cr_expect_geq(run_delay_ns(fd), before + 1000000);
	__atomic_store_n(&done, true, __ATOMIC_RELAXED);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	close(fd);
}

Test(run_delay, is_nothing_where_it_is_not_known)
{
	int fds[2];

	cr_assert_eq(run_delay_ns(-1), 0);
	cr_assert_eq(run_delay_ns(-ENOENT), 0);
	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(run_delay_ns(fds[0]), 0, "cannot be read at an offset");
	close(fds[0]);
	close(fds[1]);
}
