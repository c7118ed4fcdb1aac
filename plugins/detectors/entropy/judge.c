/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules; README.md gives them in words and says where they come from.
 */
#include "judge.h"

#include <math.h>

/* What a class needs beyond the limits that all share. */
struct class_rule {
	/* Windows in a row.  TCP waits until the kernel had time to know who is a client. */
	uint32_t confirm;
	/* The limit's factor where no client is known, as on a router that ends no connections. */
	double blind_factor;
	bool learned; /* Has the lower limit of a learned peace. */
};

static const struct class_rule class_rules[ENTROPY_N_CLASSES] = {
	[ENTROPY_CLASS_SYN] = { .confirm = 1, .blind_factor = 1, .learned = true },
	[ENTROPY_CLASS_UDP] = { .confirm = 1, .blind_factor = 1, .learned = true },
	[ENTROPY_CLASS_ICMP] = { .confirm = 1, .blind_factor = 1, .learned = true },
	[ENTROPY_CLASS_OTHER] = { .confirm = 3, .blind_factor = 4, .learned = true },
	[ENTROPY_CLASS_TALK] = { .confirm = 3, .blind_factor = 4, .learned = false },
};

#define LEARNED_CONFIRM 2	/* Windows in a row at the lower limit. */
#define LEARNED_SHORT_BITS 0.35 /* Of the greatest entropy: more even than crowds of people. */
#define LOUD_PPS 4000.0		/* Of few sources each; 3 of 504 captures have a client of 1,000. */
#define BEGAN_PPS 1000.0	/* Of few sources: the part of a window that a flood began in. */
#define LOUD_LEARN_WINDOWS 10	/* Of peace, in which to see that such sources are not its own. */
#define SIGHTED_WINDOWS 600  /* Without a packet of a known client, until it is for lack of any. */
#define LEARNED_GROWTH 4.0   /* Over the suspects' own mean in peace. */
#define ANY_SHAPE_FACTOR 4.0 /* From here on the volume alone is a flood. */
#define THIN_FACTOR 4.0	     /* Sources under the floor cannot be named: be slower to cry. */
#define GOING_ON_FACTOR 0.5  /* Of a limit, while there is an attack. */
#define GAP_BINS 4	     /* Two octaves without a suspect part two crowds. */
#define BAND_MARGIN_BINS 2   /* Counting noise at the lower edge of a flood: one octave. */
#define LEAST_BITS_DEVIATION 0.1
#define LEAST_NORMALISED_DEVIATION 0.01

/* The window, and what it is compared with. */
struct view {
	const struct entropy_params *params;
	const struct entropy_measure *measure;
	const struct baseline *baseline;
	bool warm;	    /* Enough of peace was seen. */
	bool entropy_moved; /* Away from what it is in peace. */
	bool blind;	    /* Nobody is known here, as on a router. */
};

static struct view make_view(const struct entropy_params *params,
			     const struct entropy_measure *measure, const struct baseline *baseline)
{
	struct view view = { .params = params, .measure = measure, .baseline = baseline };
	double bits = entropy_sum_bits(&measure->offered);
	double normalised = entropy_sum_normalised(&measure->offered);

	view.warm = baseline_windows(baseline) >= params->learn_windows;
	bits = baseline_distance(baseline, BASELINE_BITS, bits, LEAST_BITS_DEVIATION);
	normalised = baseline_distance(baseline, BASELINE_NORMALISED, normalised,
				       LEAST_NORMALISED_DEVIATION);
	view.entropy_moved = fmax(bits, normalised) >= params->deviation;
	return view;
}

static enum judge_shape shape_of(const struct entropy_params *params,
				 const struct judge_class *class)
{
	if (class->n < params->min_sources || class->normalised <= params->low_entropy)
		return JUDGE_SHAPE_FEW;
	return class->normalised >= params->high_entropy ? JUDGE_SHAPE_MANY : JUDGE_SHAPE_NATURAL;
}

static void describe(struct judge_class *class, enum entropy_class which, const struct view *view)
{
	const struct entropy_sum *suspects = &view->measure->suspects[which];
	double limit = view->params->flood_pps;

	if (view->blind)
		limit *= class_rules[which].blind_factor;
	if (view->warm)
		limit = fmax(limit, baseline_limit(view->baseline, BASELINE_SUSPECT_PPS + which,
						   LEARNED_GROWTH));
	/* An attack is measured by what it began with. */
	if (!class->active)
		class->limit = limit;
	class->pps = suspects->packets / view->measure->seconds;
	class->n = suspects->n;
	class->normalised = entropy_sum_normalised(suspects);
	class->shape = shape_of(view->params, class);
}

/* Volume, and a shape that clients do not have. */
static bool is_flood(const struct judge_class *class, double factor)
{
	if (class->pps < factor * class->limit)
		return false;
	return class->shape != JUDGE_SHAPE_NATURAL ||
	       class->pps >= ANY_SHAPE_FACTOR * factor * class->limit;
}

/* What the entropy of a class lacks to its maximum; unlike the ratio the same for any number. */
static double bits_short(const struct judge_class *class)
{
	return (1 - class->normalised) * log2((double)class->n);
}

/* The lower limit. */
static double learned_limit(const struct view *view, enum entropy_class which)
{
	return fmax(view->params->learned_flood_pps,
		    baseline_limit(view->baseline, BASELINE_SUSPECT_PPS + which, LEARNED_GROWTH));
}

/* What the sources send of which each alone is loud. */
static double loud_pps(const struct view *view, enum entropy_class which)
{
	double packets = 0;

	for (unsigned int bin = entropy_bin(LOUD_PPS); bin < ENTROPY_N_BINS; bin++)
		packets += view->measure->bin_packets[which][bin];
	return packets / view->measure->seconds;
}

/* Few of which each is loud.  Where no client is known, those in the middle of a transfer are not. */
static bool are_loud(const struct view *view, enum entropy_class which, double limit)
{
	return baseline_windows(view->baseline) >= LOUD_LEARN_WINDOWS &&
	       (which != ENTROPY_CLASS_OTHER || !view->blind) && loud_pps(view, which) >= limit;
}

/*
 * Few of which each is loud, or many that are more alike than people and move the entropy; a quiet
 * peace, whose entropy is chance, has none to compare with.
 */
static bool has_flood_shape(const struct judge_class *class, enum entropy_class which,
			    const struct view *view, double limit)
{
	if (class->shape == JUDGE_SHAPE_FEW)
		return are_loud(view, which, limit);
	return view->warm && class->shape == JUDGE_SHAPE_MANY &&
	       bits_short(class) <= LEARNED_SHORT_BITS && view->entropy_moved;
}

/* Only strangers of such a shape, most of all traffic, where peace was different. */
static bool is_learned_flood(struct judge_class *class, enum entropy_class which,
			     const struct view *view)
{
	const struct entropy_params *params = view->params;
	double limit = learned_limit(view, which);

	if (which == ENTROPY_CLASS_UDP && view->measure->quic_crowd)
		return false;
	if (!class_rules[which].learned || limit >= class->limit || class->pps < limit ||
	    !has_flood_shape(class, which, view, limit) ||
	    view->measure->suspects[which].packets <
		    params->new_share * view->measure->offered.packets ||
	    !baseline_is_jump(view->baseline,
			      view->measure->offered.packets / view->measure->seconds))
		return false;
	class->limit = limit;
	return true;
}

/*
 * Windows in a row at the lower limit.  A flood begins somewhere in a window: of few loud sources,
 * what that part of it had counts as the first.
 */
static uint32_t learned_confirm(const struct judge_class *class, enum entropy_class which)
{
	uint32_t confirm = class_rules[which].confirm;

	if (class->shape == JUDGE_SHAPE_FEW)
		return class->began ? LEARNED_CONFIRM - 1 : LEARNED_CONFIRM;
	return confirm > LEARNED_CONFIRM ? confirm : LEARNED_CONFIRM;
}

/* True if the class is, or has become, part of an attack. */
static bool class_step(struct judge_class *class, enum entropy_class which, bool attack,
		       const struct view *view)
{
	uint32_t confirm = class_rules[which].confirm;
	bool flood;

	describe(class, which, view);
	if (class->active)
		return true;
	flood = is_flood(class, attack ? GOING_ON_FACTOR : 1.0);
	if (!flood && is_learned_flood(class, which, view)) {
		flood = true;
		confirm = learned_confirm(class, which);
	}
	/* Only the window right before the first full one. */
	if (!flood)
		class->began = class->shape == JUDGE_SHAPE_FEW && class->pps >= BEGAN_PPS;
	class->streak = flood ? class->streak + 1 : 0;
	class->active = flood && class->streak >= confirm;
	if (class->active)
		class->band = ENTROPY_N_BINS;
	return class->active;
}

/*
 * Where a crowd of like sources ends: going down from its fastest, the first two octaves with
 * nobody in them, if what is left below is no flood by itself.
 */
static unsigned int crowd_edge(const struct entropy_measure *measure, enum entropy_class which,
			       double rest_limit)
{
	double rest = measure->suspects[which].packets;
	unsigned int edge = ENTROPY_N_BINS, empty = 0;

	for (unsigned int bin = ENTROPY_N_BINS; bin-- > 0;) {
		if (measure->bin_n[which][bin] == 0) {
			empty += edge != ENTROPY_N_BINS;
			if (empty >= GAP_BINS && rest / measure->seconds < rest_limit)
				break;
			continue;
		}
		empty = 0;
		edge = bin;
		rest -= measure->bin_packets[which][bin];
	}
	return edge;
}

/* As far down from the fastest as it takes until the rest is no flood any more. */
static unsigned int peak_edge(const struct entropy_measure *measure, enum entropy_class which,
			      double rest_limit)
{
	double rest = measure->suspects[which].packets;
	unsigned int edge = ENTROPY_N_BINS;

	for (unsigned int bin = ENTROPY_N_BINS; bin-- > 0;) {
		if (rest / measure->seconds < rest_limit)
			break;
		if (measure->bin_n[which][bin] == 0)
			continue;
		edge = bin;
		rest -= measure->bin_packets[which][bin];
	}
	return edge;
}

/* Which suspects of an active class are named: the flood's, or who comes late in its band. */
static void class_name(struct judge_class *class, enum entropy_class which, const struct view *view)
{
	double rest_limit = GOING_ON_FACTOR * class->limit;
	unsigned int edge, margin;

	class->name_from = class->band;
	if (class->pps < rest_limit || class->n == 0)
		return;
	if (class->normalised >= view->params->high_entropy) {
		edge = crowd_edge(view->measure, which, rest_limit);
		margin = edge > BAND_MARGIN_BINS ? BAND_MARGIN_BINS : edge;
	} else {
		edge = peak_edge(view->measure, which, rest_limit);
		margin = 0; /* The peak ends where it was cut. */
	}
	if (edge < class->name_from)
		class->name_from = edge;
	if (edge - margin < class->band)
		class->band = edge - margin;
}

static void begin(struct judge *judge, double limit)
{
	/* The lowest limit of all that took part decides when it is over. */
	if (!judge->attack || GOING_ON_FACTOR * limit < judge->off_pps)
		judge->off_pps = GOING_ON_FACTOR * limit;
	judge->attack = true;
	judge->calm = 0;
}

static void end(struct judge *judge)
{
	for (int i = 0; i < ENTROPY_N_CLASSES; i++) {
		judge->class[i].active = false;
		judge->class[i].streak = 0;
	}
	judge->thin_active = false;
	judge->attack = false;
	judge->off_pps = 0;
	judge->calm = 0;
}

/* Counts calm windows on what is offered, so that blocking does not look like the end. */
static void maybe_end(struct judge *judge, const struct entropy_params *params)
{
	if (!judge->attack)
		return;
	judge->calm = judge->pressure_pps < judge->off_pps ? judge->calm + 1 : 0;
	if (judge->calm >= params->calm_windows)
		end(judge);
}

static void note_score(struct judge *judge, double pps, double limit)
{
	judge->score = fmax(judge->score, pps / limit);
}

static void step_classes(struct judge *judge, const struct view *view)
{
	bool was_attack = judge->attack;

	for (int i = 0; i < ENTROPY_N_CLASSES; i++) {
		struct judge_class *class = &judge->class[i];
		bool was_active = class->active;

		class->name_from = ENTROPY_N_BINS;
		if (class_step(class, (enum entropy_class)i, was_attack, view)) {
			if (!was_active)
				begin(judge, class->limit);
			judge->pressure_pps += class->pps;
			class_name(class, (enum entropy_class)i, view);
		}
		judge->suspicious |= class->streak > 0;
		note_score(judge, class->pps,
			   class->shape == JUDGE_SHAPE_NATURAL ? ANY_SHAPE_FACTOR * class->limit
							       : class->limit);
	}
}

/* A flood from sources too slow to be named one by one: forged addresses, mostly. */
static void step_thin(struct judge *judge, const struct view *view)
{
	const struct entropy_sum *thin = &view->measure->thin;
	double normalised = entropy_sum_normalised(thin), limit;

	judge->thin_pps = thin->packets / view->measure->seconds;
	if (!judge->thin_active) {
		limit = THIN_FACTOR * view->params->flood_pps;
		if (view->warm)
			limit = fmax(limit, baseline_limit(view->baseline, BASELINE_THIN_PPS,
							   LEARNED_GROWTH));
		judge->thin_limit = limit;
		judge->thin_active = judge->thin_pps >= limit &&
				     normalised >= view->params->high_entropy;
		if (judge->thin_active)
			begin(judge, limit);
	}
	if (judge->thin_active && judge->thin_pps >= GOING_ON_FACTOR * judge->thin_limit)
		judge->pressure_pps += judge->thin_pps;
	note_score(judge, judge->thin_pps, judge->thin_limit);
}

void judge_step(struct judge *judge, const struct entropy_params *params,
		const struct entropy_measure *measure, const struct baseline *baseline)
{
	struct view view = make_view(params, measure, baseline);
	double blocked_pps = measure->blocked_packets / measure->seconds;

	/* On a quiet server no client may send anything in a whole window. */
	judge->sighted = measure->n_known > 0 ? SIGHTED_WINDOWS : judge->sighted - !!judge->sighted;
	view.blind = judge->sighted == 0;
	judge->score = 0;
	judge->suspicious = false;
	judge->offered_pps = measure->offered.packets / measure->seconds;
	judge->blocked_pps = blocked_pps;
	judge->pressure_pps = blocked_pps;
	step_classes(judge, &view);
	step_thin(judge, &view);
	/* Whoever blocked them: that much from blocked sources is a flood that goes on. */
	if (blocked_pps >= params->flood_pps)
		begin(judge, params->flood_pps);
	note_score(judge, blocked_pps,
		   judge->attack ? judge->off_pps / GOING_ON_FACTOR : params->flood_pps);
	maybe_end(judge, params);
}

void judge_skip(struct judge *judge)
{
	for (int i = 0; i < ENTROPY_N_CLASSES; i++)
		judge->class[i].name_from = ENTROPY_N_BINS;
}
