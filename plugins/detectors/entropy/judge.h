/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a measure of one window to a verdict: is there a flood, of which class, and from which rate
 * on do its sources send?  Remembers the attack going on, and nothing else.
 */
#ifndef SLUICE_ENTROPY_JUDGE_H
#define SLUICE_ENTROPY_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "baseline.h"
#include "measure.h"
#include "params.h"

/* How the suspects of a class spread their packets. */
enum judge_shape {
	JUDGE_SHAPE_NATURAL, /* As clients do: between the other two. */
	JUDGE_SHAPE_MANY,    /* Many sources, much alike: entropy near its maximum. */
	JUDGE_SHAPE_FEW,     /* A few sources send most: entropy near 0. */
};

struct judge_class {
	/* This window. */
	double pps, normalised;
	double limit; /* At which the class is a flood. */
	uint64_t n;
	enum judge_shape shape;
	/* Suspects in this bin and above are named; ENTROPY_N_BINS: none. */
	unsigned int name_from;
	/* The attack. */
	bool active;
	uint32_t streak;   /* Windows in a row that looked like a flood. */
	bool began;	   /* The window before those had a part of it, of few loud sources. */
	unsigned int band; /* The lowest bin that belongs to the flood. */
};

struct judge {
	struct judge_class class[ENTROPY_N_CLASSES];
	bool attack, thin_active;
	uint32_t sighted; /* So many windows more there are known clients, though none sends. */
	double off_pps;	  /* Under this much pressure the attack is ending. */
	uint32_t calm;	  /* Windows in a row under it. */
	/* This window. */
	double pressure_pps; /* What the attack sends, blocked or not. */
	double offered_pps, blocked_pps, thin_pps, thin_limit;
	double score;
	bool suspicious; /* A class waits to be confirmed: nothing to learn from. */
};

/* Looks at the next window. */
void judge_step(struct judge *judge, const struct entropy_params *params,
		const struct entropy_measure *measure, const struct baseline *baseline);

/* The attack as it stands, without a window to look at. */
void judge_skip(struct judge *judge);

#endif /* SLUICE_ENTROPY_JUDGE_H */
