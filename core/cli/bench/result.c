/* SPDX-License-Identifier: BSD-2-Clause */
/* See result.h. */
#include "result.h"

#include <math.h>
#include <stdbool.h>

static const struct {
	const char *name;
	size_t n;
	enum bench_design designs[BENCH_MAX_SERIES];
} cases[BENCH_N_CASES] = {
	[BENCH_CASE_EMPTY] = { "empty",
			       4,
			       { BENCH_DESIGN_DROP, BENCH_DESIGN_PASS, BENCH_DESIGN_PARSE,
				 BENCH_DESIGN_SLUICE } },
	[BENCH_CASE_HIT] = { "hit",
			     6,
			     { BENCH_DESIGN_DROP, BENCH_DESIGN_LIMIT, BENCH_DESIGN_FLOOR,
			       BENCH_DESIGN_EXACT, BENCH_DESIGN_HASH, BENCH_DESIGN_SLUICE } },
	[BENCH_CASE_MISS] = { "miss",
			      4,
			      { BENCH_DESIGN_DROP, BENCH_DESIGN_PASS, BENCH_DESIGN_HASH,
				BENCH_DESIGN_SLUICE } },
	[BENCH_CASE_VETH] = { "veth",
			      6,
			      { BENCH_DESIGN_DROP, BENCH_DESIGN_LIMIT, BENCH_DESIGN_FLOOR,
				BENCH_DESIGN_EXACT, BENCH_DESIGN_HASH, BENCH_DESIGN_SLUICE } },
};

static const char *const design_names[BENCH_N_DESIGNS] = {
	[BENCH_DESIGN_DROP] = "drop",	[BENCH_DESIGN_PASS] = "pass",
	[BENCH_DESIGN_PARSE] = "parse", [BENCH_DESIGN_LIMIT] = "limit",
	[BENCH_DESIGN_FLOOR] = "floor", [BENCH_DESIGN_EXACT] = "exact",
	[BENCH_DESIGN_HASH] = "hash",	[BENCH_DESIGN_SLUICE] = "sluice",
};

const char *bench_case_name(enum bench_case which)
{
	return cases[which].name;
}

const char *bench_design_name(enum bench_design design)
{
	return design_names[design];
}

const enum bench_design *bench_case_designs(enum bench_case which, size_t *n)
{
	*n = cases[which].n;
	return cases[which].designs;
}

static const struct bench_series *find(const struct bench_series *series, size_t n,
				       enum bench_design design)
{
	for (size_t i = 0; i < n; i++) {
		if (series[i].design == design)
			return &series[i];
	}
	return NULL;
}

/* What does real work may be a reference; over veth the bare drop, too, as the most that goes. */
static bool is_reference(enum bench_case which, enum bench_design design)
{
	return design == BENCH_DESIGN_LIMIT || design == BENCH_DESIGN_FLOOR ||
	       design == BENCH_DESIGN_EXACT || design == BENCH_DESIGN_HASH ||
	       (which == BENCH_CASE_VETH && design == BENCH_DESIGN_DROP);
}

static double ratio(enum bench_case which, const struct bench_series *a,
		    const struct bench_series *b, const struct bench_series *drop, size_t n_rounds)
{
	if (which == BENCH_CASE_VETH)
		return stats_median_ratio(b->ns, a->ns, n_rounds);
	if (a == drop || a->design == BENCH_DESIGN_PASS)
		return NAN;
	return stats_median_net_ratio(a->ns, b->ns, drop->ns, n_rounds);
}

static void set_rates(struct bench_result *result, const struct bench_series *series,
		      size_t n_rounds)
{
	result->mpps_median = 1e3 / stats_median(series->ns, n_rounds);
	result->mpps_best = 1e3 / stats_lowest(series->ns, n_rounds);
}

static void set_times(struct bench_result *result, const struct bench_series *series,
		      const struct bench_series *drop, const struct bench_series *parse,
		      size_t n_rounds)
{
	result->ns_median = stats_median(series->ns, n_rounds);
	result->ns_best = stats_lowest(series->ns, n_rounds);
	result->net_ns_median = stats_median_difference(series->ns, drop->ns, n_rounds);
	if (parse && series->design == BENCH_DESIGN_SLUICE)
		result->over_parse_ns_median =
			stats_median_difference(series->ns, parse->ns, n_rounds);
}

void bench_results_make(enum bench_case which, uint32_t entries, const struct bench_series *series,
			size_t n_series, size_t n_rounds, struct bench_result *results)
{
	const struct bench_series *drop = find(series, n_series, BENCH_DESIGN_DROP);
	const struct bench_series *parse = find(series, n_series, BENCH_DESIGN_PARSE);

	for (size_t i = 0; i < n_series; i++) {
		struct bench_result *result = &results[i];

		*result = (struct bench_result){
			.which = which,
			.design = series[i].design,
			.entries = entries,
			.ns_median = NAN,
			.ns_best = NAN,
			.mpps_median = NAN,
			.mpps_best = NAN,
			.net_ns_median = NAN,
			.over_parse_ns_median = NAN,
		};
		if (which == BENCH_CASE_VETH)
			set_rates(result, &series[i], n_rounds);
		else
			set_times(result, &series[i], drop, parse, n_rounds);
		for (int to = 0; to < BENCH_N_DESIGNS; to++) {
			const struct bench_series *other = find(series, n_series, to);
			bool meant = other && other != &series[i] && is_reference(which, to);

			result->ratio_median[to] =
				meant ? ratio(which, &series[i], other, drop, n_rounds) : NAN;
		}
	}
}
