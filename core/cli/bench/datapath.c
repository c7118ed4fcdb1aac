/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `sluice bench datapath`: for each size all designs are loaded with their tables filled, and take
 * turns for several rounds.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/err.h"
#include "dataplane/dataplane.h"

#include "bench.h"
#include "datapath_report.h"
#include "harness.h"
#include "options.h"
#include "plane.h"
#include "result.h"
#include "rules.h"
#include "sandbox.h"
#include "veth.h"

#define PACKETS 1000000
#define FRAMES 1000000
#define MAX_RESULTS_A_SIZE (BENCH_N_CASES * BENCH_MAX_SERIES)

/* All that one size is measured with. */
struct rig {
	const struct bench_options *options;
	uint32_t entries;
	struct harness *harness;
	struct plane plane;
	/* One pair a design, so that no program has to be exchanged between rounds. */
	struct veth veth[BENCH_MAX_SERIES];
	struct bench_result *results; /* Of this size. */
	size_t n_results;
};

static int rig_fd(const struct rig *rig, enum bench_design design)
{
	static const enum harness_reference references[BENCH_N_DESIGNS] = {
		[BENCH_DESIGN_DROP] = HARNESS_DROP,   [BENCH_DESIGN_PASS] = HARNESS_PASS,
		[BENCH_DESIGN_PARSE] = HARNESS_PARSE, [BENCH_DESIGN_LIMIT] = HARNESS_LIMIT,
		[BENCH_DESIGN_FLOOR] = HARNESS_FLOOR, [BENCH_DESIGN_EXACT] = HARNESS_EXACT,
		[BENCH_DESIGN_HASH] = HARNESS_HASH,
	};

	if (design == BENCH_DESIGN_SLUICE)
		return rig->plane.filter_fd;
	return harness_reference_fd(rig->harness, references[design]);
}

static int fail(struct sluice_err *err, const char *what, int code)
{
	err_set(err, NULL, "cannot %s: %s", what, err_name(code));
	return code;
}

static int time_run(struct rig *rig, enum bench_design design, double *ns, struct sluice_err *err)
{
	int code = harness_set_target(rig->harness, rig_fd(rig, design), NULL);

	if (!code)
		code = harness_run(rig->harness, PACKETS, ns);
	return code ? fail(err, "run a program on test packets", code) : 0;
}

/* ns per frame dropped; what a design lets through must not look like speed. */
static int time_flood(struct rig *rig, size_t device, double *ns, struct sluice_err *err)
{
	uint64_t before, after;
	int code = veth_drops(&rig->veth[device], &before, err);

	if (code)
		return code;
	code = harness_flood(rig->harness, (uint32_t)device, FRAMES, ns);
	if (code)
		return fail(err, "send live frames", code);
	code = veth_drops(&rig->veth[device], &after, err);
	if (code)
		return code;
	if (after - before < FRAMES / 2) {
		err_set(err, NULL, "interface '%s': only %llu of %d frames were dropped",
			rig->veth[device].in, (unsigned long long)(after - before), FRAMES);
		return -EIO;
	}
	*ns *= (double)FRAMES / (double)(after - before);
	return 0;
}

static int measure(struct rig *rig, enum bench_case which, struct sluice_err *err)
{
	struct bench_series series[BENCH_MAX_SERIES];
	size_t n, n_rounds = rig->options->n_rounds;
	const enum bench_design *designs = bench_case_designs(which, &n);

	for (size_t i = 0; i < n; i++)
		series[i].design = designs[i];
	for (size_t round = 0; round < n_rounds; round++) {
		for (size_t turn = 0; turn < n; turn++) {
			/* Nobody comes always after the same neighbour's cache. */
			size_t i = round % 2 ? n - 1 - turn : turn;
			double *ns = &series[i].ns[round];
			int code = which == BENCH_CASE_VETH
					   ? time_flood(rig, i, ns, err)
					   : time_run(rig, series[i].design, ns, err);

			if (code)
				return code;
		}
	}
	bench_results_make(which, rig->entries, series, n, n_rounds, rig->results + rig->n_results);
	rig->n_results += n;
	return 0;
}

static int measure_empty(struct rig *rig, struct sluice_err *err)
{
	struct dataplane_swap swap;
	int code = plane_without_features(&rig->plane, err);

	if (!code)
		code = measure(rig, BENCH_CASE_EMPTY, err);
	return code ? code : rig->plane.dp->ops->swap(rig->plane.dp, &swap, err);
}

/* Sources that nobody has blocked, each of them known to the feature tables already. */
static int measure_miss(struct rig *rig, struct sluice_err *err)
{
	static const enum bench_design tracking[] = { BENCH_DESIGN_HASH, BENCH_DESIGN_SLUICE };
	int code = 0;

	harness_set_first(rig->harness, HARNESS_FIRST_UNKNOWN);
	for (size_t i = 0; !code && i < sizeof(tracking) / sizeof(tracking[0]); i++) {
		code = harness_set_target(rig->harness, rig_fd(rig, tracking[i]), NULL);
		if (!code)
			code = harness_run_each(rig->harness);
		if (code)
			fail(err, "fill the feature tables", code);
	}
	if (!code)
		code = measure(rig, BENCH_CASE_MISS, err);
	harness_set_first(rig->harness, HARNESS_FIRST_BLOCKED);
	return code;
}

/* Sluice itself, on the last of the pairs. */
static int connect_sluice(struct rig *rig, struct sluice_err *err)
{
	size_t n;
	const enum bench_design *designs = bench_case_designs(BENCH_CASE_VETH, &n);
	struct veth *veth = &rig->veth[n - 1];
	int code = veth_open(veth, bench_design_name(designs[n - 1]), err);

	rig->plane = (struct plane){ .filter_fd = -1, .progs_fd = -1 };
	return code ? code : plane_open(&rig->plane, rig->entries, veth->in, err);
}

static int connect_veths(struct rig *rig, struct sluice_err *err)
{
	size_t n;
	const enum bench_design *designs = bench_case_designs(BENCH_CASE_VETH, &n);
	int code = 0;

	for (size_t i = 0; !code && i < n; i++) {
		if (designs[i] != BENCH_DESIGN_SLUICE) {
			code = veth_open(&rig->veth[i], bench_design_name(designs[i]), err);
			if (!code)
				code = veth_attach(&rig->veth[i], rig_fd(rig, designs[i]), err);
		}
		if (code)
			break;
		code = harness_add_device(rig->harness, (uint32_t)i, &rig->veth[i]);
		if (code)
			fail(err, "put an interface into the device map", code);
	}
	return code;
}

static void rig_close(struct rig *rig)
{
	plane_close(&rig->plane);
	for (size_t i = 0; i < BENCH_MAX_SERIES; i++)
		veth_close(&rig->veth[i]);
	harness_close(rig->harness);
}

static int block_all(struct rig *rig, struct sluice_err *err)
{
	struct sluice_key *keys = plane_keys(HARNESS_FIRST_BLOCKED, rig->entries);
	int code = keys ? plane_block(&rig->plane, keys, rig->entries, err) : -ENOMEM;

	free(keys);
	return code;
}

/* All cases of one size, in the order in which the tables fill. */
static int measure_size(struct rig *rig, struct sluice_err *err)
{
	int code = connect_sluice(rig, err);

	if (!code)
		code = harness_open(rig->entries, rig->plane.table_lines, &rig->harness, err);
	if (!code)
		code = connect_veths(rig, err);
	if (!code)
		code = measure_empty(rig, err);
	if (!code)
		code = harness_fill_blocklist(rig->harness, err);
	if (!code)
		code = block_all(rig, err);
	if (!code)
		code = measure(rig, BENCH_CASE_HIT, err);
	if (!code)
		code = measure_miss(rig, err);
	if (!code)
		code = measure(rig, BENCH_CASE_VETH, err);
	rig_close(rig);
	return code;
}

static int print_json(const struct bench_result *results, size_t n,
		      const struct rules_series *rules)
{
	json_t *rows = json_array();
	int code = rows ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !code; i++)
		code = datapath_add_row(rows, &results[i]);
	if (!code)
		code = rules_add_rows(rows, rules);
	if (!code && (json_dumpf(rows, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) ||
		      putchar('\n') == EOF))
		code = -EIO;
	json_decref(rows);
	return code;
}

int bench_datapath(const struct bench_options *options, struct sluice_err *err)
{
	struct bench_result *results =
		calloc(options->n_sizes * MAX_RESULTS_A_SIZE, sizeof(*results));
	FILE *out = options->json ? stderr : stdout;
	static struct rules_series rules;
	struct sandbox sandbox;
	size_t n = 0;
	int code = results ? sandbox_enter(&sandbox, err) : -ENOMEM;

	/* The last CPU: the first is where most else of a machine happens. */
	if (!code)
		code = sandbox_pin_cpu(&sandbox, sandbox.n_cpus - 1);
	if (!code)
		datapath_print_head(out, options->n_rounds);
	for (size_t i = 0; i < options->n_sizes && !code; i++) {
		struct rig rig = { .options = options,
				   .entries = options->entries[i],
				   .results = results + n };

		code = measure_size(&rig, err);
		if (!code)
			datapath_print_size(out, rig.results, rig.n_results);
		n += rig.n_results;
	}
	if (!code)
		code = rules_measure(options->n_rounds, &rules, err);
	if (!code && options->json)
		code = print_json(results, n, &rules);
	else if (!code)
		datapath_print_ratios(out, results, n);
	if (!code)
		rules_print(out, &rules);
	free(results);
	return code;
}
