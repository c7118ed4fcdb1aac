/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For whoever learns what is normal: values that follow what they are given, and the lag that keeps an
 * attack out of them.  Header only; no part of the ABI.
 *
 * The first window of an attack is often partial and looks like peace.  So what is learned lies some
 * windows back: each window waits in a line (struct sluice_lag), and a jump or an attack discards
 * those that wait.  How fast to follow, and what a jump is, differs from detector to detector.
 */
#ifndef SLUICE_LEARN_H
#define SLUICE_LEARN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the n-th value weighs, from 1 on: a plain mean at first, a moving one of `slowest` values later. */
static inline double sluice_learn_weight(uint32_t n, uint32_t slowest)
{
	return 1.0 / (n < slowest ? n : slowest);
}

static inline void sluice_learn_mean(double *mean, double value, double weight)
{
	*mean += weight * (value - *mean);
}

/* Mean and variance; a deviation is the latter's root. */
static inline void sluice_learn_variance(double *mean, double *variance, double value,
					 double weight)
{
	double step = value - *mean;

	*mean += weight * step;
	*variance = (1 - weight) * (*variance + weight * step * step);
}

/* Mean and mean absolute deviation, which one outlier moves less than a variance.  Begins as zeros. */
struct sluice_usual {
	double mean, deviation;
	uint32_t n; /* Values learned. */
};

static inline void sluice_usual_learn(struct sluice_usual *usual, double value, uint32_t slowest)
{
	double difference = value - usual->mean, weight;

	if (usual->n < UINT32_MAX)
		usual->n++;
	weight = sluice_learn_weight(usual->n, slowest);
	usual->mean += weight * difference;
	/* The first value has nothing to differ from. */
	if (usual->n > 1)
		usual->deviation +=
			weight * ((difference < 0 ? -difference : difference) - usual->deviation);
}

/*
 * A line of windows that wait to be learned from, in an array of `places` that its owner has.  Begins
 * as zeros.
 */
struct sluice_lag {
	uint32_t first, n;
};

/* The place of the i-th that waits, the oldest being 0; i < n. */
static inline uint32_t sluice_lag_at(const struct sluice_lag *lag, uint32_t places, uint32_t i)
{
	return (lag->first + i) % places;
}

/* Takes the oldest out of the line, to be learned from: its place.  Only if n > 0. */
static inline uint32_t sluice_lag_take(struct sluice_lag *lag, uint32_t places)
{
	uint32_t place = lag->first;

	lag->first = (lag->first + 1) % places;
	lag->n--;
	return place;
}

/* Puts a window at the end of the line: the place to write it to.  Only if n < places. */
static inline uint32_t sluice_lag_add(struct sluice_lag *lag, uint32_t places)
{
	return (lag->first + lag->n++) % places;
}

/* A jump or an attack: nothing that waits is ever learned from. */
static inline void sluice_lag_discard(struct sluice_lag *lag)
{
	lag->first = lag->n = 0;
}

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_LEARN_H */
