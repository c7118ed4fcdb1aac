/* SPDX-License-Identifier: BSD-2-Clause */
/* See information.h. */
#include "information.h"

#include <math.h>

/* So near to 1 the general formulas divide rounding errors by nearly nothing. */
#define NEAR_ONE 1e-6

static double sum_of(const double *count, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += count[i] > 0 ? count[i] : 0;
	return sum;
}

static double positive(double value)
{
	return value > 0 ? value : 0; /* Rounding. */
}

double information_shannon(const double *count, size_t n)
{
	double sum = sum_of(count, n), bits = 0;

	for (size_t i = 0; i < n; i++)
		if (count[i] > 0)
			bits -= count[i] / sum * log2(count[i] / sum);
	return positive(bits);
}

/* Sum of the shares to the power of `order`. */
static double power_sum(const double *count, size_t n, double order)
{
	double sum = sum_of(count, n), powers = 0;

	for (size_t i = 0; i < n; i++)
		if (count[i] > 0)
			powers += pow(count[i] / sum, order);
	return powers;
}

double information_renyi(const double *count, size_t n, double alpha)
{
	double powers;

	if (fabs(alpha - 1) < NEAR_ONE)
		return information_shannon(count, n);
	powers = power_sum(count, n, alpha);
	return powers > 0 ? positive(log2(powers) / (1 - alpha)) : 0;
}

double information_tsallis(const double *count, size_t n, double q)
{
	double powers;

	if (fabs(q - 1) < NEAR_ONE)
		return information_shannon(count, n) * M_LN2;
	powers = power_sum(count, n, q);
	return powers > 0 ? positive((1 - powers) / (q - 1)) : 0;
}

double information_phi(const double *count, size_t n, double phi)
{
	double sum = sum_of(count, n), total = 0;

	if (fabs(phi) < NEAR_ONE)
		return information_shannon(count, n);
	for (size_t i = 0; i < n; i++)
		if (count[i] > 0)
			total -= count[i] / sum * sinh(phi * log2(count[i] / sum));
	return positive(total / sinh(phi));
}

/* Renyi's divergence from `count` to the middle of both, which is nowhere 0 where `count` is not. */
static double to_middle(const double *count, double sum, const double *other, double other_sum,
			size_t n, double alpha)
{
	double total = 0;

	for (size_t i = 0; i < n; i++) {
		double share, middle;

		if (!(count[i] > 0))
			continue;
		share = count[i] / sum;
		middle = (share + (other[i] > 0 ? other[i] / other_sum : 0)) / 2;
		total += fabs(alpha - 1) < NEAR_ONE ? share * log2(share / middle)
						    : share * pow(share / middle, alpha - 1);
	}
	if (fabs(alpha - 1) < NEAR_ONE)
		return positive(total);
	return positive(log2(total) / (alpha - 1));
}

double information_generalised(const double *left, const double *right, size_t n, double alpha)
{
	double left_sum = sum_of(left, n), right_sum = sum_of(right, n);

	if (left_sum <= 0 || right_sum <= 0)
		return 0;
	return (to_middle(left, left_sum, right, right_sum, n, alpha) +
		to_middle(right, right_sum, left, left_sum, n, alpha)) /
	       2;
}

double information_jensen_shannon(const double *left, const double *right, size_t n)
{
	return fmin(1, information_generalised(left, right, n, 1));
}

double information_hellinger(const double *left, const double *right, size_t n)
{
	double left_sum = sum_of(left, n), right_sum = sum_of(right, n), overlap = 0;

	if (left_sum <= 0 || right_sum <= 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (left[i] > 0 && right[i] > 0)
			overlap += sqrt(left[i] / left_sum * (right[i] / right_sum));
	return sqrt(positive(1 - overlap));
}
