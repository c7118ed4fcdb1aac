/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Information measures of histograms, in bits.  README.md gives the formulas and who published them.
 * A histogram that sums to 0 has entropy 0, and distance 0 from everything: nothing is known of it.
 */
#ifndef SLUICE_ENTROPY_INFORMATION_H
#define SLUICE_ENTROPY_INFORMATION_H

#include <stddef.h>

double information_shannon(const double *count, size_t n);
/* Of order alpha >= 0; 1 is Shannon's, 0 the logarithm of how many are not 0. */
double information_renyi(const double *count, size_t n, double alpha);
/* Of order q > 0; 1 is Shannon's in nats. */
double information_tsallis(const double *count, size_t n, double q);
/* phi > 0; goes to Shannon's as phi goes to 0, and weighs what is rare more as it grows. */
double information_phi(const double *count, size_t n, double phi);

/* Jensen-Shannon divergence: 0 = the same distribution, 1 = nothing in common. */
double information_jensen_shannon(const double *left, const double *right, size_t n);
/* Hellinger distance, from 0 to 1 alike. */
double information_hellinger(const double *left, const double *right, size_t n);
/*
 * Generalised information distance of order alpha > 0, made symmetric: the mean of Renyi's divergences
 * from each to the middle of both; finite, and Jensen-Shannon's at order 1.
 */
double information_generalised(const double *left, const double *right, size_t n, double alpha);

#endif /* SLUICE_ENTROPY_INFORMATION_H */
