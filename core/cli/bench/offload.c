/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice bench offload: which cases are simulated, and in which order.  See bench.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#include "bench.h"
#include "offload_attack.h"
#include "offload_report.h"
#include "offload_sim.h"
#include "options.h"

/* All that meet one attack: Sluice in two loads, with counters and without; what it is measured by. */
static const struct sim_case players[] = {
	{ .policy = SIM_SLUICE, .counters = true, .load = 0.1 },
	{ .policy = SIM_SLUICE, .counters = true, .load = 1 },
	{ .policy = SIM_SLUICE, .counters = false, .load = 0.1 },
	{ .policy = SIM_SLUICE, .counters = false, .load = 1 },
	{ .policy = SIM_NO_HYSTERESIS, .counters = true, .load = 0.1 },
	{ .policy = SIM_NEVER_UPDATE, .counters = true, .load = 0.1 },
	{ .policy = SIM_RANDOM, .counters = true, .load = 0.1 },
};
#define N_PLAYERS (sizeof(players) / sizeof(players[0]))

/* Where it is, on stderr: in place on a terminal, else a line an attack. */
struct progress {
	size_t done, attacks;
	char name[48];
	bool terminal;
};

static void show_progress(void *ctx, uint32_t done, uint32_t windows)
{
	const struct progress *progress = ctx;

	if (!progress->terminal) {
		if (done == 1)
			fprintf(stderr, "attack %zu of %zu: %s\n", progress->done + 1,
				progress->attacks, progress->name);
		return;
	}
	fprintf(stderr, "\rattack %zu of %zu: %s, window %u of %u ", progress->done + 1,
		progress->attacks, progress->name, done, windows);
	if (done == windows)
		fprintf(stderr, "\r%60s\r", "");
	fflush(stderr);
}

static int run_attack(struct offload_report *report, const struct sim_case *attack,
		      struct progress *progress, struct sluice_err *err)
{
	struct sim_case cases[N_PLAYERS];
	struct sim_result results[N_PLAYERS];
	int rc;

	for (size_t i = 0; i < N_PLAYERS; i++) {
		cases[i] = *attack;
		cases[i].policy = players[i].policy;
		cases[i].counters = players[i].counters;
		cases[i].load = players[i].load;
	}
	snprintf(progress->name, sizeof(progress->name), "%s, K %u",
		 world_name(attack->distribution), attack->k);
	rc = sim_run(cases, N_PLAYERS, show_progress, progress, results, err);
	progress->done++;
	for (size_t i = 0; i < N_PLAYERS && !rc; i++)
		rc = offload_report_add(report, &cases[i], &results[i]);
	return rc;
}

static int run_all(struct offload_report *report, const struct bench_options *options,
		   struct sim_case attack, struct sluice_err *err)
{
	struct progress progress = {
		.attacks = WORLD_N_DISTRIBUTIONS * options->n_sizes,
		.terminal = isatty(STDERR_FILENO),
	};
	int rc = 0;

	for (int d = 0; d < WORLD_N_DISTRIBUTIONS && !rc; d++) {
		for (size_t i = 0; i < options->n_sizes && !rc; i++) {
			attack.distribution = (enum world_distribution)d;
			attack.k = options->entries[i];
			rc = run_attack(report, &attack, &progress, err);
		}
	}
	return rc;
}

static int check_sizes(const struct bench_options *options, uint32_t sources,
		       struct sluice_err *err)
{
	for (size_t i = 0; i < options->n_sizes; i++) {
		if (options->entries[i] > sources) {
			err_set(err, "entries", "--entries: there are %u sources only", sources);
			return -EINVAL;
		}
	}
	return 0;
}

/* That a result cannot be written is not to be found out after minutes. */
static int check_file(const char *path, const char *option, struct sluice_err *err)
{
	FILE *file = path ? fopen(path, "ae") : NULL;
	int rc = path && !file ? -errno : 0;

	if (file)
		fclose(file);
	if (rc)
		err_set(err, option, "cannot write '%s': %s (%s)", path, strerror(-rc),
			err_name(rc));
	return rc;
}

int bench_offload(const struct bench_options *options, struct sluice_err *err)
{
	struct sim_case attack = attack_default;
	struct offload_report report;
	int rc = options->attack ? attack_parse(options->attack, &attack, err) : 0;

	rc = rc ? rc : check_sizes(options, attack.sources, err);
	rc = rc ? rc : check_file(options->csv, "csv", err);
	rc = rc ? rc : check_file(options->svg, "svg", err);
	rc = rc ? rc : offload_report_init(&report, &attack, options->json ? stderr : stdout);
	if (rc)
		return rc;
	rc = run_all(&report, options, attack, err);
	if (!rc && options->json)
		rc = offload_report_json(&report, stdout);
	if (!rc && options->csv)
		rc = offload_report_csv(&report, options->csv, err);
	if (!rc && options->svg)
		rc = offload_report_svg(&report, options->svg, err);
	offload_report_fini(&report);
	return rc;
}
