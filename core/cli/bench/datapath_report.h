/* SPDX-License-Identifier: BSD-2-Clause */
/* The results of `sluice bench datapath`, for programs and for people. */
#ifndef SLUICE_CLI_BENCH_DATAPATH_REPORT_H
#define SLUICE_CLI_BENCH_DATAPATH_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "result.h"

/* Appends one object; what does not apply is null.  0 or -ENOMEM. */
int datapath_add_row(json_t *rows, const struct bench_result *result)
	__attribute__((warn_unused_result));

void datapath_print_head(FILE *out, size_t n_rounds);
/* One line for all results of one size, in any order. */
void datapath_print_size(FILE *out, const struct bench_result *results, size_t n);
/* What the design must be judged by: one line a size. */
void datapath_print_ratios(FILE *out, const struct bench_result *results, size_t n);

#endif /* SLUICE_CLI_BENCH_DATAPATH_REPORT_H */
