/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The detector `entropy` without its host: windows in, verdict and named sources out.  README.md
 * gives the reasoning; measure, baseline, learned and judge are its parts.
 */
#ifndef SLUICE_ENTROPY_LOGIC_H
#define SLUICE_ENTROPY_LOGIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "aggregate.h"
#include "forged.h"
#include "judge.h"
#include "measure.h"
#include "params.h"

struct entropy;

#define ENTROPY_N_FORGED (2 * FORGED_N_KINDS) /* IPv4 and IPv6. */

struct entropy_result {
	bool attack;
	double score;		/* As in struct sluice_verdict. */
	double offered_entropy; /* Normalised; 0 for an empty window. */
	double passed_entropy;
	const struct judge *judge;
	/* Sources of this window to be blocked: indices, in no order.  Valid until the next call. */
	const struct entropy_suspect *named;
	size_t n_named;
	struct aggregate_result aggregate; /* Rules that are wanted. */
	const struct forged *forged;	   /* Limits that are wanted. */
	bool learned;			   /* The window counted as peace. */
	uint32_t learned_windows;
	uint32_t n_known;
};

/* 0, or -ENOMEM. */
int entropy_new(const struct entropy_params *params, struct entropy **out)
	__attribute__((warn_unused_result));
void entropy_free(struct entropy *entropy);

/* New limits; what was learned stays.  False if that cannot be done with these. */
bool entropy_reconfigure(struct entropy *entropy, const struct entropy_params *params)
	__attribute__((warn_unused_result));

/*
 * The next window.  0; -EINVAL if it cannot be read; -ENOMEM or -E2BIG with the state unchanged.
 * A window of no length changes nothing and repeats the verdict.
 */
int entropy_observe(struct entropy *entropy, const struct sluice_window *window,
		    struct entropy_result *result) __attribute__((warn_unused_result));

#endif /* SLUICE_ENTROPY_LOGIC_H */
