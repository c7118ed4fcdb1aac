/* SPDX-License-Identifier: BSD-2-Clause */
/* See gate.h. */
#include "gate.h"

#include <criterion/criterion.h>

#include "engine/detector_thread.h"
#include "engine/engine.h"
#include "rig.h"

static void propose(struct gate *gate)
{
	const struct sluice_proposal proposal = {
		.size = sizeof(proposal),
		.key = key_of("192.0.2.66"),
		.packets_per_second = 1000,
		.reason = "gate",
		.evidence = "it came back",
	};
	const struct sluice_rule_match match = {
		.size = sizeof(match),
		.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_SOURCE_PORT,
		.protocol = 17,
		.source_port = { 66, 66 },
	};
	const struct sluice_rule_proposal rule = {
		.size = sizeof(rule),
		.match = &match,
		.packets_per_second = 1000,
		.reason = "gate",
	};
	struct sluice_instance *instance = (struct sluice_instance *)gate;

	gate->last_propose = engine_propose(gate->engine, instance, &proposal);
	gate->last_propose_rule = engine_propose_rule(gate->engine, instance, &rule);
}

static int observe(void *self, const struct sluice_window *window, struct sluice_verdict *verdict)
{
	struct gate *gate = self;
	int code;

	pthread_mutex_lock(&gate->lock);
	gate->inside++;
	pthread_cond_broadcast(&gate->changed);
	while (gate->closed)
		pthread_cond_wait(&gate->changed, &gate->lock);
	gate->inside--;
	gate->last_packets = window->n_sources ? sluice_window_source(window, 0)->packets : 0;
	if (gate->engine)
		propose(gate);
	verdict->attack = true;
	verdict->score = 2;
	gate->left++;
	code = gate->code;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
	return code;
}

const struct sluice_detector_ops gate_ops = { .size = sizeof(gate_ops), .observe = observe };

void gate_init(struct gate *gate, bool closed)
{
	*gate = (struct gate){ .closed = closed };
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->changed, NULL);
}

void gate_fini(struct gate *gate)
{
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->lock);
}

void gate_open(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->closed = false;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

void gate_wait_inside(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	while (!gate->inside)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

void gate_wait_left(struct gate *gate, unsigned int n)
{
	pthread_mutex_lock(&gate->lock);
	while (gate->left < n)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

void gate_after(void *ctx)
{
	struct gate *gate = ctx;

	pthread_mutex_lock(&gate->lock);
	gate->after++;
	pthread_cond_broadcast(&gate->changed);
	pthread_mutex_unlock(&gate->lock);
}

void gate_wait_after(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	while (!gate->after)
		pthread_cond_wait(&gate->changed, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

struct detector_thread *gate_enter(struct gate *gate, bool closed, struct rig *rig,
				   uint64_t budget_ns)
{
	struct sluice_instance *instance = (struct sluice_instance *)gate;
	struct engine_options options;
	struct detector_thread *thread;
	struct sluice_err err = { 0 };

	rig_add_detector(rig, "gate", true);
	gate_init(gate, closed);
	cr_assert_eq(detector_thread_new(&gate_ops, gate, instance, &thread), 0);
	options = rig_options(rig);
	rig->engine_detectors[1].ops = &gate_ops;
	rig->engine_detectors[1].self = gate;
	rig->engine_detectors[1].instance = instance;
	rig->engine_detectors[1].thread = thread;
	rig->engine_detectors[1].budget_ns = budget_ns;
	cr_assert_eq(engine_new(&options, &rig->engine, &err), 0, "%s", err.text);
	gate->engine = rig->engine;
	return thread;
}

void gate_leave(struct gate *gate, struct rig *rig, struct detector_thread *thread)
{
	gate_open(gate);
	detector_thread_free(thread, gate_after, gate);
	gate_wait_after(gate);
	cr_expect_eq(gate->after, 1);
	rig_free(rig);
	gate_fini(gate);
}
