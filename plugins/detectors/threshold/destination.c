/* SPDX-License-Identifier: BSD-2-Clause */
/* See destination.h. */
#include "destination.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "key_order.h"

#define SHORTEST_SECONDS 0.05
#define FLAG_SYN 2u
#define FLAG_ACK 16u
/* Who sends less than this share of the excess is not what exceeds the limit. */
#define LEAST_SHARE 0.01
/* The heavy sources must explain so much of the excess, or blocking them is pointless. */
#define EXPLAINED 0.5

#define WINDOW_SIZE (offsetof(struct sluice_window, port_bins) + sizeof(const uint8_t *))

/* A flow and what it adds to the metric that is looked at. */
struct share {
	const struct sluice_flow *flow;
	double rate;
};

struct scene {
	const struct destination_params *params;
	struct levels *levels;
	const struct sluice_window *window;
	uint64_t now_ns;
	double seconds;
	const struct sluice_flow **flows; /* By destination, then in no order. */
	struct share *shares;		  /* Room for all flows of one destination. */
	destination_hit_fn hit;
	void *ctx;
	bool wanted;
	struct destination_result *result;
};

const char *threshold_metric_name(enum threshold_metric metric)
{
	static const char *const names[THRESHOLD_N_METRICS] = {
		[THRESHOLD_PACKETS] = "packets",   [THRESHOLD_BITS] = "bits",
		[THRESHOLD_SYN] = "SYNs",	   [THRESHOLD_UDP] = "UDP packets",
		[THRESHOLD_ICMP] = "ICMP packets", [THRESHOLD_FLOWS] = "sources",
	};

	return names[metric];
}

static int compare_flows(const void *left, const void *right)
{
	return key_order(&(*(const struct sluice_flow *const *)left)->destination,
			 &(*(const struct sluice_flow *const *)right)->destination);
}

static int compare_shares(const void *left, const void *right)
{
	double a = ((const struct share *)left)->rate, b = ((const struct share *)right)->rate;

	return a > b ? -1 : a < b;
}

static double flow_count(const struct sluice_flow *flow, enum threshold_metric metric)
{
	switch (metric) {
	case THRESHOLD_BITS:
		return (double)flow->bytes * 8;
	case THRESHOLD_SYN:
		return flow->tcp_syn;
	case THRESHOLD_UDP:
		return flow->udp;
	case THRESHOLD_ICMP:
		return flow->icmp;
	case THRESHOLD_PACKETS:
	case THRESHOLD_FLOWS:
	case THRESHOLD_N_METRICS:
		break;
	}
	return (double)flow->packets;
}

static void measure(const struct sluice_destination *destination, size_t n_flows, double seconds,
		    double rates[THRESHOLD_N_METRICS])
{
	double syn = 0;

	for (unsigned int flags = 0; flags < SLUICE_N_TCP_FLAGS; flags++)
		if (flags & FLAG_SYN && !(flags & FLAG_ACK))
			syn += destination->tcp_flags[flags];
	rates[THRESHOLD_PACKETS] = (double)destination->packets / seconds;
	rates[THRESHOLD_BITS] = (double)destination->bytes * 8 / seconds;
	rates[THRESHOLD_SYN] = syn / seconds;
	rates[THRESHOLD_UDP] = destination->protocol[SLUICE_PROTOCOL_UDP] / seconds;
	rates[THRESHOLD_ICMP] = destination->protocol[SLUICE_PROTOCOL_ICMP] / seconds;
	rates[THRESHOLD_FLOWS] = (double)n_flows / seconds;
}

/* Of the floor in packets: what a metric may at least reach before it is out of the ordinary. */
static double learned_floor(const struct destination_params *params, enum threshold_metric metric)
{
	double pps = (double)params->floor_pps;

	switch (metric) {
	case THRESHOLD_BITS:
		return pps * 8000;
	case THRESHOLD_UDP:
		return pps / 2;
	case THRESHOLD_SYN:
	case THRESHOLD_ICMP:
	case THRESHOLD_FLOWS:
		return pps / 10;
	case THRESHOLD_PACKETS:
	case THRESHOLD_N_METRICS:
		break;
	}
	return pps;
}

/* 0: there is none. */
static double limit_of(const struct scene *scene, const struct sluice_key *key,
		       enum threshold_metric metric)
{
	const struct destination_params *params = scene->params;
	double fixed = (double)params->fixed[metric], learned;

	if (!params->learn)
		return fixed;
	learned = levels_limit(scene->levels, key, metric, scene->now_ns, params->deviation,
			       params->growth);
	if (learned < 0)
		return fixed;
	learned = fmax(learned, learned_floor(params, metric));
	return fixed > 0 ? fmin(fixed, learned) : learned;
}

static size_t flows_of(const struct scene *scene, const struct sluice_key *key, size_t *first)
{
	size_t from = 0, n = scene->window->n_flows, end;

	while (n > 0) {
		size_t half = n / 2;

		if (key_order(&scene->flows[from + half]->destination, key) < 0) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	end = from;
	while (end < scene->window->n_flows && key_order(&scene->flows[end]->destination, key) == 0)
		end++;
	*first = from;
	return end - from;
}

static void name(struct scene *scene, const struct destination_hit *hit)
{
	if (scene->wanted)
		scene->wanted = scene->hit(scene->ctx, hit) == 0;
}

/*
 * The heaviest, as many as it takes to bring the destination back under its limit.  False: no few
 * sources explain the excess.
 */
static bool name_contributors(struct scene *scene, struct destination_hit *hit, size_t first,
			      size_t n)
{
	double excess = hit->total - hit->limit, covered = 0;
	size_t n_named = 0;

	for (size_t i = 0; i < n; i++) {
		const struct sluice_flow *flow = scene->flows[first + i];

		scene->shares[i].flow = flow;
		scene->shares[i].rate = flow_count(flow, hit->metric) / scene->seconds;
	}
	qsort(scene->shares, n, sizeof(*scene->shares), compare_shares);
	while (n_named < n && covered < excess) {
		const struct share *share = &scene->shares[n_named];

		if (share->rate < LEAST_SHARE * excess ||
		    (double)share->flow->packets / scene->seconds <
			    (double)scene->params->source_floor_pps)
			break;
		covered += share->rate;
		n_named++;
	}
	if (hit->metric == THRESHOLD_FLOWS || covered < EXPLAINED * excess)
		return false;
	for (size_t i = 0; i < n_named; i++) {
		hit->source = scene->shares[i].flow->source;
		hit->rate = scene->shares[i].rate;
		name(scene, hit);
	}
	return true;
}

/* True if it is over a limit that was not tried yet; then `hit` says which it exceeds most. */
static bool judge(struct scene *scene, const struct sluice_key *key,
		  const double rates[THRESHOLD_N_METRICS], unsigned int tried,
		  struct destination_hit *hit)
{
	double worst = 1;

	for (int i = 0; i < THRESHOLD_N_METRICS; i++) {
		double limit = limit_of(scene, key, (enum threshold_metric)i);
		double ratio = limit > 0 ? rates[i] / limit : 0;

		if (ratio > scene->result->worst_ratio) {
			scene->result->worst_ratio = ratio;
			scene->result->worst = *key;
			scene->result->worst_metric = (enum threshold_metric)i;
		}
		if (ratio <= worst || tried & 1u << i)
			continue;
		worst = ratio;
		*hit = (struct destination_hit){ .destination = *key,
						 .metric = (enum threshold_metric)i,
						 .total = rates[i],
						 .limit = limit };
	}
	return worst > 1;
}

/*
 * True if it is over a limit.  Many small senders of SYNs, say, do not hide one of too many packets:
 * what nobody is named for gives way to what it exceeds next.
 */
static bool look_at_limits(struct scene *scene, const struct sluice_key *key,
			   const double rates[THRESHOLD_N_METRICS], size_t first, size_t n)
{
	struct destination_hit hit;
	unsigned int tried = 0;
	bool named = false;

	while (!named && judge(scene, key, rates, tried, &hit)) {
		tried |= 1u << hit.metric;
		named = name_contributors(scene, &hit, first, n);
	}
	scene->result->over += tried != 0;
	scene->result->without_heavy += tried && !named;
	return tried != 0;
}

static void look_at_destination(struct scene *scene, const struct sluice_destination *destination)
{
	double rates[THRESHOLD_N_METRICS];
	bool attack = SLUICE_HAS(scene->window, flags) &&
		      scene->window->flags & SLUICE_WINDOW_ATTACK;
	size_t first, n = flows_of(scene, &destination->key, &first);

	measure(destination, n, scene->seconds, rates);
	attack |= look_at_limits(scene, &destination->key, rates, first, n);
	if (!scene->params->learn)
		return;
	if (attack)
		levels_freeze(scene->levels, &destination->key);
	else
		levels_learn(scene->levels, &destination->key, rates, scene->now_ns,
			     scene->seconds);
}

static void look_at_pair(struct scene *scene, const struct sluice_flow *flow)
{
	struct destination_hit hit = { .is_pair = true,
				       .source = flow->source,
				       .destination = flow->destination };
	double worst = 1;

	for (int i = 0; i < THRESHOLD_FLOWS; i++) {
		double limit = (double)scene->params->pair[i];
		double rate = flow_count(flow, (enum threshold_metric)i) / scene->seconds;

		if (limit <= 0 || rate / limit <= worst)
			continue;
		worst = rate / limit;
		hit.metric = (enum threshold_metric)i;
		hit.rate = hit.total = rate;
		hit.limit = limit;
	}
	if (worst <= 1)
		return;
	scene->result->pairs_over++;
	scene->result->worst_ratio = fmax(scene->result->worst_ratio, worst);
	name(scene, &hit);
}

static bool is_readable(const struct sluice_window *window)
{
	if (window->size < WINDOW_SIZE)
		return false;
	if (window->n_flows && (!window->flows || window->flow_size < sizeof(struct sluice_flow)))
		return false;
	return !window->n_destinations ||
	       (window->destinations &&
		window->destination_size >= sizeof(struct sluice_destination));
}

static int make_room(struct scene *scene)
{
	size_t n = scene->window->n_flows;

	if (n == 0)
		return 0;
	scene->flows = malloc(n * sizeof(const struct sluice_flow *));
	scene->shares = malloc(n * sizeof(*scene->shares));
	if (!scene->flows || !scene->shares)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		scene->flows[i] = sluice_window_flow(scene->window, i);
	qsort(scene->flows, n, sizeof(const struct sluice_flow *), compare_flows);
	return 0;
}

static bool any(const uint64_t *limits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (limits[i])
			return true;
	return false;
}

static int look_at_destinations(struct scene *scene)
{
	int code = make_room(scene);

	for (size_t i = 0; code == 0 && i < scene->window->n_destinations; i++)
		look_at_destination(scene, sluice_window_destination(scene->window, i));
	free(scene->flows);
	free(scene->shares);
	return code;
}

int destination_observe(const struct destination_params *params, struct levels *levels,
			const struct sluice_window *window, uint64_t now_ns, destination_hit_fn hit,
			void *ctx, struct destination_result *result)
{
	struct scene scene = { .params = params,
			       .levels = levels,
			       .window = window,
			       .now_ns = now_ns,
			       .seconds = fmax((double)window->length_ns / 1e9, SHORTEST_SECONDS),
			       .hit = hit,
			       .ctx = ctx,
			       .wanted = true,
			       .result = result };
	int code = 0;

	memset(result, 0, sizeof(*result));
	if (!is_readable(window))
		return -EINVAL;
	/* Another detector may have asked for what this one has no limit for. */
	if (params->learn || any(params->fixed, THRESHOLD_N_METRICS))
		code = look_at_destinations(&scene);
	if (code || !any(params->pair, THRESHOLD_N_METRICS))
		return code;
	for (size_t i = 0; i < window->n_flows; i++)
		look_at_pair(&scene, sluice_window_flow(window, i));
	return 0;
}
