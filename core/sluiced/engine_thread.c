/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows and requests on one thread.  See engine_thread.h. */
#include "engine_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/fail.h"

enum request_state { REQUEST_WAITING, REQUEST_RUNNING, REQUEST_DONE };

/* Lives on its caller's stack: the caller leaves only when it is done or was taken back. */
struct request {
	struct request *next;
	engine_thread_fn fn;
	void *ctx;
	struct sluice_err *err;
	enum request_state state;
	int ret;
};

struct engine_thread {
	struct engine_thread_options options;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work; /* The thread waits here: a request, or the end. */
	pthread_cond_t done; /* Callers wait here. */
	struct request *first;
	bool stop;
};

static void run_request(struct engine_thread *thread)
{
	struct request *request = thread->first;

	thread->first = request->next;
	request->state = REQUEST_RUNNING;
	pthread_mutex_unlock(&thread->lock);
	request->ret = request->fn(request->ctx, request->err);
	pthread_mutex_lock(&thread->lock);
	request->state = REQUEST_DONE;
	pthread_cond_broadcast(&thread->done);
}

static void run_window(struct engine_thread *thread)
{
	pthread_mutex_unlock(&thread->lock);
	thread->options.step(thread->options.ctx);
	pthread_mutex_lock(&thread->lock);
}

/* One window, then one request: neither can starve the other. */
static void *loop(void *arg)
{
	struct engine_thread *thread = arg;
	const struct engine_thread_options *options = &thread->options;

	pthread_mutex_lock(&thread->lock);
	while (!thread->stop) {
		uint64_t next = options->next_ns(options->ctx);
		uint64_t now = clock_monotonic_ns(&clock_system);
		struct timespec until = clock_deadline(next > now ? next - now : 0);
		bool due = now >= next;

		if (due)
			run_window(thread);
		if (thread->first)
			run_request(thread);
		else if (!due)
			pthread_cond_timedwait(&thread->work, &thread->lock, &until);
	}
	pthread_mutex_unlock(&thread->lock);
	return NULL;
}

/* Signals belong to the main thread's signalfd. */
static int create_thread(struct engine_thread *thread)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	ret = -pthread_sigmask(SIG_SETMASK, &all, &old);
	if (ret)
		return ret;
	ret = -pthread_create(&thread->thread, NULL, loop, thread);
	if (pthread_sigmask(SIG_SETMASK, &old, NULL) != 0 && !ret)
		ret = -EINVAL;
	return ret;
}

int engine_thread_start(const struct engine_thread_options *options, struct engine_thread **out,
			struct sluice_err *err)
{
	struct engine_thread *thread = calloc(1, sizeof(*thread));
	int ret = -ENOMEM;

	if (!thread)
		goto out;
	thread->options = *options;
	ret = -pthread_mutex_init(&thread->lock, NULL);
	if (ret)
		goto out_free;
	ret = clock_cond_init(&thread->work);
	if (ret)
		goto out_lock;
	ret = clock_cond_init(&thread->done);
	if (ret)
		goto out_work;
	ret = create_thread(thread);
	if (ret)
		goto out_done;
	*out = thread;
	return 0;

out_done:
	pthread_cond_destroy(&thread->done);
out_work:
	pthread_cond_destroy(&thread->work);
out_lock:
	pthread_mutex_destroy(&thread->lock);
out_free:
	free(thread);
out:
	return fail_system(err, ret, "engine thread");
}

static void take_back(struct engine_thread *thread, const struct request *request)
{
	struct request **link = &thread->first;

	while (*link && *link != request)
		link = &(*link)->next;
	if (*link)
		*link = request->next;
}

static void enqueue(struct engine_thread *thread, struct request *request)
{
	struct request **link = &thread->first;

	while (*link)
		link = &(*link)->next;
	*link = request;
	pthread_cond_signal(&thread->work);
}

int engine_thread_call(struct engine_thread *thread, engine_thread_fn fn, void *ctx,
		       struct sluice_err *err)
{
	struct request request = { .fn = fn, .ctx = ctx, .err = err };
	struct timespec until = clock_deadline(thread->options.call_limit_ns);
	bool in_time = true;
	int ret;

	pthread_mutex_lock(&thread->lock);
	if (thread->stop) {
		pthread_mutex_unlock(&thread->lock);
		return fail_with(err, -ESHUTDOWN, "the daemon is stopping");
	}
	enqueue(thread, &request);
	/* Only the wait for its turn is limited: what runs uses the caller's memory. */
	while (request.state == REQUEST_RUNNING ||
	       (request.state == REQUEST_WAITING && in_time && !thread->stop)) {
		if (request.state == REQUEST_RUNNING)
			pthread_cond_wait(&thread->done, &thread->lock);
		else
			in_time = pthread_cond_timedwait(&thread->done, &thread->lock, &until) !=
				  ETIMEDOUT;
	}
	if (request.state == REQUEST_DONE) {
		ret = request.ret;
	} else {
		take_back(thread, &request);
		ret = in_time ? fail_with(err, -ESHUTDOWN, "the daemon is stopping")
			      : fail_with(err, -ETIMEDOUT,
					  "the engine is busy with a window for too long; nothing "
					  "was changed; try again");
	}
	pthread_mutex_unlock(&thread->lock);
	return ret;
}

void engine_thread_stop(struct engine_thread *thread)
{
	if (!thread)
		return;
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pthread_cond_signal(&thread->work);
	pthread_cond_broadcast(&thread->done);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->thread, NULL);
	pthread_cond_destroy(&thread->done);
	pthread_cond_destroy(&thread->work);
	pthread_mutex_destroy(&thread->lock);
	free(thread);
}
