/* SPDX-License-Identifier: BSD-2-Clause */
/* See datapath_report.h. */
#include "datapath_report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

/* A tenth of a ns, a thousandth of a ratio: more digits would say nothing. */
static json_t *number(double value, double steps)
{
	return isfinite(value) ? json_real(round(value * steps) / steps) : json_null();
}

static int add_ratios(json_t *row, const struct bench_result *result)
{
	json_t *ratios = json_object();
	int failed = 0;

	for (int to = 0; to < BENCH_N_DESIGNS; to++) {
		if (isfinite(result->ratio_median[to]))
			failed |= json_object_set_new(ratios, bench_design_name(to),
						      number(result->ratio_median[to], 1e3));
	}
	return json_object_set_new(row, "ratio_median", ratios) | failed;
}

int datapath_add_row(json_t *rows, const struct bench_result *result)
{
	json_t *row;

	if (result->design == BENCH_DESIGN_PARSE)
		return 0;
	row = json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "case",
			bench_case_name(result->which), "design", bench_design_name(result->design),
			"entries", (json_int_t)result->entries, "ns_median",
			number(result->ns_median, 100), "ns_best", number(result->ns_best, 100),
			"mpps_median", number(result->mpps_median, 1e3), "mpps_best",
			number(result->mpps_best, 1e3), "net_ns_median",
			number(result->net_ns_median, 100));
	if (row && isfinite(result->over_parse_ns_median) &&
	    json_object_set_new(row, "over_parse_ns_median",
				number(result->over_parse_ns_median, 100)))
		goto fail;
	if (row && add_ratios(row, result))
		goto fail;
	return json_array_append_new(rows, row) ? -ENOMEM : 0;
fail:
	json_decref(row);
	return -ENOMEM;
}

static const struct bench_result *find(const struct bench_result *results, size_t n,
				       uint32_t entries, enum bench_case which,
				       enum bench_design design)
{
	for (size_t i = 0; i < n; i++) {
		if (results[i].entries == entries && results[i].which == which &&
		    results[i].design == design)
			return &results[i];
	}
	return NULL;
}

static void print_number(FILE *out, int width, int digits, double value)
{
	if (isfinite(value))
		fprintf(out, " %*.*f", width, digits, value);
	else
		fprintf(out, " %*s", width, "-");
}

void datapath_print_head(FILE *out, size_t n_rounds)
{
	fprintf(out,
		"Medians of %zu rounds.  empty, hit, miss: ns per packet over a bare drop in the same\n"
		"harness; x hash: Sluice's share of the hash maps'.  veth: Mpps dropped, end to end.\n\n"
		"%10s %7s |%7s%7s%7s%7s%7s%7s |%7s%7s%7s |%7s%7s%7s%7s%7s%7s\n"
		"%10s %7s |%7s%7s%7s%7s%7s%7s |%7s%7s%7s |%7s%7s%7s%7s%7s%7s\n",
		n_rounds, "", "empty", "hit", "", "", "", "", "", "miss", "", "", "veth", "", "",
		"", "", "", "entries", "sluice", "limit", "floor", "exact", "hash", "sluice",
		"x hash", "hash", "sluice", "x hash", "drop", "limit", "floor", "exact", "hash",
		"sluice");
	fflush(out);
}

void datapath_print_size(FILE *out, const struct bench_result *results, size_t n)
{
	static const struct {
		enum bench_case which;
		enum bench_design design;
		char figure; /* Net ns, ratio to hash, or Mpps. */
		const char *before;
	} columns[] = {
		{ BENCH_CASE_EMPTY, BENCH_DESIGN_SLUICE, 'n', " " },
		{ BENCH_CASE_HIT, BENCH_DESIGN_LIMIT, 'n', " |" },
		{ BENCH_CASE_HIT, BENCH_DESIGN_FLOOR, 'n', "" },
		{ BENCH_CASE_HIT, BENCH_DESIGN_EXACT, 'n', "" },
		{ BENCH_CASE_HIT, BENCH_DESIGN_HASH, 'n', "" },
		{ BENCH_CASE_HIT, BENCH_DESIGN_SLUICE, 'n', "" },
		{ BENCH_CASE_HIT, BENCH_DESIGN_SLUICE, 'r', "" },
		{ BENCH_CASE_MISS, BENCH_DESIGN_HASH, 'n', " |" },
		{ BENCH_CASE_MISS, BENCH_DESIGN_SLUICE, 'n', "" },
		{ BENCH_CASE_MISS, BENCH_DESIGN_SLUICE, 'r', "" },
		{ BENCH_CASE_VETH, BENCH_DESIGN_DROP, 'm', " |" },
		{ BENCH_CASE_VETH, BENCH_DESIGN_LIMIT, 'm', "" },
		{ BENCH_CASE_VETH, BENCH_DESIGN_FLOOR, 'm', "" },
		{ BENCH_CASE_VETH, BENCH_DESIGN_EXACT, 'm', "" },
		{ BENCH_CASE_VETH, BENCH_DESIGN_HASH, 'm', "" },
		{ BENCH_CASE_VETH, BENCH_DESIGN_SLUICE, 'm', "" },
	};
	fprintf(out, "%10" PRIu32, results[0].entries);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		const struct bench_result *result =
			find(results, n, results[0].entries, columns[i].which, columns[i].design);
		double value = !result			  ? NAN
			       : columns[i].figure == 'n' ? result->net_ns_median
			       : columns[i].figure == 'm' ? result->mpps_median
							  : result->ratio_median[BENCH_DESIGN_HASH];

		fputs(columns[i].before, out);
		print_number(out, 6, columns[i].figure == 'n' ? 1 : 2, value);
	}
	fputc('\n', out);
	fflush(out);
}

static void print_ratio(FILE *out, const char *format, const struct bench_result *result,
			enum bench_design to)
{
	if (result && isfinite(result->ratio_median[to]))
		fprintf(out, format, result->ratio_median[to]);
}

void datapath_print_ratios(FILE *out, const struct bench_result *results, size_t n)
{
	uint32_t entries = 0;

	fputs("\nSluice, by the median of the ratios of each round:\n", out);
	for (size_t i = 0; i < n; i++) {
		if (results[i].entries == entries)
			continue;
		entries = results[i].entries;

		const struct bench_result *hit =
			find(results, n, entries, BENCH_CASE_HIT, BENCH_DESIGN_SLUICE);
		const struct bench_result *miss =
			find(results, n, entries, BENCH_CASE_MISS, BENCH_DESIGN_SLUICE);
		const struct bench_result *veth =
			find(results, n, entries, BENCH_CASE_VETH, BENCH_DESIGN_SLUICE);

		fprintf(out, "%10" PRIu32 " entries:", entries);
		print_ratio(out, " hit %.2f of BPF_HASH;", hit, BENCH_DESIGN_HASH);
		print_ratio(out, " unknown source %.2f of PERCPU_HASH;", miss, BENCH_DESIGN_HASH);
		print_ratio(out, " veth %.2f of a bare drop,", veth, BENCH_DESIGN_DROP);
		print_ratio(out, " %.2f of the limit,", veth, BENCH_DESIGN_LIMIT);
		print_ratio(out, " %.2f of the floor,", veth, BENCH_DESIGN_FLOOR);
		print_ratio(out, " %.2f of exact counting,", veth, BENCH_DESIGN_EXACT);
		print_ratio(out, " %.2f x BPF_HASH", veth, BENCH_DESIGN_HASH);
		fputc('\n', out);
	}
}
