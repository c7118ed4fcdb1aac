/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detectors on threads of their own: one that does not come back holds up nobody, and what it says
 * too late is void.  Those that must come back have an hour; the one that must not, a millisecond.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/patience.h"
#include "engine/detector_thread.h"
#include "gate.h"
#include "rig.h"

#define HOUR_NS (3600 * RIG_WINDOW_NS)
#define MOMENT_NS 1000000u

static struct rig *rig;
static struct gate gate; /* Detector 1; detector 0 is the rig's own, on the engine's thread. */
static struct detector_thread *thread;

static void set_gate(bool closed, uint64_t budget_ns)
{
	rig = rig_new();
	thread = gate_enter(&gate, closed, rig, budget_ns);
}

/* Until the thread itself has seen that the call is over. */
static void wait_idle(void)
{
	while (detector_thread_is_busy(thread))
		sched_yield();
}

static void end(void)
{
	gate_leave(&gate, rig, thread);
}

static const struct engine_detector_status *status_of(size_t i)
{
	const struct engine_detector_status *detectors = rig_status(rig).detectors;

	return &detectors[i];
}

Test(hanging, one_that_comes_back_is_heard)
{
	set_gate(false, HOUR_NS);
	rig_send(rig, "192.0.2.1", 7);
	rig_window(rig);
	cr_expect_eq(gate.last_packets, 7);
	cr_expect_eq(gate.last_propose, 0);
	cr_expect_eq(gate.last_propose_rule, 0);
	cr_expect(rig_is_blocked(rig, "192.0.2.66"));
	cr_expect_not_null(rig_rule(rig, 66));
	cr_expect(status_of(1)->verdict.attack);
	cr_expect_eq(status_of(1)->proposals, 1);
	cr_expect_eq(status_of(1)->failures, 0);
	cr_expect(strstr(rig_explain(rig, "192.0.2.66").evidence, "it came back"));
	end();
}

Test(hanging, the_window_goes_on_without_it)
{
	set_gate(true, MOMENT_NS);
	rig_wish(rig, "192.0.2.1", 500);
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, "192.0.2.1"), "the other one is heard");
	cr_expect_not(status_of(1)->verdict.attack);
	cr_expect_eq(status_of(1)->failures, 1);
	cr_expect(
		strstr(rig_event_text(rig, EVENT_KIND_DETECTOR_FAILED), "no answer after 2.0 ms"));
	rig_windows(rig, 3);
	cr_expect_not(status_of(1)->disabled);
	rig_window(rig);
	cr_expect(status_of(1)->disabled);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_DETECTOR_DISABLED),
			 "still busy with an earlier window"));
	cr_expect_eq(rig_events(rig, EVENT_KIND_DETECTOR_DISABLED), 1);
	rig_windows(rig, 5);
	cr_expect_eq(rig->detectors[0].calls, 10, "the rest goes on");
	/* Ten windows may be over before its thread first ran. */
	gate_wait_inside(&gate);
	cr_expect_eq(gate.inside, 1, "it was called once");
	end();
}

Test(hanging, a_late_answer_is_void)
{
	set_gate(true, MOMENT_NS);
	rig_send(rig, "192.0.2.1", 7);
	rig_window(rig);
	rig_send(rig, "192.0.2.2", 9);
	rig_window(rig);
	gate_open(&gate);
	gate_wait_left(&gate, 1);
	wait_idle();
	cr_expect_eq(gate.last_packets, 7, "it still saw the window that it was called for");
	cr_expect_eq(gate.last_propose, 0, "it cannot tell that it is late");
	rig->engine_detectors[1].budget_ns = HOUR_NS;
	gate.engine = NULL;
	cr_assert_eq(engine_reconfigure(rig->engine, &rig->options, NULL), 0);
	rig_window(rig);
	cr_expect_not(rig_is_blocked(rig, "192.0.2.66"));
	cr_expect_null(rig_rule(rig, 66));
	cr_expect_eq(status_of(1)->proposals, 0);
	cr_expect_eq(gate.left, 2, "it takes part again");
	cr_expect(status_of(1)->verdict.attack);
	end();
}

Test(hanging, the_end_does_not_wait_for_it)
{
	set_gate(true, MOMENT_NS);
	rig_send(rig, "192.0.2.1", 7);
	rig_window(rig);
	detector_thread_free(thread, gate_after, &gate);
	gate.engine = NULL;
	rig_free(rig);
	cr_expect_eq(gate.after, 0, "what it uses is still there");
	gate_open(&gate);
	gate_wait_after(&gate);
	cr_expect_eq(gate.last_packets, 7, "and so is its window, without the engine");
	gate_fini(&gate);
}

Test(hanging, a_thread_that_was_never_called_ends_too)
{
	set_gate(false, HOUR_NS);
	end();
	cr_expect_eq(gate.left, 0);
}

Test(hanging, what_one_says_that_breaks_the_contract_is_void)
{
	set_gate(false, HOUR_NS);
	gate.code = 1;
	rig_window(rig);
	cr_expect_eq(gate.last_propose, 0);
	cr_expect_not(rig_is_blocked(rig, "192.0.2.66"));
	cr_expect_null(rig_rule(rig, 66));
	cr_expect_not(status_of(1)->verdict.attack);
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_DETECTOR_FAILED), "observe gave 1"));
	end();
}

/* A call of another kind, which waits at the gate. */
struct job {
	bool called, given_up, late;
};

static void job_call(void *ctx)
{
	const struct sluice_proposal proposal = { .size = sizeof(proposal), .reason = "x" };
	struct job *job = ctx;

	pthread_mutex_lock(&gate.lock);
	job->called = true;
	gate.inside++;
	pthread_cond_broadcast(&gate.changed);
	while (gate.closed)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	cr_expect_neq(engine_propose(rig->engine, (struct sluice_instance *)&gate, &proposal), 0,
		      "only observe may propose");
}

static void job_give_up(void *ctx)
{
	((struct job *)ctx)->given_up = true;
}

static void job_late(void *ctx)
{
	((struct job *)ctx)->late = true;
}

Test(hanging, other_calls_have_its_thread_too)
{
	struct job job = { 0 };
	struct patience call = { job_call, job_give_up, job_late, &job, HOUR_NS };

	set_gate(false, HOUR_NS);
	cr_expect(detector_thread_run(thread, &call));
	cr_expect(job.called && !job.given_up && !job.late);
	cr_expect_not(detector_thread_is_busy(thread));
	rig_window(rig);
	cr_expect_eq(gate.left, 1, "and it observes as before");
	end();
}

Test(hanging, another_call_that_hangs_is_given_up)
{
	struct job job = { 0 };
	struct patience call = { job_call, job_give_up, job_late, &job, MOMENT_NS };

	set_gate(true, HOUR_NS);
	cr_expect_not(detector_thread_run(thread, &call));
	cr_expect(job.given_up && !job.late);
	cr_expect(detector_thread_is_busy(thread));
	rig_window(rig);
	cr_expect_eq(status_of(1)->failures, 1, "it is not called while it is in another call");
	gate_wait_inside(&gate);
	gate_open(&gate);
	wait_idle();
	cr_expect(job.late);
	rig_window(rig);
	cr_expect_eq(gate.left, 1, "it takes part again");
	end();
}

Test(hanging, only_its_own_instance_may_propose)
{
	struct sluice_proposal proposal = { .size = sizeof(proposal), .reason = "x" };

	set_gate(false, HOUR_NS);
	cr_expect_null(detector_thread_current());
	cr_expect_eq(detector_thread_propose(thread, (struct sluice_instance *)rig, &proposal),
		     -EINVAL);
	cr_expect_eq(engine_propose(rig->engine, (struct sluice_instance *)&gate, &proposal),
		     -EINVAL, "nor from any other thread");
	end();
}
