/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread of its own for one detector, so that a call that hangs holds up neither the window loop
 * nor the end of the daemon.  The engine waits for an answer as long as it likes; what comes later
 * is thrown away.
 *
 * All functions but detector_thread_propose*() are for one thread at a time, the engine's.
 */
#ifndef SLUICE_ENGINE_DETECTOR_THREAD_H
#define SLUICE_ENGINE_DETECTOR_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/detector.h>

struct answer;
struct detector_thread;
struct patience;
struct window_copy;

/* The thread itself starts with the first call.  `ops`, `self` and `instance` must outlive it. */
int detector_thread_new(const struct sluice_detector_ops *ops, void *self,
			struct sluice_instance *instance, struct detector_thread **out)
	__attribute__((warn_unused_result));
/*
 * Ends the thread, frees it, and calls `after`, which may free what the detector uses.  In a call
 * that was given up nobody waits: the thread does these things itself when the call comes back, and
 * if it never does, they never happen.
 */
void detector_thread_free(struct detector_thread *thread, void (*after)(void *ctx), void *ctx);

/* In a call that was given up. */
bool detector_thread_is_busy(struct detector_thread *thread);

struct detector_thread_call {
	uint32_t max_sources;
	uint8_t v6_prefix_len;
	uint64_t wait_ns; /* Of real time. */
};

/*
 * Has the detector observe the window.  0: `*answer` is what it said, valid until the next call;
 * -ETIMEDOUT: it did not come back; -EBUSY: it has not come back from an earlier call; others: no
 * thread could be started.
 */
int detector_thread_observe(struct detector_thread *thread, struct window_copy *window,
			    const struct detector_thread_call *call, const struct answer **answer)
	__attribute__((warn_unused_result));

/* Any other call into a detector that is not busy, as patience_run(). */
bool detector_thread_run(struct detector_thread *thread, const struct patience *job)
	__attribute__((warn_unused_result));

/* The one that the calling thread is, while it observes, or NULL. */
struct detector_thread *detector_thread_current(void);
/* From inside a call, on its thread.  -EINVAL: not of this instance. */
int detector_thread_propose(struct detector_thread *thread, struct sluice_instance *instance,
			    const struct sluice_proposal *proposal);
int detector_thread_propose_rule(struct detector_thread *thread, struct sluice_instance *instance,
				 const struct sluice_rule_proposal *proposal);

#endif /* SLUICE_ENGINE_DETECTOR_THREAD_H */
