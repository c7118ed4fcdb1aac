/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the rounds of one case and size to the figures that are reported.  Pure.
 */
#ifndef SLUICE_CLI_BENCH_RESULT_H
#define SLUICE_CLI_BENCH_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "stats.h"

enum bench_case {
	BENCH_CASE_EMPTY, /* The filter with nothing configured and nothing behind it. */
	BENCH_CASE_HIT,	  /* All sources are blocked. */
	BENCH_CASE_MISS,  /* As many others are blocked; these are measured and passed. */
	BENCH_CASE_VETH,  /* A hit, end to end: from a generator over a link. */
	BENCH_N_CASES,
};

enum bench_design {
	BENCH_DESIGN_DROP,
	BENCH_DESIGN_PASS,
	BENCH_DESIGN_PARSE, /* Parses and passes; has no row of its own. */
	BENCH_DESIGN_LIMIT,
	BENCH_DESIGN_FLOOR, /* The limit of a table as small as Sluice's. */
	BENCH_DESIGN_EXACT, /* The floor with exact counts. */
	BENCH_DESIGN_HASH,
	BENCH_DESIGN_SLUICE,
	BENCH_N_DESIGNS,
};

#define BENCH_MAX_SERIES 6

const char *bench_case_name(enum bench_case which);
const char *bench_design_name(enum bench_design design);
/* The designs that a case compares, in the order of the report; at most BENCH_MAX_SERIES. */
const enum bench_design *bench_case_designs(enum bench_case which, size_t *n);

/* What one design took per packet, round by round. */
struct bench_series {
	enum bench_design design;
	double ns[STATS_MAX_ROUNDS];
};

/* NaN: does not apply. */
struct bench_result {
	enum bench_case which;
	enum bench_design design;
	uint32_t entries;
	double ns_median, ns_best;     /* With the harness. */
	double mpps_median, mpps_best; /* Over veth only. */
	double net_ns_median;	       /* Less the bare drop of the same round. */
	double over_parse_ns_median;   /* Less parsing and passing; of the empty filter. */
	/*
	 * This design to that: of time net of the bare drop, so that less is better; over veth of
	 * packets per second, where more is.
	 */
	double ratio_median[BENCH_N_DESIGNS];
};

/* One result per series; `series` are those of bench_case_designs(). */
void bench_results_make(enum bench_case which, uint32_t entries, const struct bench_series *series,
			size_t n_series, size_t n_rounds, struct bench_result *results);

#endif /* SLUICE_CLI_BENCH_RESULT_H */
