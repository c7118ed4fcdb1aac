/* SPDX-License-Identifier: BSD-2-Clause */
/* See offload_report.h. */
#include "offload_report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"

#define BLIND_TARGET 0.90
#define UPDATES_TARGET 0.10
/* Loads up to here are "at a tenth". */
#define LOW_LOAD 0.1001

static double share_target(enum world_distribution distribution)
{
	static const double targets[WORLD_N_DISTRIBUTIONS] = {
		[WORLD_GAUSSIAN] = 0.97,
		[WORLD_ZIPF] = 0.97,
		[WORLD_DRIFT] = 0.93,
		[WORLD_PULSE] = 0.85,
	};

	return targets[distribution];
}

static bool moves(enum world_distribution distribution)
{
	return distribution == WORLD_DRIFT || distribution == WORLD_PULSE;
}

enum offload_verdict offload_judge(const struct offload_row *row)
{
	const struct sim_result *result = &row->result;
	enum world_distribution distribution = row->sim.distribution;
	double target = share_target(distribution);
	bool control = row->sim.policy == SIM_NEVER_UPDATE || row->sim.policy == SIM_RANDOM;
	bool reached = result->share >= target * result->oracle_share;

	if (control && moves(distribution))
		return reached ? OFFLOAD_REACHED : OFFLOAD_MISSED;
	if (row->sim.policy != SIM_SLUICE || !row->sim.counters || target <= 0)
		return OFFLOAD_NO_TARGET;
	if (row->sim.load < LOW_LOAD && distribution != WORLD_PULSE)
		reached = reached &&
			  result->updates_per_s <= UPDATES_TARGET * result->naive_updates_per_s;
	return reached ? OFFLOAD_REACHED : OFFLOAD_MISSED;
}

enum offload_verdict offload_judge_blind(const struct offload_row *row,
					 const struct offload_row *with)
{
	if (!with)
		return OFFLOAD_NO_TARGET;
	return row->result.share >= BLIND_TARGET * with->result.share ? OFFLOAD_REACHED
								      : OFFLOAD_MISSED;
}

/* The row of the same case with counters, for one without. */
static const struct offload_row *seeing_row(const struct offload_report *report,
					    const struct offload_row *row)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct offload_row *other = &report->rows[i];

		if (other->sim.policy == row->sim.policy && other->sim.counters &&
		    other->sim.distribution == row->sim.distribution &&
		    other->sim.k == row->sim.k && other->sim.load == row->sim.load)
			return other;
	}
	return NULL;
}

static void print_head(FILE *out, const struct sim_case *attack)
{
	const struct world_shape *shape = &attack->shape;

	fprintf(out,
		"A simulation: the daemon's own offload manager drives a table of K rules under an "
		"attack of 1 Mpps\nfrom %u sources, in windows of 1 s; shares of the attack are "
		"of true rates.\nSeed %llu; windows %u to %u are scored.  Gaussian spread %g; Zipf "
		"exponent %g; drift: %g of the\nranks and %g of a rate a window; pulses of %u s.\n"
		"\n%-24s %6s %8s %5s %7s %7s %6s %10s %10s  %s\n",
		attack->sources, (unsigned long long)attack->seed, attack->warm_up + 1,
		attack->warm_up + attack->windows, shape->spread, shape->exponent,
		shape->drift_ranks, shape->drift_rate, shape->pulse, "distribution", "K",
		"counters", "load", "share", "oracle", "ratio", "updates/s", "naive", "target");
}

static void print_row(const struct offload_report *report, const struct offload_row *row)
{
	static const char *const words[] = { "-", "reached", "missed" };
	const struct sim_result *result = &row->result;
	enum offload_verdict verdict = offload_judge(row);
	char name[48];

	if (row->sim.policy == SIM_SLUICE && !row->sim.counters)
		verdict = offload_judge_blind(row, seeing_row(report, row));
	sim_case_name(&row->sim, name, sizeof(name));
	fprintf(report->progress, "%-24s %6u %8s %5.2f %7.4f %7.4f %6.3f %10.1f %10.1f  %s\n", name,
		row->sim.k, row->sim.counters ? "yes" : "no", row->sim.load, result->share,
		result->oracle_share,
		result->oracle_share > 0 ? result->share / result->oracle_share : 0,
		result->updates_per_s, result->naive_updates_per_s, words[verdict]);
	fflush(report->progress);
}

int offload_report_init(struct offload_report *report, const struct sim_case *attack,
			FILE *progress)
{
	*report = (struct offload_report){ .progress = progress, .capacity = 16 };
	report->rows = calloc(report->capacity, sizeof(*report->rows));
	if (!report->rows)
		return -ENOMEM;
	print_head(progress, attack);
	return 0;
}

void offload_report_fini(struct offload_report *report)
{
	free(report->rows);
	*report = (struct offload_report){ 0 };
}

int offload_report_add(struct offload_report *report, const struct sim_case *sim,
		       const struct sim_result *result)
{
	if (report->n == report->capacity) {
		size_t capacity = report->capacity * 2;
		struct offload_row *rows = realloc(report->rows, capacity * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		report->rows = rows;
		report->capacity = capacity;
	}
	report->rows[report->n] = (struct offload_row){ .sim = *sim, .result = *result };
	print_row(report, &report->rows[report->n]);
	report->n++;
	return 0;
}

static double rounded(double value, double unit)
{
	return round(value / unit) * unit;
}

static json_t *row_json(const struct offload_row *row)
{
	const struct sim_result *result = &row->result;
	char name[48];

	sim_case_name(&row->sim, name, sizeof(name));
	return json_pack("{s:s, s:i, s:i, s:b, s:f, s:f, s:f, s:f, s:f}", "distribution", name,
			 "sources", (int)row->sim.sources, "k", (int)row->sim.k, "counters",
			 row->sim.counters, "load", row->sim.load, "share",
			 rounded(result->share, 1e-6), "oracle_share",
			 rounded(result->oracle_share, 1e-6), "updates_per_s",
			 rounded(result->updates_per_s, 1e-3), "naive_updates_per_s",
			 rounded(result->naive_updates_per_s, 1e-3));
}

int offload_report_json(const struct offload_report *report, FILE *out)
{
	json_t *rows = json_array();
	int failed = !rows;

	for (size_t i = 0; i < report->n && !failed; i++)
		failed = json_array_append_new(rows, row_json(&report->rows[i]));
	if (!failed) {
		failed = json_dumpf(rows, out, JSON_REAL_PRECISION(8));
		fputc('\n', out);
	}
	json_decref(rows);
	return failed ? -ENOMEM : 0;
}

int offload_report_csv(const struct offload_report *report, const char *path,
		       struct sluice_err *err)
{
	FILE *out = fopen(path, "we");
	int failed;

	if (!out) {
		failed = -errno;
		err_set(err, "csv", "cannot write '%s': %s (%s)", path, strerror(-failed),
			err_name(failed));
		return failed;
	}
	fputs("distribution,sources,k,counters,load,share,oracle_share,updates_per_s,"
	      "naive_updates_per_s\n",
	      out);
	for (size_t i = 0; i < report->n; i++) {
		const struct offload_row *row = &report->rows[i];
		char name[48];

		sim_case_name(&row->sim, name, sizeof(name));
		fprintf(out, "\"%s\",%u,%u,%s,%g,%.6f,%.6f,%.3f,%.3f\n", name, row->sim.sources,
			row->sim.k, row->sim.counters ? "true" : "false", row->sim.load,
			row->result.share, row->result.oracle_share, row->result.updates_per_s,
			row->result.naive_updates_per_s);
	}
	failed = ferror(out);
	if (fclose(out) || failed) {
		err_set(err, "csv", "cannot write all of '%s'", path);
		return -EIO;
	}
	return 0;
}
