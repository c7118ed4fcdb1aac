/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often each source sends: the alias table from which sluice-gen draws.
 */
#ifndef SLUICE_SUPPORT_GEN_RATES_H
#define SLUICE_SUPPORT_GEN_RATES_H

#include <stddef.h>

#include "gen_shared.h"

/*
 * Fills weights[0..n) with a normal density over the sources: mean in the middle, standard
 * deviation n * sigma.
 */
void gen_rates_gaussian(double *weights, size_t n, double sigma);

/*
 * Vose's alias method: afterwards a uniform cell and a uniform fraction give source i with a
 * probability proportional to weights[i].  Destroys `weights`.  0, or -ENOMEM.
 */
int gen_rates_alias(double *weights, size_t n, struct gen_cell *cells)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SUPPORT_GEN_RATES_H */
