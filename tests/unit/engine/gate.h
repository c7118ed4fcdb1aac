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

struct engine;

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed;	       /* Calls wait while it is. */
	unsigned int inside;   /* Calls that wait. */
	unsigned int left;     /* Calls that are over. */
	unsigned int after;    /* Calls of gate_after(). */
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

#endif /* SLUICE_TESTS_UNIT_ENGINE_GATE_H */
