/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The results as SVG: a bar a row, the share of the oracle's; beside it the updates as a share of
 * naive's.  See offload_report.h.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"

#include "offload_report.h"

#define LEFT 330
#define PLOT 360
#define ROW 16
#define TOP 48
#define WIDTH (LEFT + PLOT + 190)

static const char *colour_of(const struct offload_row *row)
{
	if (row->sim.policy == SIM_NO_HYSTERESIS)
		return "#e69f00";
	if (row->sim.policy != SIM_SLUICE)
		return "#999999";
	return row->sim.counters ? "#0072b2" : "#56b4e9";
}

static double ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static void draw_row(FILE *out, const struct offload_row *row, size_t i)
{
	double share = ratio(row->result.share, row->result.oracle_share);
	size_t y = TOP + i * ROW;
	char name[48];

	sim_case_name(&row->sim, name, sizeof(name));
	fprintf(out,
		"<text x=\"%d\" y=\"%zu\" text-anchor=\"end\">%s, K %u%s, load %g</text>\n"
		"<rect x=\"%d\" y=\"%zu\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n"
		"<text x=\"%d\" y=\"%zu\">%.3f of the oracle, %.3f of naive's updates</text>\n",
		LEFT - 8, y + 11, name, row->sim.k, row->sim.counters ? "" : ", no counters",
		row->sim.load, LEFT, y + 2, PLOT * (share < 1 ? share : 1) * 0.75, ROW - 4,
		colour_of(row), LEFT + PLOT * 3 / 4 + 8, y + 11, share,
		ratio(row->result.updates_per_s, row->result.naive_updates_per_s));
}

int offload_report_svg(const struct offload_report *report, const char *path,
		       struct sluice_err *err)
{
	size_t height = TOP + report->n * ROW + 16;
	FILE *out = fopen(path, "we");
	int failed;

	if (!out) {
		failed = -errno;
		err_set(err, "svg", "cannot write '%s': %s (%s)", path, strerror(-failed),
			err_name(failed));
		return failed;
	}
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" "
		"font-family=\"sans-serif\" font-size=\"11\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
		"<text x=\"16\" y=\"24\" font-size=\"14\">Share of the attack dropped in a table "
		"of K rules, of the best possible (a simulation)</text>\n",
		WIDTH, height);
	for (size_t i = 0; i < report->n; i++)
		draw_row(out, &report->rows[i], i);
	fputs("</svg>\n", out);
	failed = ferror(out);
	if (fclose(out) || failed) {
		err_set(err, "svg", "cannot write all of '%s'", path);
		return -EIO;
	}
	return 0;
}
