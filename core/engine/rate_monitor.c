/* SPDX-License-Identifier: BSD-2-Clause */
/* The quiet threshold, learned or set: see rate_monitor.h. */
#include "rate_monitor.h"

#include <string.h>

#include "config/settings.h"

/* A single freak rate is forgotten slowly: by half in about 2,800 windows. */
#define DECAY_SHIFT 12

void rate_monitor_init(struct rate_monitor *monitor)
{
	memset(monitor, 0, sizeof(*monitor));
}

void rate_monitor_learn(struct rate_monitor *monitor, bool peace, uint64_t highest_pps)
{
	uint64_t believed;

	if (!peace) {
		monitor->n_pending = 0;
		monitor->next = 0;
		return;
	}
	if (monitor->n_pending < RATE_MONITOR_LAG) {
		monitor->pending[monitor->n_pending++] = highest_pps;
		return;
	}
	believed = monitor->pending[monitor->next];
	monitor->pending[monitor->next] = highest_pps;
	monitor->next = (monitor->next + 1) % RATE_MONITOR_LAG;
	monitor->learned_pps -= monitor->learned_pps >> DECAY_SHIFT;
	if (believed > monitor->learned_pps)
		monitor->learned_pps = believed;
}

uint64_t rate_monitor_threshold(const struct rate_monitor *monitor,
				const struct settings_rate_monitor *settings)
{
	if (!settings->quiet_learned)
		return settings->quiet_pps;
	return monitor->learned_pps > RATE_MONITOR_FLOOR_PPS ? monitor->learned_pps
							     : RATE_MONITOR_FLOOR_PPS;
}

struct rate_limits rate_limits_make(uint64_t threshold_pps, uint64_t length_ns, bool attack)
{
	double packets = (double)threshold_pps * ((double)length_ns / 1e9);

	return (struct rate_limits){
		.packets = packets < 1e18 ? (uint64_t)packets : (uint64_t)1e18,
		.length_ns = length_ns,
		/*
		 * A worker that reads the card once a window hands over figures that are just about
		 * one window old; only what is older than that says nothing about this window.
		 */
		.max_age_ns = 2 * length_ns,
		.attack = attack,
	};
}
