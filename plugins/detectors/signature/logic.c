/* SPDX-License-Identifier: BSD-2-Clause */
/* See logic.h. */
#include "logic.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../common/known.h"
#include "../common/packet.h"
#include "level.h"

#define MIN_SECONDS 0.05 /* A shorter window says too little about a rate. */

struct state {
	struct logic_finding finding;
	struct level level;
	uint64_t dropped; /* By rules of this signature, in this window. */
	uint32_t calm;	  /* Windows since it was last above half its limit. */
};

struct logic {
	struct logic_params params;
	const struct signature_set *set;
	struct state *states;
	int *fits; /* By sample: a signature's place, or -1. */
	struct packet *packets;
	size_t capacity;
	size_t n_fits;
};

int logic_new(const struct logic_params *params, const struct signature_set *set,
	      struct logic **out)
{
	struct logic *logic = calloc(1, sizeof(*logic));

	if (!logic)
		return -ENOMEM;
	logic->params = *params;
	logic->set = set;
	logic->states = calloc(SIGNATURE_MAX, sizeof(*logic->states));
	if (!logic->states) {
		free(logic);
		return -ENOMEM;
	}
	*out = logic;
	return 0;
}

void logic_free(struct logic *logic)
{
	if (!logic)
		return;
	free(logic->states);
	free(logic->fits);
	free(logic->packets);
	free(logic);
}

void logic_set_params(struct logic *logic, const struct logic_params *params)
{
	logic->params = *params;
}

static int make_room(struct logic *logic, size_t n)
{
	int *fits;
	struct packet *packets;

	if (n <= logic->capacity)
		return 0;
	fits = realloc(logic->fits, n * sizeof(*fits));
	if (fits)
		logic->fits = fits;
	packets = realloc(logic->packets, n * sizeof(*packets));
	if (packets)
		logic->packets = packets;
	if (!fits || !packets)
		return -ENOMEM;
	logic->capacity = n;
	return 0;
}

static int first_fit(const struct signature_set *set, const struct packet *packet)
{
	for (size_t i = 0; i < set->n; i++)
		if (packet_matches(packet, &set->list[i].match))
			return (int)i;
	return -1;
}

static void match_samples(struct logic *logic, const struct sluice_window *window)
{
	logic->n_fits = window->n_samples;
	for (size_t i = 0; i < window->n_samples; i++) {
		struct packet *packet = &logic->packets[i];

		logic->fits[i] = packet_parse(sluice_window_sample(window, i), packet)
					 ? first_fit(logic->set, packet)
					 : -1;
	}
}

static void count_samples(struct logic *logic)
{
	for (size_t i = 0; i < logic->set->n; i++) {
		logic->states[i].finding.samples = 0;
		logic->states[i].dropped = 0;
	}
	for (size_t i = 0; i < logic->n_fits; i++)
		if (logic->fits[i] >= 0)
			logic->states[logic->fits[i]].finding.samples++;
}

/* What rules of ours dropped passed nobody, and yet it was offered. */
static void count_dropped(struct logic *logic, const struct sluice_window *window)
{
	if (!SLUICE_HAS(window, rule_size))
		return;
	for (size_t i = 0; i < window->n_rules; i++) {
		const struct sluice_window_rule *rule = sluice_window_rule(window, i);
		int at = signature_set_find(logic->set, rule->reason, sizeof(rule->reason));

		if (at >= 0)
			logic->states[at].dropped += rule->dropped_packets;
	}
}

static double least_pps(const struct logic *logic, size_t i)
{
	uint64_t pps = logic->set->list[i].pps;

	return (double)(pps ? pps : logic->params.pps);
}

static double limit_of(const struct logic *logic, size_t i)
{
	const struct level *level = &logic->states[i].level;
	double learned = fmax(logic->params.growth * level->mean,
			      level->mean + logic->params.deviation * level_deviation(level));

	return fmax(least_pps(logic, i), learned);
}

static void judge(struct logic *logic, size_t i)
{
	struct state *state = &logic->states[i];
	struct logic_finding *finding = &state->finding;
	bool proven = state->dropped || finding->samples >= logic->params.min_samples;

	if (proven && finding->pps >= finding->limit) {
		finding->active = true;
		state->calm = 0;
	} else if (finding->active && finding->pps >= finding->limit / 2) {
		state->calm = 0;
	} else if (finding->active && ++state->calm >= logic->params.calm_windows) {
		finding->active = false;
	}
}

static void learn(struct logic *logic, size_t i, double seconds)
{
	struct state *state = &logic->states[i];

	if (state->finding.active)
		level_freeze(&state->level);
	else
		level_offer(&state->level, state->finding.pps, least_pps(logic, i) / 8, seconds,
			    logic->params.lag);
}

static void estimate(struct logic *logic, const struct sluice_window *window, double seconds)
{
	double per_sample =
		window->n_samples ? (double)window->passed_packets / (double)window->n_samples : 0;

	for (size_t i = 0; i < logic->set->n; i++) {
		struct logic_finding *finding = &logic->states[i].finding;

		finding->pps = (finding->samples * per_sample + (double)logic->states[i].dropped) /
			       seconds;
		finding->limit = limit_of(logic, i);
		judge(logic, i);
		learn(logic, i, seconds);
	}
}

int logic_observe(struct logic *logic, const struct sluice_window *window)
{
	double seconds = fmax((double)window->length_ns / 1e9, MIN_SECONDS);
	int code = make_room(logic, window->n_samples);

	logic->n_fits = 0;
	if (code)
		return code;
	match_samples(logic, window);
	code = known_leave_out(window, logic->packets, logic->fits);
	if (code)
		return code;
	count_samples(logic);
	count_dropped(logic, window);
	estimate(logic, window, seconds);
	return 0;
}

const struct logic_finding *logic_finding(const struct logic *logic, size_t i)
{
	return &logic->states[i].finding;
}

int logic_sample_signature(const struct logic *logic, size_t i)
{
	return i < logic->n_fits ? logic->fits[i] : -1;
}

const struct packet *logic_sample_packet(const struct logic *logic, size_t i)
{
	return i < logic->n_fits ? &logic->packets[i] : NULL;
}
