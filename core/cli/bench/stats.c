/* SPDX-License-Identifier: BSD-2-Clause */
/* See stats.h. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double stats_median(const double *values, size_t n)
{
	double sorted[STATS_MAX_ROUNDS];

	memcpy(sorted, values, n * sizeof(*values));
	qsort(sorted, n, sizeof(sorted[0]), compare);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

double stats_lowest(const double *values, size_t n)
{
	double lowest = values[0];

	for (size_t i = 1; i < n; i++)
		lowest = values[i] < lowest ? values[i] : lowest;
	return lowest;
}

double stats_highest(const double *values, size_t n)
{
	double highest = values[0];

	for (size_t i = 1; i < n; i++)
		highest = values[i] > highest ? values[i] : highest;
	return highest;
}

double stats_median_difference(const double *a, const double *b, size_t n)
{
	double differences[STATS_MAX_ROUNDS];

	for (size_t i = 0; i < n; i++)
		differences[i] = a[i] - b[i];
	return stats_median(differences, n);
}

double stats_median_ratio(const double *a, const double *b, size_t n)
{
	double ratios[STATS_MAX_ROUNDS];

	for (size_t i = 0; i < n; i++) {
		if (!(b[i] > 0))
			return NAN;
		ratios[i] = a[i] / b[i];
	}
	return stats_median(ratios, n);
}

double stats_median_net_ratio(const double *a, const double *b, const double *base, size_t n)
{
	double net_a[STATS_MAX_ROUNDS], net_b[STATS_MAX_ROUNDS];

	for (size_t i = 0; i < n; i++) {
		net_a[i] = a[i] - base[i];
		net_b[i] = b[i] - base[i];
	}
	return stats_median_ratio(net_a, net_b, n);
}
