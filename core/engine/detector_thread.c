/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lock guards the state alone: the answer and the window belong to the thread while the state
 * is CALLED, and to the engine while it is not.  See detector_thread.h.
 */
#include "detector_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer.h"
#include "base/clock.h"
#include "base/patience.h"
#include "base/run_delay.h"
#include "window_copy.h"

enum state {
	STATE_IDLE,
	STATE_CALLED,
	STATE_ANSWERED,
	STATE_ENDING,
};

struct detector_thread {
	const struct sluice_detector_ops *ops;
	void *self;
	struct sluice_instance *instance;
	pthread_t thread;
	int run_delay_fd; /* -1: not known. */
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t called, answered;
	enum state state;
	bool late;	/* The call was given up: its answer is void. */
	bool abandoned; /* Nobody waits for the thread: it frees itself, then calls `after`. */
	void (*after)(void *ctx);
	void *after_ctx;
	struct window_copy *window;
	struct answer answer;
	const struct patience *job; /* The call to make, in `job_kept`; NULL: observe. */
	struct patience job_kept;
};

static _Thread_local struct detector_thread *current;

int detector_thread_new(const struct sluice_detector_ops *ops, void *self,
			struct sluice_instance *instance, struct detector_thread **out)
{
	struct detector_thread *thread = calloc(1, sizeof(*thread));
	int rc;

	if (!thread)
		return -ENOMEM;
	thread->ops = ops;
	thread->self = self;
	thread->instance = instance;
	thread->run_delay_fd = -1;
	answer_init(&thread->answer);
	rc = -pthread_mutex_init(&thread->lock, NULL);
	if (rc)
		goto out_free;
	rc = clock_cond_init(&thread->called);
	if (rc)
		goto out_lock;
	rc = clock_cond_init(&thread->answered);
	if (rc)
		goto out_called;
	*out = thread;
	return 0;

out_called:
	pthread_cond_destroy(&thread->called);
out_lock:
	pthread_mutex_destroy(&thread->lock);
out_free:
	free(thread);
	return rc;
}

static void destroy(struct detector_thread *thread)
{
	void (*after)(void *ctx) = thread->after;
	void *ctx = thread->after_ctx;

	pthread_cond_destroy(&thread->answered);
	pthread_cond_destroy(&thread->called);
	pthread_mutex_destroy(&thread->lock);
	answer_fini(&thread->answer);
	if (thread->run_delay_fd >= 0)
		close(thread->run_delay_fd);
	free(thread);
	after(ctx);
}

static void observe(struct detector_thread *thread)
{
	uint64_t start_ns = clock_monotonic_ns(&clock_system);
	uint64_t waited_ns = run_delay_ns(thread->run_delay_fd);
	struct answer *answer = &thread->answer;

	current = thread;
	answer->rc = thread->ops->observe(thread->self, window_copy_view(thread->window),
					  &answer->verdict);
	window_copy_drop(thread->window);
	thread->window = NULL;
	current = NULL;
	waited_ns = run_delay_ns(thread->run_delay_fd) - waited_ns;
	answer->took_ns = clock_monotonic_ns(&clock_system) - start_ns;
	answer->took_ns -= waited_ns < answer->took_ns ? waited_ns : answer->took_ns;
}

/* One call, without the lock. */
static void make_call(struct detector_thread *thread)
{
	if (thread->job)
		thread->job->call(thread->job->ctx);
	else
		observe(thread);
}

/* With the lock, which it lets go of in between. */
static void end_late_job(struct detector_thread *thread)
{
	if (!thread->late || !thread->job)
		return;
	pthread_mutex_unlock(&thread->lock);
	thread->job->late(thread->job->ctx);
	pthread_mutex_lock(&thread->lock);
}

static void *loop(void *arg)
{
	struct detector_thread *thread = arg;
	bool abandoned;

	thread->run_delay_fd = run_delay_open();
	pthread_mutex_lock(&thread->lock);
	for (;;) {
		while (thread->state != STATE_CALLED && thread->state != STATE_ENDING)
			pthread_cond_wait(&thread->called, &thread->lock);
		if (thread->state == STATE_ENDING)
			break;
		pthread_mutex_unlock(&thread->lock);
		make_call(thread);
		pthread_mutex_lock(&thread->lock);
		end_late_job(thread);
		if (thread->abandoned)
			break;
		thread->state = thread->late ? STATE_IDLE : STATE_ANSWERED;
		thread->late = false;
		pthread_cond_signal(&thread->answered);
	}
	abandoned = thread->abandoned;
	pthread_mutex_unlock(&thread->lock);
	if (abandoned)
		destroy(thread);
	return NULL;
}

/* Signals belong to the main thread. */
static int start(struct detector_thread *thread)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	rc = -pthread_sigmask(SIG_SETMASK, &all, &old);
	if (rc)
		return rc;
	rc = -pthread_create(&thread->thread, NULL, loop, thread);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	thread->started = rc == 0;
	return rc;
}

void detector_thread_free(struct detector_thread *thread, void (*after)(void *ctx), void *ctx)
{
	bool busy;

	pthread_mutex_lock(&thread->lock);
	thread->after = after;
	thread->after_ctx = ctx;
	busy = thread->state == STATE_CALLED;
	thread->abandoned = busy;
	if (!busy)
		thread->state = STATE_ENDING;
	pthread_cond_signal(&thread->called);
	if (busy)
		pthread_detach(thread->thread);
	pthread_mutex_unlock(&thread->lock);
	if (busy)
		return;
	if (thread->started)
		pthread_join(thread->thread, NULL);
	destroy(thread);
}

bool detector_thread_is_busy(struct detector_thread *thread)
{
	bool busy;

	pthread_mutex_lock(&thread->lock);
	busy = thread->state == STATE_CALLED;
	pthread_mutex_unlock(&thread->lock);
	return busy;
}

/* Has the thread make its call.  0 or -ETIMEDOUT. */
static int call_and_wait(struct detector_thread *thread, uint64_t wait_ns)
{
	struct timespec until = clock_deadline(wait_ns);
	int rc = 0;

	pthread_mutex_lock(&thread->lock);
	thread->state = STATE_CALLED;
	pthread_cond_signal(&thread->called);
	while (thread->state == STATE_CALLED && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&thread->answered, &thread->lock, &until);
	/* It may have answered at the very end of the wait. */
	rc = thread->state == STATE_CALLED ? -ETIMEDOUT : 0;
	thread->late = rc != 0;
	if (!rc)
		thread->state = STATE_IDLE;
	else if (thread->job)
		thread->job->give_up(thread->job->ctx);
	pthread_mutex_unlock(&thread->lock);
	return rc;
}

int detector_thread_observe(struct detector_thread *thread, struct window_copy *window,
			    const struct detector_thread_call *call, const struct answer **answer)
{
	int rc = 0;

	if (detector_thread_is_busy(thread))
		return -EBUSY;
	if (!thread->started)
		rc = start(thread);
	if (rc)
		return rc;
	answer_begin(&thread->answer, call->max_sources, call->v6_prefix_len);
	thread->job = NULL;
	thread->window = window_copy_hold(window);
	*answer = &thread->answer;
	return call_and_wait(thread, call->wait_ns);
}

bool detector_thread_run(struct detector_thread *thread, const struct patience *job)
{
	if (!thread->started && start(thread)) {
		job->call(job->ctx);
		return true;
	}
	thread->job_kept = *job;
	thread->job = &thread->job_kept;
	return call_and_wait(thread, job->limit_ns) == 0;
}

struct detector_thread *detector_thread_current(void)
{
	return current;
}

int detector_thread_propose(struct detector_thread *thread, struct sluice_instance *instance,
			    const struct sluice_proposal *proposal)
{
	return instance == thread->instance ? answer_propose(&thread->answer, proposal) : -EINVAL;
}

int detector_thread_propose_rule(struct detector_thread *thread, struct sluice_instance *instance,
				 const struct sluice_rule_proposal *proposal)
{
	return instance == thread->instance ? answer_propose_rule(&thread->answer, proposal)
					    : -EINVAL;
}
