/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sluice's own part of the snapshot benchmark: the real programs fill the tables on every CPU, then
 * the real data plane swaps and the engine's aggregation reads.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "dataplane/dataplane.h"
#include "engine/aggregate.h"

#include "harness.h"
#include "memory.h"
#include "plane.h"
#include "sandbox.h"
#include "snapshot_parts.h"
#include "snapshot_report.h"

#define LOAD_PACKETS 100000
#define LOAD_SWAPS 21

struct rig {
	const struct sandbox *sandbox;
	struct harness *harness;
	struct plane plane;
	struct aggregate *aggregate;
};

static double elapsed_ms(uint64_t since_ns)
{
	return (double)(clock_monotonic_ns(&clock_system) - since_ns) / 1e6;
}

static int fail(struct sluice_err *err, const char *what, int code)
{
	err_set(err, NULL, "cannot %s: %s", what, err_name(code));
	return code;
}

/* Each source once on every CPU: the most that there is to merge. */
static int fill(const struct rig *rig, struct sluice_err *err)
{
	int code = 0;

	for (unsigned int cpu = 0; !code && cpu < rig->sandbox->n_cpus; cpu++) {
		code = sandbox_pin_cpu(rig->sandbox, cpu);
		if (!code)
			code = harness_run_each(rig->harness);
	}
	return code ? fail(err, "run packets on every CPU", code) : 0;
}

static int fill_and_swap(const struct rig *rig, struct dataplane_swap *swap, struct sluice_err *err)
{
	int code = fill(rig, err);

	return code ? code : rig->plane.dp->ops->swap(rig->plane.dp, swap, err);
}

/* The engine's list is merged while it is read: there is no stage of its own. */
static int measure_round(const struct rig *rig, struct snapshot_series *series,
			 struct sluice_err *err)
{
	struct dataplane *dp = rig->plane.dp;
	struct dataplane_swap swap;
	uint64_t start;
	size_t tracked;
	int code = fill_and_swap(rig, &swap, err);

	if (code)
		return code;
	start = clock_monotonic_ns(&clock_system);
	aggregate_read(rig->aggregate, dp);
	snapshot_note(series, SNAPSHOT_READ, elapsed_ms(start));
	snapshot_note(series, SNAPSHOT_MERGE, 0);
	snapshot_note(series, SNAPSHOT_FLIP, (double)swap.flip_ns / 1e6);
	snapshot_note(series, SNAPSHOT_GRACE, (double)swap.grace_ns / 1e6);
	/* A bucket is reset by the first packet that finds it of another window. */
	snapshot_note(series, SNAPSHOT_CLEAR, 0);
	snapshot_note_total(series);
	aggregate_sources(rig->aggregate, &tracked);
	series->tracked = (uint32_t)tracked;
	return 0;
}

struct load {
	const struct rig *rig;
	unsigned int cpu;
	pthread_t thread;
	bool stop; /* Atomic. */
	int code;
};

static void *run_load(void *ctx)
{
	struct load *load = ctx;
	double ns;

	load->code = sandbox_pin_cpu(load->rig->sandbox, load->cpu);
	while (!load->code && !__atomic_load_n(&load->stop, __ATOMIC_RELAXED))
		load->code = harness_run(load->rig->harness, LOAD_PACKETS, &ns);
	return NULL;
}

static int measure_under_load(const struct rig *rig, struct snapshot_series *series,
			      struct sluice_err *err)
{
	struct load *loads = calloc(rig->sandbox->n_cpus, sizeof(*loads));
	unsigned int n = 0;
	int code = loads ? 0 : -ENOMEM;

	for (; !code && n < rig->sandbox->n_cpus; n++) {
		loads[n] = (struct load){ .rig = rig, .cpu = n };
		code = -pthread_create(&loads[n].thread, NULL, run_load, &loads[n]);
		if (code)
			break;
	}
	if (code)
		fail(err, "start threads", code);
	for (int i = 0; !code && i < LOAD_SWAPS; i++) {
		struct dataplane_swap swap;

		code = rig->plane.dp->ops->swap(rig->plane.dp, &swap, err);
		if (!code)
			snapshot_note(series, SNAPSHOT_GRACE_LOAD, (double)swap.grace_ns / 1e6);
	}
	while (n-- > 0) {
		__atomic_store_n(&loads[n].stop, true, __ATOMIC_RELAXED);
		pthread_join(loads[n].thread, NULL);
		if (!code && loads[n].code)
			code = fail(err, "run packets on every CPU", loads[n].code);
	}
	free(loads);
	return code;
}

/* With as many sources blocked as are tracked. */
static int measure_memory(struct rig *rig, const struct memory_use *others,
			  struct snapshot_series *series, struct sluice_err *err)
{
	struct sluice_key *keys = plane_keys(HARNESS_FIRST_UNKNOWN, series->sources);
	int code = keys ? plane_block(&rig->plane, keys, series->sources, err) : -ENOMEM;

	free(keys);
	if (code)
		return code;
	code = memory_read(&series->memory);
	if (code)
		return fail(err, "read how much memory is used", code);
	series->memory.map_bytes -= others->map_bytes;
	series->blocked = rig->plane.dp->occupancy.blocked_v4;
	return 0;
}

int snapshot_measure_sluice(const struct sandbox *sandbox, size_t n_rounds,
			    struct snapshot_series *series, struct sluice_err *err)
{
	struct rig rig = { .sandbox = sandbox, .plane = { .filter_fd = -1, .progs_fd = -1 } };
	struct snapshot_series warm_up = { .sources = series->sources };
	struct memory_use others;
	int code = harness_open(series->sources, 1, &rig.harness, err);

	if (!code)
		code = memory_read(&others);
	if (!code)
		code = plane_open(&rig.plane, series->sources, NULL, err);
	if (!code) {
		code = aggregate_new(series->sources, &rig.aggregate);
		if (code)
			fail(err, "make room for the sources", code);
	}
	if (!code)
		code = harness_set_target(rig.harness, rig.plane.filter_fd, NULL);
	/* The daemon keeps its memory from window to window: the first round only gets it. */
	if (!code)
		code = measure_round(&rig, &warm_up, err);
	for (size_t round = 0; round < n_rounds && !code; round++)
		code = measure_round(&rig, series, err);
	if (!code)
		code = measure_under_load(&rig, series, err);
	if (!code)
		code = measure_memory(&rig, &others, series, err);
	aggregate_free(rig.aggregate);
	plane_close(&rig.plane);
	harness_close(rig.harness);
	return code;
}

int snapshot_measure_inserts(size_t n_rounds, struct snapshot_series *series,
			     struct sluice_err *err)
{
	/* As the engine has them when it blocks: proposals with keys. */
	struct sluice_key *keys = plane_keys(HARNESS_FIRST_BLOCKED, series->sources);
	struct plane plane;
	int code = keys ? plane_open(&plane, series->sources, NULL, err) : -ENOMEM;

	if (code) {
		free(keys);
		return code;
	}
	for (size_t round = 0; round < n_rounds && !code; round++) {
		uint64_t start = clock_monotonic_ns(&clock_system);
		struct dataplane_swap swap;
		double ms;

		code = plane_block(&plane, keys, series->sources, err);
		ms = elapsed_ms(start);
		if (code)
			break;
		snapshot_note(series, SNAPSHOT_INSERTS, ms);
		snapshot_note(series, SNAPSHOT_TOTAL, ms);
		series->tracked = plane.dp->occupancy.blocked_v4;
		plane_unblock_all(&plane);
		code = plane.dp->ops->swap(plane.dp, &swap, err);
	}
	plane_close(&plane);
	free(keys);
	return code;
}
