/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is normal: a moving mean and mean deviation of each signal, learned ENTROPY_LAG windows
 * late and only from windows that everything after them agrees were peaceful.
 */
#ifndef SLUICE_ENTROPY_BASELINE_H
#define SLUICE_ENTROPY_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/learn.h>

#include "measure.h"
#include "params.h"

enum baseline_signal {
	BASELINE_OFFERED_PPS,
	BASELINE_BITS,	      /* Entropy of the offered traffic. */
	BASELINE_NORMALISED,  /* The same over its maximum. */
	BASELINE_THIN_PPS,    /* Strangers under the floor. */
	BASELINE_SUSPECT_PPS, /* Strangers over the floor, one signal a class. */
	BASELINE_N_SIGNALS = BASELINE_SUSPECT_PPS + ENTROPY_N_CLASSES
};

/* One window; NAN where a signal has no value. */
struct baseline_point {
	double value[BASELINE_N_SIGNALS];
};

struct baseline {
	struct sluice_usual usual[BASELINE_N_SIGNALS];
	struct baseline_point late[ENTROPY_LAG];
	struct sluice_lag lag;
};

/* A peaceful window: learns the one of ENTROPY_LAG windows ago. */
void baseline_learn(struct baseline *baseline, const struct baseline_point *point);
/* An unpeaceful one: what was seen just before it is not learned either. */
void baseline_freeze(struct baseline *baseline);
/* Starts anew: the level has changed for good. */
void baseline_restart(struct baseline *baseline);

/* Windows learned so far, as far as they make a difference: at most 32. */
uint32_t baseline_windows(const struct baseline *baseline);

/* How far `value` is from the mean, in mean deviations of at least `least`; 0 if nothing is learned. */
double baseline_distance(const struct baseline *baseline, enum baseline_signal signal, double value,
			 double least);
/* factor * mean + 8 mean deviations; 0 if nothing is learned. */
double baseline_limit(const struct baseline *baseline, enum baseline_signal signal, double factor);
/* True if the offered rate is far over what came before, learned or only seen. */
bool baseline_is_jump(const struct baseline *baseline, double offered_pps);

#endif /* SLUICE_ENTROPY_BASELINE_H */
