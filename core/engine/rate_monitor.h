/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a blocked source counts as quiet: P1, section IV-D.  The threshold is the highest rate that
 * one source reached in normal activity, learned in peace or set.
 *
 * P1 walks the blocklist, sorted by rate, from the bottom up to the threshold.  Comparing every
 * entry with the threshold, in the pass that reads its counter anyway, selects the same entries
 * without sorting a million of them.
 *
 * Added to P1: while an attack goes on, a source must also have fallen to a quarter of the rate it
 * was blocked for.  Attackers that each send less than the busiest client in peace would
 * otherwise all be let go every few windows, only to be blocked again in the next.
 */
#ifndef SLUICE_ENGINE_RATE_MONITOR_H
#define SLUICE_ENGINE_RATE_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

struct settings_rate_monitor;

/* Windows whose highest rates wait before they are believed: an attack may be starting in them. */
#define RATE_MONITOR_LAG 5
/* What is quiet before any peace was seen. */
#define RATE_MONITOR_FLOOR_PPS 5

struct rate_monitor {
	uint64_t learned_pps;
	uint64_t
		pending[RATE_MONITOR_LAG]; /* A ring of the last peaceful windows' highest rates. */
	uint32_t n_pending, next;
};

enum rate_verdict {
	RATE_VERDICT_UNKNOWN, /* The card's figure is too old to say. */
	RATE_VERDICT_QUIET,
	RATE_VERDICT_LOUD,
};

/* One window's limits, made once and applied to every entry. */
struct rate_limits {
	uint64_t packets; /* At most this many in the window are quiet. */
	uint64_t length_ns;
	uint64_t max_age_ns; /* An older figure of the card says nothing. */
	bool attack;
};

void rate_monitor_init(struct rate_monitor *monitor);
/*
 * Notes the highest rate of one source in a window of peace.  In an attack what was pending is
 * dropped, since its beginning may be in there, and nothing is learned.
 */
void rate_monitor_learn(struct rate_monitor *monitor, bool peace, uint64_t highest_pps);
uint64_t rate_monitor_threshold(const struct rate_monitor *monitor,
				const struct settings_rate_monitor *settings);

struct rate_limits rate_limits_make(uint64_t threshold_pps, uint64_t length_ns, bool attack);

/* `packets` is software and hardware together; `blocked_pps` 0 = not known. */
static inline enum rate_verdict rate_verdict_of(const struct rate_limits *limits, uint64_t packets,
						uint32_t blocked_pps, bool in_card,
						uint64_t hw_age_ns)
{
	if (packets > limits->packets)
		return RATE_VERDICT_LOUD;
	if (limits->attack && blocked_pps &&
	    (double)packets * 4e9 > (double)blocked_pps * (double)limits->length_ns)
		return RATE_VERDICT_LOUD;
	if (in_card && hw_age_ns > limits->max_age_ns)
		return RATE_VERDICT_UNKNOWN;
	return RATE_VERDICT_QUIET;
}

#endif /* SLUICE_ENGINE_RATE_MONITOR_H */
