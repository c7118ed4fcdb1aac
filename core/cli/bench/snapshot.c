/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `sluice bench snapshot`: what a window's read-out costs, by Sluice's tables and by the system calls
 * that a hash map needs; and how long it takes to fill the blocklist.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "bench.h"
#include "options.h"
#include "sandbox.h"
#include "snapshot_parts.h"
#include "snapshot_report.h"

/* A million keys one by one take seconds: enough is enough. */
#define MAX_SLOW_ROUNDS 3

static int measure(const struct sandbox *sandbox, size_t n_rounds, struct snapshot_series *series,
		   struct sluice_err *err)
{
	switch (series->method) {
	case SNAPSHOT_SLUICE:
		return snapshot_measure_sluice(sandbox, n_rounds, series, err);
	case SNAPSHOT_INSERT:
		return snapshot_measure_inserts(n_rounds, series, err);
	case SNAPSHOT_INSERT_LIMIT:
		return snapshot_measure_insert_limit(n_rounds, series, err);
	case SNAPSHOT_ONE_BY_ONE:
		if (n_rounds > MAX_SLOW_ROUNDS)
			n_rounds = MAX_SLOW_ROUNDS;
		/* fallthrough */
	default:
		return snapshot_measure_hash(sandbox, n_rounds, series, err);
	}
}

/* Measures, prints the line, and adds the row. */
static int measure_and_report(const struct sandbox *sandbox, const struct bench_options *options,
			      enum snapshot_method method, uint32_t sources, json_t *rows,
			      struct sluice_err *err)
{
	struct snapshot_series *series = calloc(1, sizeof(*series));
	int code = -ENOMEM;

	if (!series)
		return code;
	series->method = method;
	series->sources = sources;
	code = measure(sandbox, options->n_rounds, series, err);
	if (!code) {
		snapshot_print_row(options->json ? stderr : stdout, series);
		code = snapshot_add_row(rows, series);
	}
	free(series);
	return code;
}

int bench_snapshot(const struct bench_options *options, struct sluice_err *err)
{
	static const uint32_t default_inserts[] = { 128u << 10, 1u << 20 };
	static const uint32_t default_sources[] = { 300000, 1000000 };
	const uint32_t *sources = options->n_sizes ? options->entries : default_sources;
	const uint32_t *inserts = options->n_sizes ? options->entries : default_inserts;
	size_t n = options->n_sizes ? options->n_sizes : 2;
	json_t *rows = json_array();
	struct sandbox sandbox;
	int code = rows ? sandbox_enter(&sandbox, err) : -ENOMEM;

	if (!code)
		snapshot_print_head(options->json ? stderr : stdout, options->n_rounds);
	for (size_t i = 0; i < n && !code; i++) {
		for (int method = 0; method < SNAPSHOT_INSERT && !code; method++)
			code = measure_and_report(&sandbox, options, method, sources[i], rows, err);
	}
	for (size_t i = 0; i < n && !code; i++) {
		for (int method = SNAPSHOT_INSERT; method < SNAPSHOT_N_METHODS && !code; method++)
			code = measure_and_report(&sandbox, options, method, inserts[i], rows, err);
	}
	if (!code && options->json &&
	    (json_dumpf(rows, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) ||
	     putchar('\n') == EOF))
		code = -EIO;
	json_decref(rows);
	return code;
}
