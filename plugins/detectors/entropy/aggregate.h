/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floods of many senders, forged or not, as rules: remembers samples of peace, mines what a window
 * has beyond them, and keeps a rule for as long as what it drops is still offered.
 */
#ifndef SLUICE_ENTROPY_AGGREGATE_H
#define SLUICE_ENTROPY_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "mine.h"
#include "shape.h"

struct learned;

struct aggregate_params {
	struct mine_params mine;
	double distance; /* Least Jensen-Shannon divergence from peace, in bits. */
	double alpha;	 /* Order of the entropy that is reported. */
	double phi;	 /* The same of phi-entropy. */
	uint32_t learn_windows;
	uint32_t calm_windows;
	uint64_t seed;
};

struct aggregate_rule {
	struct mine_rule mined;
	double offered_pps; /* In this window: passed and dropped. */
	uint32_t quiet;	    /* Windows in a row with hardly anything. */
};

struct aggregate_result {
	bool attack; /* A rule is wanted. */
	bool jump;   /* Far over peace: nothing is learned. */
	const struct aggregate_rule *rules;
	size_t n_rules;
	double distance;    /* Of this window's kinds of packets from those of peace. */
	double renyi, phi;  /* Entropies of the kinds. */
	double found_share; /* Of this window's strangers, that rules found in it take. */
	size_t n_peace;	    /* Samples of peace that are remembered. */
	double stranger_pps;
};

struct aggregate;

/* 0 or -ENOMEM. */
int aggregate_new(const struct aggregate_params *params, struct aggregate **out)
	__attribute__((warn_unused_result));
void aggregate_free(struct aggregate *aggregate);
void aggregate_set_params(struct aggregate *aggregate, const struct aggregate_params *params);

/*
 * The next window.  `learned` and `now` are of the sources known from peace; with `hold` some other
 * part sees an attack, and nothing is learned.  0 or -ENOMEM; the result is valid until the next call.
 */
int aggregate_observe(struct aggregate *aggregate, const struct sluice_window *window,
		      struct learned *learned, uint32_t now, bool hold,
		      struct aggregate_result *result) __attribute__((warn_unused_result));

/* The samples of that window and of peace; valid until the next call. */
void aggregate_samples(const struct aggregate *aggregate, struct shape_input *input);

#endif /* SLUICE_ENTROPY_AGGREGATE_H */
