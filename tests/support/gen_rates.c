// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rates over the sources.  M. D. Vose, "A linear algorithm for generating random numbers with a
 * given distribution", IEEE Trans. Software Engineering 17 (1991).
 */
#include "gen_rates.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

void gen_rates_gaussian(double *weights, size_t n, double sigma)
{
	double mean = (n - 1) / 2.0, deviation = n * sigma;

	for (size_t i = 0; i < n; i++) {
		double z = (i - mean) / deviation;

		weights[i] = exp(-z * z / 2);
	}
}

int gen_rates_alias(double *weights, size_t n, struct gen_cell *cells)
{
	uint32_t *small = malloc(n * sizeof(*small)), *large = malloc(n * sizeof(*large));
	size_t n_small = 0, n_large = 0;
	double sum = 0;
	int err = 0;

	if (!small || !large) {
		err = -ENOMEM;
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	for (size_t i = 0; i < n; i++) {
		weights[i] *= n / sum;
		/* What rounding leaves over at the end keeps its own cell. */
		cells[i] = (struct gen_cell){ .keep = UINT32_MAX, .alias = i };
		if (weights[i] < 1)
			small[n_small++] = i;
		else
			large[n_large++] = i;
	}
	while (n_small && n_large) {
		uint32_t less = small[--n_small], more = large[n_large - 1];

		cells[less].keep = weights[less] * UINT32_MAX;
		cells[less].alias = more;
		weights[more] -= 1 - weights[less];
		if (weights[more] < 1) {
			n_large--;
			small[n_small++] = more;
		}
	}
out:
	free(small);
	free(large);
	return err;
}
