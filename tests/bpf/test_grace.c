// SPDX-License-Identifier: BSD-2-Clause
/* The grace wait returns when what ran has ended, and not before; by both of its mechanisms. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cap-ng.h>

#include "dataplane/grace.h"
#include "plane.h"
#include "slow.skel.h"

struct slow_state {
	uint64_t begun, ended;
};

struct runner {
	pthread_t thread;
	struct slow *skel;
	struct slow_state *state;
	int cpu;
	bool stop;
};

/* Runs the slow program on its CPU without pause. */
static void *run_slow(void *ctx)
{
	struct runner *runner = ctx;
	uint8_t frame[64] = { 0 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(runner->cpu, &set);
	(void)!sched_setaffinity(0, sizeof(set), &set);
	while (!__atomic_load_n(&runner->stop, __ATOMIC_RELAXED)) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = 64,
			    .repeat = 1);

		(void)!bpf_prog_test_run_opts(bpf_program__fd(runner->skel->progs.slow), &opts);
	}
	return NULL;
}

static void runner_start(struct runner *runner)
{
	runner->skel = slow__open_and_load();
	cr_assert_not_null(runner->skel);
	runner->state = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED,
			     bpf_map__fd(runner->skel->maps.slow_state), 0);
	cr_assert_neq(runner->state, MAP_FAILED);
	/* The last CPU, so that this thread usually has another. */
	runner->cpu = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	cr_assert_eq(pthread_create(&runner->thread, NULL, run_slow, runner), 0);
}

static void runner_stop(struct runner *runner)
{
	__atomic_store_n(&runner->stop, true, __ATOMIC_RELAXED);
	pthread_join(runner->thread, NULL);
	slow__destroy(runner->skel);
}

/* Waits only while a run is under way; each time that very run must have ended. */
static void wait_for_runs(struct grace *grace)
{
	struct runner runner = { 0 };
	int caught = 0;

	runner_start(&runner);
	time_t start = time(NULL);

	while (caught < 15 && time(NULL) - start < 20) {
		uint64_t ended = __atomic_load_n(&runner.state->ended, __ATOMIC_ACQUIRE);
		uint64_t begun = __atomic_load_n(&runner.state->begun, __ATOMIC_ACQUIRE);

		if (begun == ended) {
			sched_yield();
			continue;
		}
		cr_assert_eq(grace_wait(grace, NULL), 0);
		ended = __atomic_load_n(&runner.state->ended, __ATOMIC_ACQUIRE);
		cr_assert_geq(ended, begun, "%s: run %lu was still under way",
			      grace_mechanism(grace), begun);
		caught++;
	}
	runner_stop(&runner);
	cr_assert_eq(caught, 15, "met a running program %d times only", caught);
}

static void drop_sys_nice(void)
{
	const struct rlimit none = { 0, 0 };

	cr_assert_eq(setrlimit(RLIMIT_RTPRIO, &none), 0);
	cr_assert_eq(capng_get_caps_process(), 0);
	cr_assert_eq(capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SYS_NICE), 0);
	cr_assert_eq(capng_apply(CAPNG_SELECT_CAPS), 0);
}

TestSuite(grace, .init = plane_isolate);

Test(grace, visits_every_cpu)
{
	struct grace *grace = NULL;
	struct sluice_err err = { 0 };
	int code = grace_new(&grace, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	if (access("/sys/kernel/realtime", F_OK) != 0)
		cr_assert_str_eq(grace_mechanism(grace), "visit");
	for (int i = 0; i < 200; i++)
		cr_assert_eq(grace_wait(grace, &err), 0, "%s", err.text);
	wait_for_runs(grace);
	grace_free(grace);
}

Test(grace, falls_back_to_rcu)
{
	struct grace *grace = NULL;
	struct sluice_err err = { 0 };

	drop_sys_nice();
	cr_assert_eq(grace_new(&grace, &err), 0, "%s", err.text);
	cr_assert_str_eq(grace_mechanism(grace), "rcu");
	for (int i = 0; i < 5; i++)
		cr_assert_eq(grace_wait(grace, &err), 0, "%s", err.text);
	wait_for_runs(grace);
	grace_free(grace);
}

/* The daemon drops its capabilities after loading; the thread keeps what it got. */
Test(grace, goes_on_visiting_without_the_capability)
{
	struct grace *grace = NULL;

	cr_assert_eq(grace_new(&grace, NULL), 0);
	drop_sys_nice();
	for (int i = 0; i < 50; i++)
		cr_assert_eq(grace_wait(grace, NULL), 0);
	if (access("/sys/kernel/realtime", F_OK) != 0)
		cr_assert_str_eq(grace_mechanism(grace), "visit");
	grace_free(grace);
}

Test(grace, free_of_nothing_is_fine)
{
	grace_free(NULL);
}
