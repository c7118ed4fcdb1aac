/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One window after the other: measure, judge, name, learn.
 */
#include "logic.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "baseline.h"
#include "learned.h"

/* A new level that lasts this long without being an attack is the new normal. */
#define ACCEPT_WINDOWS 60
/* Sources down to this part of the floor are learned, to be known when they grow. */
#define NOTE_FRACTION 0.25
/*
 * From this share of the strangers on, rules found in a window are left to stop the flood alone: a list
 * of its senders would outlive it, and its limits hit clients as fast as the slowest sender.
 */
#define RULES_SUFFICE 0.5
/* Entropy of fewer packets is chance. */
#define LEAST_ENTROPY_PACKETS 64

struct entropy {
	struct entropy_params params;
	struct entropy_measure measure;
	struct baseline baseline;
	struct judge judge;
	struct learned *learned;
	struct aggregate *aggregate;
	struct aggregate_result aggregate_result;
	struct forged forged[ENTROPY_N_FORGED];
	uint32_t now;	    /* Windows seen; begins at 1. */
	uint32_t unlearned; /* Windows in a row that were no attack and not learned either. */
	bool peace;	    /* The last window was learned. */
};

static void init_forged(struct entropy *entropy)
{
	static const uint8_t families[] = { SLUICE_FAMILY_IPV4, SLUICE_FAMILY_IPV6 };

	for (size_t i = 0; i < ENTROPY_N_FORGED; i++)
		forged_init(&entropy->forged[i], (enum forged_kind)(i / 2), families[i % 2]);
}

int entropy_new(const struct entropy_params *params, struct entropy **out)
{
	struct entropy *entropy = calloc(1, sizeof(*entropy));

	if (!entropy)
		return -ENOMEM;
	entropy->learned = learned_new(params->max_learned, params->seed);
	if (!entropy->learned) {
		free(entropy);
		return -ENOMEM;
	}
	if (aggregate_new(&params->aggregate, &entropy->aggregate) != 0) {
		learned_free(entropy->learned);
		free(entropy);
		return -ENOMEM;
	}
	entropy->params = *params;
	measure_init(&entropy->measure);
	init_forged(entropy);
	*out = entropy;
	return 0;
}

void entropy_free(struct entropy *entropy)
{
	if (!entropy)
		return;
	measure_fini(&entropy->measure);
	learned_free(entropy->learned);
	aggregate_free(entropy->aggregate);
	free(entropy);
}

bool entropy_reconfigure(struct entropy *entropy, const struct entropy_params *params)
{
	if (params->max_learned != entropy->params.max_learned)
		return false;
	/* The sources were filed under the old seed. */
	uint64_t seed = entropy->params.seed;

	entropy->params = *params;
	entropy->params.seed = seed;
	aggregate_set_params(entropy->aggregate, &params->aggregate);
	return true;
}

static void make_point(const struct entropy *entropy, struct baseline_point *point)
{
	const struct entropy_measure *measure = &entropy->measure;
	bool enough = measure->offered.packets >= LEAST_ENTROPY_PACKETS;

	point->value[BASELINE_OFFERED_PPS] = entropy->judge.offered_pps;
	point->value[BASELINE_BITS] = enough ? entropy_sum_bits(&measure->offered) : NAN;
	point->value[BASELINE_NORMALISED] = enough ? entropy_sum_normalised(&measure->offered)
						   : NAN;
	point->value[BASELINE_THIN_PPS] = entropy->judge.thin_pps;
	for (int i = 0; i < ENTROPY_N_CLASSES; i++)
		point->value[BASELINE_SUSPECT_PPS + i] = entropy->judge.class[i].pps;
}

static void learn_sources(struct entropy *entropy, const struct sluice_window *window)
{
	double seconds = entropy->measure.seconds;
	double least = NOTE_FRACTION * entropy->params.source_floor_pps * seconds;

	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);
		double packets = (double)source->packets;

		/* Known clients were vouched for while measuring. */
		if (packets >= least && packets > 0 && !(source->flags & SLUICE_SOURCE_KNOWN))
			learned_note(entropy->learned, &source->key, packets / seconds,
				     entropy->now);
	}
}

static void freeze(struct entropy *entropy)
{
	if (entropy->peace)
		learned_drop_young(entropy->learned, entropy->now);
	entropy->peace = false;
	baseline_freeze(&entropy->baseline);
}

static bool is_forged(const struct entropy *entropy)
{
	for (size_t i = 0; i < ENTROPY_N_FORGED; i++)
		if (entropy->forged[i].active)
			return true;
	return false;
}

/* The host saw an attack, whoever noticed it. */
static bool is_attack_elsewhere(const struct sluice_window *window)
{
	return SLUICE_HAS(window, flags) && window->flags & SLUICE_WINDOW_ATTACK;
}

static void learn(struct entropy *entropy, const struct sluice_window *window)
{
	const struct judge *judge = &entropy->judge;
	struct baseline_point point;

	if (judge->attack || judge->suspicious || entropy->aggregate_result.attack ||
	    is_forged(entropy) || is_attack_elsewhere(window)) {
		entropy->unlearned = 0;
		freeze(entropy);
		return;
	}
	if (baseline_is_jump(&entropy->baseline, judge->offered_pps)) {
		freeze(entropy);
		if (++entropy->unlearned >= ACCEPT_WINDOWS) {
			baseline_restart(&entropy->baseline);
			entropy->unlearned = 0;
		}
		return;
	}
	entropy->unlearned = 0;
	entropy->peace = true;
	make_point(entropy, &point);
	baseline_learn(&entropy->baseline, &point);
	learn_sources(entropy, window);
}

/* Moves the suspects that are named to the front of their list. */
static size_t name(struct entropy *entropy)
{
	struct entropy_suspect *list = entropy->measure.list;
	size_t n = 0;

	/* If the flood still passes in the next window, no rule is found in that one. */
	if (entropy->aggregate_result.found_share >= RULES_SUFFICE)
		return 0;
	for (size_t i = 0; i < entropy->measure.n_list; i++)
		if (list[i].bin >= entropy->judge.class[list[i].class].name_from)
			list[n++] = list[i];
	return n;
}

/* A rule is wanted from its least rate on. */
static double score_of(const struct entropy *entropy)
{
	const struct aggregate_result *aggregate = &entropy->aggregate_result;
	double score = entropy->judge.score;

	for (size_t i = 0; i < aggregate->n_rules; i++)
		score = fmax(score, aggregate->rules[i].offered_pps /
					    entropy->params.aggregate.mine.min_pps);
	return score;
}

static void report(const struct entropy *entropy, size_t n_named, struct entropy_result *result)
{
	*result = (struct entropy_result){
		.attack = entropy->judge.attack || entropy->aggregate_result.attack ||
			  is_forged(entropy),
		.score = score_of(entropy),
		.aggregate = entropy->aggregate_result,
		.offered_entropy = entropy_sum_normalised(&entropy->measure.offered),
		.passed_entropy = entropy_sum_normalised(&entropy->measure.passed),
		.judge = &entropy->judge,
		.forged = entropy->forged,
		.named = entropy->measure.list,
		.n_named = n_named,
		.learned = entropy->peace,
		.learned_windows = baseline_windows(&entropy->baseline),
		.n_known = (uint32_t)entropy->measure.n_known,
	};
}

static void shape_of(const struct entropy *entropy, const struct forged *forged,
		     struct shape *shape)
{
	struct shape_input input;

	aggregate_samples(entropy->aggregate, &input);
	switch (forged->kind) {
	case FORGED_OPEN:
		shape_of_open(&input, forged->family, shape);
		return;
	case FORGED_UDP:
		shape_of_scattered(&input, forged->family, shape);
		return;
	case FORGED_SYN:
	case FORGED_N_KINDS:
		break;
	}
	shape_of_syn(forged->family, shape);
}

static void observe_forged(struct entropy *entropy, const struct sluice_window *window)
{
	const struct entropy_params *params = &entropy->params;
	const struct forged_params limits = {
		.min_pps = params->aggregate.mine.min_pps,
		.growth = params->growth,
		.min_sources = params->aggregate.mine.min_sources,
	};
	bool hold = entropy->judge.attack || entropy->aggregate_result.attack ||
		    is_attack_elsewhere(window);

	for (size_t i = 0; i < ENTROPY_N_FORGED; i++) {
		struct forged *forged = &entropy->forged[i];
		struct shape shape;

		shape_of(entropy, forged, &shape);
		forged_observe(forged, &limits, entropy->learned, window, &shape, hold);
	}
}

int entropy_observe(struct entropy *entropy, const struct sluice_window *window,
		    struct entropy_result *result)
{
	size_t n_named;
	int rc;

	if (!measure_window_is_readable(window))
		return -EINVAL;
	if (window->length_ns == 0) {
		judge_skip(&entropy->judge);
		report(entropy, 0, result);
		return 0;
	}
	rc = measure_window(&entropy->measure, &entropy->params, entropy->learned, entropy->now + 1,
			    window);
	if (rc != 0)
		return rc;
	entropy->now++;
	judge_step(&entropy->judge, &entropy->params, &entropy->measure, &entropy->baseline);
	rc = aggregate_observe(entropy->aggregate, window, entropy->learned, entropy->now,
			       entropy->judge.attack || entropy->judge.suspicious ||
				       is_forged(entropy),
			       &entropy->aggregate_result);
	if (rc != 0)
		return rc;
	observe_forged(entropy, window);
	n_named = name(entropy);
	learn(entropy, window);
	report(entropy, n_named, result);
	return 0;
}
