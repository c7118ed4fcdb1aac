/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures from rounds in which designs took turns.  What disturbs the machine disturbs neighbours in
 * one round alike, so comparisons are made within a round, and the median is taken of those.
 */
#ifndef SLUICE_CLI_BENCH_STATS_H
#define SLUICE_CLI_BENCH_STATS_H

#include <stddef.h>

/* Rounds that a measurement may have. */
#define STATS_MAX_ROUNDS 101

/* All take 1 to STATS_MAX_ROUNDS values, finite ones.  Of an even number: the mean of the middle two. */
double stats_median(const double *values, size_t n);
double stats_lowest(const double *values, size_t n);
double stats_highest(const double *values, size_t n);

/* The median of a[i] - b[i]. */
double stats_median_difference(const double *a, const double *b, size_t n);
/* The median of a[i] / b[i]; NaN if some b[i] is not above 0. */
double stats_median_ratio(const double *a, const double *b, size_t n);
/*
 * The median of (a[i] - base[i]) / (b[i] - base[i]): two designs net of what both contain.  NaN if
 * some b[i] is not above its base, which is then noise.
 */
double stats_median_net_ratio(const double *a, const double *b, const double *base, size_t n);

#endif /* SLUICE_CLI_BENCH_STATS_H */
