/* SPDX-License-Identifier: BSD-2-Clause */
/* Totals of one window: see measure.h. */
#include "measure.h"

void measure_totals(const struct dataplane_counters *before, const struct dataplane_counters *now,
		    uint64_t hw_packets, struct sluice_window *window)
{
	uint64_t dropped_bytes = 0;

	window->passed_packets = 0;
	window->passed_bytes = 0;
	window->dropped_packets = 0;
	window->blocked_packets = 0;
	for (unsigned int reason = 0; reason < DATAPLANE_N_REASONS; reason++) {
		uint64_t packets = now->reason[reason].packets - before->reason[reason].packets;
		uint64_t bytes = now->reason[reason].bytes - before->reason[reason].bytes;

		if (reason == DATAPLANE_REASON_WOULD_DROP || reason == DATAPLANE_REASON_KNOWN)
			continue; /* Counted again as passed. */
		if (!dataplane_reason_is_drop((enum dataplane_reason)reason)) {
			window->passed_packets += packets;
			window->passed_bytes += bytes;
			continue;
		}
		window->dropped_packets += packets;
		dropped_bytes += bytes;
		if (reason == DATAPLANE_REASON_BLOCKED || reason == DATAPLANE_REASON_BLOCKED_PREFIX)
			window->blocked_packets += packets;
	}
	window->hw_packets = hw_packets;
	window->offered_packets = window->passed_packets + window->dropped_packets + hw_packets;
	window->offered_bytes = window->passed_bytes + dropped_bytes;
}

void measure_features(const struct dataplane_features_read *read, struct sluice_window *window)
{
	bool all_tracked = window->untracked_packets == 0;

	/* Who is tracked is known by name, so an estimate below that is known to be wrong. */
	window->distinct_sources = window->n_sources;
	if (!all_tracked && read->distinct_sources > window->n_sources)
		window->distinct_sources = read->distinct_sources;
	window->distinct_error = all_tracked ? 0 : read->distinct_error;
	window->samples = read->samples;
	window->n_samples = read->n_samples;
	window->sample_size = sizeof(struct sluice_sample);
	window->samples_lost = read->samples_lost;
	window->flows = read->flows;
	window->n_flows = read->n_flows;
	window->flow_size = sizeof(struct sluice_flow);
	window->untracked_flow_packets = read->untracked_flows.packets;
	window->untracked_flow_bytes = read->untracked_flows.bytes;
	window->destinations = read->destinations;
	window->n_destinations = read->n_destinations;
	window->destination_size = sizeof(struct sluice_destination);
	window->untracked_destination_packets = read->untracked_destinations.packets;
	window->untracked_destination_bytes = read->untracked_destinations.bytes;
	window->port_bins = read->port_bins;
}

uint64_t measure_pps(uint64_t packets, uint64_t length_ns)
{
	if (!length_ns)
		return 0;
	return (uint64_t)((double)packets * 1e9 / (double)length_ns + 0.5);
}
