/* SPDX-License-Identifier: BSD-2-Clause */
/* See aggregate.h. */
#include "aggregate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../common/known.h"
#include "information.h"
#include "learned.h"
#include "ordinary.h"
#include "peace.h"

#define LEAST_SECONDS 2.0  /* Of peace, before a rule can be called harmless. */
#define LEAST_WINDOWS 5	   /* The same. */
#define QUIET_FRACTION 0.2 /* Of the least excess: under it a rule is no longer needed. */
#define QUIET_SECONDS 3.0  /* So long. */
#define SHORTEST_SECONDS 0.05

struct aggregate {
	struct aggregate_params params;
	struct miner *miner;
	struct peace peace;
	struct mine_ordinary ordinary[ORDINARY_MAX];
	size_t n_ordinary;
	struct mine_packet strangers[MINE_MAX_SAMPLES];
	size_t n_strangers;	/* That no rule explains. */
	double n_read;		/* IP packets among the samples, known clients' included. */
	struct packet *packets; /* Of all samples. */
	int *fits;
	size_t capacity;
	double seconds, per_sample; /* What one sample stands for, in packets/s. */
	struct aggregate_rule rules[MINE_MAX_RULES];
	size_t n_rules;
};

int aggregate_new(const struct aggregate_params *params, struct aggregate **out)
{
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));

	if (!aggregate)
		return -ENOMEM;
	aggregate->miner = miner_new();
	if (!aggregate->miner) {
		free(aggregate);
		return -ENOMEM;
	}
	aggregate->params = *params;
	peace_init(&aggregate->peace, params->seed);
	aggregate->n_ordinary = ordinary_fill(aggregate->ordinary);
	*out = aggregate;
	return 0;
}

void aggregate_free(struct aggregate *aggregate)
{
	if (!aggregate)
		return;
	miner_free(aggregate->miner);
	free(aggregate->packets);
	free(aggregate->fits);
	free(aggregate);
}

void aggregate_set_params(struct aggregate *aggregate, const struct aggregate_params *params)
{
	aggregate->params = *params;
}

static int reserve(struct aggregate *aggregate, size_t n)
{
	struct packet *packets;
	int *fits;

	if (n <= aggregate->capacity)
		return 0;
	packets = reallocarray(aggregate->packets, n, sizeof(*packets));
	if (packets)
		aggregate->packets = packets;
	fits = reallocarray(aggregate->fits, n, sizeof(*fits));
	if (fits)
		aggregate->fits = fits;
	if (!packets || !fits)
		return -ENOMEM;
	aggregate->capacity = n;
	return 0;
}

/* The source as the window's tables have it. */
static struct sluice_key unit_of(const struct sluice_key *source,
				 const struct sluice_window *window)
{
	struct sluice_key key = *source;
	unsigned int unit = 64;

	if (key.family != SLUICE_FAMILY_IPV6)
		return key;
	for (size_t i = 0; i < window->n_sources; i++)
		if (sluice_window_source(window, i)->key.family == SLUICE_FAMILY_IPV6) {
			unit = sluice_window_source(window, i)->key.prefix_len;
			break;
		}
	unit = unit < 128 ? unit : 128;
	for (unsigned int bit = unit; bit < 128; bit++)
		key.addr[bit / 8] &= (uint8_t) ~(128u >> (bit % 8));
	key.prefix_len = (uint8_t)unit;
	return key;
}

static bool same_range(const struct sluice_rule_range *left, const struct sluice_rule_range *right)
{
	return left->from == right->from && left->to == right->to;
}

/* Only what the miner asks for. */
static bool same_match(const struct sluice_rule_match *left, const struct sluice_rule_match *right)
{
	uint32_t fields = left->fields;

	return fields == right->fields && left->family == right->family &&
	       left->protocol == right->protocol && left->payload_size == right->payload_size &&
	       memcmp(left->payload, right->payload, left->payload_size) == 0 &&
	       (!(fields & SLUICE_RULE_TCP_FLAGS) ||
		(left->tcp_value == right->tcp_value && left->tcp_mask == right->tcp_mask)) &&
	       (!(fields & SLUICE_RULE_SOURCE_PORT) ||
		same_range(&left->source_port, &right->source_port)) &&
	       (!(fields & SLUICE_RULE_DESTINATION_PORT) ||
		same_range(&left->destination_port, &right->destination_port)) &&
	       (!(fields & SLUICE_RULE_LENGTH) || same_range(&left->length, &right->length)) &&
	       (!(fields & SLUICE_RULE_TTL) || same_range(&left->ttl, &right->ttl)) &&
	       (!(fields & SLUICE_RULE_FRAGMENT) || left->fragment == right->fragment);
}

static bool has_rules(const struct sluice_window *window)
{
	return SLUICE_HAS(window, rule_size) && window->rules &&
	       window->rule_size >= sizeof(struct sluice_window_rule);
}

/* True if a rule in force, ours or not, is there for this packet. */
static bool is_explained(struct aggregate *aggregate, const struct sluice_window *window,
			 const struct mine_packet *packet)
{
	bool explained = false;

	for (size_t i = 0; i < aggregate->n_rules; i++)
		if (mine_packet_fits(packet, &aggregate->rules[i].mined.match)) {
			aggregate->rules[i].offered_pps += aggregate->per_sample;
			explained = true;
			break;
		}
	for (size_t i = 0; !explained && has_rules(window) && i < window->n_rules; i++)
		explained = mine_packet_fits(packet, &sluice_window_rule(window, i)->match);
	return explained;
}

static int read_samples(struct aggregate *aggregate, const struct sluice_window *window,
			struct learned *learned, uint32_t now)
{
	size_t n = window->n_samples;
	size_t step = n > MINE_MAX_SAMPLES ? (n + MINE_MAX_SAMPLES - 1) / MINE_MAX_SAMPLES : 1;
	int rc = reserve(aggregate, n);

	aggregate->n_strangers = 0;
	aggregate->n_read = 0;
	if (rc != 0)
		return rc;
	for (size_t i = 0; i < n; i++)
		aggregate->fits[i] =
			packet_parse(sluice_window_sample(window, i), &aggregate->packets[i]) ? 0
											      : -1;
	for (size_t i = 0; i < n; i += step)
		aggregate->n_read++;
	rc = known_leave_out(window, aggregate->packets, aggregate->fits);
	if (rc != 0)
		return rc;
	aggregate->per_sample =
		aggregate->n_read > 0
			? (double)window->passed_packets / aggregate->n_read / aggregate->seconds
			: 0;
	for (size_t i = 0; i < n; i += step) {
		struct mine_packet *out = &aggregate->strangers[aggregate->n_strangers];
		struct sluice_key unit;

		if (aggregate->fits[i] < 0)
			continue;
		unit = unit_of(&aggregate->packets[i].source, window);
		mine_packet_set(out, &aggregate->packets[i], learned_hash(learned, &unit),
				!learned_has(learned, &unit, now));
		aggregate->n_strangers += !is_explained(aggregate, window, out);
	}
	return 0;
}

/* What the rules in force took: packets a second of ours, and whether anything is being dropped. */
static bool read_rules(struct aggregate *aggregate, const struct sluice_window *window)
{
	double dropped = (double)window->blocked_packets + (double)window->hw_packets;

	for (size_t i = 0; has_rules(window) && i < window->n_rules; i++) {
		const struct sluice_window_rule *rule = sluice_window_rule(window, i);

		if (rule->flags & SLUICE_WINDOW_RULE_AUTOMATIC)
			dropped += (double)rule->packets;
		for (size_t at = 0; at < aggregate->n_rules; at++)
			if (same_match(&aggregate->rules[at].mined.match, &rule->match))
				aggregate->rules[at].offered_pps =
					fmax(aggregate->rules[at].offered_pps,
					     (double)rule->packets / aggregate->seconds);
	}
	return dropped / aggregate->seconds >= QUIET_FRACTION * aggregate->params.mine.min_pps;
}

static void compare(const struct aggregate *aggregate, struct aggregate_result *result)
{
	double now[PEACE_KINDS] = { 0 }, peace[PEACE_KINDS];

	for (size_t i = 0; i < aggregate->n_strangers; i++)
		now[peace_kind(&aggregate->strangers[i].packet)]++;
	for (size_t i = 0; i < PEACE_KINDS; i++)
		peace[i] = aggregate->peace.kinds[i];
	/* Where peace has no strangers at all, whatever they send is far from it. */
	result->distance = aggregate->peace.n == 0 && aggregate->n_strangers > 0
				   ? 1
				   : information_jensen_shannon(now, peace, PEACE_KINDS);
	result->renyi = information_renyi(now, PEACE_KINDS, aggregate->params.alpha);
	result->phi = information_phi(now, PEACE_KINDS, aggregate->params.phi);
}

/* The share of the strangers that is explained by rules found now. */
static double mine(struct aggregate *aggregate)
{
	struct mine_rule found[MINE_MAX_RULES];
	struct mine_params params = aggregate->params.mine;
	struct mine_input input = {
		.samples = aggregate->strangers,
		.n_samples = aggregate->n_strangers,
		.pps_per_sample = aggregate->per_sample,
		.peace = aggregate->peace.packets,
		.n_peace = aggregate->peace.n,
		.peace_pps = aggregate->peace.pps.mean,
		.ordinary = aggregate->ordinary,
		.n_ordinary = aggregate->n_ordinary,
	};
	double share = 0;
	size_t n;

	params.max_rules = params.max_rules < MINE_MAX_RULES ? params.max_rules : MINE_MAX_RULES;
	if (aggregate->n_rules >= params.max_rules)
		return 0;
	params.max_rules -= aggregate->n_rules;
	n = miner_run(aggregate->miner, &params, &input, found);
	for (size_t i = 0; i < n; i++) {
		aggregate->rules[aggregate->n_rules++] = (struct aggregate_rule){
			.mined = found[i],
			.offered_pps = found[i].pps,
		};
		share += found[i].coverage;
	}
	return share;
}

/* Lets go of rules that nobody needs any more. */
static void retire(struct aggregate *aggregate)
{
	uint32_t windows = (uint32_t)ceil(QUIET_SECONDS / aggregate->seconds);
	size_t kept = 0;

	if (windows < aggregate->params.calm_windows)
		windows = aggregate->params.calm_windows;
	for (size_t i = 0; i < aggregate->n_rules; i++) {
		struct aggregate_rule *rule = &aggregate->rules[i];

		rule->quiet = rule->offered_pps < QUIET_FRACTION * aggregate->params.mine.min_pps
				      ? rule->quiet + 1
				      : 0;
		if (rule->quiet < windows)
			aggregate->rules[kept++] = *rule;
	}
	aggregate->n_rules = kept;
}

static bool is_warm(const struct aggregate *aggregate)
{
	const struct peace *peace = &aggregate->peace;

	return peace->pps.n >= LEAST_WINDOWS && peace->seconds >= LEAST_SECONDS;
}

static void report(const struct aggregate *aggregate, struct aggregate_result *result)
{
	result->attack = aggregate->n_rules > 0;
	result->rules = aggregate->rules;
	result->n_rules = aggregate->n_rules;
	result->n_peace = aggregate->peace.n;
}

static bool is_readable(const struct sluice_window *window)
{
	return SLUICE_HAS(window, samples_lost) && window->length_ns > 0 &&
	       (window->n_samples == 0 ||
		(window->samples && window->sample_size >= sizeof(struct sluice_sample)));
}

int aggregate_observe(struct aggregate *aggregate, const struct sluice_window *window,
		      struct learned *learned, uint32_t now, bool hold,
		      struct aggregate_result *result)
{
	bool dropping;
	int rc;

	memset(result, 0, sizeof(*result));
	if (!is_readable(window)) {
		aggregate->n_strangers = 0;
		report(aggregate, result);
		return 0;
	}
	aggregate->seconds = fmax((double)window->length_ns / 1e9, SHORTEST_SECONDS);
	for (size_t i = 0; i < aggregate->n_rules; i++)
		aggregate->rules[i].offered_pps = 0;
	rc = read_samples(aggregate, window, learned, now);
	if (rc != 0)
		return rc;
	dropping = read_rules(aggregate, window);
	retire(aggregate);
	result->stranger_pps = (double)aggregate->n_strangers * aggregate->per_sample;
	result->jump = peace_is_jump(&aggregate->peace, result->stranger_pps);
	compare(aggregate, result);
	if (is_warm(aggregate) && result->stranger_pps >= aggregate->params.mine.min_pps &&
	    result->distance >= aggregate->params.distance)
		result->found_share = mine(aggregate);
	if (hold || dropping || aggregate->n_rules > 0 ||
	    (SLUICE_HAS(window, flags) && window->flags & SLUICE_WINDOW_ATTACK))
		peace_freeze(&aggregate->peace);
	else
		peace_learn(&aggregate->peace, aggregate->strangers, aggregate->n_strangers,
			    result->stranger_pps, aggregate->seconds, result->jump);
	report(aggregate, result);
	return 0;
}

void aggregate_samples(const struct aggregate *aggregate, struct shape_input *input)
{
	*input = (struct shape_input){
		.samples = aggregate->strangers,
		.n_samples = aggregate->n_strangers,
		.pps_per_sample = aggregate->per_sample,
		.peace = aggregate->peace.packets,
		.n_peace = aggregate->peace.n,
		.min_samples = aggregate->params.mine.min_sources,
	};
}
