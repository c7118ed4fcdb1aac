/* SPDX-License-Identifier: BSD-2-Clause */
/* The pure parts of `sluice bench`: statistics, options, and the rows of both documents. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "bench/datapath_report.h"
#include "bench/options.h"
#include "bench/result.h"
#include "bench/rules.h"
#include "bench/snapshot_report.h"
#include "bench/stats.h"

#define ASSERT_NEAR(actual, expected) cr_assert_float_eq(actual, expected, 1e-9)

Test(bench_stats, middle_and_ends)
{
	static const double odd[] = { 9, 1, 5 }, even[] = { 4, 1, 3, 2 }, one[] = { 7 };

	ASSERT_NEAR(stats_median(odd, 3), 5);
	ASSERT_NEAR(stats_median(even, 4), 2.5);
	ASSERT_NEAR(stats_median(one, 1), 7);
	ASSERT_NEAR(stats_lowest(odd, 3), 1);
	ASSERT_NEAR(stats_highest(odd, 3), 9);
	ASSERT_NEAR(odd[0], 9);
}

/* The machine is ten times slower in the second round: within a round nothing changes. */
Test(bench_stats, pairs_within_a_round)
{
	static const double base[] = { 10, 100, 10 }, a[] = { 20, 200, 22 }, b[] = { 50, 500, 50 };

	ASSERT_NEAR(stats_median_ratio(a, b, 3), 0.4);
	ASSERT_NEAR(stats_median_net_ratio(a, b, base, 3), 0.25);
	ASSERT_NEAR(stats_median_difference(a, base, 3), 12);
}

Test(bench_stats, noise_gives_no_ratio)
{
	static const double base[] = { 10, 10 }, a[] = { 20, 20 }, at_base[] = { 12, 10 };

	cr_assert(isnan(stats_median_net_ratio(a, at_base, base, 2)));
	cr_assert(isnan(stats_median_ratio(a, (const double[]){ 0, 1 }, 2)));
}

Test(bench_options, rounds)
{
	static const struct {
		const char *text;
		size_t n; /* 0: refused */
	} cases[] = {
		{ "1", 1 },  { "11", 11 }, { "101", 101 }, { "102", 0 },
		{ "0", 0 },  { "-1", 0 },  { "", 0 },	   { " 3", 0 },
		{ "3x", 0 }, { "+3", 0 },  { "1.5", 0 },   { "99999999999999999999", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_err err = { .text = "" };
		size_t n = 77;
		int code = options_parse_rounds(cases[i].text, &n, &err);

		cr_assert_eq(code, cases[i].n ? 0 : -EINVAL, "'%s'", cases[i].text);
		cr_assert_eq(n, cases[i].n ? cases[i].n : 77, "'%s'", cases[i].text);
		cr_assert_eq(err.text[0] == '\0', code == 0, "'%s'", cases[i].text);
	}
}

Test(bench_options, entries)
{
	static const struct {
		const char *text;
		size_t n; /* 0: refused */
		uint32_t entries[5];
	} cases[] = {
		{ "1", 1, { 1 } },
		{ "1,1K,16k,128K,1M", 5, { 1, 1024, 16384, 131072, 1048576 } },
		{ "300000,4M", 2, { 300000, 4194304 } },
		{ "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", 16, { 1, 1, 1, 1, 1 } },
		{ "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", 0, { 0 } },
		{ "", 0, { 0 } },
		{ "0", 0, { 0 } },
		{ "5M", 0, { 0 } },
		{ "4097K", 0, { 0 } },
		{ "1G", 0, { 0 } },
		{ "1,", 0, { 0 } },
		{ ",1", 0, { 0 } },
		{ "1;2", 0, { 0 } },
		{ "1KK", 0, { 0 } },
		{ "-1", 0, { 0 } },
		{ "K", 0, { 0 } },
		{ "18446744073709551615K", 0, { 0 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench_options options = { .n_sizes = 0 };
		struct sluice_err err = { .text = "" };
		int code = options_parse_entries(cases[i].text, &options, &err);

		cr_assert_eq(code, cases[i].n ? 0 : -EINVAL, "'%s'", cases[i].text);
		cr_assert_eq(options.n_sizes, cases[i].n, "'%s'", cases[i].text);
		for (size_t j = 0; j < cases[i].n && j < 5; j++)
			cr_assert_eq(options.entries[j], cases[i].entries[j], "'%s'",
				     cases[i].text);
	}
}

static void make(enum bench_case which, const double per_design[], struct bench_result *results)
{
	struct bench_series series[BENCH_MAX_SERIES];
	size_t n;
	const enum bench_design *designs = bench_case_designs(which, &n);

	for (size_t i = 0; i < n; i++) {
		series[i].design = designs[i];
		series[i].ns[0] = per_design[i];
		series[i].ns[1] = per_design[i] + 2;
		series[i].ns[2] = per_design[i] + 1;
	}
	bench_results_make(which, 128, series, n, 3, results);
}

Test(bench_result, times_and_their_ratios)
{
	/* drop, limit, floor, exact, hash, sluice */
	static const double ns[] = { 20, 60, 40, 45, 220, 50 };
	struct bench_result results[BENCH_MAX_SERIES];

	make(BENCH_CASE_HIT, ns, results);
	cr_assert_eq(results[5].design, BENCH_DESIGN_SLUICE);
	ASSERT_NEAR(results[5].ns_median, 51);
	ASSERT_NEAR(results[5].ns_best, 50);
	ASSERT_NEAR(results[5].net_ns_median, 30);
	ASSERT_NEAR(results[5].ratio_median[BENCH_DESIGN_HASH], 0.15);
	ASSERT_NEAR(results[5].ratio_median[BENCH_DESIGN_LIMIT], 0.75);
	ASSERT_NEAR(results[5].ratio_median[BENCH_DESIGN_FLOOR], 1.5);
	ASSERT_NEAR(results[5].ratio_median[BENCH_DESIGN_EXACT], 1.2);
	cr_assert(isnan(results[5].ratio_median[BENCH_DESIGN_DROP]));
	cr_assert(isnan(results[5].mpps_median));
	cr_assert(isnan(results[4].ratio_median[BENCH_DESIGN_HASH]), "to itself");
	cr_assert(isnan(results[0].ratio_median[BENCH_DESIGN_HASH]), "the base has no share");
}

Test(bench_result, rates_and_their_ratios)
{
	static const double ns[] = { 199, 249, 224, 230, 499, 248 };
	struct bench_result results[BENCH_MAX_SERIES];

	make(BENCH_CASE_VETH, ns, results);
	ASSERT_NEAR(results[0].mpps_median, 5);
	ASSERT_NEAR(results[4].mpps_best, 1e3 / 499);
	cr_assert(isnan(results[0].ns_median));
	/* More is better: the limit is at 0.8 of the drop, not at 1.25. */
	ASSERT_NEAR(results[1].ratio_median[BENCH_DESIGN_DROP], 0.8);
	cr_assert_gt(results[5].ratio_median[BENCH_DESIGN_HASH], 2);
}

Test(bench_result, the_empty_filter_is_measured_from_parsing)
{
	/* drop, pass, parse, sluice */
	static const double ns[] = { 20, 20, 22, 31 };
	struct bench_result results[BENCH_MAX_SERIES];

	make(BENCH_CASE_EMPTY, ns, results);
	ASSERT_NEAR(results[3].over_parse_ns_median, 9);
	ASSERT_NEAR(results[3].net_ns_median, 11);
	cr_assert(isnan(results[1].over_parse_ns_median));
}

Test(bench_report, datapath_rows)
{
	static const double ns[] = { 20, 20, 22, 31.126 };
	static const char *const names[] = { "drop", "pass", "sluice" };
	struct bench_result results[BENCH_MAX_SERIES];
	json_t *rows = json_array();
	size_t i;

	make(BENCH_CASE_EMPTY, ns, results);
	for (i = 0; i < 4; i++)
		cr_assert_eq(datapath_add_row(rows, &results[i]), 0);
	cr_assert_eq(json_array_size(rows), 3, "parsing alone is no design");
	for (i = 0; i < 3; i++) {
		const json_t *row = json_array_get(rows, i);

		cr_assert_str_eq(json_string_value(json_object_get(row, "case")), "empty");
		cr_assert_str_eq(json_string_value(json_object_get(row, "design")), names[i]);
		cr_assert_eq(json_integer_value(json_object_get(row, "entries")), 128);
		cr_assert(json_is_real(json_object_get(row, "ns_best")));
		cr_assert(json_is_null(json_object_get(row, "mpps_median")));
		cr_assert(json_is_null(json_object_get(row, "mpps_best")));
		cr_assert(json_is_object(json_object_get(row, "ratio_median")));
	}
	ASSERT_NEAR(json_real_value(json_object_get(json_array_get(rows, 2), "ns_median")), 32.13);
	json_decref(rows);
}

Test(bench_report, snapshot_rows)
{
	static struct snapshot_series series = { .method = SNAPSHOT_BATCH, .sources = 300000 };
	json_t *rows = json_array();
	const json_t *row;

	for (int round = 1; round <= 3; round++) {
		snapshot_note(&series, SNAPSHOT_FLIP, round);
		snapshot_note(&series, SNAPSHOT_READ, 10 * round);
		snapshot_note_total(&series);
	}
	cr_assert_eq(snapshot_add_row(rows, &series), 0);
	row = json_array_get(rows, 0);
	cr_assert_str_eq(json_string_value(json_object_get(row, "method")), "batch");
	cr_assert_eq(json_integer_value(json_object_get(row, "sources")), 300000);
	ASSERT_NEAR(json_real_value(json_object_get(row, "flip_ms")), 2);
	ASSERT_NEAR(json_real_value(json_object_get(row, "flip_ms_worst")), 3);
	ASSERT_NEAR(json_real_value(json_object_get(row, "total_ms")), 22);
	ASSERT_NEAR(json_real_value(json_object_get(row, "total_ms_worst")), 33);
	cr_assert_null(json_object_get(row, "map_bytes"), "only where it was measured");
	cr_assert(json_is_null(json_object_get(row, "grace_ms")), "P1 does not wait");
	cr_assert_null(json_object_get(row, "insert_ms"));
	json_decref(rows);
}

Test(bench_report, each_method_of_the_snapshot_has_its_row)
{
	static struct snapshot_series series;
	json_t *rows = json_array();

	for (int method = 0; method < SNAPSHOT_N_METHODS; method++) {
		series.method = method;
		cr_assert_eq(snapshot_add_row(rows, &series), 0, "method %d", method);
		for (int other = 0; other < method; other++)
			cr_assert_str_neq(snapshot_method_name(other),
					  snapshot_method_name(method));
	}
	cr_assert_str_eq(snapshot_method_name(SNAPSHOT_INSERT_LIMIT), "insert-limit");
	json_decref(rows);
}

Test(bench_report, snapshot_memory)
{
	static struct snapshot_series series = {
		.method = SNAPSHOT_SLUICE,
		.sources = 1000,
		.blocked = 999,
		.memory = { .map_bytes = 5ull << 32, .process_bytes = 4096 },
	};
	json_t *rows = json_array();
	const json_t *row;

	cr_assert_eq(snapshot_add_row(rows, &series), 0);
	row = json_array_get(rows, 0);
	cr_assert_eq(json_integer_value(json_object_get(row, "blocked")), 999);
	cr_assert_eq(json_integer_value(json_object_get(row, "map_bytes")), 5ll << 32);
	cr_assert_eq(json_integer_value(json_object_get(row, "process_bytes")), 4096);
	json_decref(rows);
}

Test(bench_report, keeps_no_more_rounds_than_fit)
{
	static struct snapshot_series series;

	for (int round = 0; round < STATS_MAX_ROUNDS + 5; round++)
		snapshot_note(&series, SNAPSHOT_READ, round);
	cr_assert_eq(series.n_rounds[SNAPSHOT_READ], STATS_MAX_ROUNDS);
}

Test(bench_report, rule_rows)
{
	static struct rules_series series = { .n_rounds = 3 };
	json_t *rows = json_array();

	for (size_t i = 0; i < RULES_N_SIZES; i++)
		for (size_t round = 0; round < series.n_rounds; round++)
			series.ns[i][round] = 20.0 + 3 * (double)i + (double)round;
	cr_assert_eq(rules_add_rows(rows, &series), 0);
	cr_assert_eq(json_array_size(rows), RULES_N_SIZES - 1, "no rules are no row");
	for (size_t i = 1; i < RULES_N_SIZES; i++) {
		const json_t *row = json_array_get(rows, i - 1);

		cr_assert_str_eq(json_string_value(json_object_get(row, "case")), "rules");
		cr_assert_str_eq(json_string_value(json_object_get(row, "design")), "sluice");
		cr_assert_eq(json_integer_value(json_object_get(row, "entries")), rules_sizes[i]);
		ASSERT_NEAR(json_real_value(json_object_get(row, "ns_median")), 21 + 3 * (double)i);
		ASSERT_NEAR(json_real_value(json_object_get(row, "over_none_ns_median")),
			    3 * (double)i);
		cr_assert(json_is_null(json_object_get(row, "mpps_median")));
	}
	json_decref(rows);
}
