/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A detector that stays in its call until it is let out, and what a test needs to wait for that.
 * Nothing here depends on time.
 */
#ifndef SLUICE_TESTS_UNIT_ENGINE_GATE_H
#define SLUICE_TESTS_UNIT_ENGINE_GATE_H

#include <pthread.h>
#include <stdbool.h>

#include <sluice/detector.h>

struct detector_thread;
struct engine;
struct rig;

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed;	       /* Calls wait while it is. */
	unsigned int inside;   /* Calls that wait. */
	unsigned int left;     /* Calls that are over. */
	unsigned int after;    /* Calls of gate_after(). */
	int code;	       /* What calls return. */
	uint64_t last_packets; /* Of the first source, read when the gate was open. */
	struct engine *engine; /* Where it proposes 192.0.2.66, NULL: nowhere. */
	int last_propose;
	int last_propose_rule; /* Of a rule that drops UDP from port 66. */
};

extern const struct sluice_detector_ops gate_ops;

void gate_init(struct gate *gate, bool closed);
void gate_fini(struct gate *gate);
void gate_open(struct gate *gate);
/* Until a call is under way, so many are over since gate_init(), or gate_after() was called. */
void gate_wait_inside(struct gate *gate);
void gate_wait_left(struct gate *gate, unsigned int n);
void gate_wait_after(struct gate *gate);
/* What detector_thread_free() is to call. */
void gate_after(void *gate);

/* Starts the rig's engine with the gate as detector 1, on the thread that this returns. */
struct detector_thread *gate_enter(struct gate *gate, bool closed, struct rig *rig,
				   uint64_t budget_ns);
/* Opens the gate and takes all three down: the thread calls back once. */
void gate_leave(struct gate *gate, struct rig *rig, struct detector_thread *thread);

#endif /* SLUICE_TESTS_UNIT_ENGINE_GATE_H */
