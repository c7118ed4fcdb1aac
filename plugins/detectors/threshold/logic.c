/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compares the rates of each source with the limits; see logic.h.
 */
#include "logic.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "spread.h"

/* A rate over less time than this would be made of single packets. */
#define SHORTEST_SECONDS 0.05

#define WINDOW_SIZE_1_0 (offsetof(struct sluice_window, blocked_size) + sizeof(size_t))
#define SOURCE_SIZE_1_0 (offsetof(struct sluice_source, flags) + sizeof(uint32_t))
#define BLOCKED_SIZE_1_0 (offsetof(struct sluice_blocked_source, hw_age_ns) + sizeof(uint64_t))

static bool window_is_readable(const struct sluice_window *window)
{
	if (window->size < WINDOW_SIZE_1_0)
		return false;
	if (window->n_sources > 0 && (!window->sources || window->source_size < SOURCE_SIZE_1_0))
		return false;
	return window->n_blocked == 0 ||
	       (window->blocked && window->blocked_size >= BLOCKED_SIZE_1_0);
}

static uint64_t count_of(const struct sluice_source *source, const struct spread *spread,
			 enum threshold_limit limit)
{
	switch (limit) {
	case THRESHOLD_LIMIT_SYN:
		return source->tcp_syn;
	case THRESHOLD_LIMIT_UDP:
		return source->udp;
	case THRESHOLD_LIMIT_ICMP:
		return source->icmp;
	case THRESHOLD_LIMIT_FLOWS:
		return spread_of(spread, &source->key);
	case THRESHOLD_LIMIT_BITS:
		return source->bytes < UINT64_MAX / 8 ? source->bytes * 8 : UINT64_MAX;
	case THRESHOLD_LIMIT_SOURCE:
	case THRESHOLD_N_LIMITS:
		break;
	}
	return source->packets;
}

/* How far the source is over its worst limit; `hit->ratio` of 1 or less means within all. */
static void judge_source(const struct threshold_limits *limits, const struct sluice_source *source,
			 const struct spread *spread, double seconds, struct threshold_hit *hit)
{
	*hit = (struct threshold_hit){ .source = source };
	for (int i = 0; i < THRESHOLD_N_LIMITS; i++) {
		double pps = (double)count_of(source, spread, (enum threshold_limit)i) / seconds;

		if (limits->pps[i] == 0 || pps / (double)limits->pps[i] <= hit->ratio)
			continue;
		hit->limit = (enum threshold_limit)i;
		hit->pps = pps;
		hit->ratio = pps / (double)limits->pps[i];
	}
}

/* In packets, of which each flow has one at least: of blocked sources no bytes are known. */
static uint64_t lowest_limit(const struct threshold_limits *limits)
{
	uint64_t lowest = 0;

	for (int i = 0; i < THRESHOLD_LIMIT_BITS; i++)
		if (limits->pps[i] != 0 && (lowest == 0 || limits->pps[i] < lowest))
			lowest = limits->pps[i];
	return lowest;
}

static void note_ratio(struct threshold_result *result, double ratio)
{
	if (ratio > result->worst_ratio)
		result->worst_ratio = ratio;
}

/* Packets of blocked sources are not told apart by protocol, so that the lowest limit decides. */
static void observe_blocked(const struct threshold_limits *limits,
			    const struct sluice_window *window, double seconds,
			    struct threshold_result *result)
{
	uint64_t limit = lowest_limit(limits);

	if (limit == 0)
		return;
	for (size_t i = 0; i < window->n_blocked; i++) {
		const struct sluice_blocked_source *blocked = sluice_window_blocked(window, i);
		double packets = (double)blocked->packets + (double)blocked->hw_packets;
		double ratio = packets / seconds / (double)limit;

		if (ratio <= 1)
			continue;
		note_ratio(result, ratio);
		result->blocked_over++;
	}
}

static void observe_sources(const struct threshold_limits *limits,
			    const struct sluice_window *window, const struct spread *spread,
			    double seconds, threshold_hit_fn hit, void *ctx,
			    struct threshold_result *result)
{
	bool wanted = true;

	for (size_t i = 0; i < window->n_sources; i++) {
		struct threshold_hit found;

		judge_source(limits, sluice_window_source(window, i), spread, seconds, &found);
		/* A known client's own rate is no flood until somebody has blocked it. */
		if (!(found.source->flags & SLUICE_SOURCE_KNOWN))
			note_ratio(result, found.ratio);
		if (found.ratio <= 1)
			continue;
		if (found.source->flags & SLUICE_SOURCE_KNOWN)
			result->known_over++;
		else
			result->over++;
		if (wanted)
			wanted = hit(ctx, &found) == 0;
	}
}

int threshold_observe(const struct threshold_limits *limits, const struct sluice_window *window,
		      threshold_hit_fn hit, void *ctx, struct threshold_result *result)
{
	uint64_t flows = limits->pps[THRESHOLD_LIMIT_FLOWS];
	struct spread spread = { 0 };
	double seconds;
	int code = 0;

	memset(result, 0, sizeof(*result));
	if (!window_is_readable(window))
		return -EINVAL;
	seconds = (double)window->length_ns / 1e9;
	if (seconds < SHORTEST_SECONDS)
		seconds = SHORTEST_SECONDS;
	if (flows)
		code = spread_find(window, (double)flows * seconds, &spread);
	if (code)
		return code;
	observe_sources(limits, window, &spread, seconds, hit, ctx, result);
	free(spread.list);
	observe_blocked(limits, window, seconds, result);
	result->attack = result->over > 0 || result->blocked_over > 0;
	return 0;
}

const char *threshold_limit_name(enum threshold_limit limit)
{
	switch (limit) {
	case THRESHOLD_LIMIT_SYN:
		return "SYNs";
	case THRESHOLD_LIMIT_UDP:
		return "UDP packets";
	case THRESHOLD_LIMIT_ICMP:
		return "ICMP packets";
	case THRESHOLD_LIMIT_FLOWS:
		return "flows";
	case THRESHOLD_LIMIT_BITS:
		return "bits";
	case THRESHOLD_LIMIT_SOURCE:
	case THRESHOLD_N_LIMITS:
		break;
	}
	return "packets";
}
