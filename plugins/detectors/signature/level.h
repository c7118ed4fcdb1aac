/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much of one kind of traffic is normal: mean and deviation over about half a minute (EWMA).  What is
 * learned lies some windows back, and a jump discards the windows in between, so that the first, partial
 * window of an attack is never taken for peace.
 */
#ifndef SIGNATURE_LEVEL_H
#define SIGNATURE_LEVEL_H

#include <stdint.h>

#include <sluice/learn.h>

#define LEVEL_LAG_MAX 32

struct level {
	double mean, variance;
	double waiting[LEVEL_LAG_MAX]; /* Rates that are not learned from yet. */
	struct sluice_lag lag;
};

/*
 * A window's rate in peace.  It is a jump if it is more than double the mean of those that wait, and
 * `floor` above: then those are discarded.  `lag`: 1 to LEVEL_LAG_MAX windows.
 */
void level_offer(struct level *level, double rate, double floor, double seconds, uint32_t lag);
/* An attack: nothing of now is learned, nor what waits. */
void level_freeze(struct level *level);
double level_deviation(const struct level *level);

#endif /* SIGNATURE_LEVEL_H */
