/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice bench offload: which cases are simulated, and in which order.  See bench.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#include "bench.h"
#include "offload_report.h"
#include "offload_sim.h"
#include "options.h"

#define SEED 0x5eed0007u

static const struct sim_case common = {
	.sources = 128 * 1024,
	.update_ns = 100000,
	.warm_up = 150,
	.windows = 150,
	.seed = SEED,
};

static int run_case(struct offload_report *report, const struct sim_case *sim,
		    struct sluice_err *err)
{
	struct sim_result result;
	int rc = sim_run(sim, &result, err);

	return rc ? rc : offload_report_add(report, sim, &result);
}

/* Sluice in both loads, with counters and without. */
static int run_sluice(struct offload_report *report, struct sim_case sim, struct sluice_err *err)
{
	static const double loads[] = { 0.1, 1 };
	int rc = 0;

	sim.policy = SIM_SLUICE;
	for (int counters = 1; counters >= 0 && !rc; counters--) {
		for (size_t i = 0; i < 2 && !rc; i++) {
			sim.counters = counters;
			sim.load = loads[i];
			rc = run_case(report, &sim, err);
		}
	}
	return rc;
}

/* What it is measured by. */
static int run_others(struct offload_report *report, struct sim_case sim, struct sluice_err *err)
{
	int rc = 0;

	sim.counters = true;
	sim.load = 0.1;
	for (sim.policy = SIM_NO_HYSTERESIS; sim.policy <= SIM_RANDOM && !rc; sim.policy++)
		rc = run_case(report, &sim, err);
	return rc;
}

static int run_all(struct offload_report *report, const struct bench_options *options,
		   struct sluice_err *err)
{
	struct sim_case sim = common;
	int rc = 0;

	for (int d = 0; d < WORLD_N_DISTRIBUTIONS && !rc; d++) {
		for (size_t i = 0; i < options->n_sizes && !rc; i++) {
			sim.distribution = (enum world_distribution)d;
			sim.k = options->entries[i];
			rc = run_sluice(report, sim, err);
			if (!rc)
				rc = run_others(report, sim, err);
		}
	}
	return rc;
}

int bench_offload(const struct bench_options *options, struct sluice_err *err)
{
	struct offload_report report;
	int rc;

	for (size_t i = 0; i < options->n_sizes; i++) {
		if (options->entries[i] > common.sources) {
			err_set(err, "entries", "--entries: there are %u sources only",
				common.sources);
			return -EINVAL;
		}
	}
	rc = offload_report_init(&report, options->json ? stderr : stdout);
	if (rc)
		return rc;
	rc = run_all(&report, options, err);
	if (!rc && options->json)
		rc = offload_report_json(&report, stdout);
	if (!rc && options->csv)
		rc = offload_report_csv(&report, options->csv, err);
	if (!rc && options->svg)
		rc = offload_report_svg(&report, options->svg, err);
	offload_report_fini(&report);
	return rc;
}
