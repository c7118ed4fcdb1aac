/* SPDX-License-Identifier: BSD-2-Clause */
/* The results of `sluice bench offload`: a table, JSON, CSV and a picture. */
#ifndef SLUICE_CLI_BENCH_OFFLOAD_REPORT_H
#define SLUICE_CLI_BENCH_OFFLOAD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <sluice/plugin.h>

#include "offload_sim.h"

struct offload_row {
	struct sim_case sim;
	struct sim_result result;
};

struct offload_report {
	FILE *progress; /* A line as soon as there is one. */
	struct offload_row *rows;
	size_t n, capacity;
};

/* What a row must reach, and whether it does. */
enum offload_verdict {
	OFFLOAD_NO_TARGET,
	OFFLOAD_REACHED,
	OFFLOAD_MISSED,
};

/*
 * Sluice with counters: 0.97 of the oracle's share (Gaussian, Zipf), 0.93 (drift), 0.85 (pulse),
 * and at a tenth of the maximum (but for pulses) at most 0.10 of naive's updates.  The controls are
 * held to the same shares under drift and pulses, and must miss them.
 */
enum offload_verdict offload_judge(const struct offload_row *row);
/*
 * Sluice without counters: 0.90 of the share of the row with counters.  `with` may be NULL: no
 * target.
 */
enum offload_verdict offload_judge_blind(const struct offload_row *row,
					 const struct offload_row *with);

/* Of rows about this attack, whatever the distribution.  0 or -ENOMEM. */
int offload_report_init(struct offload_report *report, const struct sim_case *attack,
			FILE *progress) __attribute__((warn_unused_result));
void offload_report_fini(struct offload_report *report);
int offload_report_add(struct offload_report *report, const struct sim_case *sim,
		       const struct sim_result *result) __attribute__((warn_unused_result));

/* A list of rows.  0 or -ENOMEM. */
int offload_report_json(const struct offload_report *report, FILE *out)
	__attribute__((warn_unused_result));
/* 0 or a negative errno, with the reason. */
int offload_report_csv(const struct offload_report *report, const char *path,
		       struct sluice_err *err) __attribute__((warn_unused_result));
int offload_report_svg(const struct offload_report *report, const char *path,
		       struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_OFFLOAD_REPORT_H */
