/* SPDX-License-Identifier: BSD-2-Clause */
/* What signature rules cost a packet that none of them matches, by their number. */
#ifndef SLUICE_CLI_BENCH_RULES_H
#define SLUICE_CLI_BENCH_RULES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include <sluice/plugin.h>

#include "stats.h"

/* None, one, and up to as many as there may be. */
#define RULES_N_SIZES 5
extern const uint32_t rules_sizes[RULES_N_SIZES];

struct rules_series {
	size_t n_rounds;
	double ns[RULES_N_SIZES][STATS_MAX_ROUNDS]; /* With the harness. */
};

/* Unknown sources at random ports; every field is looked at, and the last one rules out. */
int rules_measure(size_t n_rounds, struct rules_series *series, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Appends a row for each number of rules but none: case "rules", entries their number. */
int rules_add_rows(json_t *rows, const struct rules_series *series)
	__attribute__((warn_unused_result));
void rules_print(FILE *out, const struct rules_series *series);

#endif /* SLUICE_CLI_BENCH_RULES_H */
