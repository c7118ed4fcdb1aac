/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one thread that owns the engine: it runs a window when the engine's time has come, and
 * between windows what other threads ask of the engine.
 */
#ifndef SLUICE_SLUICED_ENGINE_THREAD_H
#define SLUICE_SLUICED_ENGINE_THREAD_H

#include <stdint.h>

#include <sluice/plugin.h>

struct engine_thread;

/* Runs on the engine's thread; short, and waits for nothing. */
typedef int (*engine_thread_fn)(void *ctx, struct sluice_err *err);

struct engine_thread_options {
	void (*step)(void *ctx);	/* One window, and what is done after each. */
	uint64_t (*next_ns)(void *ctx); /* Monotonic time of the next one. */
	void *ctx;
	uint64_t call_limit_ns; /* How long a call may wait for its turn. */
};

/* Starts the thread with all signals blocked. */
int engine_thread_start(const struct engine_thread_options *options, struct engine_thread **out,
			struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * Runs `fn` on the engine's thread and returns what it returns.  -ETIMEDOUT: its turn did not come
 * in time, and it will not run; -ESHUTDOWN: the thread is being stopped.
 */
int engine_thread_call(struct engine_thread *thread, engine_thread_fn fn, void *ctx,
		       struct sluice_err *err) __attribute__((warn_unused_result));

/* Finishes the window at hand and ends.  NULL is a no-op. */
void engine_thread_stop(struct engine_thread *thread);

#endif /* SLUICE_SLUICED_ENGINE_THREAD_H */
