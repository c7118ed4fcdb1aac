/* SPDX-License-Identifier: BSD-2-Clause */
/* See snapshot_report.h. */
#include "snapshot_report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

static const char *const methods[SNAPSHOT_N_METHODS] = {
	[SNAPSHOT_SLUICE] = "sluice",
	[SNAPSHOT_BATCH] = "batch",
	[SNAPSHOT_ONE_BY_ONE] = "one-by-one",
	[SNAPSHOT_INSERT] = "insert",
	[SNAPSHOT_INSERT_LIMIT] = "insert-limit",
};

static const char *const stages[SNAPSHOT_N_STAGES] = {
	[SNAPSHOT_FLIP] = "flip",      [SNAPSHOT_GRACE] = "grace",
	[SNAPSHOT_READ] = "read",      [SNAPSHOT_MERGE] = "merge",
	[SNAPSHOT_CLEAR] = "clear",    [SNAPSHOT_TOTAL] = "total",
	[SNAPSHOT_INSERTS] = "insert", [SNAPSHOT_GRACE_LOAD] = "grace_load",
};

const char *snapshot_method_name(enum snapshot_method method)
{
	return methods[method];
}

void snapshot_note(struct snapshot_series *series, enum snapshot_stage stage, double ms)
{
	if (series->n_rounds[stage] < STATS_MAX_ROUNDS)
		series->ms[stage][series->n_rounds[stage]++] = ms;
}

void snapshot_note_total(struct snapshot_series *series)
{
	double total = 0;

	for (int stage = 0; stage < SNAPSHOT_TOTAL; stage++) {
		if (series->n_rounds[stage])
			total += series->ms[stage][series->n_rounds[stage] - 1];
	}
	snapshot_note(series, SNAPSHOT_TOTAL, total);
}

/* To the microsecond. */
static json_t *number(double ms)
{
	return json_real(round(ms * 1e3) / 1e3);
}

static int add_stage(json_t *row, const struct snapshot_series *series, enum snapshot_stage stage)
{
	const double *ms = series->ms[stage];
	size_t n = series->n_rounds[stage];
	char name[32], worst[40];

	snprintf(name, sizeof(name), "%s_ms", stages[stage]);
	snprintf(worst, sizeof(worst), "%s_ms_worst", stages[stage]);
	return json_object_set_new(row, name, n ? number(stats_median(ms, n)) : json_null()) |
	       json_object_set_new(row, worst, n ? number(stats_highest(ms, n)) : json_null());
}

static int add_memory(json_t *row, const struct snapshot_series *series)
{
	const struct memory_use *memory = &series->memory;
	json_t *fields = json_pack("{s:I, s:I, s:I}", "blocked", (json_int_t)series->blocked,
				   "map_bytes", (json_int_t)memory->map_bytes, "process_bytes",
				   (json_int_t)memory->process_bytes);
	int failed = !fields || json_object_update(row, fields);

	json_decref(fields);
	return failed;
}

int snapshot_add_row(json_t *rows, const struct snapshot_series *series)
{
	json_t *row = json_pack("{s:I, s:s, s:I}", "sources", (json_int_t)series->sources, "method",
				methods[series->method], "tracked", (json_int_t)series->tracked);
	int failed = !row;

	for (int stage = 0; row && stage < SNAPSHOT_N_STAGES; stage++) {
		if (stage <= SNAPSHOT_TOTAL || series->n_rounds[stage])
			failed |= add_stage(row, series, stage);
	}
	if (row && series->memory.map_bytes)
		failed |= add_memory(row, series);
	if (failed) {
		json_decref(row);
		return -ENOMEM;
	}
	return json_array_append_new(rows, row) ? -ENOMEM : 0;
}

void snapshot_print_head(FILE *out, size_t n_rounds)
{
	fprintf(out,
		"Milliseconds, medians of up to %zu rounds.  Every CPU has counted every source.  "
		"A PERCPU_HASH\nis merged by adding up; Sluice clears on the first packet of the "
		"next window.\n\n%10s  %-12s",
		n_rounds, "sources", "method");
	for (int stage = 0; stage <= SNAPSHOT_TOTAL; stage++)
		fprintf(out, " %9s", stages[stage]);
	fprintf(out, " %9s\n", "worst");
	fflush(out);
}

static double mebibytes(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

void snapshot_print_row(FILE *out, const struct snapshot_series *series)
{
	size_t n_load = series->n_rounds[SNAPSHOT_GRACE_LOAD];

	fprintf(out, "%10" PRIu32 "  %-12s", series->sources, methods[series->method]);
	for (int stage = 0; stage <= SNAPSHOT_TOTAL; stage++) {
		if (series->n_rounds[stage])
			fprintf(out, " %9.3f",
				stats_median(series->ms[stage], series->n_rounds[stage]));
		else
			fprintf(out, " %9s", "-");
	}
	fprintf(out, " %9.3f\n",
		stats_highest(series->ms[SNAPSHOT_TOTAL], series->n_rounds[SNAPSHOT_TOTAL]));
	if (n_load)
		fprintf(out, "%22s grace while every CPU runs packets: %.3f, worst %.3f\n", "",
			stats_median(series->ms[SNAPSHOT_GRACE_LOAD], n_load),
			stats_highest(series->ms[SNAPSHOT_GRACE_LOAD], n_load));
	if (series->memory.map_bytes)
		fprintf(out,
			"%22s with %" PRIu32
			" blocked besides: %.1f MiB of maps, %.1f MiB of the process\n",
			"", series->blocked, mebibytes(series->memory.map_bytes),
			mebibytes(series->memory.process_bytes));
	fflush(out);
}
